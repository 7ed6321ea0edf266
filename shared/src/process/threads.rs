//! Threads, which a machine may refuse: `ulimit -u`, and the limit of a container, are reached
//! sooner than memory.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

/// Time for threads that have ended to be counted no longer. It takes microseconds.
const COUNTED: Duration = Duration::from_secs(1);

/// Starts a thread. An error says which one, and names the limits.
pub fn start_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(work).with_context(|| refused(&format!("the thread `{name}`")))
}

/// Fails where this process may not have `count` more threads: it starts them, and ends them again.
///
/// For runtimes that start threads themselves. Without one they panic, or serve on with fewer, or
/// with none at all.
pub fn check_threads(count: usize) -> anyhow::Result<()> {
    let before = number_of_threads();
    let gate = Mutex::new(());
    let closed = gate.lock();
    let started = thread::scope(|scope| {
        let wait = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
        let started = (0..count).try_for_each(|_| Builder::new().spawn_scoped(scope, wait).map(drop));
        drop(closed);
        started
    });
    // The scope ends before its threads do, which the limit counts until then.
    let end = Instant::now() + COUNTED;
    while number_of_threads() > before && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    started.with_context(|| refused(&format!("{count} threads")))
}

/// What could not be started, and what limits that.
fn refused(what: &str) -> String {
    format!("cannot start {what}: raise the limit of threads (`ulimit -u`, a container's pids.max)")
}

fn number_of_threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_were_tried_are_gone_again() {
        check_threads(3).unwrap();
        let named = |entry: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(entry.ok()?.path().join("comm")).ok()
        };
        let test = thread::current().name().unwrap().to_owned();
        // What tests are named is cut at 15 bytes; a thread without a name has that of its parent.
        let own = |name: &String| test.starts_with(name.trim_end());
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        assert_eq!(tasks.filter_map(named).filter(own).count(), 1);
    }

    #[test]
    fn an_error_names_what_was_refused_and_the_limits() {
        assert_eq!(
            refused("the thread `worker`"),
            "cannot start the thread `worker`: raise the limit of threads (`ulimit -u`, a container's pids.max)"
        );
    }
}
