//! How was it measured? The machine, the versions, and what is done so that figures can be trusted.

use std::collections::BTreeMap;

use super::{Source, words};
use crate::analysis::summary::{WorkloadSummary, grouped};
use crate::machine::Machine;
use crate::report::document::{Fact, Section, Table};
use crate::report::field::Field;
use crate::store::record::{ServerRecord, ToolRecord};
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    let machine = &source.loaded.machine;
    let mut section = Section::new(
        "machine",
        "How was it measured?",
        "Before a server is timed, it has to answer the workload's own request byte for byte. Repetitions are \
         the outer loop and the order of servers is shuffled in each, so that a drift of the machine affects \
         all of them alike. In a closed loop over kept connections the servers of a repetition stand side by \
         side and are loaded in turn, in slices of a moment: a ratio is the median of those of neighbouring \
         slices. The servers and the load tool have cores of their own. Every run has a warm-up that is discarded, and every repetition is kept; a repetition that other processes disturbed is \
         repeated. One server is measured twice under two names: the difference between the two is noise, and \
         no smaller difference is reported as one.",
    );
    if let Some(hosts) = &machine.hosts {
        let host = words::host(&hosts.server);
        section.about.push(format!("The facts below are those of the server's host, {host}."));
    }
    Some(Section {
        tables: [servers(source), tools(source)].into_iter().flatten().collect(),
        facts: facts(machine),
        ..section
    })
}

fn facts(machine: &Machine) -> Vec<Fact> {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let words = |words: &[String]| if words.is_empty() { "no sign of one".into() } else { words.join(", ") };
    let harness = machine.harness_core.map(|core| numbers::cores(&[core]));
    let harness = harness.unwrap_or_else(|| "the same cores".into());
    let harness = machine.hosts.as_ref().map_or(harness, |hosts| hosts.harness.clone());
    let tool = machine.hosts.as_ref().map_or_else(|| numbers::cores(&machine.tool_cores), words::load_cores);
    let load = machine.load_averages.map(|load| load.map(|load| format!("{load:.2}")).join(", "));
    let ports = machine.network.outgoing_ports.map(|[first, last]| format!("{first} to {last}"));
    let known = [
        ("Processor", machine.processor.clone()),
        ("Cores", Some(machine.counted_cores())),
        ("Memory", machine.memory_bytes.map(|bytes| format!("{} GiB", bytes >> 30))),
        ("Swapped", machine.swapped_bytes.map(|bytes| numbers::mebibytes(numbers::as_f64(bytes)))),
        ("Kernel", Some(machine.kernel.clone())),
        ("Virtual machine", machine.virtual_machine.map(yes)),
        ("Container", Some(words(&machine.container_signs))),
        ("Frequency governor", machine.frequency.governors.as_deref().map(words)),
        ("Turbo", machine.frequency.turbo.map(yes)),
        ("Huge pages", machine.huge_pages.clone()),
        ("Load before the first run", load),
        ("Servers on", Some(numbers::cores(&machine.server_cores))),
        ("Load tool on", Some(tool)),
        ("Harness on", Some(harness)),
        ("Longest accept queue", machine.network.accept_queue.map(|queue| queue.to_string())),
        ("Ports for outgoing connections", ports),
        ("Open files per process", machine.descriptors.map(|files| files.to_string())),
        ("Seed of the order of runs", Some(machine.seed.to_string())),
        ("bench", Some(machine.bench.clone())),
    ];
    known
        .into_iter()
        .map(|(name, value)| Fact::new(name, value.unwrap_or_else(|| "unknown".into())))
        .collect()
}

fn servers(source: &Source) -> Option<Table> {
    let mut known: BTreeMap<&str, &ServerRecord> = BTreeMap::new();
    for cell in source.summaries.iter().flat_map(WorkloadSummary::with_floor) {
        known.entry(&cell.server.name).or_insert(cell.server);
    }
    let text = |header: &str, get: fn(&ServerRecord) -> &str| {
        Field::text(header, move |server: &&ServerRecord| get(server))
    };
    let fields = [
        Field::text("Server", |server: &&ServerRecord| words::label(server)).essential(),
        text("Language", |server| &server.language),
        text("Runtime", |server| &server.runtime),
        text("Concurrency model", |server| &server.model),
        Field::text("Version", |server: &&ServerRecord| server.version.as_deref()).essential(),
    ];
    let rows: Vec<&ServerRecord> = known.into_values().collect();
    Table::from_fields("servers", "The servers", fields, &rows).with_rows()
}

/// Every load tool, with what its latency means, each once.
fn tools(source: &Source) -> Option<Table> {
    fn meaning(tool: &ToolRecord) -> Option<&str> {
        tool.semantics.as_ref().map(|semantics| semantics.meaning.as_str())
    }
    let fields = [
        Field::text("Tool", |tool: &&ToolRecord| tool.name.as_str()).essential(),
        Field::text("Version", |tool: &&ToolRecord| tool.version.as_deref()).essential(),
        Field::text("Latency counts", |tool: &&ToolRecord| meaning(tool)),
    ];
    let tools = source.summaries.iter().map(|summary| summary.tool);
    let tools = grouped(tools.map(|tool| ((&tool.name, &tool.version, meaning(tool)), tool)));
    let rows: Vec<&ToolRecord> = tools.into_iter().map(|(_, tools)| tools[0]).collect();
    Table::from_fields("tools", "The load tools", fields, &rows).with_rows()
}
