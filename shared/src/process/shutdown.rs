//! Signals: the first begins the drain, the second ends the process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::http::limits::DRAIN_GRACE;
use crate::lifecycle::Lifecycle;

/// Drains the server at the first SIGTERM or SIGINT. Fails as [`on_signal`] does.
pub fn drain_on_signal(lifecycle: &Arc<Lifecycle>, limit: Duration) -> anyhow::Result<()> {
    let lifecycle = Arc::clone(lifecycle);
    on_signal(move || lifecycle.drain(DRAIN_GRACE, limit))
}

/// Calls `begin` at the first SIGTERM or SIGINT, on a thread of its own, where it may block. A
/// second signal ends the process at once, with 128 plus its number, as shells have it.
///
/// Fails when signals cannot be watched.
pub fn on_signal(begin: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot watch for signals")?;
    let watch = move || {
        let mut arrivals = signals.forever();
        if arrivals.next().is_some() {
            #[cfg(feature = "counting")]
            eprintln!("allocations: {}", crate::counting::total());
            std::thread::spawn(begin);
        }
        if let Some(signal) = arrivals.next() {
            std::process::exit(128 + signal);
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(watch)
        .context("cannot start the thread for signals")?;
    Ok(())
}
