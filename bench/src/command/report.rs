//! `bench report`: the report of a measurement, from its records alone.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Outcome, print};
use crate::cli::Report;
use crate::report::document::Document;
use crate::report::format::Format;
use crate::{report, results};

pub(super) fn run(arguments: &Report) -> anyhow::Result<Outcome> {
    let document = report::document(&results::load(&arguments.folder)?);
    let Some(file) = &arguments.output else {
        return print(&arguments.format.render(&document, report::terminal_width())?);
    };
    write(file, &arguments.format.render(&document, None)?).context("--output")?;
    Ok(Outcome::Fine)
}

/// Writes a file, without the styles that a terminal would show.
pub(super) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, plain(text)).with_context(|| format!("cannot write {}", file.display()))
}

/// Every form of a report into the folder's `report/`; the path of the first.
pub(super) fn write_report(folder: &Path, document: &Document) -> anyhow::Result<PathBuf> {
    let mut paths = Vec::new();
    for format in Format::ALL {
        let text = format.render(document, None)?;
        paths.push(results::write_report(folder, format.file_name(), &plain(&text))?);
    }
    paths.into_iter().next().context("there is a format")
}

/// Without the styles that a terminal would show.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
