//! The content of a report, whatever its format: sentences, tables and charts in the order in which
//! they are read. It is data alone, in seconds, bytes and counts. A format (`format/`) adds units
//! and layout, but no figure.

use serde::Serialize;

use super::chart::Chart;
use super::tracked::Tracked;
use super::value::{Quantity, Unit, Value};

/// A whole report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Document {
    /// What was measured, in a few words.
    pub title: String,
    /// The name of the workload that the answers come from.
    pub leading: Option<String>,
    /// When, where, and by which command.
    pub origin: Vec<Fact>,
    /// The answers, in sentences: which server is cheapest, which is fastest, which cannot be
    /// distinguished, and which are not ranked.
    pub answers: Vec<String>,
    /// What may be wrong with this measurement, in sentences, each with what to do about it.
    pub warnings: Vec<String>,
    /// The chart that shows the answer.
    pub picture: Option<Chart>,
    /// One section per question that has figures.
    pub sections: Vec<Section>,
    /// The figures to track over time; empty except in the report of a measurement. They are not in
    /// the JSON, whose tables already have them.
    #[serde(skip)]
    pub tracked: Vec<Tracked>,
}

/// A named fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The name of the fact.
    pub name: String,
    /// The value, as text.
    pub value: String,
}

/// The answer to one question.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// A short and unique id, made of letters and hyphens.
    pub id: &'static str,
    /// The question.
    pub title: &'static str,
    /// Paragraphs: how to read its figures.
    pub about: Vec<String>,
    /// The answer as pictures.
    pub charts: Vec<Chart>,
    /// The answer in figures.
    pub tables: Vec<Table>,
    /// Facts that are in no table.
    pub facts: Vec<Fact>,
}

/// A table with a header.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// A name that is unique among the report's tables, made of letters, digits and hyphens.
    pub name: String,
    /// The caption, which is unique among the report's tables.
    pub title: String,
    /// The columns; the first names the row.
    pub columns: Vec<Column>,
    /// The rows, each with one value per column.
    pub rows: Vec<Vec<Value>>,
    /// Sentences below the table that explain its cells.
    pub notes: Vec<String>,
    /// Whether columns of one quantity have the same unit, so that they can be compared. The
    /// caption then has the unit of the last column.
    pub has_one_unit: bool,
    /// Whether the table is a detail, which a page folds and a terminal does not show.
    pub is_detail: bool,
}

/// A column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// The header, without the unit.
    pub header: String,
    /// What its figures measure.
    pub quantity: Quantity,
    /// Whether intervals are shown beside the figures.
    pub has_intervals: bool,
    /// Whether the figures are shown as bars too, if there is room.
    pub has_bars: bool,
    /// Whether the column stays if there is not enough room. The first column always does.
    pub priority: Priority,
}

/// Which columns stay if there is not enough room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// The column is left out first.
    Low,
    /// The column is left out when no low one is left.
    Normal,
    /// The column always stays.
    High,
}

impl Document {
    /// Every chart, the picture first.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        self.picture.iter().chain(self.sections.iter().flat_map(|section| &section.charts))
    }
}

impl Fact {
    /// `name: value`
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Section {
    /// A section without content. `about` says how to read its figures, and may be empty.
    pub(super) fn new(id: &'static str, title: &'static str, about: &str) -> Self {
        let about = Some(about).filter(|about| !about.is_empty()).map(str::to_owned);
        let about = about.into_iter().collect();
        Self { id, title, about, charts: Vec::new(), tables: Vec::new(), facts: Vec::new() }
    }

    /// Adds charts and tables to the section. Returns `None` if there is no table.
    pub(super) fn with(
        self,
        charts: impl IntoIterator<Item = Chart>,
        tables: impl IntoIterator<Item = Table>,
    ) -> Option<Self> {
        let tables: Vec<Table> = tables.into_iter().collect();
        (!tables.is_empty()).then(|| Self { charts: charts.into_iter().collect(), tables, ..self })
    }
}

impl Table {
    pub(super) fn new(
        name: impl Into<String>,
        title: impl Into<String>,
        columns: impl IntoIterator<Item = Column>,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            notes: Vec::new(),
            has_one_unit: false,
            is_detail: false,
        }
    }

    /// The table, unless it has no rows.
    pub(super) fn with_rows(self) -> Option<Self> {
        (!self.rows.is_empty()).then_some(self)
    }

    /// The unit that suits all figures of a column, or of its quantity if the table has one unit.
    pub fn unit(&self, column: usize) -> Unit {
        let quantity = self.columns.get(column).map_or(Quantity::Text, |column| column.quantity);
        let is_counted =
            |place: usize, other: &Column| place == column || self.has_one_unit && other.quantity == quantity;
        let columns = self.columns.iter().enumerate().filter(|(place, other)| is_counted(*place, other));
        quantity.unit(columns.flat_map(|(place, _)| {
            self.rows.iter().filter_map(move |row| row.get(place).and_then(Value::number))
        }))
    }

    /// A column's header, with the unit unless the header or the title has it.
    pub(super) fn header(&self, column: usize) -> String {
        let header = self.columns.get(column).map_or("", |column| &column.header);
        match self.unit(column).symbol {
            // A header may end in its unit itself, as `Requests/s` does.
            symbol if header.ends_with(symbol) || symbol == self.common_symbol() => header.to_owned(),
            symbol => format!("{header} {symbol}"),
        }
    }

    /// The title, with the unit if all columns have one.
    pub fn caption(&self) -> String {
        match self.common_symbol() {
            // A title says "per second" itself.
            "" | "/s" => self.title.clone(),
            symbol => format!("{}, {symbol}", self.title),
        }
    }

    /// The symbol of the last column's unit if the table has one unit; it may be empty.
    fn common_symbol(&self) -> &'static str {
        if self.has_one_unit { self.unit(self.columns.len().saturating_sub(1)).symbol } else { "" }
    }
}

impl Column {
    pub(super) fn new(header: impl Into<String>, quantity: Quantity) -> Self {
        Self {
            header: header.into(),
            quantity,
            has_intervals: false,
            has_bars: false,
            priority: Priority::Normal,
        }
    }
}
