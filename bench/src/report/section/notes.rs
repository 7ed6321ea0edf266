//! What a reader has to know about a workload's cells, in sentences below its table.

use std::collections::BTreeMap;

use super::words;
use crate::analysis::statistics;
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::report::document::Table;
use crate::report::value::Attribution;
use crate::store::record::{Bound, SlicesRecord, TaskRecord};
use crate::text::numbers::counted;

/// How the intervals of a workload are to be read.
pub(super) fn reading(summary: &WorkloadSummary) -> String {
    let repetitions = summary.with_floor().map(|cell| cell.measured().count()).max().unwrap_or(0);
    let intervals = if repetitions < statistics::ENOUGH {
        format!(
            "With fewer than {} no servers can be distinguished, and intervals are ranges.",
            statistics::ENOUGH
        )
    } else {
        "Intervals contain the true median 19 times out of 20; servers that cannot be distinguished share ranks."
            .into()
    };
    format!("Medians of {}. {intervals}", counted(repetitions, "repetition"))
}

/// The noise floor: how much a server differs from itself in the metric by which servers are ranked.
pub(super) fn control(summary: &WorkloadSummary) -> Option<String> {
    let (server, ratio) = summary.control(summary.leading())?;
    let percent = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
    let end = match summary.noise() {
        Some(noise) if ratio.is_enough() => {
            format!(": smaller differences than {:.1} % are treated as noise.", noise * 100.0)
        }
        _ => "; there are too few repetitions to know the noise.".into(),
    };
    Some(format!(
        "A/A control: {}, measured twice under two names, differs from itself by {} ({} to {}){end}",
        server.name,
        percent(ratio.median),
        percent(ratio.low),
        percent(ratio.high),
    ))
}

/// Notes about the cells that are limited by the load tool, the network or busy threads, or not
/// ranked, about errors by kind, and about runs that failed.
pub(super) fn cells(summary: &WorkloadSummary) -> Vec<String> {
    let grouped = [
        client_bound(summary),
        network_bound(summary),
        thread_bound(summary),
        one_connection(summary),
        not_ranked(summary),
        sentence("Repeated, since an attempt was disturbed or failed", &each(summary, repeated)),
        sentence(
            "Loaded for longer before each run, since the runtime compiles code while it runs",
            &each(summary, warmed),
        ),
        sentence("Measured alone, since they use CPU time while idle", &each(summary, restless)),
        sentence("Disturbed slices, which are left out", &each(summary, disturbed_slices)),
        sentence("Not all connections stayed open", &each(summary, lost)),
        sentence("Errors", &each(summary, errors)),
    ];
    grouped.into_iter().flatten().chain(failures(summary)).collect()
}

/// Which cells are not ranked, and why: `Not ranked: http-server (invalid: …).`
pub(super) fn not_ranked(summary: &WorkloadSummary) -> Option<String> {
    sentence("Not ranked", &each(summary, |cell| cell.not_ranked().map(words::verdict)))
}

/// What the signs behind a table's figures mean, where there are any.
pub(super) fn signs(table: &Table) -> Option<String> {
    let meanings = [
        (
            Attribution::Tool,
            "limited by the load tool or the network, not by the server (client-bound, network-bound)",
        ),
        (Attribution::Invalid, "invalid or disturbed: says nothing about the server"),
        (Attribution::Reference, "not measured here"),
    ];
    let has = |wanted: Attribution| table.rows.iter().flatten().any(|value| value.attribution() == wanted);
    let said: Vec<String> = meanings
        .iter()
        .filter(|(attribution, _)| has(*attribution))
        .map(|(attribution, meaning)| format!("{} {meaning}", attribution.sign()))
        .collect();
    (!said.is_empty()).then(|| said.join("; ") + ".")
}

/// The servers for which `note` returns a text, each with the text in brackets.
fn each(summary: &WorkloadSummary, note: impl Fn(&Cell) -> Option<String>) -> Vec<String> {
    let noted = summary.with_floor().filter_map(|cell| Some((cell, note(cell)?)));
    noted.map(|(cell, note)| format!("{} ({note})", cell.server.name)).collect()
}

fn sentence(begin: &str, servers: &[String]) -> Option<String> {
    (!servers.is_empty()).then(|| format!("{begin}: {}.", words::list(servers)))
}

/// The length of a server's own warm-up, if it is longer than the workload's.
fn warmed(cell: &Cell) -> Option<String> {
    let of_workload = cell.measured().find_map(|run| run.workload.warm_up_seconds)?;
    let own = cell.server.warm_up_seconds?;
    (of_workload > 0.0 && own > of_workload).then(|| format!("{own} s"))
}

