//! What is wrong with a server's manifest: every mistake at once, with its line and with what to do about it.
//!
//! It knows no field by itself: what may stand where follows from the [schema](crate::servers::server::schema) of the manifest.

mod commands;
mod fields;
mod lists;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::servers::server::{self, Server};
use crate::text::toml_file;

/// One thing to say of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The number of its line.
    pub line: usize,
    /// How it is to be taken.
    pub level: Level,
    /// What is so, and behind a semicolon what to do about it.
    pub text: String,
}

/// How a remark is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// To be mended.
    Mistake,
    /// Worth knowing.
    Note,
}

/// What a manifest is held against, beside its own folder.
pub struct Surroundings<'a> {
    /// Every folder of the checkout that is a server, or would like to be.
    pub folders: &'a [PathBuf],
    /// Cargo's target folder.
    pub target: &'a Path,
    /// Whether this machine has a program.
    pub has_program: &'a dyn Fn(&str) -> bool,
    /// The benchmarks that were run here, by their full names.
    pub benchmarks: &'a [String],
}

/// What there is to say of the manifest of the server in `folder`, by line. An error when there is none to be read.
pub fn check(folder: &Path, surroundings: &Surroundings) -> anyhow::Result<Vec<Remark>> {
    let path = folder.join("server.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (table, errors) = DeTable::parse_recoverable(&text);
    let mut remarks = Remarks { text: &text, all: Vec::new() };
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        remarks.mistake(at, format!("it is no TOML: {}", error.message().trim().replace('\n', " ")));
    }
    // What was made of the rest of such a file says nothing of it.
    if errors.is_empty() {
        let table = table.get_ref();
        fields::check(table, &mut remarks);
        check_name(table, folder, surroundings.folders, &mut remarks);
        commands::check(table, folder, surroundings, &mut remarks);
        lists::check(table, surroundings, &mut remarks);
        if !folder.join("README.md").is_file() {
            remarks.mistake(
                0,
                "its folder has no README.md; say in one what the server is, and what is peculiar",
            );
        }
        if remarks.all.iter().all(|remark| remark.level == Level::Note)
            && let Err(error) = Server::read(folder, surroundings.target)
        {
            remarks.mistake(0, format!("{error:#}"));
        }
    }
    let mut all = remarks.all;
    all.sort_by_key(|remark| remark.line);
    Ok(all)
}

fn check_name(table: &DeTable, folder: &Path, folders: &[PathBuf], remarks: &mut Remarks) {
    let Some((at, name)) = table.get("name").and_then(string) else { return };
    let expected = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name != expected {
        remarks.mistake(at, format!("name is `{name}`, but the folder is `{expected}`; rename one of them"));
    } else if let Some(fault) = server::name_fault(name) {
        remarks.mistake(at, format!("`{name}` is no name for a server; {fault}"));
    }
    for other in folders.iter().filter(|other| *other != folder && other.ends_with(name)) {
        remarks.mistake(at, format!("the name is taken by {} too; rename one of them", other.display()));
    }
}

/// What was found so far in a text.
struct Remarks<'a> {
    text: &'a str,
    all: Vec<Remark>,
}

impl Remarks<'_> {
    fn mistake(&mut self, at: usize, text: impl Into<String>) {
        self.add(at, Level::Mistake, text.into());
    }

    fn note(&mut self, at: usize, text: impl Into<String>) {
        self.add(at, Level::Note, text.into());
    }

    fn add(&mut self, at: usize, level: Level, text: String) {
        self.all.push(Remark { line: self.line(at), level, text });
    }

    fn line(&self, at: usize) -> usize {
        toml_file::line(self.text, at)
    }
}

/// A string, and the place of its first byte.
fn string<'a>(value: &'a Spanned<DeValue>) -> Option<(usize, &'a str)> {
    Some((value.span().start, value.get_ref().as_str()?))
}

/// The strings of a list that has nothing else.
fn strings<'a>(value: &'a Spanned<DeValue>) -> Option<Vec<(usize, &'a str)>> {
    value.get_ref().as_array()?.iter().map(string).collect()
}

/// The tables of a list such as `[[known_failures]]`.
fn tables<'a>(table: &'a DeTable, name: &str) -> impl Iterator<Item = &'a DeTable<'a>> {
    let list = table.get(name).and_then(|list| list.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter()).filter_map(|item| item.get_ref().as_table())
}
