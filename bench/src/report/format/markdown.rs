//! The document as GitHub's Markdown.

use crate::report::chart::Chart;
use crate::report::document::{Document, Fact, Section, Table};
use crate::report::value::Quantity;
use crate::text::visible::visible;
use std::fmt::Write;

pub(super) fn render(document: &Document) -> String {
    let mut out = format!("# {}\n\n", escaped(&document.title));
    // Writing to a string cannot fail.
    for answer in &document.answers {
        let _ = writeln!(out, "{}\n", escaped(answer));
    }
    facts(&document.origin, &mut out);
    if !document.warnings.is_empty() {
        let _ = writeln!(out, "## What may be wrong\n\n{}", render_list(&document.warnings));
    }
    for section in &document.sections {
        self::section(section, &mut out);
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// A list of sentences.
pub(in crate::report) fn render_list(sentences: &[String]) -> String {
    sentences.iter().map(|sentence| format!("- {}\n", escaped(sentence))).collect()
}

fn section(section: &Section, out: &mut String) {
    let _ = writeln!(out, "## {}\n", escaped(section.title));
    for paragraph in &section.about {
        let _ = writeln!(out, "{}\n", escaped(paragraph));
    }
    let mut drawn = section.charts.iter().filter_map(Chart::tree).flatten().peekable();
    if drawn.peek().is_some() {
        // An indented block is code, in which nothing is markup.
        drawn.for_each(|([before, _], line)| {
            let _ = writeln!(out, "    {before}{}", visible(&line).replace('\n', " "));
        });
        out.push('\n');
    }
    for table in section.tables.iter().filter(|table| !table.is_detail) {
        out.push_str(&render_table(table));
    }
    facts(&section.facts, out);
}

/// One table with its notes.
pub(in crate::report) fn render_table(table: &Table) -> String {
    let mut out = format!("**{}**\n\n", escaped(&table.caption()));
    let units: Vec<_> = (0..table.columns.len()).map(|column| table.unit(column)).collect();
    let columns = || table.columns.iter().zip(&units);
    let heads = table.columns.iter().enumerate().flat_map(|(place, column)| {
        let interval = column.has_intervals.then(|| "interval".to_owned());
        std::iter::once(table.header(place)).chain(interval)
    });
    row(heads, &mut out);
    let rules = columns().flat_map(|(column, _)| {
        let rule = if column.quantity == Quantity::Text { "---" } else { "--:" };
        std::iter::once(rule).chain(column.has_intervals.then_some("--:"))
    });
    let _ = writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "));
    for values in &table.rows {
        let cells = columns().zip(values).flat_map(|((column, unit), value)| {
            let interval = || value.interval(column.quantity, *unit).unwrap_or_else(|| "–".into());
            std::iter::once(value.shown(column.quantity, *unit)).chain(column.has_intervals.then(interval))
        });
        row(cells, &mut out);
    }
    out.push('\n');
    if !table.notes.is_empty() {
        let _ = writeln!(out, "{}", render_list(&table.notes));
    }
    out
}

fn row(cells: impl Iterator<Item = String>, out: &mut String) {
    let cells: Vec<String> = cells.map(|cell| escaped(&cell)).collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn facts(facts: &[Fact], out: &mut String) {
    for fact in facts {
        let _ = writeln!(out, "- {}: {}", escaped(&fact.name), escaped(&fact.value));
    }
    if !facts.is_empty() {
        out.push('\n');
    }
}

/// Escapes all markup: a server's name may contain any character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    out
}