/// The cells that the load tool limited, with the load hosts at their limit if there are several.
fn client_bound(summary: &WorkloadSummary) -> Option<String> {
    let bound = summary.with_floor().filter_map(|cell| {
        let verdict = cell.verdict.as_ref().filter(|verdict| verdict.bound == Bound::ClientBound)?;
        let which = verdict.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
        Some(format!("{}{which}", cell.name()))
    });
    let said = sentence("Client-bound", &bound.collect::<Vec<_>>())?;
    Some(format!(
        "{said} The load tool used all its CPU time, so their requests/s cannot be compared; their CPU time per request \
         can."
    ))
}

fn network_bound(summary: &WorkloadSummary) -> Option<String> {
    let said = sentence("Network-bound", &each(summary, reason_of(Bound::NetworkBound)))?;
    Some(format!(
        "{said} Their requests/s are the network's, and cannot be compared; their CPU time per request can."
    ))
}

fn thread_bound(summary: &WorkloadSummary) -> Option<String> {
    let said = sentence("Thread-bound", &each(summary, reason_of(Bound::ThreadBound)))?;
    Some(format!("{said} A server with fewer busy threads than cores cannot use all of them."))
}

/// Returns the reason of a cell's verdict if the verdict is `bound`.
fn reason_of(bound: Bound) -> impl Fn(&Cell) -> Option<String> {
    move |cell| {
        let verdict = cell.verdict.as_ref().filter(|verdict| verdict.bound == bound)?;
        Some(verdict.reason.clone().unwrap_or_default())
    }
}

/// What a single connection over a network waits for.
fn one_connection(summary: &WorkloadSummary) -> Option<String> {
    let is_single = summary.workload.task == TaskRecord::Load && summary.workload.connections == 1;
    let mut runs = summary.with_floor().flat_map(Cell::measured);
    (is_single && runs.any(|run| run.hosts.is_some())).then(|| {
        "With one connection each request waits for the network: latency and requests/s contain its round trip, which is \
         the same for all servers."
            .into()
    })
}

fn repeated(cell: &Cell) -> Option<String> {
    (cell.set_aside > 0).then(|| counted(cell.set_aside, "run"))
}

/// The share of a core that an idle server used, if it was measured alone for that reason.
fn restless(cell: &Cell) -> Option<String> {
    let alone = cell.measured().filter(|run| run.slices.is_none());
    let share = alone.filter_map(|run| run.cpu.as_ref()?.idle_share).reduce(f64::max)?;
    Some(format!("{:.0} % of a core", share * 100.0))
}

/// The number of disturbed slices that are left out. If they are more than half of a run's, none is
/// left out, and the run is disturbed.
fn disturbed_slices(cell: &Cell) -> Option<String> {
    let slices = || cell.measured().filter_map(|run| run.slices.as_ref());
    let left_out: usize = slices().map(|slices| slices.len() - slices.counted().count()).sum();
    let all: usize = slices().map(SlicesRecord::len).sum();
    (left_out > 0).then(|| format!("{left_out} of {all}"))
}

/// Connections that should have stayed open and did not.
fn lost(cell: &Cell) -> Option<String> {
    let held = cell.measured().filter(|run| run.workload.task == TaskRecord::Hold);
    let fewest = held.filter_map(|run| run.connections?.seen).min()?;
    let asked = cell.runs.first().map_or(0, |run| u64::from(run.workload.connections));
    (fewest < asked).then(|| format!("{fewest} of {asked}"))
}

fn errors(cell: &Cell) -> Option<String> {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, number) in cell.measured().filter_map(|run| run.load.as_ref()).flat_map(|load| &load.errors) {
        *kinds.entry(kind).or_insert(0) += number;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, number)| format!("{number} × {kind}")).collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

/// Each reason why runs failed, once, with the servers.
fn failures(summary: &WorkloadSummary) -> Vec<String> {
    let failures = summary.with_floor().flat_map(|cell| {
        let reasons = cell.failures().map(|failure| format!("{}: {}", failure.kind, failure.message));
        reasons.map(|reason| (reason, cell.name()))
    });
    let sentence = |(reason, mut servers): (String, Vec<&str>)| {
        servers.dedup();
        format!("{}: {reason}", words::list(&servers))
    };
    grouped(failures).into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::Record;

    #[test]
    fn a_server_with_a_longer_warm_up_is_named() {
        // The warm-ups of server and workload, in seconds, and whether the server is named.
        let cases =
            [(Some(6.0), 0.2, true), (Some(0.1), 0.2, false), (Some(6.0), 0.0, false), (None, 0.2, false)];
        for (own, of_workload, is_named) in cases {
            let records = Record::seven("one", |run| {
                run.server.warm_up_seconds = own;
                run.workload.warm_up_seconds = Some(of_workload);
            });
            let notes = cells(&summarise(&records)[0]);
            let note = notes.iter().find(|note| note.starts_with("Loaded for longer"));
            let expected = "Loaded for longer before each run, since the runtime compiles code while it runs: one (6 s).";
            assert_eq!(note.map(String::as_str), is_named.then_some(expected), "{own:?}, {of_workload}");
        }
    }
}
