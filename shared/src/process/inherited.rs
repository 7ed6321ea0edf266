//! What a process inherits from the one that has started it, and must not depend on.

use anyhow::Context;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};

/// Unblocks all signals, and lets the end of children be waited for. A parent may have blocked
/// SIGTERM, so that nothing would end this process; and where it ignores SIGCHLD, so does this
/// process, whose children would leave nothing to wait for. Children inherit both as they are then.
///
/// Before there is a second thread, since each has signals of its own that it blocks.
#[allow(unsafe_code, reason = "a signal's action is set")]
pub fn reset_signals() -> anyhow::Result<()> {
    SigSet::empty().thread_set_mask().context("cannot unblock signals")?;
    // SAFETY: the default action runs no code of this process.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("cannot reset SIGCHLD")?;
    Ok(())
}
