//! Several result folders in the order of their measurements. This module holds data;
//! `report/history.rs` writes the text.

use std::path::Path;

use anyhow::{Context, bail};

use crate::machine::{Hosts, Machine};
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
    /// The results that can be read, the oldest first.
    pub results: Vec<PastResult>,
    /// An error message for each result folder that cannot be read.
    pub damaged: Vec<String>,
}

impl History {
    /// Reads every result folder in `folder`. Fails when `folder` cannot be listed, or has no
    /// results.
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

    /// Returns the last result on the same machine before the one at `place`, for a comparison.
    pub fn before(&self, place: usize) -> Option<&PastResult> {
        let own = &self.results[place].loaded.machine;
        self.results[..place].iter().rev().find(|result| is_same_place(&result.loaded.machine, own))
    }
}

/// Whether two measurements ran on the same machines: the server's machine, and the machines of the
/// load in any order. A measurement over a network never matches one on a single machine.
pub fn is_same_place(one: &Machine, other: &Machine) -> bool {
    let is_same_load = match (&one.hosts, &other.hosts) {
        (None, None) => true,
        (Some(one), Some(other)) => has_same_machines(one, other),
        _ => false,
    };
    is_same_load && one.is_same_as(other)
}

fn has_same_machines(one: &Hosts, other: &Hosts) -> bool {
    let mut rest: Vec<&Machine> = other.loads.iter().map(|(_, machine)| machine).collect();
    let is_there = |(_, machine): &(_, Machine)| {
        let place = rest.iter().position(|other| other.is_same_as(machine));
        place.map(|place| rest.swap_remove(place)).is_some()
    };
    one.loads.len() == other.loads.len() && one.loads.iter().all(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::HostLink;

    #[test]
    fn a_place_is_the_machines_of_both_sides() {
        let own = || Loaded::example(Vec::new()).machine;
        let named = |host: &str| Machine { host: host.into(), ..own() };
        let link = |name: &str| HostLink {
            name: Some(name.into()),
            address: None,
            interface: None,
            round_trip_seconds: 0.0002,
        };
        // A server on `here`, and the machines of its load, which are reached by other names.
        let under = |loads: &[(&str, &str)]| {
            let loads = loads.iter().map(|(name, host)| (link(name), named(host))).collect();
            let hosts = Some(Hosts { harness: "desk".into(), server: link("alpha"), loads });
            Machine { hosts, ..own() }
        };
        let (beta, gamma) = (("beta", "b"), ("gamma", "c"));
        let cases = [
            ("one machine", own(), own(), true),
            ("another machine", own(), named("there"), false),
            ("a load over a network", own(), under(&[beta]), false),
            ("even from a machine that looks the same", own(), under(&[("beta", "here")]), false),
            ("the same hosts", under(&[beta, gamma]), under(&[beta, gamma]), true),
            ("in another order", under(&[beta, gamma]), under(&[gamma, beta]), true),
            (
                "by other names",
                under(&[beta, gamma]),
                under(&[("192.0.2.1", "b"), ("user@gamma", "c")]),
                true,
            ),
            ("one host more", under(&[beta]), under(&[beta, gamma]), false),
            ("another host", under(&[beta]), under(&[gamma]), false),
            ("two that are one", under(&[beta, gamma]), under(&[beta, beta]), false),
        ];
        for (name, one, other, expected) in cases {
            assert_eq!(is_same_place(&one, &other), expected, "{name}");
            assert_eq!(is_same_place(&other, &one), expected, "{name}, the other way round");
        }
    }
}
