//! How much can a server take within a limit of latency? Shows the rates that searches found, and
//! the tests of these rates.

use super::family::{self, Question};
use super::metric::COST;
use super::panels::Panels;
use super::{Source, fields, figures, words};
use crate::analysis::capacity::{self, Capacity, Probe};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Chart, Line, Point};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::{Attribution, Figure, Quantity, Value};
use crate::servers::workload::Limit;
use crate::store::record::LimitRecord;
use crate::text::numbers;

/// A search, and the tests of the rate that it found.
struct Searched<'a> {
    limit: LimitRecord,
    search: &'a WorkloadSummary<'a>,
    /// The tests at that rate and above it.
    tests: Vec<&'a WorkloadSummary<'a>>,
}

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Capacity);
    let searches: Vec<Searched> =
        members.iter().filter_map(|member| Searched::new(member, &members)).collect();
    if searches.is_empty() {
        return None;
    }
    let servers = family::servers(&members);
    let section = Section::new(
        "capacity",
        "How much can a server take within a limit?",
        "The highest rate of an open loop at which the rate is held and the latency stays within the limit. A search \
         narrows the range between the highest rate that kept it and the lowest that did not. Then the rate is tested, \
         and one 5 % above it: a capacity that is not kept again in most of the tests was found by chance.",
    );
    section.with(
        searches.iter().flat_map(|one| one.charts(&servers)),
        searches.iter().map(|one| one.table(source)),
    )
}

/// A sentence per search with the capacities that it found, the largest first.
pub(super) fn sentences(members: &[&WorkloadSummary]) -> Vec<String> {
    let sentence = |one: Searched| {
        let mut found: Vec<(&Cell, f64)> =
            one.search.cells.iter().filter_map(|cell| Some((cell, one.found(cell)?.kept))).collect();
        found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        // A rate that at least half of the tests did not keep was found by chance.
        let by_chance = |cell: &Cell| {
            let (kept, count) = one.kept(one.test(1.0), cell)?;
            (2 * kept <= count).then(|| format!("kept in {kept} of {count} tests"))
        };
        let shown: Vec<(&str, String)> = found
            .into_iter()
            .map(|(cell, rate)| {
                let chance = by_chance(cell).map_or_else(String::new, |chance| format!(" ({chance})"));
                (cell.name(), format!("{}/s{chance}", numbers::whole(rate)))
            })
            .collect();
        let limit = one.limit();
        Some(if shown.is_empty() {
            format!("No server keeps {limit} at any rate that was tried.")
        } else {
            format!("Capacity at {limit}: {}.", figures(&shown))
        })
    };
    members.iter().filter_map(|member| sentence(Searched::new(member, members)?)).collect()
}

impl<'a> Searched<'a> {
    /// Returns `None` if the workload does not search.
    fn new(search: &'a WorkloadSummary<'a>, members: &[&'a WorkloadSummary<'a>]) -> Option<Self> {
        let limit = search.workload.rate.as_ref()?.limit?;
        let is_test = |member: &&&WorkloadSummary| {
            let rate = member.workload.rate.as_ref();
            rate.and_then(|rate| rate.search.as_ref()) == Some(&search.workload.name)
        };
        Some(Self { limit, search, tests: members.iter().filter(is_test).copied().collect() })
    }

    fn found(&self, cell: &Cell) -> Option<Capacity> {
        capacity::from_cell(cell, self.limit)
    }

    /// The test at `share` of the rate that was found.
    fn test(&self, share: f64) -> Option<&'a WorkloadSummary<'a>> {
        self.tests.iter().find(|test| share_of(test) == Some(share)).copied()
    }

    /// The number of runs of a test in which a server kept the limit, and of all runs of the test.
    fn kept(&self, test: Option<&WorkloadSummary>, cell: &Cell) -> Option<(usize, usize)> {
        let runs = || test.and_then(|test| test.cell(cell.name())).into_iter().flat_map(Cell::measured);
        let kept = runs().filter_map(|run| Probe::from_run(run, self.limit)).filter(|probe| probe.is_kept);
        let (kept, count) = (kept.count(), runs().count());
        (count > 0).then_some((kept, count))
    }

