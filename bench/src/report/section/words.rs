//! How workloads, servers, verdicts and lists are written in titles, tables and sentences.

use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::analysis::verdict::Verdict;
use crate::machine::topology::cpu_ranges;
use crate::machine::{HostLink, Hosts};
use crate::report::value::Attribution;
use crate::store::record::ServerRecord;
use crate::text::numbers;

/// A sentence names up to this number of servers, or else the first [`FEW`]: the tables have all.
const NAMED: usize = 8;
/// See [`NAMED`].
const FEW: usize = 5;

/// A workload's title and how it was loaded: `100 connections (quick-100, keep-alive, by visit)`.
pub(super) fn title(summary: &WorkloadSummary) -> String {
    let workload = summary.workload;
    let protocol = workload.protocol;
    let over = if protocol.is_plain() { String::new() } else { format!(" over {protocol}") };
    let how = workload
        .mode
        .as_ref()
        .map_or_else(String::new, |mode| format!(", {mode}{over}, by {}", summary.tool.name));
    format!("{} ({}{how})", workload.title, workload.name)
}

/// The name of a suite's workload in a column, without the name of the suite.
pub(super) fn short(summary: &WorkloadSummary) -> String {
    let name = &summary.workload.name;
    name.split_once('-').map_or_else(|| name.clone(), |(_, rest)| rest.to_owned())
}

/// The name of a server's row. The floor cannot be mistaken for a server.
pub(super) fn label(server: &ServerRecord) -> String {
    if server.is_floor { format!("{} (not a server)", server.name) } else { server.name.clone() }
}

/// What limited a cell, where its figure is not the server's own; otherwise empty.
pub(super) fn limit(cell: &Cell, attribution: Attribution) -> String {
    let bound = cell.bound().filter(|_| attribution != Attribution::Server);
    bound.map_or_else(String::new, |bound| bound.to_string())
}

/// A verdict with its reason: `invalid: only 7 of 100 connections were open`.
pub(in crate::report) fn verdict(verdict: &Verdict) -> String {
    let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{reason}", verdict.bound)
}

/// `1 connection`, `8,192 connections`.
pub(in crate::report) fn connections(number: u32) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} connection{plural}", numbers::whole(f64::from(number)))
}

/// The name by which a host was reached.
pub(in crate::report) fn host(link: &HostLink) -> &str {
    link.name.as_deref().unwrap_or("this machine")
}

/// Some cores: `core 1`, `cores 0-3,8-11`.
pub(in crate::report) fn cores(cores: &[usize]) -> String {
    format!("core{} {}", if cores.len() == 1 { "" } else { "s" }, cpu_ranges(cores))
}

/// The cores of the load tool on each host: `core 1 of beta and core 1 of gamma`.
pub(in crate::report) fn load_cores(hosts: &Hosts) -> String {
    let loads = hosts.loads.iter();
    some(
        &loads
            .map(|(link, machine)| format!("{} of {}", cores(&machine.tool_cores), host(link)))
            .collect::<Vec<_>>(),
    )
}

/// The speed of a host's link: `10,000 Mbit/s`; `None` if the interface does not state it.
pub(in crate::report) fn speed(link: &HostLink) -> Option<String> {
    let speed = link.interface.as_ref()?.megabits_per_second?;
    Some(format!("{} Mbit/s", numbers::whole(numbers::as_f64(speed))))
}

/// A host's interface with the speed of its link: `eth0, 10,000 Mbit/s`.
pub(in crate::report) fn interface(link: &HostLink) -> String {
    let name = link.interface.as_ref().map_or("interface unknown", |interface| &interface.name);
    format!("{name}, {}", speed(link).unwrap_or_else(|| "speed unknown".into()))
}

/// `a`, `a and b`, `a, b and c`.
pub(in crate::report) fn list<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The names; of more than [`NAMED`], the first few and the number of the others.
pub(in crate::report) fn some<S: AsRef<str>>(names: &[S]) -> String {
    if names.len() <= NAMED {
        return list(names);
    }
    let (few, rest) = names.split_at(FEW);
    let more = format!("{} more", rest.len());
    list(&few.iter().map(AsRef::as_ref).chain([more.as_str()]).collect::<Vec<_>>())
}

/// Servers with their ratios in ascending order; of more than [`NAMED`], a few and the last.
pub(in crate::report) fn some_up_to(ratios: &[String]) -> String {
    match ratios {
        [few @ .., last] if few.len() >= NAMED => {
            let more = format!("{} more", ratios.len() - FEW);
            let few: Vec<&str> = few[..FEW].iter().map(String::as_str).chain([more.as_str()]).collect();
            format!("{}, up to {last}", list(&few))
        }
        all => list(all),
    }
}
