//! How does it compare with the article? Its table and its verdict, and beside them those of this machine.

use super::family::Question;
use super::parts::{self, COST, PER_SECOND};
use super::{Source, cost, notes, speed};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::analysis::verdict::Verdict;
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Column, Priority, Section, Table};
use crate::report::value::Attribution;
use crate::report::value::{Figure, Quantity, Value};
use crate::store::record::{Bound, PublishedRecord, Record};
use crate::text::numbers;
use crate::text::numbers::as_f64;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Published);
    let verdicts: Vec<Verdicts> = members.iter().filter_map(|summary| Verdicts::of(summary)).collect();
    let tables = members.iter().map(|summary| table(summary));
    let verdict_tables = verdicts.iter().map(Verdicts::table);
    (!members.is_empty()).then(|| Section {
        id: "article",
        title: "How does it compare with the article?",
        about: vec![
            "The article ran a Go and a Python program once each under a load tool, on another machine. Its three scenarios, its columns \
             and its verdict, how many times faster than the Python program, are here with what it did not tell."
                .into(),
        ],
        charts: verdicts.iter().map(Verdicts::chart).collect(),
        tables: tables.chain(verdict_tables).collect(),
        facts: Vec::new(),
    })
}

/// The article's columns, and what it did not tell.
fn table(summary: &WorkloadSummary) -> Table {
    let columns = [
        parts::server(),
        Column::new("Rank", Quantity::Text),
        Column::new("Language", Quantity::Text),
        Column::new("Requests", Quantity::Count),
        Column::new("Concurrency", Quantity::Count),
        Column::new("Time taken", Quantity::Time),
        Column::new("Errors", Quantity::Count),
        COST.column().with_intervals().with_priority(Priority::High),
        PER_SECOND.column().with_priority(Priority::High),
        Column::new("Bound by", Quantity::Text).with_priority(Priority::High),
        Column::new("HTTP cases", Quantity::Text).with_priority(Priority::Low),
    ];
    let mut table = Table::new(summary.workload.name.as_str(), parts::title(summary), columns);
    for (cell, rank) in parts::ranked(summary) {
        let errors: u64 = cell.measured().map(Record::error_count).sum();
        table.rows.push(vec![
            cell.server.name.as_str().into(),
            rank.into(),
            cell.server.language.as_str().into(),
            cell.median(|run| Some(as_f64(run.load.as_ref()?.answered))).into(),
            Some(f64::from(summary.workload.connections)).into(),
            cell.median(|run| Some(run.load.as_ref()?.elapsed_seconds)).into(),
            rank.map(|_| as_f64(errors)).into(),
            COST.value(cell),
            PER_SECOND.value(cell),
            speed::bound(cell),
            cost::conformance(cell.server),
        ]);
    }
    table.notes.push(cost::reading(summary));
    table.notes.extend(parts::legend(&table));
    table.notes.extend(notes::control(summary));
    table.notes.extend(notes::cells(summary));
    table
}

/// The servers of a workload for which somebody published a ratio, with the slower program that it is a ratio to.
struct Verdicts<'a> {
    summary: &'a WorkloadSummary<'a>,
    published: &'a PublishedRecord,
    baseline: &'a Cell<'a>,
}

impl<'a> Verdicts<'a> {
    /// `None` where the slower program has no figures, or nobody else has.
    fn of(summary: &'a WorkloadSummary<'a>) -> Option<Self> {
        let published = summary.workload.published.as_ref()?;
        let baseline = named(summary, &published.baseline)?;
        let verdicts = Self { summary, published, baseline };
        let has_others = verdicts.others().next().is_some();
        has_others.then_some(verdicts)
    }

    fn others(&self) -> impl Iterator<Item = &'a Cell<'a>> {
        let baseline = &self.baseline.server.name;
        self.summary
            .cells
            .iter()
            .filter(move |cell| cell.server.name != *baseline && cell.measured().next().is_some())
    }

    fn title(&self) -> String {
        let connections = parts::connections(self.summary.workload.connections);
        format!("Times faster than the {} program with {connections}", self.published.baseline)
    }

    fn name(&self) -> String {
        format!("{}-verdict", self.summary.workload.name)
    }

    /// How many times faster each server is, and the published ratio beside it.
    fn chart(&self) -> Chart {
        let bar = |cell: &Cell| {
            let attribution = PER_SECOND.attribution(cell);
            let note = if attribution == Attribution::Server { String::new() } else { bound_in_words(cell) };
            let figure = cell.raw_ratio_to(self.baseline, Record::per_second).map(Figure::from);
            Bar { label: cell.server.name.clone(), figure, attribution, note }
        };
        let article = Bar {
            label: format!("{} in the article", self.published.contender),
            figure: Some(Figure { value: self.published.ratio, interval: None }),
            attribution: Attribution::Reference,
            note: "once, on another machine".into(),
        };
        let bars = self.others().map(bar).chain([article]).collect();
        let bars = Bars { label: "Times faster".into(), quantity: Quantity::Ratio, bars, noise: None };
        parts::bars_chart(self.name(), self.title(), bars)
    }

    fn table(&self) -> Table {
        let columns = [
            parts::server(),
            Column::new("Language", Quantity::Text),
            Column::new("Faster", Quantity::Ratio).with_intervals().with_priority(Priority::High),
            Column::new("Cheaper", Quantity::Ratio).with_intervals().with_priority(Priority::High),
        ];
        let mut table = Table::new(self.name(), self.title(), columns);
        for cell in self.others() {
            let faster = cell.raw_ratio_to(self.baseline, Record::per_second).map(Figure::from);
            table.rows.push(vec![
                cell.server.name.as_str().into(),
                cell.server.language.as_str().into(),
                Value::attributed(faster, PER_SECOND.attribution(cell)),
                self.baseline.raw_ratio_to(cell, Record::cpu_per_request).into(),
            ]);
        }
        let figure = Figure { value: self.published.ratio, interval: None };
        table.rows.push(vec![
            format!("{} in the article", self.published.contender).into(),
            self.published.contender.as_str().into(),
            Value::Attributed { figure, attribution: Attribution::Reference },
            Value::Absent,
        ]);
        table.notes.push("Cheaper: how many times less CPU time a request takes.".into());
        table.notes.extend(parts::legend(&table));
        table.notes.extend(self.reserve());
        table.notes.extend(self.beside_the_article());
        table
    }

    /// Why the slower program's figures are to be taken with care.
    fn reserve(&self) -> Option<String> {
        let Verdict { bound: Bound::Invalid, reason } = self.baseline.verdict.clone()? else { return None };
        Some(format!("With reserve: of the {} program's runs, {}.", self.published.baseline, reason?))
    }

    fn beside_the_article(&self) -> Option<String> {
        let contender = named(self.summary, &self.published.contender)?;
        let here = contender.raw_ratio_to(self.baseline, Record::per_second)?;
        Some(format!(
            "{} : {} is {} here, {} in the article, which ran each once on another machine.",
            self.published.contender,
            self.published.baseline,
            numbers::ratio(here.median),
            numbers::ratio(self.published.ratio),
        ))
    }
}

/// The cell of one of the article's programs, if it has figures.
fn named<'a>(summary: &'a WorkloadSummary<'a>, name: &str) -> Option<&'a Cell<'a>> {
    let mut cells = summary.cells.iter();
    cells.find(|cell| cell.server.article.as_deref() == Some(name) && cell.measured().next().is_some())
}

fn bound_in_words(cell: &Cell) -> String {
    cell.bound().map_or_else(String::new, |bound| bound.to_string())
}
