//! Starts threads, which a machine may refuse: the limit of `ulimit -u` or of a container is
//! reached before memory runs out.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

/// The longest wait until ended threads are no longer counted, which takes microseconds.
const COUNTED: Duration = Duration::from_secs(1);

/// Starts a thread. An error names the thread and the limits.
pub fn start_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(work).with_context(|| refused(&format!("the thread `{name}`")))
}

/// Fails when this process cannot have `count` more threads. To find out, it starts and ends them.
///
/// For runtimes that start threads themselves. When a thread is refused, they panic, or continue
/// with fewer threads or none.
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
    // The scope ends before its threads have ended, and the limit counts them until then.
    let end = Instant::now() + COUNTED;
    while number_of_threads() > before && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    started.with_context(|| refused(&format!("{count} threads")))
}

/// Returns an error message that names what could not be started, and the limits.
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
        // The kernel cuts a thread's name at 15 bytes; a thread without a name has its parent's.
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
