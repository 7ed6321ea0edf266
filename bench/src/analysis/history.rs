//! Several result folders in the order of their measurements. This module holds data;
//! `report/history.rs` has the words.

use std::path::Path;

use anyhow::{Context, bail};

use crate::store::results::{self, Loaded};

/// One measurement of a history.
#[derive(Debug)]
pub struct PastResult {
    /// The folder's name.
    pub name: String,
    /// Its records.
    pub loaded: Loaded,
}

/// The results in a folder of result folders.
#[derive(Debug)]
pub struct History {
    /// Those that can be read, the oldest first.
    pub results: Vec<PastResult>,
    /// An error for each that cannot be read.
    pub damaged: Vec<String>,
}

impl History {
    /// Reads every result folder in a folder. Fails when it cannot be listed, or holds none.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let unlisted = || {
            format!("cannot list {}: measure something first, or name a folder of results", folder.display())
        };
        let mut history = Self { results: Vec::new(), damaged: Vec::new() };
        for entry in std::fs::read_dir(folder).with_context(unlisted)? {
            let path = entry.with_context(unlisted)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !results::is_one(&path) {
                continue;
            }
            match results::load(&path) {
                Ok(loaded) => history.results.push(PastResult { name: name.to_owned(), loaded }),
                Err(error) => history.damaged.push(format!("{error:#}")),
            }
        }
        if history.results.is_empty() && history.damaged.is_empty() {
            bail!("there are no results in {}: measure something first", folder.display());
        }
        history.results.sort_by_cached_key(|past| (past.loaded.machine.started.clone(), past.name.clone()));
        history.damaged.sort();
        Ok(history)
    }

    /// The last result before one on the same machine, with which it is compared.
    pub fn before(&self, place: usize) -> Option<&PastResult> {
        let own = &self.results[place].loaded.machine;
        self.results[..place].iter().rev().find(|result| result.loaded.machine.is_same_as(own))
    }
}
