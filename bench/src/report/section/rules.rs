//! What is the order among servers that keep the rules of HTTP? If the user asks for it, tables
//! have a second rank, among these servers alone, and the answers have a sentence.

use clap::ValueEnum;

use super::{Source, words};
use crate::analysis::statistics::Rank;
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::report::document::Table;
use crate::report::field::Field;
use crate::store::record::ConformanceRecord;
use crate::text::numbers::counted;

/// The header of the column.
const HEADER: &str = "Rank, rules kept";

/// Whether servers are ranked once more among those that keep the rules of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Rules {
    /// Rank all servers
    #[default]
    Any,
    /// Also rank those that pass every conformance case, in a column of their own
    Kept,
}

impl Source<'_> {
    /// The column of ranks among the servers that keep the rules; `None` where the user did not ask
    /// for it, or no server was sent the conformance cases.
    pub(super) fn rank_of_kept<'a>(&self, summary: &'a WorkloadSummary<'a>) -> Option<Field<'a, Cell<'a>>> {
        let is_known = summary.cells.iter().any(|cell| cell.conformance().is_some());
        (self.rules == Rules::Kept && is_known).then(|| {
            let ranks = summary.ranks_among(keeps);
            let rank = move |cell: &Cell| {
                let own = ranks.iter().find(|(known, _)| known.name() == cell.name());
                own.map(|(_, rank)| *rank)
            };
            Field::text(HEADER, rank).essential()
        })
    }
}

/// What the column means, below a table that has it.
pub(super) fn note(table: &Table) -> Option<String> {
    let has_column = table.columns.iter().any(|column| column.header == HEADER);
    has_column.then(|| format!("{HEADER}: among the servers that pass every conformance case."))
}

/// Whether a server passes every case that it was sent.
fn keeps(cell: &Cell) -> bool {
    cell.conformance().is_some_and(ConformanceRecord::is_perfect)
}

/// The order among the ranked servers that keep the rules; `None` where no server is ranked.
pub(in crate::report) fn sentence(summary: &WorkloadSummary) -> Option<String> {
    let ranked: Vec<&Cell> = summary.ranked().map(|(cell, _)| cell).collect();
    let unknown: Vec<&str> =
        ranked.iter().filter(|cell| cell.conformance().is_none()).map(|cell| cell.name()).collect();
    if ranked.is_empty() {
        return None;
    }
    if unknown.len() == ranked.len() {
        return Some(
            "Which servers keep the rules of HTTP is not known: no result of conformance cases is stored."
                .into(),
        );
    }
    let kept = summary.ranks_among(keeps);
    let all = counted(ranked.len(), "ranked server");
    let order = match kept.as_slice() {
        [] => format!("None of the {all} passes every conformance case."),
        [(one, _)] => format!("Of the {all} {} alone passes every conformance case.", one.name()),
        kept if kept.len() == ranked.len() => {
            "All ranked servers pass every conformance case: their order is the one among all.".into()
        }
        kept => format!(
            "Among the {} of {all} that pass every conformance case the order is: {}.",
            kept.len(),
            places(kept).join("; ")
        ),
    };
    let unknown = (!unknown.is_empty()).then(|| format!(" It is not known of {}.", words::some(&unknown)));
    Some(order + &unknown.unwrap_or_default())
}

/// `epoll (1)`, `hyper and tokio (2–3)`.
fn places(kept: &[(&Cell, Rank)]) -> Vec<String> {
    let groups = grouped(kept.iter().map(|(cell, rank)| (*rank, cell.name())));
    groups.into_iter().map(|(rank, names)| format!("{} ({rank})", words::some(&names))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::report::section::cost;
    use crate::store::record::{Bound, Record};
    use crate::store::results::Loaded;

    /// Servers: name, CPU time per request in µs, and how many of 10 cases pass and are flaky.
    type Servers<'a> = &'a [(&'a str, f64, Option<(u64, u64)>)];

    fn runs(servers: Servers) -> Vec<Record> {
        let runs = servers.iter().flat_map(|(server, microseconds, found)| {
            Record::seven(server, |record| {
                record.set_cpu_seconds(microseconds / 1e3);
                record.set_bound(if *server == "lost" { Bound::Invalid } else { Bound::ServerBound });
                record.server.is_floor = *server == "floor";
                record.server.conformance = found.map(|(passed, flaky)| ConformanceRecord {
                    cases: 10,
                    passed,
                    flaky: Some(flaky),
                    smuggled: 0,
                    odd: Vec::new(),
                });
            })
        });
        runs.collect()
    }

    const ALL: Option<(u64, u64)> = Some((10, 0));

    #[test]
    #[rustfmt::skip]
    fn the_order_is_among_servers_that_pass_every_case() {
        // The servers, the sentence or "", and the rows of the table: the server, its rank, and its
        // rank among the servers that keep the rules.
        let cases: [(Servers, &str, &[&str]); 6] = [
            (
                &[("a", 1.0, Some((9, 0))), ("b", 2.0, ALL), ("c", 2.0, ALL), ("d", 3.0, Some((9, 1))), ("e", 4.0, ALL)],
                "Among the 3 of 5 ranked servers that pass every conformance case the order is: b and c (1–2); e (3).",
                &["a | 1 | –", "b | 2–3 | 1–2", "c | 2–3 | 1–2", "d | 4 | –", "e | 5 | 3"],
            ),
            (
                &[("a", 1.0, Some((9, 0))), ("b", 2.0, ALL), ("lost", 1.0, ALL), ("floor", 0.5, None)],
                "Of the 2 ranked servers b alone passes every conformance case.",
                &["floor (not a server) | floor | –", "a | 1 | –", "b | 2 | 1", "lost | – | –"],
            ),
            (
                &[("a", 1.0, Some((9, 0))), ("b", 2.0, None)],
                "None of the 2 ranked servers passes every conformance case. It is not known of b.",
                &["a | 1 | –", "b | 2 | –"],
            ),
            (
                &[("a", 1.0, ALL), ("b", 2.0, ALL)],
                "All ranked servers pass every conformance case: their order is the one among all.",
                &["a | 1 | 1", "b | 2 | 2"],
            ),
            (
                &[("a", 1.0, None), ("b", 2.0, None)],
                "Which servers keep the rules of HTTP is not known: no result of conformance cases is stored.",
                &["a | 1 | -", "b | 2 | -"],
            ),
            (
                &[("lost", 1.0, ALL)],
                "",
                &["lost | – | –"],
            ),
        ];
        for (servers, expected, rows) in cases {
            let loaded = Loaded::example(runs(servers));
            let summaries = summarise(&loaded.records);
            assert_eq!(sentence(&summaries[0]).unwrap_or_default(), expected, "{servers:?}");
            let shown = |rules, headers| {
                let source = Source { rules, ..Source::new(&loaded, &summaries) };
                cost::section(&source).unwrap().tables.remove(0).shown(headers)
            };
            assert_eq!(shown(Rules::Kept, &["Server", "Rank", HEADER]), rows, "{servers:?}");
            assert!(shown(Rules::Any, &[HEADER]).iter().all(|row| row == "-"), "{servers:?}");
        }
    }
}
