//! How does it compare with the article? Its table and its verdict, from this machine's figures.

use super::family::Question;
use super::metric::{COST, PER_SECOND};
use super::{Source, fields, notes, speed, words};
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary};
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::{Attribution, Figure, Quantity, Value};
use crate::store::record::{Bound, PublishedRecord, Record};
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.loads(Question::Published);
    let verdicts: Vec<Verdicts> = members.iter().filter_map(|summary| Verdicts::new(summary)).collect();
    let tables = members.iter().map(|summary| table(source, summary));
    let verdict_tables = verdicts.iter().map(Verdicts::table);
    let section = Section::new(
        "article",
        "How does it compare with the article?",
        "The article ran a Go and a Python program under a load tool, once each, on another machine. Below \
         are its three scenarios, its columns and its verdict, how many times faster than the Python \
         program a server is, and beside them what the article does not say.",
    );
    section.with(verdicts.iter().map(Verdicts::chart), tables.chain(verdict_tables))
}

/// A table with the article's columns, and with figures that the article does not have.
fn table(source: &Source, summary: &WorkloadSummary) -> Table {
    let connections = f64::from(summary.workload.connections);
    let elapsed = |run: &Record| Some(run.load.as_ref()?.elapsed_seconds);
    let fields = [
        Some(fields::server()),
        Some(fields::rank(summary)),
        source.rank_of_kept(summary),
        Some(fields::language()),
        Some(fields::median("Requests", Quantity::Count, speed::answered)),
        Some(Field::new("Concurrency", Quantity::Count, move |_: &Cell| connections)),
        Some(fields::median("Time taken", Quantity::Time, elapsed)),
        Some(Field::new("Errors", Quantity::Count, speed::errors)),
        Some(COST.field().with_intervals().essential()),
        source.to_baseline(COST, summary),
        Some(PER_SECOND.field().essential()),
        Some(fields::verdict()),
        Some(fields::conformance().optional()),
    ];
    let mut table = source.table(summary, ["", "The article's table"], fields, &summary.cells);
    table.notes.push(notes::reading(summary));
    table.notes.extend(notes::control(summary));
    table.notes.extend(notes::cells(summary));
    table
}

/// The servers under a workload with a published ratio, and the slower program of the ratio.
struct Verdicts<'a> {
    summary: &'a WorkloadSummary<'a>,
    published: &'a PublishedRecord,
    baseline: &'a Cell<'a>,
}

impl<'a> Verdicts<'a> {
    /// `None` where the slower program has no figures, or no other server has.
    fn new(summary: &'a WorkloadSummary<'a>) -> Option<Self> {
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
        let connections = words::connections(self.summary.workload.connections);
        format!("Times faster than the {} program with {connections}", self.published.baseline)
    }

    fn name(&self) -> String {
        format!("{}-verdict", self.summary.workload.name)
    }

    fn faster(&self, cell: &Cell) -> Option<Figure> {
        cell.raw_ratio_to(self.baseline, RunFigure::THROUGHPUT).map(Figure::from)
    }

    /// The attribution of a ratio: invalid if either cell is invalid, or else limited by the load
    /// tool if either cell is.
    fn attribution(&self, cell: &Cell) -> Attribution {
        let both = [cell, self.baseline].map(|cell| PER_SECOND.attribution(cell));
        let worst = [Attribution::Invalid, Attribution::Tool].into_iter().find(|worst| both.contains(worst));
        worst.unwrap_or(both[0])
    }

    /// How many times faster each server is, and the published ratio beside it.
    fn chart(&self) -> Chart {
        let bar = |cell: &Cell| {
            let attribution = self.attribution(cell);
            Bar::new(&cell.server.name, self.faster(cell), attribution, words::limit(cell, attribution))
        };
        let article = Bar::new(
            &format!("{} in the article", self.published.contender),
            Some(self.published.ratio.into()),
            Attribution::Reference,
            "once, on another machine".into(),
        );
        let bars = Bars::new("Times faster", Quantity::Ratio, self.others().map(bar).chain([article]));
        Chart::from_bars(self.name(), self.title(), bars)
    }

