//! How cheap is it? The server's CPU time per request, which the load tool does not limit.

use super::family::Question;
use super::metric::{self, COST};
use super::{Source, fields, notes, words};
use crate::analysis::summary::WorkloadSummary;
use crate::report::chart::Chart;
use crate::report::document::{Section, Table};
use crate::report::value::Quantity;
use crate::store::record::Record;

/// The note below a table that has the floor.
const FLOOR: &str = "The floor is not a server: it waits, reads and writes as any server has to, and sends \
    every request the same response. What a server needs beyond it is spent by its runtime and its code.";

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Load);
    let section = Section::new(
        "cost",
        "How cheap is it?",
        "CPU time per request is the CPU time of all the server's processes, divided by the number of \
         correct responses. The load tool hardly influences it, so servers are ranked by it. Servers that \
         cannot be distinguished share ranks.",
    );
    section.with(
        members.iter().map(|summary| chart(summary)),
        members.iter().map(|summary| table(source, summary)),
    )
}

/// The cost of each server, with the intervals and the noise floor.
pub(in crate::report) fn chart(summary: &WorkloadSummary) -> Chart {
    let mut bars = COST.bars(summary);
    bars.bars.extend(COST.floor_bar(summary));
    bars.noise = metric::noise(summary);
    Chart::from_bars(
        format!("cost-{}", summary.workload.name),
        format!("CPU time per request with {}", words::connections(summary.workload.connections)),
        bars,
    )
}

/// The floor, and below it the servers by rank.
fn table(source: &Source, summary: &WorkloadSummary) -> Table {
    let cost = COST.field().with_intervals().with_bars().essential();
    let to_best = || Some(fields::ratio("To the best".into(), COST, fields::best(summary)?));
    let to_floor = || Some(fields::ratio("To the floor".into(), COST, summary.floor.as_ref()?));
    let fields = [
        Some(fields::server()),
        Some(fields::rank(summary)),
        source.rank_of_kept(summary),
        Some(fields::language()),
        Some(cost),
        source.to_baseline(COST, summary).or_else(to_best),
        to_floor(),
        Some(fields::median("In the kernel", Quantity::Share, in_the_kernel).optional()),
        Some(fields::conformance()),
    ];
    let mut table = source.table(summary, ["cost-", "CPU time per request"], fields, summary.with_floor());
    table.notes.push(notes::reading(summary));
    table.notes.extend(summary.floor.as_ref().map(|_| FLOOR.into()));
    table.notes.extend(notes::not_ranked(summary));
    table.notes.extend(notes::control(summary));
    table
}

/// The share of the server's CPU time that the kernel used.
fn in_the_kernel(run: &Record) -> Option<f64> {
    let server = run.cpu.as_ref()?.server?;
    (server.seconds > 0.0).then_some(server.system_seconds / server.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::Bound;
    use crate::store::results::Loaded;

    #[test]
    fn servers_are_compared_with_the_best_and_with_the_floor() {
        let headers = ["Server", "Rank", "CPU/request", "To the best", "To the floor"];
        // Servers with their CPU time, and their rows.
        type Case<'a> = (&'a str, &'a [(&'a str, f64)], &'a [&'a str]);
        let cases: [Case; 3] = [
            (
                "no floor",
                &[("dear", 0.9), ("cheap", 0.3), ("also-cheap", 0.3)],
                &[
                    "cheap | 1–2 | 300 | 1.00 | -",
                    "also-cheap | 1–2 | 300 | 1.00 | -",
                    "dear | 3 | 900 | 3.00 | -",
                ],
            ),
            (
                "a floor",
                &[("floor", 0.2), ("cheap", 0.3), ("dear", 0.9)],
                &[
                    "floor (not a server) | floor | 200 | – | –",
                    "cheap | 1 | 300 | 1.00 | 1.50",
                    "dear | 2 | 900 | 3.00 | 4.50",
                ],
            ),
            (
                "an invalid cell, which would be the best",
                &[("lost", 0.1), ("cheap", 0.3), ("dear", 0.9)],
                &["cheap | 1 | 300 | 1.00 | -", "dear | 2 | 900 | 3.00 | -", "lost | – | 100! | – | -"],
            ),
        ];
        for (name, servers, expected) in cases {
            let runs = servers.iter().flat_map(|(server, seconds)| {
                Record::seven(server, |record| {
                    record.set_cpu_seconds(*seconds);
                    record.server.is_floor = *server == "floor";
                    record.set_bound(if *server == "lost" { Bound::Invalid } else { Bound::ServerBound });
                })
            });
            let table = Loaded::example(runs.collect()).section(section).unwrap().tables.remove(0);
            assert_eq!(table.shown(&headers), expected, "{name}");
            let is_noted = table.notes.iter().any(|note| note.starts_with("Not ranked: lost (invalid: "));
            assert_eq!(is_noted, name.starts_with("an invalid"), "{name}: {:?}", table.notes);
        }
    }
}
