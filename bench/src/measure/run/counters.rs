//! What the kernel has counted at one moment, and the difference of two: what a load has cost.

use std::time::{Duration, Instant};

use super::loaded_server::LoadedServer;
use crate::machine::cores::{self, CoreTimes, Cores};
use crate::machine::host::{self, ThreadTimes, Usage};
use crate::store::record::{CpuRecord, UsageRecord};

/// Counters at one moment. What cannot be read is `None`.
pub(super) struct Counters {
    server: Option<Usage>,
    /// Of a server with several cores: with one, its threads cannot use more than the server.
    threads: Option<ThreadTimes>,
    kernel: KernelCounters,
}

/// What the kernel counts for the machine or for the container.
#[derive(Clone, Copy)]
struct KernelCounters {
    at: Instant,
    throttled: Option<Duration>,
    busy: Option<CoreTimes>,
    suspended: Option<Duration>,
}

/// What was spent between two moments.
#[derive(Clone)]
pub(super) struct Spent {
    pub(super) wall: Duration,
    pub(super) server: Option<Usage>,
    /// Of the server's threads that live at the end.
    threads: Option<ThreadTimes>,
    times: Option<CoreTimes>,
    pub(super) throttled: Option<Duration>,
    suspended: Option<Duration>,
}

impl Counters {
    /// The counters before a load. What the server has used is read first, and after a load last:
    /// reading it takes CPU time on these cores, which must not count as external. Fails when the server
    /// has ended.
    pub(super) fn before(server: &LoadedServer, cores: &Cores) -> anyhow::Result<Self> {
        let threads = if cores.server.len() > 1 { server.threads() } else { None };
        Ok(Self { server: server.usage()?, threads, kernel: KernelCounters::read(&cores.all()) })
    }

    /// What was spent from then until now. Fails when the server has ended.
    pub(super) fn spent(self, server: &LoadedServer, cores: &Cores) -> anyhow::Result<Spent> {
        let (before, after) = (self.kernel, KernelCounters::read(&cores.all()));
        let used = server.usage()?;
        let between = |after: Option<Duration>, before| {
            after.zip(before).map(|(after, before)| after.saturating_sub(before))
        };
        Ok(Spent {
            wall: after.at - before.at,
            server: used.zip(self.server).map(|(after, before)| after.since(&before)),
            threads: self.threads.and_then(|before| Some(server.threads()?.since(&before))),
            times: after.busy.zip(before.busy).map(|(after, before)| after.since(&before)),
            throttled: between(after.throttled, before.throttled),
            suspended: between(after.suspended, before.suspended),
        })
    }
}

impl KernelCounters {
    fn read(cores: &[usize]) -> Self {
        Self {
            at: Instant::now(),
            throttled: host::throttled(),
            busy: cores::times(cores),
            suspended: host::suspended(),
        }
    }
}

impl Spent {
    /// The cores' time that went neither to the server nor to the tool.
    pub(super) fn external_seconds(&self, tool: &Usage) -> Option<f64> {
        self.times.zip(self.server).map(|(times, server)| {
            let ours = server.cpu + tool.cpu;
            (times.busy - ours.as_secs_f64()).max(0.0)
        })
    }

    pub(super) fn steal_seconds(&self) -> Option<f64> {
        self.times.map(|times| times.steal)
    }

    /// The record of it, with what the tool used, and as many of the server's threads as it has cores.
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
            throttled_seconds: self.throttled.as_ref().map(Duration::as_secs_f64),
            suspended_seconds: self.suspended.as_ref().map(Duration::as_secs_f64),
            idle_share: None,
        }
    }
}

impl std::ops::Add for Spent {
    type Output = Self;

    /// Both times together.
    fn add(self, other: Self) -> Self {
        fn both<T>(a: Option<T>, b: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
            a.zip(b).map(|(a, b)| add(a, b))
        }
        let add = |a: Duration, b| a + b;
        Self {
            wall: self.wall + other.wall,
            server: both(self.server, other.server, Usage::and),
            threads: both(self.threads, other.threads, ThreadTimes::and),
            times: both(self.times, other.times, CoreTimes::and),
            throttled: both(self.throttled, other.throttled, add),
            suspended: both(self.suspended, other.suspended, add),
        }
    }
}

fn usage(usage: &Usage) -> UsageRecord {
    UsageRecord {
        seconds: usage.cpu.as_secs_f64(),
        user_seconds: usage.user.as_secs_f64(),
        system_seconds: usage.system.as_secs_f64(),
        voluntary_switches: usage.voluntary_switches,
        involuntary_switches: usage.involuntary_switches,
    }
}