    /// One row per server. The last row, which has no cell, is the article's.
    fn table(&self) -> Table {
        let rows: Vec<Option<&Cell>> = self.others().map(Some).chain([None]).collect();
        let contender = &self.published.contender;
        let name = |cell: &Option<&Cell>| {
            cell.map_or_else(|| format!("{contender} in the article"), |cell| cell.server.name.clone())
        };
        let faster = |cell: &Option<&Cell>| match cell {
            Some(cell) => Value::attributed(self.faster(cell), self.attribution(cell)),
            None => Value::attributed(Some(self.published.ratio.into()), Attribution::Reference),
        };
        let verdict = |cell: &Option<&Cell>| fields::bound((*cell)?);
        let cheaper = |cell: &Option<&Cell>| self.baseline.ratio_to((*cell)?, RunFigure::COST);
        let fields = [
            Field::text("Server", name).essential(),
            Field::text("Language", |cell: &Option<&Cell>| {
                cell.map_or(contender.as_str(), |cell| &cell.server.language)
            }),
            Field::new("Faster", Quantity::Ratio, faster).with_intervals().essential(),
            Field::text("Verdict", verdict).essential(),
            Field::new("Cheaper", Quantity::Ratio, cheaper).with_intervals().essential(),
        ];
        let mut table = Table::from_fields(self.name(), self.title(), fields, &rows);
        table.notes.extend(self.beside_the_article());
        table.notes.push(format!(
            "Cheaper: CPU time per request of the {} program, divided by the server's.",
            self.published.baseline
        ));
        table.notes.extend(notes::signs(&table));
        table
    }

    /// The article's verdict from this machine's figures, and whether it compares the programs.
    fn beside_the_article(&self) -> Option<String> {
        let contender = named(self.summary, &self.published.contender)?;
        let ratio = numbers::ratio(self.faster(contender)?.value);
        let (fast, slow) = (&self.published.contender, &self.published.baseline);
        let not_ranked = [contender, self.baseline]
            .into_iter()
            .find_map(|cell| Some(format!("{} is {}", cell.server.name, words::verdict(cell.not_ranked()?))));
        let here = match (not_ranked, self.attribution(contender)) {
            (Some(why), _) => format!(
                "The ratio of {fast} to {slow} here is {ratio}, but it says nothing about the programs: {why}"
            ),
            (None, Attribution::Tool) if PER_SECOND.attribution(self.baseline) == Attribution::Server => {
                format!(
                    "{fast} is at least {ratio} faster than {slow} here: {} was at its limit with {fast}",
                    limit(contender)
                )
            }
            (None, Attribution::Tool) => format!(
                "The ratio of {fast} to {slow} here is {ratio}, but {} was at its limit with {slow}, so it does not \
                 compare the programs",
                limit(self.baseline)
            ),
            _ => format!("{fast} is {ratio} faster than {slow} here"),
        };
        let there = numbers::ratio(self.published.ratio);
        Some(format!("{here}. The article says {there}, from one run each on another machine."))
    }
}

/// What limited the cell: the network or the load tool.
fn limit(cell: &Cell) -> &'static str {
    if cell.bound() == Some(Bound::NetworkBound) { "the network" } else { "the load tool" }
}

/// The cell of one of the article's programs, if it has figures.
fn named<'a>(summary: &'a WorkloadSummary<'a>, name: &str) -> Option<&'a Cell<'a>> {
    let mut cells = summary.cells.iter();
    cells.find(|cell| cell.server.article.as_deref() == Some(name) && cell.measured().next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;

    /// Runs of one of the article's programs with this number of responses in a second.
    fn runs(program: &str, answered: u64, bound: Bound) -> Vec<Record> {
        Record::seven(program, |record| {
            record.server.article = Some(program.into());
            record.workload.published =
                Some(PublishedRecord { baseline: "Python".into(), contender: "Go".into(), ratio: 7.0 });
            record.load.as_mut().unwrap().answered = answered;
            record.set_bound(bound);
        })
    }

    const PYTHON_IS_LIMITED: &str = "The ratio of Go to Python here is 4.00×, but the load tool was at its limit with \
        Python, so it does not compare the programs. The article";

    #[test]
    fn the_verdict_says_what_it_is_worth() {
        use Bound::{ClientBound, Invalid, ServerBound};
        let cases = [
            (ServerBound, ServerBound, "Go is 4.00× faster than Python here. The article says 7.00×, "),
            (
                ClientBound,
                ServerBound,
                "Go is at least 4.00× faster than Python here: the load tool was at its limit with Go. The article",
            ),
            (ClientBound, ClientBound, PYTHON_IS_LIMITED),
            (ServerBound, ClientBound, PYTHON_IS_LIMITED),
            (
                ServerBound,
                Invalid,
                "The ratio of Go to Python here is 4.00×, but it says nothing about the programs: Python is invalid: \
                 3 requests failed. The article",
            ),
        ];
        for (go, python, expected) in cases {
            let records = [runs("Go", 4000, go), runs("Python", 1000, python)].concat();
            let summaries = summarise(&records);
            let table = Verdicts::new(&summaries[0]).unwrap().table();
            assert!(table.notes[0].starts_with(expected), "{go} {python}: {}", table.notes[0]);
        }
    }
}
