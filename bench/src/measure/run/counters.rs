//! The kernel's counters at one moment, and the difference between two moments, which is the cost
//! of a load.

use std::time::Duration;

use super::loaded_server::LoadedServer;
use crate::machine::cores::{CoreTimes, Cores};
use crate::machine::host::{Host, KernelCounters, ThreadTimes, Usage};
use crate::store::record::{CpuRecord, FrequencyRecord, UsageRecord};

/// A host, and the cores of it that are measured.
pub(super) type HostCores<'a> = (&'a Host, Vec<usize>);

/// Counters at one moment. A counter that cannot be read is `None`.
pub(super) struct Counters {
    server: Option<Usage>,
    /// The times of the server's threads, if the server has several cores: with one, its threads
    /// cannot use more than the server.
    threads: Option<ThreadTimes>,
    /// The counters of each host.
    kernels: Vec<KernelCounters>,
}

/// The resources that were spent between two moments.
#[derive(Clone)]
pub(super) struct Spent {
    pub(super) wall: Duration,
    pub(super) server: Option<Usage>,
    /// The times of the server's threads that exist at the end.
    threads: Option<ThreadTimes>,
    /// The counts of each host, the server's host first.
    pub(super) parts: Vec<HostSpent>,
}

/// The counts of a host's kernel between two moments.
#[derive(Clone, Copy)]
pub(super) struct HostSpent {
    pub(super) times: Option<CoreTimes>,
    throttled: Option<Duration>,
    suspended: Option<Duration>,
}

impl Counters {
    /// Reads the counters of these hosts before a load. The server's usage is read first, and after
    /// a load last: reading it takes CPU time on these cores, which must not count as external.
    /// Fails when the server has ended, or a host is lost.
    pub(super) fn before(server: &LoadedServer, cores: usize, parts: &[HostCores]) -> anyhow::Result<Self> {
        let threads = if cores > 1 { server.threads() } else { None };
        Ok(Self { server: server.usage()?, threads, kernels: read(parts)? })
    }

    /// Returns what was spent from then until now. Fails as [`Counters::before`] does.
    pub(super) fn spent(self, server: &LoadedServer, parts: &[HostCores]) -> anyhow::Result<Spent> {
        let after = read(parts)?;
        let used = server.usage()?;
        let wall = after.first().zip(self.kernels.first()).map(|(after, before)| after.at.since(before.at));
        Ok(Spent {
            wall: wall.unwrap_or_default(),
            server: used.zip(self.server).map(|(after, before)| after.since(&before)),
            threads: self.threads.and_then(|before| Some(server.threads()?.since(&before))),
            parts: after
                .iter()
                .zip(&self.kernels)
                .map(|(after, before)| HostSpent::new(after, before))
                .collect(),
        })
    }
}

fn read(parts: &[HostCores]) -> anyhow::Result<Vec<KernelCounters>> {
    parts.iter().map(|(host, cores)| host.counters(cores)).collect()
}

impl HostSpent {
    fn new(after: &KernelCounters, before: &KernelCounters) -> Self {
        let between = |get: fn(&KernelCounters) -> Option<Duration>| {
            get(after).zip(get(before)).map(|(after, before)| after.saturating_sub(before))
        };
        Self {
            times: after.busy.zip(before.busy).map(|(after, before)| after.since(&before)),
            throttled: between(|kernel| kernel.throttled),
            suspended: between(|kernel| kernel.suspended),
        }
    }

    fn and(self, other: Self) -> Self {
        let add = |a: Duration, b| a + b;
        Self {
            times: both(self.times, other.times, CoreTimes::and),
            // A host without a quota may report no throttled time.
            throttled: either(self.throttled, other.throttled, add),
            suspended: both(self.suspended, other.suspended, add),
        }
    }

    /// Returns the CPU time of the cores, in seconds, that did not go to the processes of the
    /// measurement. `ours` is the CPU time of those.
    pub(super) fn external_seconds(&self, ours: Duration) -> Option<f64> {
        self.times.map(|times| (times.busy - ours.as_secs_f64()).max(0.0))
    }
}

/// The sum, where both are known.
fn both<T>(a: Option<T>, b: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
    a.zip(b).map(|(a, b)| add(a, b))
}

/// The sum of what is known.
fn either<T>(a: Option<T>, b: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(add(a, b)),
        (a, b) => a.or(b),
    }
}

