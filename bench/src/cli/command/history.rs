//! `bench history`: lists every result in a folder and how figures changed from one result to the
//! next, or prints the change points of figures.

use std::path::Path;

use super::report::write;
use super::{Outcome, note, print};
use crate::analysis::history::History;
use crate::cli;
use crate::report::{self, format::Format, history};
use crate::servers::checkout::Checkout;

/// The file name of the page, in the folder of results.
const PAGE: &str = "history.html";

pub(super) fn run(root: Option<&Path>, arguments: &cli::History) -> anyhow::Result<Outcome> {
    let folder = match &arguments.folder {
        Some(folder) => folder.clone(),
        None => Checkout::read(root)?.results(),
    };
    let (past, place) = (History::read(&folder)?, folder.display().to_string());
    if arguments.changes {
        let document = history::changes_document(&past, &place);
        return print(&arguments.format.render(&document, report::terminal_width())?);
    }
    let document = history::document(&past, &place);
    let page = folder.join(PAGE);
    let written = write(&page, &Format::Html.render(&document, None)?);
    print(&arguments.format.render(&document, report::terminal_width())?)?;
    match written {
        Ok(()) => note(&format!("\npage: {}", page.display())),
        // The folder may belong to another user, or be on a read-only file system.
        Err(error) => note(&format!("\nno page: {error:#}")),
    }
    Ok(Outcome::Fine)
}
