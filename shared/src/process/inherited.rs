//! Resets the signal state that a process inherits from its parent, so as not to depend on it.

use anyhow::Context;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};

/// Unblocks all signals, and restores the default action of SIGCHLD. A parent may have blocked
/// SIGTERM, which then would not end this process. If the parent ignores SIGCHLD, so does this
/// process, which could not wait for its children. Children inherit the state after this call.
///
/// Call this before there is a second thread: each thread has its own mask of blocked signals.
#[allow(unsafe_code, reason = "a signal's action is set")]
pub fn reset_signals() -> anyhow::Result<()> {
    SigSet::empty().thread_set_mask().context("cannot unblock signals")?;
    // SAFETY: the default action runs no code of this process.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("cannot reset SIGCHLD")?;
    Ok(())
}
