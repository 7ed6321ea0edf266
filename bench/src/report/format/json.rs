//! The document as JSON, for other programs: figures in stored units with all their digits.

use anyhow::Context;

use crate::report::document::Document;

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let json = serde_json::to_string_pretty(document).context("cannot write the report as JSON")?;
    Ok(json + "\n")
}
