//! What each host did in a run whose sides were on several.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UsageRecord;
use crate::text::numbers::as_f64;

/// The hosts of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostsRecord {
    /// The server's host, by the name that the user gave it; `null` of the harness's machine.
    pub server: Option<String>,
    /// The hosts of the load.
    pub loads: Vec<LoadHostRecord>,
    /// The time in which all load hosts made load, as a share of the time in which one of them did.
    pub overlap: f64,
    /// What the network interface of the server's host carried, from before the load to after it;
    /// `null` where that is not known.
    pub network: Option<NetworkRecord>,
}

/// What one host of the load did.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoadHostRecord {
    /// Its name; `null` of the harness's machine.
    pub name: Option<String>,
    /// Which machine it is: hosts of the load with the same number are one, as two containers are.
    pub machine: usize,
    /// Cores that the tool could use.
    pub cores: Vec<usize>,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// How much later than the first host it began, by the offsets of the clocks.
    pub began_seconds: f64,
    /// How long its load took, by the tool's clock.
    pub elapsed_seconds: f64,
    /// How much later than it was told the tool began; `null` where it was not told a time.
    pub late_seconds: Option<f64>,
    /// What the tool used.
    pub tool: UsageRecord,
    /// Time that its cores spent on other processes, interrupts and other machines; `null` where another
    /// host of the load is the same machine.
    pub external_seconds: Option<f64>,
    /// The fastest exchange with its helper before the run. The offset of its clock is at most half of
    /// this wrong.
    pub round_trip_seconds: f64,
    /// The same after the run.
    pub round_trip_after_seconds: f64,
    /// By how much its clock moved against the harness's meanwhile, as far as the exchanges show it.
    pub clock_drift_seconds: f64,
}

/// What a network interface carried.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRecord {
    /// How long the load took: what was carried before and after it, for a moment, is next to nothing.
    pub seconds: f64,
    /// What the link can carry in each direction, in megabits per second; `null` where it does not say.
    pub megabits_per_second: Option<u64>,
    /// The most that it carries in one direction, by a probe before the first run; `null` where it was not
    /// probed, or something else limited the probe.
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
    /// The machines of the load: the hosts that are one, and the cores that they have together.
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
    /// Its name in sentences.
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

    /// The share of the link that the busier direction used: of what the probe found that it carries, or
    /// else of what the kernel says. `null` where neither is known.
    pub fn utilisation(&self) -> Option<f64> {
        let speed = self.megabits_per_second.map(as_f64);
        Some(self.carried()? / self.probed_megabits_per_second.or(speed).filter(|speed| *speed > 0.0)?)
    }
}
