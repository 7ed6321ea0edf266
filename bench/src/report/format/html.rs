//! A document as one page that needs nothing beside itself. It reads without its script, which only sorts tables.
//!
//! The templates escape whatever comes from a record. What goes in as it is are our own charts, style and script.

use crate::report::chart::{self, Chart, PALETTE, Plot, Width};
use crate::report::document::{Column, Document, Section, Table};
use crate::report::value::{Quantity, Unit, Value};
use crate::store::record::Bound;
use anyhow::Context;
use askama::Template;

const STYLE: &str = include_str!("../../../templates/report/page.css");
const SCRIPT: &str = include_str!("../../../templates/report/page.js");

/// The script's SHA-256 in base64, without which browsers do not run it. The tests say what it is after a change.
const SCRIPT_SHA256: &str = "S2a6NZjovITaZ7fSlyC1dG9nWHAdSx4aX8qKhZ9TlQ4=";

/// Words of more letters have more than one line: a name is shorter.
const LONG: usize = 40;

/// What is shown as a tag.
const BOUNDS: [Bound; 6] = [
    Bound::Invalid,
    Bound::Disturbed,
    Bound::ClientBound,
    Bound::ServerBound,
    Bound::LatencyBound,
    Bound::Unknown,
];

/// The whole page. Fails only where a template does.
pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    Page::of(document).render().context("cannot write the report as a page")
}

#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct Page<'a> {
    document: &'a Document,
    dark_charts: String,
    picture: Option<Figure>,
    sections: Vec<Part<'a>>,
}

/// A section with its charts drawn and its tables laid out.
struct Part<'a> {
    section: &'a Section,
    /// Those that have the page's whole width, where it is wide.
    charts: Vec<Figure>,
    /// Those of which several stand side by side.
    small_charts: Vec<Figure>,
    tables: Vec<Sheet<'a>>,
}

/// A chart as it is drawn for either width.
struct Figure {
    title: String,
    wide: Option<String>,
    narrow: String,
}

/// A table with its figures as people read them.
struct Sheet<'a> {
    table: &'a Table,
    heads: Vec<Head>,
    rows: Vec<Vec<Cell>>,
}

struct Head {
    /// With the unit behind it, where the caption does not tell it.
    text: String,
    quantity: Quantity,
    unit: Unit,
    /// Whether figures stand below it.
    is_number: bool,
    /// Whether it stands above two cells: a figure, and its interval.
    is_double: bool,
}

struct Cell {
    text: String,
    /// What it is sorted by, where not by its text.
    number: Option<f64>,
    /// What stands behind a figure that is not the server's own.
    sign: &'static str,
    /// Of a figure, where the column has intervals at all; empty where this one has none.
    interval: Option<String>,
    is_absent: bool,
    /// Whether figures stand above or below it.
    is_in_figures: bool,
    /// Whether its words have more than one line, so that it does not make the table wider than the page.
    is_long: bool,
    /// Whether it is one of the few words that say whose fact a row is.
    is_bound: bool,
}

impl<'a> Page<'a> {
    fn of(document: &'a Document) -> Self {
        Self {
            document,
            dark_charts: chart::dark_rules(),
            picture: document.picture.as_ref().map(Figure::of),
            sections: document.sections.iter().map(Part::of).collect(),
        }
    }
}

impl<'a> Part<'a> {
    fn of(section: &'a Section) -> Self {
        let (charts, small_charts) =
            section.charts.iter().map(Figure::of).partition(|figure| figure.wide.is_some());
        Self { section, charts, small_charts, tables: section.tables.iter().map(Sheet::of).collect() }
    }
}

impl Figure {
    /// Rows of dots are small: they are compared with each other.
    fn of(chart: &Chart) -> Self {
        let is_small = matches!(chart.plot, Plot::Dots(_));
        Self {
            title: chart.title.clone(),
            wide: (!is_small).then(|| chart::svg(chart, Width::Wide)),
            narrow: chart::svg(chart, Width::Narrow),
        }
    }
}

impl<'a> Sheet<'a> {
    fn of(table: &'a Table) -> Self {
        let heads: Vec<Head> =
            (0..).zip(&table.columns).map(|(at, column)| Head::of(table, at, column)).collect();
        let rows = table
            .rows
            .iter()
            .map(|row| heads.iter().zip(row).map(|(head, value)| head.cell(value)).collect());
        Self { table, rows: rows.collect(), heads }
    }
}

impl Head {
    fn of(table: &Table, at: usize, column: &Column) -> Self {
        let (quantity, unit) = (column.quantity, table.unit(at));
        let values = || table.rows.iter().filter_map(|row| row.get(at));
        Self {
            text: table.header(at),
            quantity,
            unit,
            is_number: quantity != Quantity::Text || values().any(|value| value.number().is_some()),
            is_double: column.has_intervals && values().any(|value| value.interval(quantity, unit).is_some()),
        }
    }

    fn cell(&self, value: &Value) -> Cell {
        let sign = if let Value::Attributed { attribution, .. } = value { attribution.sign() } else { "" };
        let text = value.shown(self.quantity, self.unit);
        Cell {
            text: text.strip_suffix(sign).unwrap_or(&text).to_owned(),
            number: value.number(),
            sign,
            interval: self.is_double.then(|| value.interval(self.quantity, self.unit).unwrap_or_default()),
            is_absent: *value == Value::Absent,
            is_in_figures: self.is_number,
            is_long: value.text().is_some_and(|words| words.chars().count() > LONG),
            is_bound: BOUNDS.iter().any(|bound| value.text() == Some(bound.to_string().as_str())),
        }
    }
}

/// What stands behind a figure in a sentence, and stays on its line.
const UNITS: [&str; 9] = ["ns", "µs", "ms", "s", "B", "KiB", "MiB", "%", "requests/s"];

/// A sentence in pieces, of which those between backticks are code.
fn pieces(sentence: &str) -> impl Iterator<Item = (bool, String)> {
    let piece = |(place, piece): (usize, &str)| match place % 2 {
        1 => (true, piece.to_owned()),
        _ => (false, with_units_kept(piece)),
    };
    sentence.split('`').enumerate().map(piece)
}

/// The same text, in which no line is broken between a figure and its unit.
fn with_units_kept(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, word) in text.split(' ').enumerate() {
        let is_unit = UNITS.contains(&word.trim_end_matches(['.', ',', ';', ':', ')']));
        let is_behind_a_figure = out.ends_with(|letter: char| letter.is_ascii_digit());
        if place > 0 {
            out.push(if is_unit && is_behind_a_figure { '\u{a0}' } else { ' ' });
        }
        out += word;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stay_with_their_units() {
        let shown: Vec<(bool, String)> =
            pieces("It takes 8.1 µs, or 3 %: run `bench 5 s` for 5 s or so.").collect();
        let expected = [
            (false, "It takes 8.1\u{a0}µs, or 3\u{a0}%: run "),
            (true, "bench 5 s"),
            (false, " for 5\u{a0}s or so."),
        ];
        assert_eq!(shown, expected.map(|(is_code, piece)| (is_code, piece.to_owned())));
    }
}
