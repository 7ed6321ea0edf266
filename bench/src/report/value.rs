//! The values of tables and charts: a figure with its interval, the quantity and unit in which it
//! is read, and whose figure it is. Every format writes a value through [`Value::shown`] and
//! [`Value::interval`], so that all of them have the same digits.

use serde::Serialize;

use crate::analysis::statistics::{Estimate, Rank};
use crate::text::numbers;

/// What a figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Not a figure but text.
    Text,
    /// A count.
    Count,
    /// Seconds.
    #[serde(rename = "s")]
    Time,
    /// Bytes.
    #[serde(rename = "B")]
    Memory,
    /// A figure divided by another one: 1 where they are equal.
    Ratio,
    /// A part of a whole, from 0 to 1.
    Share,
    /// A count per second.
    #[serde(rename = "1/s")]
    Rate,
}

/// How a figure is shown: multiplied by a factor, with a symbol behind it or in the header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// `µs`; empty for counts.
    pub symbol: &'static str,
    /// The factor that a stored figure is multiplied by.
    pub factor: f64,
}

/// A number in the unit in which its quantity is stored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The figure; of several runs, their median.
    pub value: f64,
    /// The ends of its interval.
    pub interval: Option<[f64; 2]>,
}

/// Whose figure it is. Tables show it by a sign, charts without relying on colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribution {
    /// The server's: a filled bar, a filled dot.
    Server,
    /// The load tool's or the network's, which limited the rate: hatched, or hollow.
    Tool,
    /// The figure says nothing, since the cell is invalid or disturbed: dashed outline, or a cross.
    Invalid,
    /// The article's or the floor's, and not a server's that was measured here: dotted outline.
    Reference,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Not known. Never 0.
    Absent,
    /// Text.
    Text(String),
    /// A range of ranks.
    Rank(Rank),
    /// A figure.
    Figure {
        /// The figure.
        #[serde(flatten)]
        figure: Figure,
        /// Whose figure it is.
        #[serde(skip_serializing_if = "Attribution::is_servers")]
        attribution: Attribution,
    },
}

impl Quantity {
    /// The unit in which figures are stored and in which JSON and CSV have them: `s`, `B`, or none.
    pub fn stored_unit(self) -> &'static str {
        match self {
            Self::Text | Self::Count | Self::Ratio | Self::Share => "",
            Self::Time => "s",
            Self::Memory => "B",
            Self::Rate => "1/s",
        }
    }

    /// The unit in which these figures are read together: the largest in which none is below 1.
    pub fn unit(self, figures: impl Iterator<Item = f64>) -> Unit {
        let smallest = figures.filter(|figure| *figure > 0.0).fold(f64::INFINITY, f64::min);
        let (symbol, factor) = match self {
            Self::Text | Self::Count => ("", 1.0),
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

    /// A figure in a unit, without the symbol, to as many digits as carry information.
    pub fn number(self, figure: f64, unit: Unit) -> String {
        let figure = figure * unit.factor;
        match self {
            Self::Text | Self::Count | Self::Rate => numbers::whole(figure),
            Self::Memory if unit.symbol == "B" => numbers::whole(figure),
            Self::Share => format!("{figure:.1}"),
            Self::Time | Self::Memory | Self::Ratio => numbers::significant(figure),
        }
    }
}

impl Attribution {
    fn is_servers(&self) -> bool {
        *self == Self::Server
    }

    /// The sign behind a figure; a note below the table says what it means.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Server => "",
            Self::Tool => "*",
            Self::Invalid => "!",
            Self::Reference => "°",
        }
    }
}

impl Value {
    /// A figure with its attribution, or [`Value::Absent`].
    pub fn attributed(figure: Option<Figure>, attribution: Attribution) -> Self {
        figure.map_or(Self::Absent, |figure| Self::Figure { figure, attribution })
    }

    /// The number by which rows are sorted.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Rank(rank) => Some(numbers::as_f64((rank.best + rank.worst) as u64)),
            value => value.figure().map(|figure| figure.value),
        }
    }

    /// The text of the value, if it is text.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The figure, whatever its attribution.
    pub fn figure(&self) -> Option<Figure> {
        if let Self::Figure { figure, .. } = self { Some(*figure) } else { None }
    }

    /// Whose figure it is; [`Attribution::Server`] if the value is not a figure.
    pub fn attribution(&self) -> Attribution {
        match self {
            Self::Figure { attribution, .. } => *attribution,
            _ => Attribution::Server,
        }
    }

    /// The cell as text, without its unit, which is in the column's header.
    pub fn shown(&self, quantity: Quantity, unit: Unit) -> String {
        match self {
            Self::Absent => "–".into(),
            Self::Text(text) => text.clone(),
            Self::Rank(rank) => rank.to_string(),
            Self::Figure { figure, attribution } => quantity.number(figure.value, unit) + attribution.sign(),
        }
    }

    /// The interval of a figure that has one: `6.52–6.57`.
    pub fn interval(&self, quantity: Quantity, unit: Unit) -> Option<String> {
        let [low, high] = self.figure()?.interval?.map(|end| quantity.number(end, unit));
        Some(format!("{low}–{high}"))
    }
}

impl From<Figure> for Value {
    fn from(figure: Figure) -> Self {
        Self::Figure { figure, attribution: Attribution::Server }
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Figure::from(value).into()
    }
}

impl From<Estimate> for Value {
    fn from(estimate: Estimate) -> Self {
        Figure::from(estimate).into()
    }
}

impl From<Rank> for Value {
    fn from(rank: Rank) -> Self {
        Self::Rank(rank)
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Absent, V::into)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Figure {
    fn from(value: f64) -> Self {
        Self { value, interval: None }
    }
}

impl From<Estimate> for Figure {
    fn from(estimate: Estimate) -> Self {
        Self { value: estimate.median, interval: Some([estimate.low, estimate.high]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::statistics::Rank;

    #[test]
    fn cells_have_the_unit_of_their_column() {
        let figure = |value: f64| Value::from(Figure { value, interval: Some([value * 0.9, value * 1.1]) });
        let cases = [
            (Value::Absent, Quantity::Time, "–", None),
            (Value::Text("client-bound".into()), Quantity::Text, "client-bound", None),
            (Value::Rank(Rank { best: 1, worst: 3 }), Quantity::Text, "1–3", None),
            (figure(8.12e-6), Quantity::Time, "8.12", Some("7.31–8.93")),
            (figure(0.25), Quantity::Time, "250", Some("225–275")),
            (figure(12_300.0), Quantity::Rate, "12,300", Some("11,070–13,530")),
            (figure(512.0), Quantity::Memory, "512", Some("461–563")),
            (figure(5.0 * 1_048_576.0), Quantity::Memory, "5.00", Some("4.50–5.50")),
            (figure(0.996), Quantity::Share, "99.6", Some("89.6–109.6")),
            (Value::attributed(Some(9e3.into()), Attribution::Tool), Quantity::Rate, "9,000*", None),
        ];
        for (value, quantity, expected, expected_interval) in cases {
            let unit = quantity.unit(value.number().into_iter());
            assert_eq!(value.shown(quantity, unit), expected, "{value:?}");
            assert_eq!(value.interval(quantity, unit).as_deref(), expected_interval, "{value:?}");
        }
    }
}
