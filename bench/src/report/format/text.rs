//! The document for a terminal: no line is longer than the terminal is wide.

mod table;

use std::fmt::Write;

use textwrap::Options;

use crate::report::chart::Chart;
use crate::report::document::{Document, Fact, Section, Table};
use crate::text::layout;
use crate::text::visible::visible;

const HEADING: anstyle::Style = anstyle::Style::new().bold();
const WARNING: anstyle::Style = anstyle::AnsiColor::Yellow.on_default();

/// The longest line of prose: longer ones are hard to read.
const PROSE: usize = 120;

/// The document with styles, which `anstream` removes where the output is not a terminal.
pub(super) fn render(document: &Document, width: Option<usize>) -> String {
    let mut out = String::new();
    heading(&document.title, width, &mut out);
    for answer in &document.answers {
        paragraph(answer, width, &mut out);
    }
    out.push('\n');
    facts(&document.origin, width, &mut out);
    if !document.warnings.is_empty() {
        out.push('\n');
        heading("What may be wrong", width, &mut out);
        for warning in &document.warnings {
            let mark = format!("{WARNING}!{WARNING:#} ");
            hanging(&mark, "  ", warning, width, &mut out);
        }
    }
    for section in &document.sections {
        self::section(section, width, &mut out);
    }
    out
}

/// A table and its notes.
pub(in crate::report) fn render_table(table: &Table, width: Option<usize>) -> String {
    let mut out = table::render(table, width);
    for note in &table.notes {
        hanging("- ", "  ", note, width, &mut out);
    }
    out
}

fn section(section: &Section, width: Option<usize>, out: &mut String) {
    let tables: Vec<_> = section.tables.iter().filter(|table| !table.is_detail).collect();
    // A section of charts alone has no text.
    if tables.is_empty() && section.facts.is_empty() {
        return;
    }
    out.push('\n');
    heading(section.title, width, out);
    for text in &section.about {
        paragraph(text, width, out);
    }
    for (before, line) in section.charts.iter().filter_map(Chart::tree).flatten() {
        hanging(before[0], before[1], &line, width, out);
    }
    for table in tables {
        let _ = write!(out, "\n{}", render_table(table, width));
    }
    facts(&section.facts, width, out);
}

fn heading(text: &str, width: Option<usize>, out: &mut String) {
    for line in textwrap::wrap(&visible(text), prose(width)) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{HEADING}{line}{HEADING:#}");
    }
}

fn paragraph(text: &str, width: Option<usize>, out: &mut String) {
    let _ = writeln!(out, "{}", textwrap::fill(&visible(text), prose(width)));
}

/// A paragraph whose first line begins with `first`, and whose other lines begin with `rest`.
fn hanging(first: &str, rest: &str, text: &str, width: Option<usize>, out: &mut String) {
    // The style's bytes have no width, so the text is wrapped with an indent of the same width.
    let options = prose(width).initial_indent(rest).subsequent_indent(rest);
    let filled = textwrap::fill(&visible(text), options);
    let _ = writeln!(out, "{first}{}", filled.strip_prefix(rest).unwrap_or(&filled));
}

/// `Name  value`, the values below each other.
fn facts(facts: &[Fact], width: Option<usize>, out: &mut String) {
    let longest = facts.iter().map(|fact| fact.name.len()).max().unwrap_or(0);
    let rest = " ".repeat(longest + 2);
    for fact in facts {
        hanging(&format!("{:<longest$}  ", fact.name), &rest, &fact.value, width, out);
    }
}

fn prose<'a>(width: Option<usize>) -> Options<'a> {
    layout::prose(width.unwrap_or(PROSE).min(PROSE))
}