    /// The servers by their capacity, the largest first.
    fn table(&'a self, source: &Source) -> Table {
        let percentile = self.limit.percentile;
        let rate = move |cell: &Cell| {
            let Capacity { kept, exceeded } = self.found(cell)?;
            Some(Figure { value: kept, interval: exceeded.map(|exceeded| [kept, exceeded]) })
        };
        let (at, above) =
            (self.test(1.0), self.tests.iter().find(|test| share_of(test) > Some(1.0)).copied());
        let kept = |test: Option<&'a WorkloadSummary<'a>>| {
            move |cell: &Cell| -> Value {
                self.kept(test, cell).map(|(kept, count)| format!("{kept} of {count}")).into()
            }
        };
        let of_test = move |cell: &Cell| -> Option<&'a Cell<'a>> { at?.cell(cell.name()) };
        let median = move |cell: &Cell| of_test(cell)?.median(|run| capacity::percentile(run, percentile));
        let fields = [
            Some(fields::server()),
            Some(Field::new("Capacity/s", Quantity::Rate, rate).with_intervals().essential()),
            Some(
                Field::new("CPU/request there", Quantity::Time, move |cell: &Cell| {
                    of_test(cell).map(|cell| COST.value(cell))
                })
                .essential(),
            ),
            Some(Field::new(format!("p{percentile} there"), Quantity::Time, median).essential()),
            Some(Field::text("Kept there", kept(at)).essential()),
            Some(Field::text("Kept 5 % above", kept(above)).essential()),
            Some(Field::text("Verdict there", move |cell: &Cell| of_test(cell).and_then(fields::bound))),
        ];
        let mut cells: Vec<&Cell> = self.search.cells.iter().collect();
        let capacity = |cell: &Cell| self.found(cell).map_or(0.0, |found| found.kept);
        cells.sort_by(|a, b| capacity(b).total_cmp(&capacity(a)));
        let limit = self.limit();
        let mut table =
            source.table(self.search, ["", &format!("Capacity at {limit}")], fields, cells.iter().copied());
        let none: Vec<String> = cells
            .iter()
            .filter(|cell| self.found(cell).is_none())
            .map(|cell| words::label(cell.server))
            .collect();
        if !none.is_empty() {
            table.notes.push(format!("No rate that was tried kept {limit}: {}.", none.join(", ")));
        }
        table
    }

    /// Charts of the percentile by the rate, at the rates that the search tried.
    fn charts(&self, servers: &[&str]) -> Vec<Chart> {
        let line = |name: &&str| {
            let cell = self.search.cell(name)?;
            let point = |run: &crate::store::record::Record| {
                let rate = Probe::from_run(run, self.limit)?.rate;
                let seconds = capacity::percentile(run, self.limit.percentile)?;
                Some(Point { x: rate, y: Figure::from(seconds), attribution: Attribution::Server })
            };
            let mut points: Vec<Point> = cell.measured().filter_map(point).collect();
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            (!points.is_empty()).then(|| Line { label: (*name).into(), points, has_marks: true })
        };
        let percentile = self.limit.percentile;
        let id = format!("curve-{}", self.search.workload.name);
        let title = format!("p{percentile} of latency by rate, as the search for {} tried it", self.limit());
        let panels = Panels::by_rate(&id, &title, &format!("Latency, p{percentile}"));
        let panels = Panels { rest: " The table below has what was found.", ..panels };
        panels.charts(servers.iter().filter_map(line).collect())
    }

    fn limit(&self) -> Limit {
        let LimitRecord { percentile, seconds } = self.limit;
        Limit { percentile, seconds }
    }
}

fn share_of(test: &WorkloadSummary) -> Option<f64> {
    test.workload.rate.as_ref()?.share
}
