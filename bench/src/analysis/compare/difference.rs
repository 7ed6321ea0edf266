//! The conditions that were not the same when two folders were measured.

use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::store::record::{ConformanceRecord, Record, ServerRecord, WorkloadRecord};
use crate::store::results::Loaded;
use crate::text::numbers::as_f64;

/// Total memory that differs by less is the same: each kernel reserves a little more or less of it.
const SAME_MEMORY: f64 = 0.01;

/// A condition that was not the same in A and in B, in this order. What is not known is `None`.
#[derive(Debug)]
pub enum Difference<'a> {
    /// The processor's name.
    Processor([Option<&'a str>; 2]),
    /// How many cores the machine has.
    Cores([Option<usize>; 2]),
    /// The machine's memory in bytes.
    Memory([Option<u64>; 2]),
    /// The kernel.
    Kernel([&'a str; 2]),
    /// The cores of the servers.
    ServerCores([&'a [usize]; 2]),
    /// The cores of the load tools.
    ToolCores([&'a [usize]; 2]),
    /// The harness's version.
    Bench([&'a str; 2]),
    /// A tool's version, after its name.
    Tool(&'a str, [Option<&'a str>; 2]),
    /// A server's version, after its name.
    Server(&'a str, [Option<&'a str>; 2]),
    /// A server's conformance, after its name: a server that skips checks is cheaper for it.
    Conformance(&'a str, [Option<&'a ConformanceRecord>; 2]),
    /// A workload's definition. Its figures are not compared.
    Workload([&'a WorkloadRecord; 2]),
}

impl Difference<'_> {
    pub(super) fn is_of_machine(&self) -> bool {
        matches!(self, Self::Processor(_) | Self::Cores(_) | Self::Memory(_) | Self::Kernel(_))
    }
}

/// Whether two workloads are the same load. Their titles and published figures do not count.
pub(super) fn is_same_load(one: &WorkloadRecord, other: &WorkloadRecord) -> bool {
    let asked = |workload: &WorkloadRecord| WorkloadRecord {
        title: String::new(),
        published: None,
        ..workload.clone()
    };
    asked(one) == asked(other)
}

pub(super) fn all<'a>(
    folders: [&'a Loaded; 2],
    summaries: &[Vec<WorkloadSummary<'a>>; 2],
) -> Vec<Difference<'a>> {
    let mut differences = of_machines(folders);
    of_tools(summaries, &mut differences);
    of_servers(summaries, &mut differences);
    of_workloads(summaries, &mut differences);
    differences
}

fn of_machines(folders: [&Loaded; 2]) -> Vec<Difference<'_>> {
    let [a, b] = folders.map(|folder| &folder.machine);
    let memory = match (a.memory_bytes, b.memory_bytes) {
        (Some(a), Some(b)) => (as_f64(a) / as_f64(b) - 1.0).abs() > SAME_MEMORY,
        (a, b) => a != b,
    };
    let all = [
        (a.processor != b.processor, Difference::Processor([a.processor.as_deref(), b.processor.as_deref()])),
        (a.cores != b.cores, Difference::Cores([a.cores, b.cores])),
        (memory, Difference::Memory([a.memory_bytes, b.memory_bytes])),
        (a.kernel != b.kernel, Difference::Kernel([&a.kernel, &b.kernel])),
        (a.server_cores != b.server_cores, Difference::ServerCores([&a.server_cores, &b.server_cores])),
        (a.tool_cores != b.tool_cores, Difference::ToolCores([&a.tool_cores, &b.tool_cores])),
        (a.bench != b.bench, Difference::Bench([&a.bench, &b.bench])),
    ];
    all.into_iter().filter_map(|(differs, difference)| differs.then_some(difference)).collect()
}

fn of_tools<'a>(summaries: &[Vec<WorkloadSummary<'a>>; 2], out: &mut Vec<Difference<'a>>) {
    let [a, b] = summaries.each_ref().map(|summaries| {
        by_name(measured(summaries).map(|run| (run.tool.name.as_str(), run.tool.version.as_deref())))
    });
    for (name, versions) in in_both(&a, &b) {
        if versions[0] != versions[1] {
            out.push(Difference::Tool(name, versions));
        }
    }
}

fn of_servers<'a>(summaries: &[Vec<WorkloadSummary<'a>>; 2], out: &mut Vec<Difference<'a>>) {
    let [a, b] = summaries
        .each_ref()
        .map(|summaries| by_name(measured(summaries).map(|run| (run.server.name.as_str(), &run.server))));
    let both: Vec<(&str, [&ServerRecord; 2])> = in_both(&a, &b).collect();
    for (name, servers) in &both {
        let versions = servers.map(|server| server.version.as_deref());
        if versions[0] != versions[1] {
            out.push(Difference::Server(name, versions));
        }
    }
    for (name, servers) in both {
        let found = servers.map(|server| server.conformance.as_ref());
        let is_same = match found {
            [Some(a), Some(b)] => a.is_consistent_with(b),
            [a, b] => a.is_none() && b.is_none(),
        };
        if !is_same {
            out.push(Difference::Conformance(name, found));
        }
    }
}

fn of_workloads<'a>(summaries: &[Vec<WorkloadSummary<'a>>; 2], out: &mut Vec<Difference<'a>>) {
    let [a, b] = summaries.each_ref().map(|summaries| {
        by_name(summaries.iter().map(|summary| (summary.workload.name.as_str(), summary.workload)))
    });
    for (_, workloads) in in_both(&a, &b) {
        if !is_same_load(workloads[0], workloads[1]) {
            out.push(Difference::Workload(workloads));
        }
    }
}

/// Every run with figures: a failed run may lack a version.
fn measured<'a>(summaries: &[WorkloadSummary<'a>]) -> impl Iterator<Item = &'a Record> {
    summaries.iter().flat_map(WorkloadSummary::with_floor).flat_map(Cell::measured)
}

/// The first of each name, in their order.
fn by_name<'a, T>(all: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, T)> {
    let mut firsts: Vec<(&str, T)> = Vec::new();
    for (name, value) in all {
        if !firsts.iter().any(|(known, _)| *known == name) {
            firsts.push((name, value));
        }
    }
    firsts
}

fn in_both<'a, T: Copy>(a: &[(&'a str, T)], b: &[(&'a str, T)]) -> impl Iterator<Item = (&'a str, [T; 2])> {
    a.iter().filter_map(|(name, one)| {
        let (_, other) = b.iter().find(|(other, _)| other == name)?;
        Some((*name, [*one, *other]))
    })
}
