//! One diagnostic, and all of a manifest.

use crate::text::toml_file;

/// A statement about a line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The number of the line.
    pub line: usize,
    /// Whether it has to be corrected.
    pub level: Level,
    /// What is so, and after a semicolon what to do about it.
    pub text: String,
}

/// Whether a diagnostic has to be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It has to be corrected.
    Error,
    /// It is worth knowing.
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
