//! The cores of the server, the load tool and the harness, and the time for which cores were busy.
//! A core's number is the number of one of its threads, which Linux calls a CPU.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use procfs::{CpuTime, FromBufReadSI, KernelStats, LocalSystemInfo};
use serde::{Deserialize, Serialize};

use crate::text::numbers::as_f64;

/// The cores of one measurement.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Cores {
    /// The server's CPUs.
    pub server: Vec<usize>,
    /// The load tool's CPUs.
    pub tool: Vec<usize>,
    /// The harness's own CPU, if one is left.
    pub harness: Option<usize>,
}

impl Cores {
    /// Moves the calling thread to the harness's core, if there is one. All threads and processes
    /// that it starts from then on inherit this core, except those with cores of their own. It is
    /// called after the builds, which would otherwise run on that core. Fails if the kernel does
    /// not allow it.
    pub fn pin_harness(&self) -> anyhow::Result<()> {
        self.harness.map_or(Ok(()), |core| pin(&[core]))
    }

    /// Returns the CPUs of the server and of the tool, each once.
    pub fn all(&self) -> Vec<usize> {
        BTreeSet::from_iter(self.server.iter().chain(&self.tool).copied()).into_iter().collect()
    }

    /// Whether the server and the tool have a core in common, so that each slows the other down.
    pub fn shared(&self) -> bool {
        self.server.iter().any(|core| self.tool.contains(core))
    }
}

/// The time for which cores have been busy since the boot, in seconds. The kernel counts
/// hundredths.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct CoreTimes {
    /// The time spent in processes and in interrupts, and the time taken by other machines on the
    /// same hardware.
    pub busy: f64,
    /// The part in which other machines on the same hardware ran while this one had work (steal).
    pub steal: f64,
}

impl CoreTimes {
    /// The difference to an earlier reading.
    pub fn since(&self, before: &Self) -> Self {
        Self { busy: self.busy - before.busy, steal: self.steal - before.steal }
    }

    /// Returns the sum of the two, field by field.
    pub fn and(self, other: Self) -> Self {
        Self { busy: self.busy + other.busy, steal: self.steal + other.steal }
    }
}

/// Returns the times of `cores` together. `None` if they cannot be read.
pub fn times(cores: &[usize]) -> Option<CoreTimes> {
    sum(&std::fs::read_to_string("/proc/stat").ok()?, cores)
}

fn sum(stat: &str, cores: &[usize]) -> Option<CoreTimes> {
    let all = KernelStats::from_buf_read(stat.as_bytes(), &LocalSystemInfo).ok()?.cpu_time;
    // A core that is offline has no line, and the library does not keep the numbers.
    let number = |line: &str| line.strip_prefix("cpu")?.split(' ').next()?.parse().ok();
    let all: HashMap<usize, CpuTime> = stat.lines().filter_map(number).zip(all).collect();
    let (mut busy, mut steal) = (0, 0);
    for core in cores {
        let time = all.get(core)?;
        let interrupts = [time.irq, time.softirq, time.steal].into_iter().flatten().sum::<u64>();
        busy += time.user + time.nice + time.system + interrupts;
        steal += time.steal.unwrap_or_default();
    }
    let seconds = |ticks| as_f64(ticks) / as_f64(procfs::ticks_per_second());
    Some(CoreTimes { busy: seconds(busy), steal: seconds(steal) })
}

/// Moves the calling thread, and all threads and processes that it starts, to `cores`. Fails if
/// that is not allowed.
pub(crate) fn pin(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core).with_context(|| format!("core {core}"))?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot use cores {cores:?}"))
}

/// The cores that the calling thread may use. Fails if the kernel does not report them.
pub(crate) fn usable() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0)).context("cannot read which cores this process may use")?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_a_pinned_thread_are_pinned() {
        let core = *usable().unwrap().last().unwrap();
        let cores = Cores { server: vec![core], tool: vec![core], harness: Some(core) };
        let later = std::thread::spawn(move || {
            let before = usable().unwrap();
            Cores { harness: None, ..cores.clone() }.pin_harness().unwrap();
            assert_eq!(usable().unwrap(), before);
            cores.pin_harness().unwrap();
            std::thread::spawn(|| usable().unwrap()).join().unwrap()
        });
        assert_eq!(later.join().unwrap(), [core]);
    }

    #[test]
    fn adds_the_times_of_the_given_cores() {
        // Hundredths of a second: user, nice, system, idle, iowait, irq, softirq, steal, guest,
        // guest_nice.
        let stat = "cpu  0 0 0 0 0 0 0 0 0 0\n\
            cpu0 100 200 300 9000 9000 10 20 70 50 50\n\
            cpu1 1000 0 0 9000 9000 0 0 400 0 0\n\
            cpu3 500 0 0 9000 9000 0 0 0 0 0\n\
            ctxt 1\nbtime 1\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n";
        let cases = [
            (vec![0], Some((7.0, 0.7))),
            (vec![1], Some((14.0, 4.0))),
            (vec![0, 1], Some((21.0, 4.7))),
            (vec![], Some((0.0, 0.0))),
            // The kernel has no line for a core that is offline.
            (vec![0, 2], None),
            (vec![3], Some((5.0, 0.0))),
        ];
        for (cores, expected) in cases {
            let times = sum(stat, &cores).map(|times| (times.busy, times.steal));
            assert_eq!(times, expected, "{cores:?}");
        }
        assert!(times(&usable().unwrap()).is_some_and(|times| times.busy >= times.steal));
    }
}
