//! A table that fits the terminal. Where there is no room for all columns, those of the lowest
//! priority are left out first, and a line below the table names them.

use std::fmt::Write;

use crate::report::chart;
use crate::report::document::{Priority, Table};
use crate::report::value::{Quantity, Value};
use crate::text::layout;
use crate::text::visible::visible;

/// The largest width of text, at most a third of the terminal's width. Longer text is wrapped.
const TEXT_WIDTH: usize = 44;

/// The length of bars where there is room.
const BAR: usize = 24;
/// Bars that would have to be shorter are left out.
const SHORTEST_BAR: usize = 8;
/// The end of a bar that is cut, since it is far longer than most.
const CUT: char = '»';

/// How a column is shown.
#[derive(Clone, Copy)]
struct ShownColumn {
    column: usize,
    /// How wide text may be.
    text_width: usize,
    has_intervals: bool,
    /// The length of its longest bar; 0 without bars.
    bar: usize,
}

/// The title, the table, and the names of the columns that are left out.
pub(in crate::report::format) fn render(table: &Table, width: Option<usize>) -> String {
    let style = anstyle::Style::new().underline();
    let title = table.caption();
    let title = visible(&title);
    let title = textwrap::wrap(&title, width.unwrap_or(usize::MAX));
    let mut out: String = title.iter().map(|line| format!("{style}{line}{style:#}\n")).collect();
    let mut shown: Vec<ShownColumn> = table
        .columns
        .iter()
        .enumerate()
        .map(|(column, spec)| ShownColumn {
            column,
            text_width: width.map_or(TEXT_WIDTH, |width| TEXT_WIDTH.min(width / 3)),
            has_intervals: spec.has_intervals,
            bar: if spec.has_bars { BAR } else { 0 },
        })
        .collect();
    let fits = |shown: &[ShownColumn]| width.is_none_or(|width| widest(&draw(table, shown)) <= width);
    while !fits(&shown) && narrow(table, &mut shown) {}
    // All columns that are left have a high priority: the table is split.
    let parts: Vec<String> = parts(shown.clone(), fits).iter().map(|part| draw(table, part)).collect();
    out += &parts.join("\n");
    if shown.iter().any(|shown| shown.bar > 0 && has_cut_bars(table, shown.column)) {
        let _ = writeln!(out, "A bar that ends in {CUT} is longer.");
    }
    let missing: Vec<&str> = (0..table.columns.len())
        .filter(|column| shown.iter().all(|shown| shown.column != *column))
        .map(|column| table.columns[column].header.as_str())
        .collect();
    if !missing.is_empty() {
        let note = format!("No room here for: {}.", missing.join(", "));
        let _ = writeln!(out, "{}", textwrap::fill(&note, width.unwrap_or(usize::MAX)));
    }
    out
}

/// Makes the table narrower by one step: shorter bars first, then no low columns, no intervals of
/// normal columns, no normal columns, and no intervals. Returns false when no step is left.
fn narrow(table: &Table, shown: &mut Vec<ShownColumn>) -> bool {
    let priority = |shown: &ShownColumn| match shown.column {
        0 => Priority::High,
        column => table.columns[column].priority,
    };
    if let Some(bar) = shown.iter_mut().find(|shown| shown.bar > 0) {
        bar.bar = if bar.bar / 2 < SHORTEST_BAR { 0 } else { bar.bar / 2 };
    } else if let Some(place) = shown.iter().rposition(|shown| priority(shown) == Priority::Low) {
        shown.remove(place);
    } else if let Some(place) =
        shown.iter().rposition(|shown| shown.has_intervals && priority(shown) == Priority::Normal)
    {
        shown[place].has_intervals = false;
    } else if let Some(place) = shown.iter().rposition(|shown| priority(shown) == Priority::Normal) {
        shown.remove(place);
    } else if let Some(last) = shown.iter_mut().rev().find(|shown| shown.has_intervals) {
        last.has_intervals = false;
    } else {
        return false;
    }
    true
}

/// Splits the columns into parts that fit, each of which begins with the first column.
fn parts(mut shown: Vec<ShownColumn>, fits: impl Fn(&[ShownColumn]) -> bool) -> Vec<Vec<ShownColumn>> {
    let mut parts = Vec::new();
    while shown.len() > 1 {
        let mut end = shown.len();
        while end > 2 && !fits(&shown[..end]) {
            end -= 1;
        }
        parts.push(shown[..end].to_vec());
        shown.drain(1..end);
    }
    parts
}

/// The table with these columns.
fn draw(table: &Table, shown: &[ShownColumn]) -> String {
    let (is_text, columns): (Vec<bool>, Vec<Vec<String>>) =
        shown.iter().flat_map(|shown| column(table, *shown)).unzip();
    let headers = columns.iter().map(|column| column[0].as_str());
    let mut drawn = layout::table(headers, &is_text);
    for row in 0..table.rows.len() {
        drawn.add_row(columns.iter().map(|column| column[row + 1].as_str()));
    }
    format!("{}\n", drawn.trim_fmt())
}

