//! What README.md shows: up to three sentences, the picture and a table of five columns. The records
//! that they come from are in `bench/recorded/`, so that the same command makes them again.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::answer;
use super::chart::{Chart, Width, standalone};
use super::format::markdown;
use super::section::{self, Source};
use crate::analysis::summary::summarise;
use crate::store::record::Record;
use crate::store::results::{self, Loaded};

/// Where the records are, from the root of the checkout.
pub const FOLDER: &str = "bench/recorded";

const README: &str = "README.md";
const PICTURE: &str = "answer.svg";

/// [`refresh`] writes what is between this line of README.md and [`END`].
const BEGIN: &str = "<!-- recorded: scripts/record writes what follows -->";
/// See [`BEGIN`].
const END: &str = "<!-- recorded: end -->";

/// Copies the records of the leading workload to [`FOLDER`], draws the picture there, and writes the
/// sentences and the table into README.md. The copy has no histograms, which it does not need.
/// Fails if there are no figures of a load, or if a file cannot be read or written.
pub fn refresh(root: &Path, loaded: &Loaded) -> anyhow::Result<()> {
    let leading = super::document(loaded).leading;
    let leading = leading.context("there are no figures to show: measure `quick`, or the whole `sweep`")?;
    let is_leading = |record: &&Record| record.workload.name == leading;
    let records: Vec<Record> = loaded.records.iter().filter(is_leading).map(without_histogram).collect();
    let folder = root.join(FOLDER);
    results::write_copy(&folder, &loaded.machine, &records)?;
    let recorded = results::load(&folder)?;
    let picture = super::document(&recorded).picture;
    let picture = picture.context("there is no picture of a start or of held connections")?;
    write(&folder.join(PICTURE), &standalone(&picture, Width::Wide))?;
    let readme = root.join(README);
    let text = fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    write(&readme, &replaced(&text, &excerpt(&recorded)).with_context(|| readme.display().to_string())?)
}

/// The text between the two lines of README.md: the sentences, which a reader sees first, the
/// picture and the table. Empty without figures.
pub fn excerpt(recorded: &Loaded) -> String {
    let summaries = summarise(&recorded.records);
    let source = Source::new(recorded, &summaries);
    let Some(summary) = section::leading(&source.families) else { return String::new() };
    let Chart { title, .. } = section::cost_chart(summary);
    let sentences = markdown::render_list(&answer::in_short(summary));
    let table = markdown::render_table(&section::readme_table(summary, &recorded.machine));
    format!("{sentences}\n![{title}]({FOLDER}/{PICTURE})\n\n{table}")
}

/// The part of a text between the two lines.
pub fn recorded_part(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(BEGIN)?;
    Some(rest.split_once(END)?.0.trim())
}

/// Returns the text with `part` between the two lines. Fails if the text lacks a line.
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
