//! The diagnostics of a manifest.

use crate::text::toml_file;

/// A statement about a line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The number of the line.
    pub line: usize,
    /// Whether the manifest has to be corrected.
    pub level: Level,
    /// The statement and, after a semicolon, what to do about it.
    pub text: String,
}

/// Whether the manifest has to be corrected because of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The manifest has to be corrected.
    Error,
    /// The manifest may be right; the user should know of the statement.
    Note,
}

pub(super) struct Diagnostics<'a> {
    text: &'a str,
    all: Vec<Diagnostic>,
}

impl<'a> Diagnostics<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, all: Vec::new() }
    }

    /// Adds an error at the byte `at` of the text.
    pub(super) fn error(&mut self, at: usize, text: impl Into<String>) {
        self.add(at, Level::Error, text.into());
    }

    pub(super) fn note(&mut self, at: usize, text: impl Into<String>) {
        self.add(at, Level::Note, text.into());
    }

    fn add(&mut self, at: usize, level: Level, text: String) {
        self.all.push(Diagnostic { line: self.line(at), level, text });
    }

    pub(super) fn line(&self, at: usize) -> usize {
        toml_file::line(self.text, at)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.all.iter().any(|diagnostic| diagnostic.level == Level::Error)
    }

    pub(super) fn by_line(mut self) -> Vec<Diagnostic> {
        self.all.sort_by_key(|diagnostic| diagnostic.line);
        self.all
    }
}
