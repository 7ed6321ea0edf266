//! `bench history`: every result that lies there, and how figures went from one to the next.

use std::path::Path;

use super::report::write;
use super::{Outcome, print};
use crate::analysis::history::History;
use crate::cli;
use crate::report::{self, format::Format, history};
use crate::servers::checkout::Checkout;

/// The page in the folder of results.
const PAGE: &str = "history.html";

pub(super) fn run(root: Option<&Path>, arguments: &cli::History) -> anyhow::Result<Outcome> {
    let folder = match &arguments.folder {
        Some(folder) => folder.clone(),
        None => Checkout::read(root)?.results(),
    };
    let document = history::document(&History::read(&folder)?, &folder.display().to_string());
    let page = folder.join(PAGE);
    write(&page, &Format::Html.render(&document, None)?)?;
    print(&arguments.format.render(&document, report::terminal_width())?)?;
    anstream::eprintln!("\npage: {}", page.display());
    Ok(Outcome::Fine)
}
