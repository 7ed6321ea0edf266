//! The programs that the harness starts, each with its arguments, folder, cores and environment.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::environment::Environment;

/// A program to start, and how it is started.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Launch<'a> {
    pub(super) words: Cow<'a, [String]>,
    pub(super) folder: Cow<'a, Path>,
    pub(super) cores: Cow<'a, [usize]>,
    pub(super) is_shown: bool,
    pub(super) is_commanded: bool,
    pub(super) environment: Environment,
}

impl<'a> Launch<'a> {
    /// A program with its arguments, in a folder: a server, a load tool, or a question to one of
    /// them. It has a clean environment, and the cores of the thread that starts it. Its output and
    /// the end of its standard error are kept.
    pub fn new(words: &'a [String], folder: &'a Path) -> Self {
        Self {
            words: words.into(),
            folder: folder.into(),
            cores: Cow::default(),
            is_shown: false,
            is_commanded: false,
            environment: Environment::Clean,
        }
    }

    /// Like [`Launch::new`], for a program that builds or installs: it has the user's environment.
    pub fn build(words: &'a [String], folder: &'a Path) -> Self {
        Self { environment: Environment::Users, ..Self::new(words, folder) }
    }

    /// Sets the cores; an empty slice stands for those of the thread that starts the process.
    pub fn on(self, cores: &'a [usize]) -> Self {
        Self { cores: cores.into(), ..self }
    }

    /// Sets whether the user sees the output, on the harness's standard error, in which case
    /// nothing is kept.
    pub fn shown(self, is_shown: bool) -> Self {
        Self { is_shown, ..self }
    }

    /// Gives the process a standard input for commands, each of which it answers with a line.
    pub fn commanded(self) -> Self {
        Self { is_commanded: true, ..self }
    }
}