/// What is drawn of a column: its figures and, if shown, intervals and bars. Each has a header and
/// cells, and whether it is text, which is aligned left.
fn column(table: &Table, shown: ShownColumn) -> Vec<(bool, Vec<String>)> {
    let spec = &table.columns[shown.column];
    let unit = table.unit(shown.column);
    let with = |header: String, cell: &dyn Fn(&Value) -> String| {
        let cells = table.rows.iter().map(|row| cell(&row[shown.column]));
        let all = std::iter::once(header).chain(cells);
        all.map(|text| visible(&text).into_owned()).collect::<Vec<String>>()
    };
    let text = |value: &Value| textwrap::fill(&value.shown(spec.quantity, unit), shown.text_width);
    let interval = |value: &Value| value.interval(spec.quantity, unit).unwrap_or_else(|| "–".into());
    let most = whole_bar(table, shown.column);
    let bar = |value: &Value| bar(value.number().unwrap_or(0.0) / most, shown.bar);
    let is_text = spec.quantity == Quantity::Text;
    let mut columns = vec![(is_text, with(table.header(shown.column), &text))];
    columns.extend(shown.has_intervals.then(|| (false, with("interval".into(), &interval))));
    columns.extend((shown.bar > 0).then(|| (true, with(String::new(), &bar))));
    columns
}

/// The figure of the longest bar. As in charts, bars that are far longer than most are cut.
fn whole_bar(table: &Table, column: usize) -> f64 {
    chart::longest(figures(table, column).collect())
}

fn has_cut_bars(table: &Table, column: usize) -> bool {
    let most = whole_bar(table, column);
    figures(table, column).any(|figure| figure > most)
}

fn figures(table: &Table, column: usize) -> impl Iterator<Item = f64> {
    table.rows.iter().filter_map(move |row| row[column].number())
}

/// A bar as long as a share of `cells`, to an eighth of a cell. With a share above 1 it is cut.
fn bar(share: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if !share.is_finite() {
        return String::new();
    }
    if share > 1.0 {
        return "█".repeat(cells - 1) + &CUT.to_string();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is from 0 to 1, and a table some hundred cells wide"
    )]
    let eighths = (share.clamp(0.0, 1.0) * crate::text::numbers::as_f64(cells as u64) * 8.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn widest(text: &str) -> usize {
    text.lines().map(textwrap::core::display_width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::Column;
    use crate::report::value::Figure;

    fn table() -> Table {
        let cost = Column::new("CPU/request", Quantity::Time);
        let columns = [
            Column::new("Server", Quantity::Text),
            Column { priority: Priority::Low, ..Column::new("Language", Quantity::Text) },
            Column { has_intervals: true, has_bars: true, priority: Priority::High, ..cost },
            Column::new("Errors", Quantity::Count),
        ];
        let mut table = Table::new("example", "An example", columns);
        for (server, seconds) in [("hyper", 7.6e-6), ("a-server-with-a-long-name", 1.25e-4)] {
            let figure = Figure { value: seconds, interval: Some([seconds * 0.9, seconds * 1.1]) };
            table.rows.push(vec![server.into(), "Rust".into(), figure.into(), 0.0.into()]);
        }
        table
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out_and_named() {
        let cases = [
            (None, "Language interval Errors █", ""),
            (Some(100), "Language interval Errors █", ""),
            (Some(78), "Language interval Errors", ""),
            (Some(70), "interval Errors", "No room here for: Language."),
            (Some(60), "interval Errors", "No room here for: Language."),
            (Some(50), "interval", "No room here for: Language, Errors."),
            (Some(38), "CPU/request", "No room here for: Language, Errors."),
        ];
        for (width, has, left_out) in cases {
            let text = render(&table(), width);
            assert!(
                width.is_none_or(|width| widest(&anstream::adapter::strip_str(&text).to_string()) <= width),
                "{text}"
            );
            for word in has.split(' ') {
                assert!(text.contains(word), "{width:?}: {word} is not in {text}");
            }
            assert_eq!(text.contains("No room"), !left_out.is_empty(), "{width:?}: {text}");
            assert!(text.contains(left_out), "{width:?}: {text}");
        }
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        let cases = [
            (0.0, ""),
            (1.0, "████████"),
            (0.5, "████"),
            (1.0 / 64.0, "▏"),
            (f64::NAN, ""),
            (1.1, "███████»"),
        ];
        for (share, expected) in cases {
            assert_eq!(bar(share, 8), expected, "{share}");
        }
    }
}
