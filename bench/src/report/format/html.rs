//! A document as one self-contained page. Its script applies the style and sorts tables. Without
//! the script, the page has only what attributes give: each chart once, in one size and in light
//! colours, and lines between cells. That is the case on build servers that forbid the script, such
//! as Jenkins. A style element would be forbidden there, too, and reported to the user as a
//! violation.
//!
//! The templates escape all text. Only our own charts, style and script are inserted unescaped.

use crate::report::chart::{self, Chart, PALETTE, Plot, Width, dark_rules};
use crate::report::document::{Column, Document, Section, Table};
use crate::report::value::{Quantity, Unit, Value};
use crate::store::record::Bound;
use anyhow::Context;
use askama::Template;

const STYLE: &str = include_str!("../../../templates/report/page.css");
const SCRIPT: &str = include_str!("../../../templates/report/page.js");

/// The script's SHA-256, without which browsers do not run it. If it changes, a test prints it.
const SCRIPT_SHA256: &str = "yx/LHxU4oCxN7y8/fkzKgdTz9hTqRzMShev55IYgd60=";

/// Text of more characters is wrapped: names are shorter.
const LONG: usize = 40;

/// The terms that a page explains if the report has them: the text to search the report for, the
/// name of the term, and its meaning.
const TERMS: [(&str, &str, &str); 5] = [
    (
        "interval",
        "Interval",
        "The range that holds the true median with a probability of about 95 %, computed from the repetitions.",
    ),
    ("rank", "Rank", "Servers that cannot be distinguished share a range of ranks, such as 2–4."),
    (
        "-bound",
        "Verdict",
        "What limited a run. Server-bound: the server used its cores up, so the figure is the server's own. \
         Client-bound: the load tool was at its limit first, so the requests per second are the tool's. \
         Thread-bound: a thread of the server was busy all the time, while its cores had time left. \
         Network-bound: \
         the link of the server's host was nearly full. Latency-bound: none of these was busy. Disturbed: something else used the cores. Invalid: requests failed, or the \
         load was not the one that was asked for, so its figures say nothing about the server.",
    ),
    (
        "floor",
        "Floor",
        "Not a server, but the least that a server can cost on this machine: a program that waits, reads and writes \
         as a server does, and does nothing else.",
    ),
    (
        "a/a",
        "Duplicate (A/A)",
        "A server that was measured a second time under another name. The difference between the two is the noise of \
         the measurement: smaller differences between servers are not counted as differences.",
    ),
];

/// The whole page. Fails only when a template does.
pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let text = super::text::render(document, None).to_lowercase();
    let terms = TERMS.into_iter().filter(|(appears_as, ..)| text.contains(appears_as)).collect();
    Page { document, terms }.render().context("cannot write the report as a page")
}

#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct Page<'a> {
    document: &'a Document,
    terms: Vec<(&'static str, &'static str, &'static str)>,
}

/// Rows of dots are small and stand side by side, since they are compared with each other. All other
/// charts are as wide as the page.
fn is_small(chart: &Chart) -> bool {
    matches!(chart.plot, Plot::Dots(_))
}

fn small_charts(section: &Section) -> Vec<&Chart> {
    section.charts.iter().filter(|chart| is_small(chart)).collect()
}

fn wide(chart: &Chart) -> String {
    chart::svg(chart, Width::Wide)
}

fn narrow(chart: &Chart) -> String {
    chart::svg(chart, Width::Narrow)
}

struct PageHeader {
    /// The header, with the unit if the caption does not have it.
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

fn headers(table: &Table) -> Vec<PageHeader> {
    let header = |(at, column): (usize, &Column)| {
        let (quantity, unit) = (column.quantity, table.unit(at));
        let values = || table.rows.iter().filter_map(|row| row.get(at));
        PageHeader {
            text: table.header(at),
            quantity,
            unit,
            is_number: quantity != Quantity::Text || values().any(|value| value.number().is_some()),
            is_double: column.has_intervals && values().any(|value| value.interval(quantity, unit).is_some()),
        }
    };
    table.columns.iter().enumerate().map(header).collect()
}

fn cells(headers: &[PageHeader], row: &[Value]) -> Vec<PageCell> {
    headers.iter().zip(row).map(|(header, value)| header.cell(value)).collect()
}

impl PageHeader {
    fn cell(&self, value: &Value) -> PageCell {
        let sign = value.attribution().sign();
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

/// Units that stay on the line of their figure.
const UNITS: [&str; 9] = ["ns", "µs", "ms", "s", "B", "KiB", "MiB", "%", "requests/s"];

/// Splits a sentence into pieces, each with whether it is code, which stands between backticks.
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
