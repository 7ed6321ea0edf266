//! Files of JSON lines that are only ever appended to, in which each line says the version of its form.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a file of lines holds.
#[derive(Debug)]
pub(super) struct Lines<T> {
    /// The lines, in the order in which they were written.
    pub(super) lines: Vec<T>,
    /// A sentence about a last line that was only half written.
    pub(super) torn: Option<String>,
}

/// Reads a file. A last line without its end was being written when somebody pulled the plug: it is left out and told of. Any
/// other line that cannot be read, or is of another version than `schema`, is an error that names it.
pub(super) fn read<T: DeserializeOwned>(path: &Path, schema: u32) -> anyhow::Result<Lines<T>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let mut read = Lines { lines: Vec::new(), torn: None };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let place = || format!("{}:{number}", path.display());
        if reader.read_until(b'\n', &mut line).with_context(place)? == 0 {
            break;
        }
        if !line.ends_with(b"\n") {
            read.torn = Some(format!("{}: the last line is only half written and is left out", place()));
            break;
        }
        read.lines.push(parse(&line, schema).with_context(place)?);
    }
    Ok(read)
}

/// Reads JSON that says the version of its form.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8], schema: u32) -> anyhow::Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version = serde_json::from_slice(text).context("it is damaged")?;
    if version.schema != schema {
        bail!("written with schema {}, and this is a bench of schema {schema}", version.schema);
    }
    serde_json::from_slice(text).context("it is damaged")
}

/// Appends a line in one write, and has it on the disk before it returns.
pub(super) fn append(file: &mut File, line: &impl Serialize) -> std::io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// Moves a last line without its end to a file of its own.
pub(super) fn set_aside_the_torn(path: &Path, aside: &Path) -> std::io::Result<()> {
    let text = std::fs::read(path)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut torn = OpenOptions::new().append(true).create(true).open(aside)?;
    torn.write_all(&text[whole..])?;
    torn.write_all(b"\n")?;
    torn.sync_all()?;
    OpenOptions::new().write(true).open(path)?.set_len(whole as u64)
}
