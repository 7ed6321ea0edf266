//! `bench report`: the report of a measurement, from its records alone.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Outcome, print};
use crate::cli::Report;
use crate::report;
use crate::report::chart::{self, Width};
use crate::report::document::Document;
use crate::report::format::Format;
use crate::store::results;

pub(super) fn run(arguments: &Report) -> anyhow::Result<Outcome> {
    let loaded = results::load(&arguments.folder)?;
    let document = match &arguments.baseline {
        Some(name) => report::document_against(&loaded, name, arguments.rules).context("--baseline")?,
        None => report::document_with(&loaded, arguments.rules),
    };
    put(&document, arguments.format, arguments.output.as_deref())
}

/// Prints a document, or writes it to a file, in the form that the user chose.
pub(super) fn put(document: &Document, format: Format, file: Option<&Path>) -> anyhow::Result<Outcome> {
    let Some(file) = file else {
        return print(&format.render(document, report::terminal_width())?);
    };
    write(file, &format.render(document, None)?).context("--output")?;
    Ok(Outcome::Fine)
}

/// Writes a file without terminal styles. Fails if the file cannot be written.
pub(super) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, plain(text)).with_context(|| format!("cannot write {}", file.display()))
}

/// Writes a report to the folder's `report/`, in each form of [`Format::FILES`] and with its
/// charts. Returns the path of the page.
pub(super) fn write_report(folder: &Path, document: &Document) -> anyhow::Result<PathBuf> {
    for (format, file) in Format::FILES {
        let text = format.render(document, None)?;
        results::write_report(folder, file, &plain(&text))?;
    }
    for chart in document.charts() {
        let svg = chart::standalone(chart, Width::Wide);
        results::write_report(folder, &format!("charts/{}.svg", chart.id), &svg)?;
    }
    Ok(results::report_path(folder, Format::PAGE))
}

/// Writes the report of the records that are now in the folder, and returns the path of the page.
pub(super) fn rewrite_report(folder: &Path) -> anyhow::Result<PathBuf> {
    write_report(folder, &report::document(&results::load(folder)?))
}

/// The text without terminal styles.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
