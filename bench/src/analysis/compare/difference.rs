//! The conditions that were not the same when two folders were measured.

use serde_json::Value;

use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::machine::host::Interface;
use crate::machine::{Hosts, Machine};
use crate::store::record::{ConformanceRecord, Record, ServerRecord, WorkloadRecord};
use crate::store::results::Loaded;
use crate::text::numbers::{self, as_f64};

/// Total memory that differs by less is the same: each kernel reserves a little more or less of it.
const SAME_MEMORY: f64 = 0.01;

/// A condition that was not the same in A and in B.
#[derive(Debug)]
pub struct Difference {
    /// The name of the condition.
    pub what: String,
    /// The value in A and in B, in words.
    pub values: [String; 2],
    /// The part of the measurement that the condition belongs to.
    pub subject: Subject,
}

/// The part of a measurement that a condition belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The server's machine.
    Machine,
    /// The machines of the load, and the network between them and the server's.
    Network,
    /// The programs that ran there, and how they ran.
    Setup,
}

/// A condition of a measurement, and its value in words, if it is known.
type Condition = (&'static str, fn(&Machine) -> Option<String>);

const MACHINE: [Condition; 4] = [
    ("processor", |machine| machine.processor.clone()),
    ("cores", |machine| machine.cores.map(|cores| cores.to_string())),
    ("memory", |machine| machine.memory_bytes.map(|bytes| numbers::mebibytes(as_f64(bytes)))),
    ("kernel", |machine| Some(machine.kernel.clone())),
];

const NETWORK: [Condition; 3] = [
    ("load from", |machine| Some(load_machines(machine))),
    ("link of the server's host", |machine| Some(link(machine))),
    (OFFLOADS, |machine| {
        Some(machine.hosts.as_ref()?.server.interface.as_ref()?.offloads.as_ref()?.to_string())
    }),
];

/// Older folders, and folders of one machine, do not have the offloads.
const OFFLOADS: &str = "offloads of the server's host";

const SETUP: [Condition; 3] = [
    ("servers on", |machine| Some(numbers::cores(&machine.server_cores))),
    ("tool on", |machine| Some(tool_cores(machine))),
    ("bench", |machine| Some(machine.bench.clone())),
];

/// The fields of a workload that do not define the load: its title, the ratio that was published
/// for it, and the length of slices, which only changes the order in which servers are measured.
const NOT_OF_THE_LOAD: [&str; 3] = ["title", "published", "slice_seconds"];

/// Whether two workloads are the same load.
pub(super) fn is_same_load(one: &WorkloadRecord, other: &WorkloadRecord) -> bool {
    let asked = |workload: &WorkloadRecord| WorkloadRecord {
        title: String::new(),
        published: None,
        slice_seconds: None,
        ..workload.clone()
    };
    asked(one) == asked(other)
}

/// Returns the differences of machines, networks, setup, tools, servers and workloads, in this
/// order.
pub(super) fn all(folders: [&Loaded; 2], summaries: [&[WorkloadSummary]; 2]) -> Vec<Difference> {
    let machines = folders.map(|folder| &folder.machine);
    let of_machine = MACHINE
        .iter()
        .filter(|(what, _)| {
            *what != "memory" || !is_same_memory(machines.map(|machine| machine.memory_bytes))
        })
        .filter_map(|(what, value)| Difference::new(*what, machines.map(value)))
        .map(|difference| Difference { subject: Subject::Machine, ..difference });
    let is_known = |value: fn(&Machine) -> Option<String>| machines.iter().all(|one| value(one).is_some());
    let of_network = NETWORK
        .iter()
        .filter(|(what, value)| *what != OFFLOADS || is_known(*value))
        .filter_map(|(what, value)| Difference::new(*what, machines.map(value)));
    let of_network = of_network.map(|difference| Difference { subject: Subject::Network, ..difference });
    let of_setup = SETUP.iter().filter_map(|(what, value)| Difference::new(*what, machines.map(value)));

    // A failed run may lack a version.
    let runs = summaries.map(|summaries| {
        let cells = summaries.iter().flat_map(WorkloadSummary::with_floor);
        cells.flat_map(Cell::measured).collect::<Vec<&Record>>()
    });
    let tools = in_both(&runs, |run| (&run.tool.name, &run.tool.version));
    let servers = in_both(&runs, |run| (&run.server.name, &run.server));
    let workloads = in_both(&summaries, |summary| (&summary.workload.name, summary.workload));
    let of_tools =
        tools.into_iter().filter_map(|(name, versions)| Difference::new(name, versions.map(Clone::clone)));
    let version = |server: &ServerRecord| server.version.clone();
    let of_servers =
        servers.iter().filter_map(|(name, servers)| Difference::new(*name, servers.map(version)));
    let of_conformance = servers.iter().filter_map(|(name, servers)| {
        let found = servers.map(|server| server.conformance.as_ref());
        if is_same_conformance(found) {
            return None;
        }
        Difference::new(format!("HTTP cases of {name}"), found.map(|found| found.map(conformance)))
    });
    let warm_up = |server: &ServerRecord| {
        Some(server.warm_up_seconds.map_or("as the workload".into(), |seconds| format!("{seconds} s")))
    };
    let of_warm_ups = servers
        .iter()
        .filter_map(|(name, servers)| Difference::new(format!("warm-up of {name}"), servers.map(warm_up)));
    let of_workloads =
        workloads.iter().filter(|(_, [a, b])| !is_same_load(a, b)).filter_map(|(name, workloads)| {
            Difference::new(format!("workload {name}, not compared"), definitions(*workloads).map(Some))
        });
    let of_slices = workloads.iter().filter_map(|(name, workloads)| {
        let slices = |workload: &WorkloadRecord| {
            Some(match workload.slice_seconds {
                Some(seconds) => format!("in slices of {}", numbers::duration(seconds)),
                None => "one server after another".into(),
            })
        };
        Difference::new(format!("measured under {name}"), workloads.map(slices))
    });
    let of_programs = of_tools.chain(of_servers).chain(of_conformance).chain(of_warm_ups);
    of_machine
        .chain(of_network)
        .chain(of_setup)
        .chain(of_programs)
        .chain(of_slices)
        .chain(of_workloads)
        .collect()
}

impl Difference {
    /// `None` where the values are the same.
    fn new(what: impl Into<String>, values: [Option<String>; 2]) -> Option<Self> {
        let unknown = |value: Option<String>| value.unwrap_or_else(|| "unknown".into());
        (values[0] != values[1]).then(|| Self {
            what: what.into(),
            values: values.map(unknown),
            subject: Subject::Setup,
        })
    }
}

/// Describes the machines of the load by their host name, processor, cores and kernel. The names by
/// which they are reached may change.
fn load_machines(machine: &Machine) -> String {
    let described = |machine: &Machine| {
        let processor = machine.processor.as_deref().unwrap_or("an unknown processor");
        format!("{} ({processor}, {}, {})", machine.host, machine.counted_cores(), machine.kernel)
    };
    describe_hosts(machine, "the same machine", |hosts| {
        hosts.loads.iter().map(|(_, machine)| described(machine)).collect::<Vec<_>>().join("; ")
    })
}

/// Describes the interface of the server's host: its name, driver, speed and largest packet.
fn link(machine: &Machine) -> String {
    describe_hosts(machine, "none: the loopback interface", |hosts| {
        let Some(interface) = &hosts.server.interface else { return "unknown".into() };
        let Interface { name, driver, megabits_per_second, mtu, .. } = interface;
        let driver = driver.as_ref().map(|driver| format!(" ({driver})")).unwrap_or_default();
        let known = |value: &Option<u64>, unit: &str| {
            value.map_or_else(String::new, |value| format!(", {}{unit}", numbers::whole(as_f64(value))))
        };
        format!("{name}{driver}{}{}", known(megabits_per_second, " Mbit/s"), known(mtu, " bytes per packet"))
    })
}

fn tool_cores(machine: &Machine) -> String {
    describe_hosts(machine, &numbers::cores(&machine.tool_cores), |hosts| {
        let cores =
            |(_, load): &(_, Machine)| format!("{} of {}", numbers::cores(&load.tool_cores), load.host);
        hosts.loads.iter().map(cores).collect::<Vec<_>>().join(", ")
    })
}

/// Returns the result of `said` for the hosts of a measurement, or `local` where it has none.
fn describe_hosts(machine: &Machine, local: &str, said: impl Fn(&Hosts) -> String) -> String {
    machine.hosts.as_ref().map_or_else(|| local.to_owned(), said)
}

fn is_same_memory(bytes: [Option<u64>; 2]) -> bool {
    let [Some(a), Some(b)] = bytes else { return false };
    (as_f64(a) / as_f64(b) - 1.0).abs() <= SAME_MEMORY
}

/// Conformance is compared since a server that skips checks needs less CPU time.
fn is_same_conformance(found: [Option<&ConformanceRecord>; 2]) -> bool {
    match found {
        [Some(a), Some(b)] => a.is_consistent_with(b),
        [a, b] => a.is_none() && b.is_none(),
    }
}

fn conformance(found: &ConformanceRecord) -> String {
    format!("{found}, {} smuggled", found.smuggled)
}

/// The fields of each definition that differ from the other one, by their names in the records.
fn definitions(workloads: [&WorkloadRecord; 2]) -> [String; 2] {
    let [a, b] = workloads.map(|workload| serde_json::to_value(workload).unwrap_or_default());
    let differing = |one: &Value, other: &Value| {
        let fields = one.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, value)| {
            !NOT_OF_THE_LOAD.contains(&name.as_str()) && other.get(name) != Some(value)
        });
        fields.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    };
    [differing(&a, &b), differing(&b, &a)]
}

/// Pairs the values that A and B have under the same name: the first of each, in the order of A.
fn in_both<'a, R, T: Copy>(
    [a, b]: &[impl AsRef<[R]>; 2],
    named: impl Fn(&R) -> (&'a String, T),
) -> Vec<(&'a str, [T; 2])> {
    let pair = |(name, ones): (&'a String, Vec<T>)| {
        let (_, other) = b.as_ref().iter().map(&named).find(|(other, _)| *other == name)?;
        Some((name.as_str(), [ones[0], other]))
    };
    grouped(a.as_ref().iter().map(&named)).into_iter().filter_map(pair).collect()
}
