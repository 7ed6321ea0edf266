//! The running processes, and how all of them end.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use parking_lot::Mutex;

use super::guard::Guard;

/// The time for the started processes to end after an interruption. It is for ending, not for
/// draining connections.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a pause checks for an interruption: a user does not notice a tenth of a second.
const LOOK: Duration = Duration::from_millis(100);

/// The state that the thread that waits for signals shares with the other threads.
#[derive(Default)]
pub(super) struct Started {
    /// The value with which the guard marks the processes, if the harness on another host has
    /// chosen it.
    pub(super) mark: Option<String>,
    pub(super) interrupted: AtomicBool,
    pub(super) groups: Mutex<Groups>,
}

/// The processes that run.
#[derive(Default)]
pub(super) struct Groups {
    /// Process groups that may get a signal: not yet reaped, so no number has been reused.
    pub(super) running: Vec<Pid>,
    /// The groups among them that were started after the interruption, to end what other processes
    /// have left.
    pub(super) last: Vec<Pid>,
    /// Kills the processes if the harness is killed. Started with the first process.
    pub(super) guard: Option<Guard>,
}

impl Started {
    /// Whether the user has interrupted the harness, or, in a helper, the harness has ended it.
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

    /// Prevents further starts, except of processes that end others, asks the running processes to
    /// end, and, on a thread of its own, kills those that still run after [`LAST_WORDS`].
    pub(super) fn end_all(self: &Arc<Self>) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.groups.lock().signal(Signal::SIGTERM);
        let ended = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(LAST_WORDS);
            ended.groups.lock().signal(Signal::SIGKILL);
        });
    }

    /// Kills all running processes at once.
    pub(super) fn kill_all(&self) {
        let mut groups = self.groups.lock();
        groups.last.clear();
        groups.signal(Signal::SIGKILL);
    }
}

impl Groups {
    /// Sends a signal to the groups that were started before the interruption.
    fn signal(&self, signal: Signal) {
        for group in self.running.iter().filter(|group| !self.last.contains(group)) {
            let _ = killpg(*group, signal);
        }
    }

    /// Removes a group from the lists before it is reaped: its number can be reused from then on.
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
