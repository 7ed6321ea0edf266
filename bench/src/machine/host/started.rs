//! The processes that run, and how all of them end.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use parking_lot::Mutex;

use super::guard::Guard;

/// Time for the started processes to end on an interruption, rather than to drain.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often an interruption is looked for in a pause: a user notices no tenth of a second.
const LOOK: Duration = Duration::from_millis(100);

/// What the thread that waits for signals shares with the others.
#[derive(Default)]
pub(super) struct Started {
    /// The value by which the guard knows the processes, where the harness of another host gives it.
    pub(super) mark: Option<String>,
    pub(super) interrupted: AtomicBool,
    pub(super) groups: Mutex<Groups>,
}

/// The processes that run.
#[derive(Default)]
pub(super) struct Groups {
    /// Process groups that may get a signal: not yet reaped, so no number has been reused.
    pub(super) running: Vec<Pid>,
    /// Kills them if the harness is killed; from the first on.
    pub(super) guard: Option<Guard>,
}

impl Started {
    /// Whether the user has interrupted the harness, or the harness this helper.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    pub(super) fn check_interrupted(&self) -> anyhow::Result<()> {
        if self.interrupted() { Err(anyhow!("interrupted")) } else { Ok(()) }
    }

    /// Waits for a time. Returns whether it has passed: an interruption ends the wait.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let began = Instant::now();
        while !self.interrupted() {
            let left = time.saturating_sub(began.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(LOOK));
        }
        false
    }

    /// Starts no process any more, asks those that run to end, and kills what is left after
    /// [`LAST_WORDS`], on a thread of its own.
    pub(super) fn end_all(self: &Arc<Self>) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.signal_all(Signal::SIGTERM);
        let ended = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(LAST_WORDS);
            // No process was started in the meantime, and none will be.
            ended.signal_all(Signal::SIGKILL);
        });
    }

    pub(super) fn signal_all(&self, signal: Signal) {
        for group in &self.groups.lock().running {
            let _ = killpg(*group, signal);
        }
    }
}

/// The group that a started process leads.
pub(super) fn group_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_by_itself_or_by_an_interruption() {
        let started = Arc::new(Started::default());
        assert!(started.pause(Duration::ZERO) && started.pause(Duration::from_millis(1)));
        let interrupts = Arc::clone(&started);
        let thread = std::thread::spawn(move || interrupts.end_all());
        // Without an interruption the test would not end.
        assert!(!started.pause(Duration::MAX));
        assert!(!started.pause(Duration::ZERO));
        thread.join().unwrap();
    }
}
