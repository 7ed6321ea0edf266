//! A document as one self-contained page. The page can be read without its script, which only sorts
//! tables.
//!
//! The templates escape all text. Only our own charts, style and script are inserted unescaped.

use crate::report::chart::{self, Chart, PALETTE, Plot, Width};
use crate::report::document::{Column, Document, Section, Table};
use crate::report::value::{Quantity, Unit, Value};
use crate::store::record::Bound;
use anyhow::Context;
use askama::Template;

const STYLE: &str = include_str!("../../../templates/report/page.css");
const SCRIPT: &str = include_str!("../../../templates/report/page.js");

/// The script's SHA-256, without which browsers do not run it. A test prints a changed one.
const SCRIPT_SHA256: &str = "1vHodeHk6ecgSQdMPP3Ykm+wdB//ZYX6bCcLROP1sLk=";

/// Text of more characters is wrapped: names are shorter.
const LONG: usize = 40;

/// A word of a report that a newcomer may not know.
struct Term {
    name: &'static str,
    meaning: &'static str,
    /// The text by which it is found in a report.
    appears_as: &'static str,
}

/// The terms that a page explains, if it has them.
const TERMS: [Term; 5] = [
    Term {
        name: "Interval",
        meaning: "The range that holds the true median with a probability of about 95 %, computed from the \
                  repetitions.",
        appears_as: "interval",
    },
    Term {
        name: "Rank",
        meaning: "Servers that cannot be distinguished share a range of ranks, such as 2–4.",
        appears_as: "rank",
    },
    Term {
        name: "Verdict",
        meaning: "What limited a run. Server-bound: the server used its cores up, so the figure is the server's own. \
                  Client-bound: the load tool was at its limit first, so the requests per second are the tool's. \
                  Latency-bound: neither was busy. Disturbed: something else used the cores. Invalid: requests \
                  failed, or the load was not the one that was asked for, so its figures say nothing about the \
                  server.",
        appears_as: "-bound",
    },
    Term {
        name: "Floor",
        meaning: "Not a server, but the least that a server can cost on this machine: a program that waits, reads and \
                  writes as a server does, and does nothing else.",
        appears_as: "floor",
    },
    Term {
        name: "Duplicate (A/A)",
        meaning: "A server that was measured a second time under another name. The difference between the two is the \
                  noise of the measurement: smaller differences between servers are not counted as differences.",
        appears_as: "A/A",
    },
];

/// The whole page. Fails only when a template does.
pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    Page::new(document).render().context("cannot write the report as a page")
}

#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct Page<'a> {
    document: &'a Document,
    dark_charts: String,
    picture: Option<DrawnChart>,
    terms: Vec<&'static Term>,
    sections: Vec<PageSection<'a>>,
}

/// A section with its charts drawn and its tables laid out.
struct PageSection<'a> {
    section: &'a Section,
    /// Charts that are as wide as the page.
    charts: Vec<DrawnChart>,
    /// Charts that stand side by side.
    small_charts: Vec<DrawnChart>,
    tables: Vec<PageTable<'a>>,
}

/// A chart, drawn for either width.
struct DrawnChart {
    title: String,
    wide: Option<String>,
    narrow: String,
}

/// A table with its figures as text.
struct PageTable<'a> {
    table: &'a Table,
    headers: Vec<PageHeader>,
    rows: Vec<Vec<PageCell>>,
}

struct PageHeader {
    /// With the unit, where the caption does not have it.
    text: String,
    quantity: Quantity,
    unit: Unit,
    /// Whether the column has figures.
    is_number: bool,
    /// Whether it spans two cells: a figure and its interval.
    is_double: bool,
}

struct PageCell {
    text: String,
    /// The sort key, where it is not the text.
    number: Option<f64>,
    /// The sign behind a figure that is not the server's own.
    sign: &'static str,
    /// The interval, in a column with intervals; empty where this cell has none.
    interval: Option<String>,
    is_absent: bool,
    /// Whether the column has figures.
    is_in_figures: bool,
    /// Whether the text is wrapped, so that it does not make the table wider than the page.
    is_long: bool,
    /// Whether the text is a bound, which is shown as a tag.
    is_bound: bool,
}

impl<'a> Page<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            dark_charts: chart::dark_rules(),
            picture: document.picture.as_ref().map(DrawnChart::new),
            terms: terms(document),
            sections: document.sections.iter().map(PageSection::new).collect(),
        }
    }
}

impl<'a> PageSection<'a> {
    fn new(section: &'a Section) -> Self {
        let (charts, small_charts) =
            section.charts.iter().map(DrawnChart::new).partition(|figure| figure.wide.is_some());
        Self { section, charts, small_charts, tables: section.tables.iter().map(PageTable::new).collect() }
    }
}

impl DrawnChart {
    /// Rows of dots are small, since they are compared with each other.
    fn new(chart: &Chart) -> Self {
        let is_small = matches!(chart.plot, Plot::Dots(_));
        Self {
            title: chart.title.clone(),
            wide: (!is_small).then(|| chart::svg(chart, Width::Wide)),
            narrow: chart::svg(chart, Width::Narrow),
        }
    }
}

impl<'a> PageTable<'a> {
    fn new(table: &'a Table) -> Self {
        let headers: Vec<PageHeader> =
            (0..).zip(&table.columns).map(|(at, column)| PageHeader::new(table, at, column)).collect();
        let rows = table
            .rows
            .iter()
            .map(|row| headers.iter().zip(row).map(|(header, value)| header.cell(value)).collect());
        Self { table, rows: rows.collect(), headers }
    }
}

impl PageHeader {
    fn new(table: &Table, at: usize, column: &Column) -> Self {
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

    fn cell(&self, value: &Value) -> PageCell {
        let sign = if let Value::Attributed { attribution, .. } = value { attribution.sign() } else { "" };
        let text = value.shown(self.quantity, self.unit);
        PageCell {
            text: text.strip_suffix(sign).unwrap_or(&text).to_owned(),
            number: value.number(),
            sign,
            interval: self.is_double.then(|| value.interval(self.quantity, self.unit).unwrap_or_default()),
            is_absent: *value == Value::Absent,
            is_in_figures: self.is_number,
            is_long: value.text().is_some_and(|text| text.chars().count() > LONG),
            is_bound: value.text().is_some_and(|text| serde_json::from_value::<Bound>(text.into()).is_ok()),
        }
    }
}

/// The terms that appear in a document.
fn terms(document: &Document) -> Vec<&'static Term> {
    let text = super::text::render(document, None).to_lowercase();
    TERMS.iter().filter(|term| text.contains(&term.appears_as.to_lowercase())).collect()
}

/// Units that stay on the line of their figure.
const UNITS: [&str; 9] = ["ns", "µs", "ms", "s", "B", "KiB", "MiB", "%", "requests/s"];

/// A sentence in pieces, with whether each is code, that is, between backticks.
fn pieces(sentence: &str) -> impl Iterator<Item = (bool, String)> {
    let piece = |(place, piece): (usize, &str)| match place % 2 {
        1 => (true, piece.to_owned()),
        _ => (false, with_units_kept(piece)),
    };
    sentence.split('`').enumerate().map(piece)
}

/// The text with no-break spaces between figures and their units.
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
