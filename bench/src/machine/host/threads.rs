//! The CPU time of each thread of a process.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// The CPU time of existing threads since their start. A thread that has ended is not among them;
/// [`Usage`](super::Usage) includes its time.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ThreadTimes {
    by_number: HashMap<i32, Duration>,
}

impl ThreadTimes {
    /// Returns what the threads that exist now have used since an earlier reading. If a thread ID
    /// was reused, the result is the time of the new thread, less the time that the former one had
    /// in the earlier reading.
    pub fn since(mut self, before: &Self) -> Self {
        for (thread, time) in &mut self.by_number {
            *time = time.saturating_sub(before.by_number.get(thread).copied().unwrap_or_default());
        }
        self
    }

    /// The sum of both, thread by thread.
    pub fn and(mut self, other: Self) -> Self {
        for (thread, time) in other.by_number {
            *self.by_number.entry(thread).or_default() += time;
        }
        self
    }

    /// Returns the times of at most `count` threads, the longest first.
    pub fn longest(&self, count: usize) -> Vec<Duration> {
        let mut times: Vec<Duration> = self.by_number.values().copied().collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.truncate(count);
        times
    }
}

/// Returns the times of a process's threads; `None` if the kernel does not report them, or there is
/// no such process. The first number of `schedstat` is a thread's CPU time in nanoseconds
/// (Documentation/scheduler/sched-stats.rst); `stat` has only hundredths of a second. A file takes
/// some microseconds to read.
pub(super) fn read(pid: Pid) -> Option<ThreadTimes> {
    let mut by_number = HashMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let Some(thread) = task.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A thread that has ended in the meantime has no such file.
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        by_number.insert(thread, running_time(&text)?);
    }
    (!by_number.is_empty()).then_some(ThreadTimes { by_number })
}

fn running_time(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::mpsc;

    use nix::unistd::gettid;

    use super::*;
    use crate::machine::host::{Host, Launch};

    /// Far more than the tenth of a second that a shell takes here.
    const BOUND: Duration = Duration::from_secs(60);

    fn times<const N: usize>(threads: [(i32, u64); N]) -> ThreadTimes {
        let time = |(thread, seconds)| (thread, Duration::from_secs(seconds));
        ThreadTimes { by_number: threads.map(time).into() }
    }

    #[test]
    fn readings_are_subtracted_and_added_by_thread() {
        let before = times([(1, 5), (2, 7), (3, 1)]);
        // One has worked, one is new, and one has ended.
        let since = times([(1, 9), (2, 7), (4, 3)]).since(&before);
        assert_eq!(since, times([(1, 4), (2, 0), (4, 3)]));
        let sum = since.and(times([(4, 2), (5, 1)]));
        assert_eq!(sum, times([(1, 4), (2, 0), (4, 5), (5, 1)]));
        assert_eq!(sum.longest(2), [5, 4].map(Duration::from_secs));
        assert_eq!(sum.longest(9).len(), 4);
        // A thread ID that was reused by a thread that has worked less.
        assert_eq!(times([(1, 2)]).since(&before), times([(1, 0)]));
    }

    #[test]
    fn reads_the_first_number() {
        let cases = [
            ("49807094 2080593 35\n", Some(Duration::from_nanos(49_807_094))),
            ("0 0 0\n", Some(Duration::ZERO)),
            ("", None),
            ("many 1 2\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(running_time(text), expected, "{text}");
        }
    }

    /// The time of a busy thread counts as its own, and not as that of the thread that waits for
    /// it.
    #[test]
    fn a_thread_has_its_own_time() {
        let (send, receive) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let busy = std::thread::spawn(move || {
            let mut sum = 0_u64;
            while (nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from)).unwrap()
                < Duration::from_millis(50)
            {
                sum = sum.wrapping_mul(3).wrapping_add(1);
            }
            send.send((gettid(), std::hint::black_box(sum))).unwrap();
            let _ = ended.recv();
        });
        let (thread, _) = receive.recv().unwrap();
        let Some(read) = read(Pid::this()) else { return };
        // The kernel may not have added the last tick yet.
        assert!(read.by_number[&thread.as_raw()] >= Duration::from_millis(30), "{read:?}");
        assert!(read.by_number.contains_key(&gettid().as_raw()), "{read:?}");
        drop(end);
        busy.join().unwrap();
    }

    #[test]
    fn threads_of_children_count() {
        let words = ["sh", "-c", "(echo $$; exec sleep 60) & exec sleep 60"].map(str::to_owned);
        let launch = Launch::new(&words, Path::new("/"));
        let mut process = Host::this_machine(PathBuf::new()).unwrap().start(&launch).unwrap();
        let pid = process.line(BOUND).unwrap().parse().unwrap();
        let own = read(Pid::from_raw(pid));
        assert_eq!(own.is_some(), process.threads().is_some());
        if let Some(all) = process.threads() {
            assert_eq!((own.unwrap().by_number.len(), all.by_number.len()), (1, 2));
        }
        process.kill().unwrap();
        assert_eq!(read(Pid::from_raw(i32::MAX)), None);
    }
}
