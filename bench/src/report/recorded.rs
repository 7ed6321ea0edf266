//! The figures that README.md shows: the records that they come from lie in `bench/recorded/`, and a command makes them.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::report::chart::{Width, standalone};
use crate::report::document::Document;
use crate::report::format::markdown;
use crate::report::{self, leading_workloads};
use crate::store::record::Record;
use crate::store::results::{self, Loaded};

/// Where the records lie, from the checkout on.
pub const FOLDER: &str = "bench/recorded";

const README: &str = "README.md";
const PICTURE: &str = "answer.svg";

/// Between these lines README.md is written by [`refresh`].
const BEGIN: &str = "<!-- recorded: scripts/record writes what follows -->";
/// See [`BEGIN`].
const END: &str = "<!-- recorded: end -->";

/// Keeps the records of a measurement that answer how fast and how cheap servers are, draws the picture, and writes the answer
/// into README.md. The records are without histograms and ports, which it does not need.
pub fn refresh(root: &Path, loaded: &Loaded) -> anyhow::Result<()> {
    let names = leading_workloads(loaded);
    let is_kept = |record: &&Record| names.contains(&record.workload.name);
    let records: Vec<Record> = loaded.records.iter().filter(is_kept).map(without_histogram).collect();
    if records.is_empty() {
        bail!("there are no figures to record: measure `quick`, or the whole `sweep`");
    }
    let folder = root.join(FOLDER);
    results::write_copy(&folder, &loaded.machine, &records)?;
    let document = report::document(&results::load(&folder)?);
    let Some(picture) = &document.picture else {
        bail!("there is no picture of a start or of held connections")
    };
    write(&folder.join(PICTURE), &standalone(picture, Width::Wide))?;
    let readme = root.join(README);
    let text = fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    write(&readme, &replaced(&text, &excerpt(&document)).with_context(|| readme.display().to_string())?)
}

/// What README.md says between the two lines: the answers, the picture, and the tables of the leading workload.
pub fn excerpt(document: &Document) -> String {
    let title = document.picture.as_ref().map_or("", |chart| &*chart.title);
    let workload = document.leading.as_deref().unwrap_or_default();
    let tables = ["cost", "speed"].map(|section| format!("{section}-{workload}"));
    let tables = tables.each_ref().map(String::as_str);
    format!("![{title}]({FOLDER}/{PICTURE})\n\n{}", markdown::excerpt(document, &tables))
}

/// The part of a text between the two lines.
pub fn recorded_part(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(BEGIN)?;
    Some(rest.split_once(END)?.0.trim())
}

/// The text with another part between the two lines.
fn replaced(text: &str, part: &str) -> anyhow::Result<String> {
    let place = || format!("there is no line `{BEGIN}` with a line `{END}` behind it");
    let (before, rest) = text.split_once(BEGIN).with_context(place)?;
    let (_, after) = rest.split_once(END).with_context(place)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", part.trim()))
}

fn without_histogram(record: &Record) -> Record {
    let mut record = record.clone();
    if let Some(latency) = &mut record.latency {
        latency.histogram = None;
    }
    record
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_between_the_lines_is_written() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = replaced(&text, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!((recorded_part(&text), recorded_part(&new)), (Some("old"), Some("new")));
        let error = replaced("nothing", "new").unwrap_err();
        assert!(error.to_string().contains("there is no line"));
    }
}
