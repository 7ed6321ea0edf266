//! Reports, made from a result folder's records alone.
//!
//! ```text
//! records ─▶ summaries ─▶ section/<question> ─▶ document ─▶ format/<form>
//!                          field: a column with its getter
//! ```

mod answer;
pub mod chart;
pub mod comparison;
mod conformance;
pub mod document;
mod field;
pub mod format;
pub mod history;
pub mod readme;
mod section;
pub mod tracked;
pub mod value;
pub mod versus;
mod warning;

use std::collections::BTreeSet;

use crate::analysis::looks;
use crate::analysis::summary::{Cell, WorkloadSummary, summarise};
use crate::checks::verify::Verification;
use crate::machine::Machine;
use crate::store::drills::DrillRecord;
use crate::store::microbench::MicrobenchRecord;
use crate::store::record::{Record, TaskRecord};
use crate::store::results::Loaded;
use crate::text::{layout, names, numbers};
use chart::Chart;
use document::{Document, Fact};
pub(crate) use section::FAILED;
pub use section::Rules;
use section::{Family, Source};

/// The report of a result folder.
pub fn document(loaded: &Loaded) -> Document {
    document_with(loaded, Rules::Any)
}

/// The report of a result folder, with the ranks that the user asks for.
pub fn document_with(loaded: &Loaded, rules: Rules) -> Document {
    let summaries = summarise(&loaded.records);
    document_of(&Source { rules, ..Source::new(loaded, &summaries) })
}

