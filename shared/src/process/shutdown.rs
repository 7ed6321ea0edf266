//! Signals: the first begins the drain, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::threads::start_thread;
use crate::http::limits::DRAIN_GRACE;
use crate::lifecycle::Lifecycle;

/// Drains the server at the first SIGTERM or SIGINT. Fails as [`on_signal`] does.
pub fn drain_on_signal(lifecycle: &Arc<Lifecycle>, limit: Duration) -> anyhow::Result<()> {
    let lifecycle = Arc::clone(lifecycle);
    on_signal(move || lifecycle.drain(DRAIN_GRACE, limit))
}

/// Calls `begin` at the first SIGTERM or SIGINT, on a separate thread, where it may block. A second
/// signal ends the process at once, with 128 plus its number as the exit code, as in shells.
///
/// Neither signal needs a resource that the server may have run out of by then: the thread exists
/// from the start, and the second signal's handler ends the process itself.
///
/// Fails when signals cannot be watched, or the thread cannot be started.
pub fn on_signal(begin: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let watched = [SIGTERM, SIGINT];
    let was_signalled = Arc::new(AtomicBool::new(false));
    let watch = || {
        for signal in watched {
            // In this order: at the first signal, the conditional shutdown finds the flag unset.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&was_signalled))?;
            flag::register(signal, Arc::clone(&was_signalled))?;
        }
        Signals::new(watched)
    };
    let mut signals = watch().context("cannot watch for signals")?;
    start_thread("signals", move || {
        if signals.forever().next().is_some() {
            #[cfg(feature = "counting")]
            eprintln!("allocations: {}", crate::counting::total());
            begin();
        }
    })?;
    Ok(())
}
