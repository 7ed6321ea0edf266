//! What a document looks like, a format a file. None of them adds a figure.

mod csv;
mod html;
mod json;
pub mod markdown;
mod text;

use clap::ValueEnum;

use super::document::{Document, Table};

/// The forms that a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Sentences and tables for a terminal, as wide as it is
    Table,
    /// The same for a page, an issue or a README
    Markdown,
    /// A page with charts, for a browser, that needs nothing beside itself
    Html,
    /// Everything, charts too, in seconds, bytes and counts
    Json,
    /// A line a figure, in seconds, bytes and counts
    Csv,
}

/// A table alone with its notes, for a terminal of a width.
pub(super) fn table(table: &Table, width: Option<usize>) -> String {
    text::render_table(table, width)
}

impl Format {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Table, Self::Markdown, Self::Html, Self::Json, Self::Csv];

    /// A document in this form. Only a table has a width, in columns of a terminal; without one nothing is left out of it.
    pub fn render(self, document: &Document, width: Option<usize>) -> anyhow::Result<String> {
        match self {
            Self::Table => Ok(text::render(document, width)),
            Self::Markdown => Ok(markdown::render(document)),
            Self::Html => html::render(document),
            Self::Json => json::render(document),
            Self::Csv => csv::render(document),
        }
    }

    /// The file in `report/` that it goes to.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Table => "report.txt",
            Self::Markdown => "report.md",
            Self::Html => "index.html",
            Self::Json => "report.json",
            Self::Csv => "report.csv",
        }
    }
}