/// The report of a result folder, with ratios to the server `baseline` instead of the best one.
/// Fails if there is no such server. If its figures decide nothing, the report says so.
pub fn document_against(loaded: &Loaded, baseline: &str, rules: Rules) -> anyhow::Result<Document> {
    let summaries = summarise(&loaded.records);
    let cells = summaries.iter().flat_map(WorkloadSummary::with_floor);
    let names: BTreeSet<&str> = cells.map(Cell::name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let name = names::find("server", baseline, &names, |name| name)?;
    let mut document =
        document_of(&Source { baseline: Some(name), rules, ..Source::new(loaded, &summaries) });
    document.origin.push(Fact::new("Ratios", format!("to {name}")));
    Ok(document)
}

fn document_of(source: &Source) -> Document {
    let leading = section::leading(&source.families);
    Document {
        title: title(&source.families, &source.loaded.machine),
        leading: leading.map(|summary| summary.workload.name.clone()),
        origin: origin(&source.loaded.machine).into_iter().chain(until(source.summaries)).collect(),
        answers: answer::answers(&source.families, source.baseline, source.rules),
        warnings: warning::warnings(source.loaded, source.summaries),
        picture: leading.and_then(picture),
        sections: section::all(source),
        tracked: tracked::figures(source.summaries),
    }
}

/// Explains where a request's CPU time goes, from the records of a result folder. Returns `None`
/// without microbenchmarks, or without a load that they explain and that has figures of the floor
/// and of a server.
pub fn explanation(loaded: &Loaded) -> Option<Document> {
    let summaries = summarise(&loaded.records);
    let source = Source::new(loaded, &summaries);
    let (answers, section) = section::explanation(&source)?;
    Some(Document {
        title: title(&source.families, &loaded.machine),
        origin: origin(&loaded.machine),
        answers,
        warnings: warning::warnings(loaded, &summaries),
        sections: vec![section],
        ..Document::default()
    })
}

/// The figures of microbenchmarks as a table for a terminal of this width.
pub fn microbenchmarks(record: &MicrobenchRecord, width: Option<usize>) -> String {
    format::table(&section::microbench_table(record), width)
}

/// The results of fault drills as a table, one row per server, for a terminal of this width.
pub fn drills(records: &[DrillRecord], width: Option<usize>) -> String {
    section::drills_table(records).map_or_else(String::new, |table| format::table(&table, width))
}

/// The results of fault drills as a Markdown table, for an issue.
pub fn drills_markdown(records: &[DrillRecord]) -> String {
    section::drills_table(records).map_or_else(String::new, |table| format::markdown::render_table(&table))
}

/// The conformance cases that each server passes, as a table for a terminal of this width.
pub fn conformance(verified: &[(&str, &Verification)], width: Option<usize>) -> String {
    format::table(&conformance::table(verified), width)
}

/// The figures of a measurement that is still running: one table per workload, marked as preliminary
/// with the number of repetitions, without ranks and intervals, for a terminal of this width. Empty
/// without figures.
pub fn preliminary(records: &[Record], width: Option<usize>) -> String {
    let summaries = summarise(records);
    let tables = summaries.iter().filter(|summary| !summary.is_check && summary.is_measured());
    let tables = tables.map(|summary| format::table(&section::preliminary_table(summary), width));
    tables.collect::<Vec<_>>().join("\n")
}

/// The width of standard output: `COLUMNS`, or else the terminal's; `None` if neither is known.
pub fn terminal_width() -> Option<usize> {
    let chosen = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = chosen.filter(|columns| *columns > 0).or_else(|| {
        let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(std::io::stdout())?;
        Some(usize::from(width))
    });
    width.map(|width| width.max(layout::NARROWEST))
}

/// The number of servers, and the name of their host.
fn title(families: &[Family], machine: &Machine) -> String {
    let members: Vec<_> = families.iter().flat_map(|family| family.members.iter().copied()).collect();
    let servers = section::servers(&members).len();
    let host = machine.hosts.as_ref().and_then(|hosts| hosts.server.name.as_ref()).unwrap_or(&machine.host);
    format!("{} on {host}", numbers::counted(servers, "HTTP server"))
}

/// When, where, and by which command.
fn origin(machine: &Machine) -> Vec<Fact> {
    vec![
        Fact::new("When", machine.started.as_str()),
        Fact::new("Where", place(machine)),
        Fact::new("Command", machine.command.join(" ")),
        Fact::new("Version", format!("bench {}", machine.bench)),
        Fact::new("Cores", cores(machine)),
    ]
}

/// The number of repetitions of each workload, and whether intervals are as narrow as asked for.
fn until(summaries: &[WorkloadSummary]) -> Option<Fact> {
    let asked = summaries.iter().find_map(WorkloadSummary::until)?;
    let reached = |summary: &WorkloadSummary| {
        let until = summary.until()?;
        let is_narrow = looks::widest(summary).is_some_and(|found| found.width < until.width);
        let made = summary.with_floor().map(|cell| cell.measured().count()).max().unwrap_or(0);
        Some(format!("{} {} {made}", summary.workload.name, if is_narrow { "after" } else { "not after" }))
    };
    let reached: Vec<String> = summaries.iter().filter_map(reached).collect();
    let asked = numbers::percent(asked.width);
    Some(Fact::new(
        "Repetitions",
        format!("until each interval is narrower than {asked}: {}", reached.join(", ")),
    ))
}

/// The server's machine and, if the sides were on several hosts, the names of the load hosts.
fn place(machine: &Machine) -> String {
    let unknown = || "unknown".to_owned();
    let memory = machine.memory_bytes.map_or_else(unknown, |bytes| format!("{} GiB", bytes >> 30));
    let described = format!(
        "{}: {}, {}, {memory}, {}",
        machine.host,
        machine.processor.clone().unwrap_or_else(unknown),
        machine.counted_cores(),
        machine.kernel,
    );
    let Some(hosts) = &machine.hosts else { return described };
    let loads: Vec<&str> = hosts.loads.iter().map(|(link, _)| section::host(link)).collect();
    format!("server on {} ({described}), load from {}", section::host(&hosts.server), section::some(&loads))
}

/// The cores of each side.
fn cores(machine: &Machine) -> String {
    let Some(hosts) = &machine.hosts else {
        let server = numbers::cores(&machine.server_cores);
        return format!("servers on {server}, the load tool on {}", numbers::cores(&machine.tool_cores));
    };
    let (host, loads) = (section::host(&hosts.server), section::load_cores(hosts));
    let server = section::cores(&machine.server_cores);
    format!("servers on {server} of {host}, the load tool on {loads}")
}

/// The chart of the cost of a request, if the leading workload is a load.
fn picture(summary: &WorkloadSummary) -> Option<Chart> {
    (summary.workload.task == TaskRecord::Load)
        .then(|| Chart { id: "answer".into(), ..section::cost_chart(summary) })
}
