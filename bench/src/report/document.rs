//! What a report says, whatever form it is given: sentences, tables and charts, in the order in which they are read. Data
//! alone, in seconds, bytes and counts: a format (`format/`) puts on units and shape, and adds no figure of its own.

use serde::{Serialize, Serializer};

use super::chart::{Chart, Mark};
use crate::analysis::statistics::{Estimate, Rank};

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

/// A table with a head.
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
    /// Whether its columns are of one quantity and are compared with each other, so that they have one unit, which the title
    /// tells.
    pub has_one_unit: bool,
    /// Whether it is for those who look closely: a page folds it, and what is read on a terminal leaves it out.
    pub is_detail: bool,
}

/// A column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// What it shows, without the unit.
    pub head: String,
    /// What its figures are.
    pub quantity: Quantity,
    /// Whether the intervals of its figures are shown beside them.
    pub has_intervals: bool,
    /// Whether the figures are shown as bars too, where there is room.
    pub has_bars: bool,
    /// Whether it stays where there is no room for all. The first column always does.
    pub importance: Importance,
}

/// What stays where there is no room for all columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Importance {
    /// Goes first.
    Low,
    /// Goes when nothing else is left to go.
    Normal,
    /// Always stays.
    High,
}

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// No figure: words.
    Words,
    /// A count.
    Count,
    /// Seconds.
    Time,
    /// Bytes.
    Memory,
    /// So much of another figure: 1 is as much.
    Ratio,
    /// A part of a whole: from 0 to 1.
    Share,
    /// A count a second.
    Rate,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Not known. Never 0.
    Absent,
    /// Words.
    Words(String),
    /// A place among others.
    Rank(Rank),
    /// A figure.
    Figure(Figure),
    /// A figure where it has to be said whose fact it is.
    Marked {
        /// The figure.
        #[serde(flatten)]
        figure: Figure,
        /// Whose it is.
        mark: Mark,
    },
}

/// A number in its quantity's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The figure, of several runs their median.
    pub value: f64,
    /// The ends of its interval.
    pub interval: Option<[f64; 2]>,
}

/// How a figure is shown: times a factor, with a symbol behind it or in the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// `µs`; empty for counts.
    pub symbol: &'static str,
    /// What a figure is multiplied with.
    pub factor: f64,
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

    /// The unit that suits all figures of a column, or of all columns where they have one unit.
    pub fn unit(&self, column: usize) -> Unit {
        let of_column = |row: &'_ Vec<Value>| row.get(column).and_then(Value::number);
        let quantity = self.columns.get(column).map_or(Quantity::Words, |column| column.quantity);
        if self.has_one_unit && quantity != Quantity::Words {
            quantity.unit(self.rows.iter().flatten().filter_map(Value::number))
        } else {
            quantity.unit(self.rows.iter().filter_map(of_column))
        }
    }

    /// A column's head, with the unit where the title does not tell it.
    pub fn head(&self, column: usize) -> String {
        let head = self.columns.get(column).map_or("", |column| &column.head);
        match self.unit(column).symbol {
            symbol if symbol.is_empty() || self.has_one_unit => head.to_owned(),
            symbol => format!("{head} {symbol}"),
        }
    }

    /// The title, with the unit of all columns if they have one.
    pub fn caption(&self) -> String {
        let last = self.columns.len().saturating_sub(1);
        match self.unit(last).symbol {
            symbol if symbol.is_empty() || !self.has_one_unit => self.title.clone(),
            symbol => format!("{}, {symbol}", self.title),
        }
    }
}

impl Column {
    /// A column of figures, or of words.
    pub fn new(head: impl Into<String>, quantity: Quantity) -> Self {
        Self {
            head: head.into(),
            quantity,
            has_intervals: false,
            has_bars: false,
            importance: Importance::Normal,
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

    /// The same, of another importance.
    #[must_use]
    pub fn of(self, importance: Importance) -> Self {
        Self { importance, ..self }
    }
}

impl Value {
    /// A figure, with whose fact it is where that has to be said.
    pub fn marked(figure: Option<Figure>, mark: Mark) -> Self {
        match figure {
            None => Self::Absent,
            Some(figure) if mark == Mark::Own => Self::Figure(figure),
            Some(figure) => Self::Marked { figure, mark },
        }
    }

    /// What to sort by.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Figure(figure) | Self::Marked { figure, .. } => Some(figure.value),
            Self::Rank(rank) => Some(crate::text::numbers::as_f64((rank.best + rank.worst) as u64)),
            Self::Absent | Self::Words(_) => None,
        }
    }

    /// Its words, if it has any.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Words(words) => Some(words),
            _ => None,
        }
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Absent, |value| Self::Figure(Figure { value, interval: None }))
    }
}

impl From<Option<Estimate>> for Value {
    fn from(estimate: Option<Estimate>) -> Self {
        estimate.map_or(Self::Absent, |estimate| Self::Figure(estimate.into()))
    }
}

impl From<Option<Rank>> for Value {
    fn from(rank: Option<Rank>) -> Self {
        rank.map_or(Self::Absent, Self::Rank)
    }
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Value {
    fn from(words: &str) -> Self {
        Self::Words(words.into())
    }
}

impl From<Estimate> for Figure {
    fn from(estimate: Estimate) -> Self {
        Self { value: estimate.median, interval: Some([estimate.low, estimate.high]) }
    }
}

impl Quantity {
    /// The unit in which figures are stored and in which JSON and CSV have them: `s`, `B`, or none.
    pub fn stored_unit(self) -> &'static str {
        match self {
            Self::Words | Self::Count | Self::Ratio | Self::Share => "",
            Self::Time => "s",
            Self::Memory => "B",
            Self::Rate => "1/s",
        }
    }

    /// The unit in which people read figures together: the largest in which none of them is below 1.
    pub fn unit(self, figures: impl Iterator<Item = f64>) -> Unit {
        let smallest = figures.filter(|figure| *figure > 0.0).fold(f64::INFINITY, f64::min);
        let (symbol, factor) = match self {
            Self::Words | Self::Count => ("", 1.0),
            Self::Ratio => ("×", 1.0),
            Self::Rate => ("/s", 1.0),
            Self::Share => ("%", 100.0),
            Self::Time if smallest < 1e-6 => ("ns", 1e9),
            Self::Time if smallest < 1e-3 => ("µs", 1e6),
            Self::Time if smallest < 1.0 => ("ms", 1e3),
            Self::Time => ("s", 1.0),
            Self::Memory if smallest < 1024.0 => ("B", 1.0),
            Self::Memory if smallest < 1_048_576.0 => ("KiB", 1.0 / 1024.0),
            Self::Memory => ("MiB", 1.0 / 1_048_576.0),
        };
        Unit { symbol, factor }
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Words => "words",
            Self::Count => "count",
            Self::Time => "s",
            Self::Memory => "B",
            Self::Ratio => "ratio",
            Self::Share => "share",
            Self::Rate => "1/s",
        })
    }
}
