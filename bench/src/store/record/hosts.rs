//! The figures of each host of a run over several hosts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UsageRecord;
use crate::text::numbers::as_f64;

/// The hosts of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostsRecord {
    /// The server's host, by the name that the user gave it; `null` for the harness's machine.
    pub server: Option<String>,
    /// The hosts of the load.
    pub loads: Vec<LoadHostRecord>,
    /// The time in which all load hosts made load, as a share of the time in which one of them did.
    pub overlap: f64,
    /// The traffic of the network interface of the server's host, from before the load to after it;
    /// `null` where that is not known.
    pub network: Option<NetworkRecord>,
}

/// The figures of one host of the load.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoadHostRecord {
    /// Its name; `null` for the harness's machine.
    pub name: Option<String>,
    /// The number of its machine: load hosts with the same number are on one machine, for example
    /// as two containers.
    pub machine: usize,
    /// Cores that the tool could use.
    pub cores: Vec<usize>,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// How much later than the first host it began, by the offsets of the clocks.
    pub began_seconds: f64,
    /// How long its load took, by the tool's clock.
    pub elapsed_seconds: f64,
    /// How much later the tool began than it was told to; `null` where it was not told a time.
    pub late_seconds: Option<f64>,
    /// The CPU time and the context switches of the tool.
    pub tool: UsageRecord,
    /// Time that its cores spent on other processes, interrupts and other machines; `null` where another
    /// host of the load is the same machine.
    pub external_seconds: Option<f64>,
    /// The time of the fastest exchange with its helper before the run. The error of its clock's
    /// offset is at most half of this time.
    pub round_trip_seconds: f64,
    /// The same after the run.
    pub round_trip_after_seconds: f64,
    /// How much its clock moved against the harness's clock between the two exchanges, as far as
    /// they show it.
    pub clock_drift_seconds: f64,
}

/// The traffic of a network interface.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRecord {
    /// How long the load took. The traffic in the moments before and after it is negligible.
    pub seconds: f64,
    /// The speed of the link in each direction, in megabits per second, as the kernel reports it;
    /// `null` where it does not.
    pub megabits_per_second: Option<u64>,
    /// The highest speed of the link in one direction that a probe before the first run measured;
    /// `null` where the link was not probed, or something else limited the probe.
    pub probed_megabits_per_second: Option<f64>,
    /// Bytes that arrived.
    pub received_bytes: u64,
    /// Bytes that were sent.
    pub sent_bytes: u64,
    /// Packets that arrived.
    pub received_packets: u64,
    /// Packets that were sent.
    pub sent_packets: u64,
    /// Packets that the interface dropped, in both directions.
    pub dropped: u64,
    /// Segments that TCP sent again, over all interfaces.
    pub retransmitted: u64,
}

impl HostsRecord {
    /// The machines of the load by number: the hosts on each machine, and the cores of these hosts.
    pub fn load_machines(&self) -> BTreeMap<usize, (Vec<&LoadHostRecord>, BTreeSet<usize>)> {
        let mut machines: BTreeMap<usize, (Vec<&LoadHostRecord>, BTreeSet<usize>)> = BTreeMap::new();
        for load in &self.loads {
            let (hosts, cores) = machines.entry(load.machine).or_default();
            hosts.push(load);
            cores.extend(&load.cores);
        }
        machines
    }
}

impl LoadHostRecord {
    /// The host's name in sentences.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("this machine")
    }
}

impl NetworkRecord {
    /// Megabits per second in the busier direction.
    pub fn carried(&self) -> Option<f64> {
        let bits = as_f64(self.received_bytes.max(self.sent_bytes)) * 8.0;
        (self.seconds > 0.0).then(|| bits / self.seconds / 1e6)
    }

    /// The share of the link's speed that the busier direction used. The speed is the one that the
    /// probe found, or else the one that the kernel reports; `None` where neither is known.
    pub fn utilisation(&self) -> Option<f64> {
        let speed = self.megabits_per_second.map(as_f64);
        Some(self.carried()? / self.probed_megabits_per_second.or(speed).filter(|speed| *speed > 0.0)?)
    }
}
