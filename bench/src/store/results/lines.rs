//! Files of JSON lines that are only ever appended to. Each line states the version of its form.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::{self, Synced};

/// The extension of the file that gets an incomplete last line.
const TORN: &str = "torn";

#[derive(Debug)]
pub(super) struct Lines<T> {
    pub(super) lines: Vec<T>,
    pub(super) torn: Option<String>,
}

/// A file to which lines are appended. Nothing in it is ever overwritten.
pub(super) struct Appender {
    path: PathBuf,
    file: File,
    pub(super) synced: Synced,
}

/// Reads a file, and parses each line with `parse`. A last line without a line feed was being
/// written when the power failed: it is left out and reported. Fails if another line is unreadable;
/// the error names the file and the line.
pub(super) fn read<T>(path: &Path, parse: impl Fn(&[u8]) -> anyhow::Result<T>) -> anyhow::Result<Lines<T>> {
    let place = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read {place}"))?;
    read_lines(BufReader::new(file), &place, parse)
}

fn read_lines<T>(
    mut reader: impl BufRead,
    path: &str,
    parse: impl Fn(&[u8]) -> anyhow::Result<T>,
) -> anyhow::Result<Lines<T>> {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    while reader.read_until(b'\n', &mut line).with_context(|| format!("cannot read {path}"))? > 0 {
        let place = format!("{path}:{}", lines.len() + 1);
        if !line.ends_with(b"\n") {
            let torn = format!("{place}: the last line is only half written and is left out");
            return Ok(Lines { lines, torn: Some(torn) });
        }
        lines.push(parse(&line).context(place)?);
        line.clear();
    }
    Ok(Lines { lines, torn: None })
}

/// Reads JSON that states the version of its form. Fails if it is damaged, or of another version.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8], schema: u32) -> anyhow::Result<T> {
    parse_since(text, schema, schema)
}

/// Like [`parse`], where all versions since `oldest` can be read as `schema`.
pub(super) fn parse_since<T: DeserializeOwned>(text: &[u8], oldest: u32, schema: u32) -> anyhow::Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version = serde_json::from_slice(text).context("it is damaged")?;
    if !(oldest..=schema).contains(&version.schema) {
        let versions =
            format!("written with schema {}, and this is a bench of schema {schema}", version.schema);
        bail!("{versions}: read it with the bench that made it");
    }
    serde_json::from_slice(text).context("it is damaged")
}

impl Appender {
    /// Opens a file, or creates it. If `is_torn`, the incomplete last line is first moved to a file
    /// with the extension `torn`. Fails if the file cannot be written to, or another command writes
    /// to it.
    pub(super) fn open(path: PathBuf, is_torn: bool) -> anyhow::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let open = || {
            let file = OpenOptions::new().append(true).create(true).open(&path)?;
            // Some shared file systems have no locks: an error other than this one says nothing.
            if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                return Err(io::Error::other("another command writes to it now: wait for its end"));
            }
            if is_torn {
                move_torn(&path, &path.with_extension(TORN))?;
            }
            let synced = disk::sync(&file)?.and(disk::sync_folder(folder)?);
            io::Result::Ok((file, synced))
        };
        let (file, synced) = open().with_context(|| format!("cannot write to {}", path.display()))?;
        Ok(Self { path, file, synced })
    }

    /// Appends a line in one write, and waits for the disk. Fails if it cannot be written.
    pub(super) fn append(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut write = || {
            let text = serde_json::to_string(line)? + "\n";
            self.file.write_all(text.as_bytes())?;
            self.synced = self.synced.and(disk::sync(&self.file)?);
            io::Result::Ok(())
        };
        write().with_context(|| format!("cannot write to {}", self.path.display()))
    }
}

fn move_torn(path: &Path, aside: &Path) -> io::Result<()> {
    let text = std::fs::read(path)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut torn = OpenOptions::new().append(true).create(true).open(aside)?;
    torn.write_all(&text[whole..])?;
    torn.write_all(b"\n")?;
    // `Appender::open` reports whether files can be synced here.
    let _ = disk::sync(&torn)?;
    OpenOptions::new().write(true).open(path)?.set_len(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Line {
        number: u32,
    }

    fn read(text: &str) -> anyhow::Result<Lines<Line>> {
        read_lines(text.as_bytes(), "file", |line| parse(line, 1))
    }

    fn lines(count: u32) -> Vec<String> {
        (1..=count).map(|number| format!("{{\"schema\":1,\"number\":{number}}}\n")).collect()
    }

    #[test]
    fn lines_keep_their_order() {
        for count in [0, 1, 50] {
            let Lines { lines, torn } = read(&lines(count).concat()).unwrap();
            let numbers: Vec<u32> = lines.iter().map(|line| line.number).collect();
            assert_eq!((numbers, torn), ((1..=count).collect(), None), "{count}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let other = "written with schema 9, and this is a bench of schema 1";
        for (line, expected) in [("{}", "it is damaged"), ("", "it is damaged"), ("{\"schema\":9}", other)] {
            for place in [0, 20, 49] {
                let mut lines = lines(50);
                lines[place] = format!("{line}\n");
                let error = format!("{:#}", read(&lines.concat()).unwrap_err());
                let expected = format!("file:{}: {expected}", place + 1);
                assert!(error.starts_with(&expected), "{line}: {error}");
            }
        }
    }

    #[test]
    fn two_commands_do_not_write_to_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Appender::open(folder.path().join("lines.jsonl"), true);
        let first = open().unwrap();
        let error = format!("{:#}", open().err().unwrap());
        assert!(error.ends_with("another command writes to it now: wait for its end"), "{error}");
        drop(first);
        open().unwrap();
    }

    #[test]
    fn an_incomplete_last_line_is_reported() {
        let text = lines(3).concat();
        let first = lines(1).concat().len();
        for (length, number) in [(text.len() - 1, 3), (first + 1, 2), (1, 1)] {
            let Lines { lines, torn } = read(&text[..length]).unwrap();
            let expected = format!("file:{number}: the last line is only half written and is left out");
            assert_eq!((lines.len() + 1, torn), (number, Some(expected)), "{length}");
        }
    }
}
