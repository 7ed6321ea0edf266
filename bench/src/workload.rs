//! Workloads: TOML files in `bench/workloads/`, or a person's own, each a suite of one workload or more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use crate::toml_file;
pub use crate::visit::Mode;

/// How much is asked in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// This many requests.
    Requests(u64),
    /// As many requests as there is time for.
    Time(Duration),
}

/// A ratio that somebody else published for the same workload.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The slower program, as its manifest's `article` names it.
    pub baseline: String,
    /// The faster program, as its manifest's `article` names it.
    pub contender: String,
    /// How many times faster it was said to be.
    pub ratio: f64,
}

/// One request with one way of loading it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name, by which it is chosen and recorded.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// The request target.
    pub path: String,
    /// The body of the answer, byte for byte.
    pub answer: String,
    /// The load tool's name.
    pub tool: String,
    /// Connections open at once.
    pub connections: u32,
    /// How much is asked.
    pub amount: Amount,
    /// What a connection is used for.
    pub mode: Mode,
    /// Time of the same load that comes first and is thrown away.
    pub warm_up: Duration,
    /// Repetitions when nobody says how many.
    pub repetitions: u32,
    /// What somebody else published for it.
    pub published: Option<Published>,
}

/// One file of workloads.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file's name without `.toml`.
    pub name: String,
    /// What it is for, in a sentence.
    pub about: String,
    /// Its workloads, in the order they are run.
    pub workloads: Vec<Workload>,
    /// Where it lies.
    pub path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    about: String,
    repetitions: u32,
    workload: Vec<WorkloadTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadTable {
    name: String,
    title: String,
    path: String,
    answer: String,
    tool: String,
    connections: u32,
    requests: Option<u64>,
    seconds: Option<f64>,
    mode: String,
    warm_up_seconds: f64,
    published: Option<Published>,
}

impl Suite {
    /// Reads one file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file: SuiteFile = toml_file::read(path)?;
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("a workload file has a name")?;
        if file.repetitions == 0 {
            bail!("{}: repetitions is 0: nothing would be measured", path.display());
        }
        let convert = |table: WorkloadTable| {
            let name = table.name.clone();
            table
                .into_workload(file.repetitions)
                .with_context(|| format!("{}: workload `{name}`", path.display()))
        };
        let workloads = file.workload.into_iter().map(convert).collect::<anyhow::Result<_>>()?;
        Ok(Self { name: name.to_owned(), about: file.about, workloads, path: path.to_owned() })
    }
}

impl WorkloadTable {
    fn into_workload(self, repetitions: u32) -> anyhow::Result<Workload> {
        let amount = match (self.requests, self.seconds) {
            (Some(requests), None) if requests >= u64::from(self.connections) => Amount::Requests(requests),
            (Some(requests), None) => {
                bail!("requests = {requests} is less than connections = {}", self.connections)
            }
            (None, Some(0.0)) => bail!("seconds is 0: nothing would be measured"),
            (None, Some(seconds)) => Amount::Time(time("seconds", seconds)?),
            _ => bail!("has to have either `requests` or `seconds`"),
        };
        if self.connections == 0 {
            bail!("connections is 0: nobody would ask");
        }
        if !self.path.starts_with('/') {
            bail!("path = \"{}\" does not begin with `/`", self.path);
        }
        Ok(Workload {
            name: self.name,
            title: self.title,
            path: self.path,
            answer: self.answer,
            tool: self.tool,
            connections: self.connections,
            amount,
            mode: self.mode.parse().map_err(|error| anyhow!("mode is `{}`: {error}", self.mode))?,
            warm_up: time("warm_up_seconds", self.warm_up_seconds)?,
            repetitions,
            published: self.published,
        })
    }
}

fn time(field: &str, seconds: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| anyhow!("{field} is {seconds}: it has to be 0 or more"))
}

#[cfg(test)]
impl Workload {
    /// A workload of 100 connections for the tests of a tool.
    pub(crate) fn example(tool: &str, amount: Amount, mode: Mode) -> Self {
        Self {
            name: "example".into(),
            title: String::new(),
            path: "/abc".into(),
            answer: "Hello".into(),
            tool: tool.into(),
            connections: 100,
            amount,
            mode,
            warm_up: Duration::ZERO,
            repetitions: 1,
            published: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = r#"
        about = "an example"
        repetitions = 3
        [[workload]]
        name = "one"
        title = "one connection"
        path = "/abc"
        answer = "Hello, visitor! You've requested: /abc\n"
        tool = "hey"
        connections = 10
        seconds = 5
        mode = "keep-alive"
        warm_up_seconds = 1
    "#;

    fn read(text: &str) -> anyhow::Result<Suite> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("example.toml");
        std::fs::write(&path, text).unwrap();
        Suite::read(&path)
    }

    #[test]
    fn reads_a_suite() {
        let suite = read(SUITE).unwrap();
        assert_eq!(suite.name, "example");
        assert_eq!(suite.workloads[0].amount, Amount::Time(Duration::from_secs(5)));
        assert_eq!(suite.workloads[0].mode, Mode::KeepAlive);
    }

    #[test]
    fn a_mistake_says_what_is_wrong() {
        let cases = [
            (SUITE.replace("seconds = 5\n", ""), "has to have either `requests` or `seconds`"),
            (SUITE.replace("seconds = 5\n", "seconds = 5\nrequests = 50\n"), "either"),
            (SUITE.replace("seconds = 5\n", "requests = 5\n"), "requests = 5 is less than connections = 10"),
            (SUITE.replace("\"/abc\"", "\"abc\""), "does not begin with `/`"),
            (SUITE.replace("seconds = 5\n", "seconds = -5\n"), "seconds is -5"),
            (SUITE.replace("= 10", "= 0"), "connections is 0"),
            (SUITE.replace("= 3", "= 0"), "repetitions is 0"),
            (
                SUITE.replace("keep-alive", "keepalive"),
                "mode is `keepalive`: it is keep-alive, close or pipelined-N",
            ),
            (SUITE.replace("tool =", "servers = 1\ntool ="), "unknown field `servers`"),
        ];
        for (text, expected) in cases {
            let message = format!("{:#}", read(&text).unwrap_err());
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("example.toml"), "{message}");
        }
    }
}
