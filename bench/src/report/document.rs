//! What a report says, whatever form it is given: sentences, tables and charts, in the order in which they are read. Data
//! alone, in seconds, bytes and counts: a format (`format/`) puts on units and shape, and adds no figure of its own.

use serde::Serialize;

use super::chart::Chart;
use super::value::{Quantity, Unit, Value};

/// A whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// What was measured, in a few words.
    pub title: String,
    /// The name of the workload that the answers come from.
    pub leading: Option<String>,
    /// When, where, and by which command.
    pub origin: Vec<Fact>,
    /// The answers, in sentences: what is fastest, what is cheapest, and what cannot be told apart.
    pub answers: Vec<String>,
    /// What is wrong with this measurement, in sentences, each with what to do about it.
    pub warnings: Vec<String>,
    /// The chart that shows the answer.
    pub picture: Option<Chart>,
    /// A section a question. One without figures is not there.
    pub sections: Vec<Section>,
}

/// Something that is known, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What is known of it.
    pub value: String,
}

/// The answer to one question.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// Short, of letters and hyphens, and its own.
    pub id: &'static str,
    /// The question.
    pub title: &'static str,
    /// Paragraphs: how its figures are to be read.
    pub about: Vec<String>,
    /// What shows it.
    pub charts: Vec<Chart>,
    /// What tells it exactly.
    pub tables: Vec<Table>,
    /// What is told in no table.
    pub facts: Vec<Fact>,
}

/// A table with a header.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// Its own name among the report's tables, of letters, digits and hyphens.
    pub name: String,
    /// What it shows, for people.
    pub title: String,
    /// The columns, of which the first names the row.
    pub columns: Vec<Column>,
    /// The rows, each with a value a column.
    pub rows: Vec<Vec<Value>>,
    /// Sentences: what has to be known of its cells.
    pub notes: Vec<String>,
    /// Whether columns of one quantity have one unit, since they are compared with each other. The title
    /// says it if the last column has it.
    pub has_one_unit: bool,
    /// Whether it is for those who look closely: a page folds it, and what is read on a terminal leaves it out.
    pub is_detail: bool,
}

/// A column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// What it shows, without the unit.
    pub header: String,
    /// What its figures are.
    pub quantity: Quantity,
    /// Whether the intervals of its figures are shown beside them.
    pub has_intervals: bool,
    /// Whether the figures are shown as bars too, where there is room.
    pub has_bars: bool,
    /// Whether it stays where there is no room for all. The first column always does.
    pub priority: Priority,
}

/// What stays where there is no room for all columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Goes first.
    Low,
    /// Goes when nothing else is left to go.
    Normal,
    /// Always stays.
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
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Table {
    /// A table without rows.
    pub fn new(
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

    /// The unit that suits all figures of a column, or all of its quantity where they have one unit.
    pub fn unit(&self, column: usize) -> Unit {
        let quantity = self.columns.get(column).map_or(Quantity::Text, |column| column.quantity);
        let is_counted =
            |place: usize, other: &Column| place == column || self.has_one_unit && other.quantity == quantity;
        let columns = self.columns.iter().enumerate().filter(|(place, other)| is_counted(*place, other));
        quantity.unit(columns.flat_map(|(place, _)| {
            self.rows.iter().filter_map(move |row| row.get(place).and_then(Value::number))
        }))
    }

    /// A column's header, with the unit where the title does not tell it.
    pub fn header(&self, column: usize) -> String {
        let header = self.columns.get(column).map_or("", |column| &column.header);
        match self.unit(column).symbol {
            symbol if symbol.is_empty() || symbol == self.common_symbol() => header.to_owned(),
            // As in `Requests/s`.
            symbol if header.ends_with(symbol) => header.to_owned(),
            symbol => format!("{header} {symbol}"),
        }
    }

    /// The title, with the unit of all columns if they have one.
    pub fn caption(&self) -> String {
        match self.common_symbol() {
            // A title says "per second" itself.
            "" | "/s" => self.title.clone(),
            symbol => format!("{}, {symbol}", self.title),
        }
    }

    /// The symbol of the last column's unit, where the table has one unit; it may be empty.
    fn common_symbol(&self) -> &'static str {
        if self.has_one_unit { self.unit(self.columns.len().saturating_sub(1)).symbol } else { "" }
    }
}

impl Column {
    /// A column of figures, or of words.
    pub fn new(header: impl Into<String>, quantity: Quantity) -> Self {
        Self {
            header: header.into(),
            quantity,
            has_intervals: false,
            has_bars: false,
            priority: Priority::Normal,
        }
    }

    /// The same with the intervals beside the figures.
    #[must_use]
    pub fn with_intervals(self) -> Self {
        Self { has_intervals: true, ..self }
    }

    /// The same with bars.
    #[must_use]
    pub fn with_bars(self) -> Self {
        Self { has_bars: true, ..self }
    }

    /// The same, of another priority.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }
}
