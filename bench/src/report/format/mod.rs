//! What a document looks like, a format a file, except for JSON. None of them adds a figure.

mod csv;
mod html;
pub(super) mod markdown;
mod text;

pub(super) use text::render_table as table;

use anyhow::Context;
use clap::ValueEnum;

use super::document::Document;
use crate::text::visible::visible;

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Sentences and tables for a terminal, as wide as it is
    Table,
    /// Sentences and tables for an issue or a README
    Markdown,
    /// A self-contained page with charts, for a browser
    Html,
    /// Everything, including charts, in seconds, bytes and counts
    Json,
    /// A line per figure, in seconds, bytes and counts
    Csv,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 5] = [Self::Table, Self::Markdown, Self::Html, Self::Json, Self::Csv];

    /// Renders a document. The width, in columns of a terminal, applies to [`Format::Table`] alone;
    /// without it no column is left out. Fails when a template or an encoder does.
    pub fn render(self, document: &Document, width: Option<usize>) -> anyhow::Result<String> {
        let text = match self {
            // Its styles are control characters, so it makes the others visible itself.
            Self::Table => return Ok(text::render(document, width)),
            Self::Markdown => markdown::render(document),
            Self::Html => html::render(document)?,
            // Figures in stored units, with all their digits.
            Self::Json => {
                let json = serde_json::to_string_pretty(document);
                json.context("cannot write the report as JSON")? + "\n"
            }
            Self::Csv => csv::render(document)?,
        };
        Ok(visible(&text).into_owned())
    }

    /// The name of its file in `report/`.
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
