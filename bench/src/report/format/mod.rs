//! The formats of a document, one per file except for JSON. None of them adds a figure.

mod bencher;
mod csv;
mod github_action_benchmark;
mod html;
pub(super) mod markdown;
mod text;

pub(super) use text::render_table as table;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::document::Document;
use super::tracked::Tracked;
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
    /// Figures to track over time, for the action of this name with `customSmallerIsBetter`
    GithubActionBenchmark,
    /// Figures to track over time, as Bencher Metric Format
    Bencher,
}

impl Format {
    /// The forms that a result folder keeps in `report/`, with the names of their files. The others
    /// are for services, and are written only on request.
    pub const FILES: [(Self, &str); 5] = [
        (Self::Table, "report.txt"),
        (Self::Markdown, "report.md"),
        (Self::Html, Self::PAGE),
        (Self::Json, "report.json"),
        (Self::Csv, "report.csv"),
    ];

    /// The name of the page's file in `report/`.
    pub const PAGE: &str = "index.html";

    /// Renders a document. The width, in columns of a terminal, applies to [`Format::Table`] alone;
    /// without it no column is left out. Fails when a template or an encoder does, and where a format for
    /// a service has no figure to track.
    pub fn render(self, document: &Document, width: Option<usize>) -> anyhow::Result<String> {
        let text = match self {
            // This form makes control characters visible itself, except for its own styles.
            Self::Table => return Ok(text::render(document, width)),
            Self::Markdown => markdown::render(document),
            Self::Html => html::render(document)?,
            // Figures in stored units, with all their digits.
            Self::Json => {
                let json = serde_json::to_string_pretty(document);
                json.context("cannot write the report as JSON")? + "\n"
            }
            Self::Csv => csv::render(document)?,
            Self::GithubActionBenchmark => github_action_benchmark::render(tracked(document)?)?,
            Self::Bencher => bencher::render(tracked(document)?)?,
        };
        Ok(visible(&text).into_owned())
    }
}

/// The figures to track. Fails where there are none: an empty file says nothing, and the services
/// refuse it.
fn tracked(document: &Document) -> anyhow::Result<&[Tracked]> {
    if document.tracked.is_empty() {
        bail!(
            "there is no figure to track over time: every cell is invalid, disturbed or without figures, which \
             `bench report` explains"
        );
    }
    Ok(&document.tracked)
}
