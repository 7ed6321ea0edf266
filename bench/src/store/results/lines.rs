//! Files of JSON lines that are only ever appended to, in which each line says the version of its form.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that a thread parses at a time: so many that its start does not matter, and few beside what a file holds.
const BLOCK: usize = 2 << 20;

/// Threads that parse at most: more of them would wait for what is read, and each holds a block and what comes of it.
const THREADS: usize = 4;

/// What a file of lines holds.
#[derive(Debug)]
pub(super) struct Lines<T> {
    /// The lines, in the order in which they were written.
    pub(super) lines: Vec<T>,
    /// A sentence about a last line that was only half written.
    pub(super) torn: Option<String>,
}

/// Reads a file, each line by `parse`, on several cores. A last line without its end was being written when somebody pulled the
/// plug: it is left out and told of. Any other line that cannot be read is an error that names it.
pub(super) fn read<T: Send>(
    path: &Path,
    parse: impl Fn(&[u8]) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Lines<T>> {
    let place = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read {place}"))?;
    read_blocks(BufReader::new(file), &place, BLOCK, &parse)
}

/// Each thread parses so many bytes at a time, and the rest of their last line.
fn read_blocks<T: Send>(
    mut reader: impl BufRead,
    path: &str,
    block: usize,
    parse: &(impl Fn(&[u8]) -> anyhow::Result<T> + Sync),
) -> anyhow::Result<Lines<T>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS);
    let mut blocks = vec![Vec::new(); threads];
    let mut read = Lines { lines: Vec::new(), torn: None };
    loop {
        for block_of_lines in &mut blocks {
            fill(block_of_lines, &mut reader, block).with_context(|| format!("cannot read {path}"))?;
        }
        for line in parse_blocks(&blocks, parse).into_iter().flatten() {
            read.lines.push(line.with_context(|| format!("{path}:{}", read.lines.len() + 1))?);
        }
        if blocks.iter().any(|block| block.last().is_some_and(|byte| *byte != b'\n')) {
            let number = read.lines.len() + 1;
            read.torn = Some(format!("{path}:{number}: the last line is only half written and is left out"));
            return Ok(read);
        }
        if blocks.iter().any(Vec::is_empty) {
            return Ok(read);
        }
    }
}

/// Reads whole lines of so many bytes or a little more: none where there are no more.
fn fill(block: &mut Vec<u8>, reader: &mut impl BufRead, bytes: usize) -> io::Result<()> {
    block.clear();
    reader.by_ref().take(bytes as u64).read_to_end(block)?;
    reader.read_until(b'\n', block)?;
    Ok(())
}

/// The lines of each block, in their order. Each block is parsed by a thread of its own.
fn parse_blocks<T: Send>(
    blocks: &[Vec<u8>],
    parse: &(impl Fn(&[u8]) -> anyhow::Result<T> + Sync),
) -> Vec<Vec<anyhow::Result<T>>> {
    thread::scope(|scope| {
        let parse_block =
            |mut block| std::iter::from_fn(|| next_line(&mut block)).map(parse).collect::<Vec<_>>();
        let threads: Vec<_> = blocks.iter().map(|block| scope.spawn(move || parse_block(block))).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|lines| lines.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// The next line that has its end.
fn next_line<'a>(block: &mut &'a [u8]) -> Option<&'a [u8]> {
    let all = *block;
    let line = &all[..block.skip_until(b'\n').ok()?];
    line.ends_with(b"\n").then_some(line)
}

/// Reads JSON that says the version of its form.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8], schema: u32) -> anyhow::Result<T> {
    parse_since(text, schema, schema)
}

/// The same, where the forms since an older one can be read as this one.
pub(super) fn parse_since<T: DeserializeOwned>(text: &[u8], oldest: u32, schema: u32) -> anyhow::Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version = serde_json::from_slice(text).context("it is damaged")?;
    if !(oldest..=schema).contains(&version.schema) {
        bail!(
            "written with schema {}, and this is a bench of schema {schema}: read it with the bench that made it",
            version.schema
        );
    }
    serde_json::from_slice(text).context("it is damaged")
}

/// Appends a line in one write, and has it on the disk before it returns.
pub(super) fn append(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// Moves a last line without its end to a file of its own.
pub(super) fn set_aside_the_torn(path: &Path, aside: &Path) -> io::Result<()> {
    let text = std::fs::read(path)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut torn = OpenOptions::new().append(true).create(true).open(aside)?;
    torn.write_all(&text[whole..])?;
    torn.write_all(b"\n")?;
    torn.sync_all()?;
    OpenOptions::new().write(true).open(path)?.set_len(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Line {
        number: u32,
    }

    /// Lines of several lengths, each with its number.
    fn lines(count: u32) -> Vec<String> {
        let pad = |number: u32| " ".repeat((number % 7 * 100) as usize);
        (1..=count).map(|number| format!("{{\"schema\":1,\"number\":{number}}}{}\n", pad(number))).collect()
    }

    fn read(text: &str, block: usize) -> anyhow::Result<Lines<Line>> {
        read_blocks(text.as_bytes(), "file", block, &|line| parse(line, 1))
    }

    #[test]
    fn lines_come_in_their_order_whatever_is_read_at_a_time() {
        let text = lines(50).concat();
        for block in [1, 100, 1000, text.len(), BLOCK] {
            let Lines { lines, torn } = read(&text, block).unwrap();
            let numbers: Vec<u32> = lines.iter().map(|line| line.number).collect();
            assert_eq!((numbers, torn), ((1..=50).collect(), None), "{block}");
        }
        assert!(read("", BLOCK).unwrap().lines.is_empty());
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let other = "written with schema 9, and this is a bench of schema 1";
        for (line, expected) in [("{}", "it is damaged"), ("", "it is damaged"), ("{\"schema\":9}", other)] {
            for (place, block) in [(0, 1), (20, 1), (49, 1), (20, 1000), (0, BLOCK), (49, BLOCK)] {
                let mut lines = lines(50);
                lines[place] = format!("{line}\n");
                let error = format!("{:#}", read(&lines.concat(), block).unwrap_err());
                assert!(
                    error.starts_with(&format!("file:{}: {expected}", place + 1)),
                    "{line}, {block}: {error}"
                );
            }
        }
    }

    #[test]
    fn a_line_without_its_end_is_told_of() {
        let text = lines(3).concat();
        let first = lines(1).concat().len();
        for (length, number) in [(text.len() - 1, 3), (first + 1, 2), (1, 1)] {
            for block in [1, 100, BLOCK] {
                let Lines { lines, torn } = read(&text[..length], block).unwrap();
                let expected = format!("file:{number}: the last line is only half written and is left out");
                assert_eq!((lines.len() + 1, torn), (number, Some(expected)), "{length}, {block}");
            }
        }
    }
}