impl Spent {
    /// Returns the sum of all hosts.
    fn sum(&self) -> Option<HostSpent> {
        self.parts.iter().copied().reduce(HostSpent::and)
    }

    /// The cores' time that went neither to the server nor to the tool.
    pub(super) fn external_seconds(&self, tool: &Usage) -> Option<f64> {
        self.sum()?.external_seconds(self.server?.cpu + tool.cpu)
    }

    pub(super) fn steal_seconds(&self) -> Option<f64> {
        Some(self.sum()?.times?.steal)
    }

    pub(super) fn throttled(&self) -> Option<Duration> {
        self.sum()?.throttled
    }

    /// Returns the longest time for which a host was suspended.
    fn suspended(&self) -> Option<Duration> {
        self.parts.iter().map(|part| part.suspended).max().flatten()
    }

    /// Returns the record of these counts, with the tool's usage, and the times of as many of the
    /// server's threads as it has cores.
    pub(super) fn record(&self, tool: &Usage, server_cores: usize) -> CpuRecord {
        let longest =
            |threads: &ThreadTimes| threads.longest(server_cores).iter().map(Duration::as_secs_f64).collect();
        CpuRecord {
            wall_seconds: self.wall.as_secs_f64(),
            server: self.server.as_ref().map(usage),
            thread_seconds: self.threads.as_ref().map(longest),
            tool: usage(tool),
            external_seconds: self.external_seconds(tool),
            steal_seconds: self.steal_seconds(),
            throttled_seconds: self.throttled().as_ref().map(Duration::as_secs_f64),
            suspended_seconds: self.suspended().as_ref().map(Duration::as_secs_f64),
            idle_share: None,
            frequency: None,
        }
    }
}

impl std::ops::Add for Spent {
    type Output = Self;

    /// Returns the sum of both.
    fn add(self, other: Self) -> Self {
        let parts = self.parts.iter().zip(&other.parts).map(|(part, other)| part.and(*other));
        Self {
            wall: self.wall + other.wall,
            server: both(self.server, other.server, Usage::and),
            parts: parts.collect(),
            threads: both(self.threads, other.threads, ThreadTimes::and),
        }
    }
}

/// Returns the record of frequencies in hertz. `hertz` has the frequencies of [`Cores::all`], in
/// that order.
pub(super) fn frequency(hertz: &[u64], cores: &Cores) -> FrequencyRecord {
    let all = cores.all();
    let of_core = |core: &usize| hertz.get(all.iter().position(|known| known == core)?).copied();
    let of_side = |own: &[usize]| {
        let hertz: Option<Vec<u64>> = own.iter().map(of_core).collect();
        hertz.filter(|hertz| !hertz.is_empty())
    };
    FrequencyRecord { server_hertz: of_side(&cores.server), tool_hertz: of_side(&cores.tool) }
}

pub(super) fn usage(usage: &Usage) -> UsageRecord {
    UsageRecord {
        seconds: usage.cpu.as_secs_f64(),
        user_seconds: usage.user.as_secs_f64(),
        system_seconds: usage.system.as_secs_f64(),
        voluntary_switches: usage.voluntary_switches,
        involuntary_switches: usage.involuntary_switches,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequency_is_that_of_its_core() {
        // The cores of both sides, and what is recorded of each where core 0 has 1,000 Hz, 2 has 1,002 …
        type Side<'a> = Option<&'a [u64]>;
        let cases: [(&[usize], &[usize], Side, Side); 4] = [
            (&[2, 0], &[1, 3], Some(&[1002, 1000]), Some(&[1001, 1003])),
            (&[0], &[0], Some(&[1000]), Some(&[1000])),
            (&[3], &[], Some(&[1003]), None),
            (&[], &[1], None, Some(&[1001])),
        ];
        for (server, tool, of_server, of_tool) in cases {
            let cores = Cores { server: server.to_vec(), tool: tool.to_vec(), harness: None };
            let hertz: Vec<u64> = cores.all().into_iter().map(|core| 1000 + core as u64).collect();
            let found = frequency(&hertz, &cores);
            assert_eq!(found.server_hertz.as_deref(), of_server, "{cores:?}");
            assert_eq!(found.tool_hertz.as_deref(), of_tool, "{cores:?}");
        }
    }
}
