//! Several result folders in the order in which they were measured. Data alone; `report/history.rs` has the words.

use std::path::Path;

use anyhow::{Context, bail};

use crate::store::results::{self, Loaded};

/// A result folder among others.
#[derive(Debug)]
pub struct Entry {
    /// The folder's name.
    pub name: String,
    /// What it holds.
    pub loaded: Loaded,
}

/// What lies in a folder of result folders.
#[derive(Debug)]
pub struct History {
    /// Those that can be read, the oldest first.
    pub entries: Vec<Entry>,
    /// A sentence for each that cannot.
    pub damaged: Vec<String>,
}

impl History {
    /// Reads every result folder in a folder. What is no result folder is passed over.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let place = || {
            format!("cannot list {}: measure something first, or name a folder of results", folder.display())
        };
        let mut history = Self { entries: Vec::new(), damaged: Vec::new() };
        for entry in std::fs::read_dir(folder).with_context(place)? {
            let path = entry.with_context(place)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !results::is_one(&path) {
                continue;
            }
            match results::load(&path) {
                Ok(loaded) => history.entries.push(Entry { name: name.to_owned(), loaded }),
                Err(error) => history.damaged.push(format!("{error:#}")),
            }
        }
        if history.entries.is_empty() && history.damaged.is_empty() {
            bail!("there are no results in {}: measure something first", folder.display());
        }
        history
            .entries
            .sort_by(|a, b| (&a.loaded.machine.started, &a.name).cmp(&(&b.loaded.machine.started, &b.name)));
        history.damaged.sort();
        Ok(history)
    }

    /// The one before an entry on the same machine, with which it is compared.
    pub fn before(&self, place: usize) -> Option<&Entry> {
        let own = &self.entries[place].loaded.machine;
        self.entries[..place].iter().rev().find(|entry| entry.loaded.machine.is_same_as(own))
    }
}
