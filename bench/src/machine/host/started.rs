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
    /// Those among them that were started after the interruption, to end what others have left.
    pub(super) last: Vec<Pid>,
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

    /// Starts no process any more but those that end others, asks those that run to end, and kills what
    /// is left of them after [`LAST_WORDS`], on a thread of its own.
    pub(super) fn end_all(self: &Arc<Self>) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.groups.lock().signal(Signal::SIGTERM);
        let ended = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(LAST_WORDS);
            ended.groups.lock().signal(Signal::SIGKILL);
        });
    }

    /// Kills all that runs, at once.
    pub(super) fn kill_all(&self) {
        let mut groups = self.groups.lock();
        groups.last.clear();
        groups.signal(Signal::SIGKILL);
    }
}

impl Groups {
    /// Sends a signal to those that were started before the interruption.
    fn signal(&self, signal: Signal) {
        for group in self.running.iter().filter(|group| !self.last.contains(group)) {
            let _ = killpg(*group, signal);
        }
    }

    /// Takes a group off the lists, before it is reaped: its number can be reused from then on.
    pub(super) fn remove(&mut self, group: Pid) {
        self.running.retain(|other| *other != group);
        self.last.retain(|other| *other != group);
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
