//! Signals: the first asks for a drain, the second ends the process.

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Calls `begin` on the first SIGTERM or SIGINT, on a thread of its own, where it may take its time. A second signal exits at once, with
/// 128 plus its number as shells count.
pub fn on_signal(begin: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot watch for signals")?;
    let watch = move || {
        let mut arrivals = signals.forever();
        if arrivals.next().is_some() {
            #[cfg(feature = "counting")]
            eprintln!("allocations: {}", crate::counting::of_all_threads());
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
