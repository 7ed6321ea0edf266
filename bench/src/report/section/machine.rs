//! How was it measured? The machine, the versions, and what is done so that figures can be trusted.

use std::collections::BTreeMap;

use super::{Source, words};
use crate::analysis::statistics::median;
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::machine::Machine;
use crate::report::document::{Fact, Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{FrequencyRecord, ServerRecord, ToolRecord};
use crate::text::numbers;

/// How most loads are measured on one machine. Between hosts no load is measured in slices.
const SLICES: &str = "In a closed loop over kept connections the servers of a repetition run at the same time and are \
    loaded in turn, in short slices: a ratio is the median of the ratios of neighbouring slices.";

pub(super) fn section(source: &Source) -> Option<Section> {
    let machine = &source.loaded.machine;
    let mut section = Section::new(
        "machine",
        "How was it measured?",
        "Before a server is timed, it has to answer the workload's own request byte for byte. Repetitions are \
         the outer loop and the order of servers is shuffled in each, so that a drift of the machine affects \
         all of them alike. The servers and the load tool have cores of their own. Every run has a warm-up \
         that is discarded, and every repetition is kept. A run in one piece that other processes disturbed is \
         repeated; of a run in slices only the disturbed slices are. One server is measured twice under two names: \
         the difference between the two is noise, and smaller differences are not reported.",
    );
    let mut runs = source.summaries.iter().flat_map(WorkloadSummary::with_floor).flat_map(Cell::measured);
    if runs.any(|run| run.slices.is_some()) {
        section.about.push(SLICES.into());
    }
    if let Some(hosts) = &machine.hosts {
        let host = words::host(&hosts.server);
        section.about.push(format!("The facts below are those of the server's host, {host}."));
    }
    Some(Section {
        tables: [servers(source), tools(source)].into_iter().flatten().collect(),
        facts: facts(machine, frequencies(source.summaries)),
        ..section
    })
}

/// The median clock frequencies of both sides' cores under load, with their ranges, in words.
fn frequencies(summaries: &[WorkloadSummary]) -> Option<String> {
    let runs = || summaries.iter().flat_map(WorkloadSummary::with_floor).flat_map(Cell::measured);
    let of_side = |side: &str, get: fn(&FrequencyRecord) -> Option<&Vec<u64>>| {
        let records = runs().filter_map(|run| run.cpu.as_ref()?.frequency.as_ref());
        let hertz = records.filter_map(get).flatten();
        let mut hertz: Vec<f64> = hertz.map(|hertz| numbers::as_f64(*hertz)).collect();
        let median = median(&mut hertz)? / 1e9;
        let [least, most] = [hertz.first()? / 1e9, hertz.last()? / 1e9];
        Some(format!("{side} {median:.2} GHz ({least:.2} to {most:.2})"))
    };
    let sides = [
        of_side("servers", |record| record.server_hertz.as_ref()),
        of_side("load tool", |record| record.tool_hertz.as_ref()),
    ];
    let known: Vec<String> = sides.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

fn facts(machine: &Machine, frequencies: Option<String>) -> Vec<Fact> {
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
        ("Clock frequency under load", frequencies),
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
    let binary = |server: &&ServerRecord| server.binary_bytes.map(numbers::as_f64);
    let rows: Vec<&ServerRecord> = known.into_values().collect();
    let has_binary = rows.iter().any(|server| server.binary_bytes.is_some());
    let fields = [
        Some(Field::text("Server", |server: &&ServerRecord| words::label(server)).essential()),
        Some(text("Language", |server| &server.language)),
        Some(text("Runtime", |server| &server.runtime)),
        Some(text("Concurrency model", |server| &server.model)),
        Some(Field::text("Version", |server: &&ServerRecord| server.version.as_deref()).essential()),
        has_binary.then(|| Field::new("Binary", Quantity::Memory, binary)),
    ];
    Table::from_fields("servers", "The servers", fields.into_iter().flatten(), &rows).with_rows()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    #[test]
    fn binaries_and_frequencies_are_shown_where_they_are_known() {
        let frequency = |server: Option<&[u64]>, tool: Option<&[u64]>| FrequencyRecord {
            server_hertz: server.map(<[u64]>::to_vec),
            tool_hertz: tool.map(<[u64]>::to_vec),
        };
        let slow: &[u64] = &[1_200_000_000, 3_400_000_000];
        let fast: &[u64] = &[3_500_000_000];
        // The size of the binary, the frequencies, the row of the table, and the fact.
        let cases = [
            (None, None, "one | -", "unknown"),
            (
                Some(3 << 20),
                Some(frequency(Some(slow), Some(fast))),
                "one | 3.00",
                "servers 2.30 GHz (1.20 to 3.40), load tool 3.50 GHz (3.50 to 3.50)",
            ),
            (None, Some(frequency(Some(fast), None)), "one | -", "servers 3.50 GHz (3.50 to 3.50)"),
            (Some(1 << 19), Some(frequency(None, None)), "one | 512", "unknown"),
        ];
        for (binary_bytes, frequency, row, expected) in cases {
            let mut record = Record::example("one", 1);
            record.server.binary_bytes = binary_bytes;
            record.cpu.as_mut().unwrap().frequency = frequency;
            let section = Loaded::example(vec![record]).section(section).unwrap();
            assert_eq!(section.tables[0].shown(&["Server", "Binary"]), [row]);
            let fact = section.facts.iter().find(|fact| fact.name == "Clock frequency under load").unwrap();
            assert_eq!(fact.value, expected);
        }
    }
}
