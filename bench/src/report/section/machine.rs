//! How was it measured? The machine, the versions, and what is done to make figures that can be trusted.

use std::collections::BTreeMap;

use super::Source;
use super::parts;
use crate::analysis::summary::WorkloadSummary;
use crate::machine::Machine;
use crate::report::document::{Column, Fact, Importance, Quantity, Section, Table, Value};
use crate::store::record::ServerRecord;
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    Some(Section {
        id: "machine",
        title: "How was it measured?",
        about: vec![
            "Each server answers the workload's own request byte for byte before it is timed. Repetitions are the outer loop, and the \
             order of servers is shuffled in each, so that a drift of the machine hits all alike. Server and load tool have cores of \
             their own. Every run has a warm-up that is thrown away, and every repetition is kept; one that others disturbed is done \
             again. One server is measured twice under two names: what it differs from itself is noise, and no smaller difference is \
             called one."
                .into(),
        ],
        charts: Vec::new(),
        tables: [servers(source), tools(source)].into_iter().flatten().collect(),
        facts: facts(&source.loaded.machine),
    })
}

/// What is known of the machine.
fn facts(machine: &Machine) -> Vec<Fact> {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let words = |words: &[String]| if words.is_empty() { "no sign of it".into() } else { words.join(", ") };
    let known = [
        ("Processor", machine.processor.clone()),
        ("Cores", machine.cores.map(|cores| cores.to_string())),
        ("Memory", machine.memory_bytes.map(|bytes| format!("{} GiB", bytes >> 30))),
        (
            "Swapped",
            machine.swapped_bytes.map(|bytes| numbers::mebibytes(crate::text::numbers::as_f64(bytes))),
        ),
        ("Kernel", Some(machine.kernel.clone())),
        ("Virtual machine", machine.virtual_machine.map(yes)),
        ("Container", Some(words(&machine.container_signs))),
        ("Frequency governor", machine.frequency.governors.as_deref().map(words)),
        ("Turbo", machine.frequency.turbo.map(yes)),
        ("Huge pages", machine.huge_pages.clone()),
        (
            "Load before the first run",
            machine.load_averages.map(|load| load.map(|load| format!("{load:.2}")).join(", ")),
        ),
        ("Servers on", Some(numbers::cores(&machine.server_cores))),
        ("Load tool on", Some(numbers::cores(&machine.tool_cores))),
        (
            "Harness on",
            Some(
                machine.harness_core.map_or_else(|| "the same cores".into(), |core| numbers::cores(&[core])),
            ),
        ),
        ("Accept queue at most", machine.network.accept_queue.map(|queue| queue.to_string())),
        (
            "Ports for connections",
            machine.network.outgoing_ports.map(|[first, last]| format!("{first} to {last}")),
        ),
        ("Open files of a process", machine.descriptors.map(|files| files.to_string())),
        ("Order of runs from seed", Some(machine.seed.to_string())),
        ("bench", Some(machine.bench.clone())),
    ];
    known
        .into_iter()
        .map(|(name, value)| Fact::new(name, value.unwrap_or_else(|| "unknown".into())))
        .collect()
}

/// Every server, with its version.
fn servers(source: &Source) -> Option<Table> {
    let columns = [
        parts::server(),
        Column::new("Language", Quantity::Words),
        Column::new("Runtime", Quantity::Words),
        Column::new("Serves many by", Quantity::Words),
        Column::new("Version", Quantity::Words).of(Importance::High),
    ];
    let mut table = Table::new("servers", "The servers", columns);
    let mut known: BTreeMap<&str, &ServerRecord> = BTreeMap::new();
    for cell in source.summaries.iter().flat_map(WorkloadSummary::with_floor) {
        known.entry(&cell.server.name).or_insert(cell.server);
    }
    for server in known.into_values() {
        table.rows.push(vec![
            parts::label(server).into(),
            server.language.as_str().into(),
            server.runtime.as_str().into(),
            server.model.as_str().into(),
            server.version.as_deref().map_or(Value::Absent, Value::from),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Every load tool, with what its latency means, and how it was run for once.
fn tools(source: &Source) -> Option<Table> {
    let columns = [
        Column::new("Tool", Quantity::Words).of(Importance::High),
        Column::new("Version", Quantity::Words).of(Importance::High),
        Column::new("Latency counts", Quantity::Words),
    ];
    let mut table = Table::new("tools", "The load tools", columns);
    for summary in source.summaries {
        let meaning = summary.tool.semantics.as_ref().map(|semantics| semantics.meaning.as_str());
        let row = vec![
            summary.tool.name.as_str().into(),
            summary.tool.version.as_deref().map_or(Value::Absent, Value::from),
            meaning.map_or(Value::Absent, Value::from),
        ];
        if !table.rows.contains(&row) {
            table.rows.push(row);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}
