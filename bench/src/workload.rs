//! Workloads: TOML files in `bench/workloads/`, or a person's own, each a suite of one workload or more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use crate::record::{PublishedRecord, RateRecord, TaskRecord, WorkloadRecord};
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

/// One request with one way of asking it.
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
    /// What is done.
    pub task: Task,
    /// Repetitions when nobody says how many.
    pub repetitions: u32,
    /// What somebody else published for it.
    pub published: Option<Published>,
}

/// What is done to a server.
#[derive(Clone, Debug)]
pub enum Task {
    /// A tool loads it.
    Load(Load),
    /// It is started, and asked once.
    Start,
    /// So many connections are opened, used once, and held.
    Hold(u32),
}

/// How a tool loads a server.
#[derive(Clone, Debug)]
pub struct Load {
    /// The load tool's name.
    pub tool: String,
    /// Connections open at once.
    pub connections: u32,
    /// How much is asked.
    pub amount: Amount,
    /// What a connection is used for.
    pub mode: Mode,
    /// The rate of an open loop; `None` in a closed one, where a connection asks again when it was answered.
    pub rate: Option<Rate>,
    /// Time of the same load that comes first and is thrown away.
    pub warm_up: Duration,
    /// Time after which a request is given up, where the tool can do that.
    pub timeout: Duration,
}

/// The rate of an open loop.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// So many requests a second, whoever is asked.
    PerSecond(f64),
    /// A share of the server's own peak.
    OfPeak {
        /// From 0 to 1, without either.
        share: f64,
        /// The workload whose throughput is the peak; it is measured before.
        peak: String,
    },
}

/// One file of workloads.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file's name without `.toml`.
    pub name: String,
    /// What it is for, in a sentence.
    pub about: String,
    /// Its workloads, in the order they are run; empty when it names other suites.
    pub workloads: Vec<Workload>,
    /// The other suites that it is made of.
    pub suites: Vec<String>,
    /// Where it lies.
    pub path: PathBuf,
}

/// A file either has workloads or names other suites.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    about: String,
    #[serde(default)]
    repetitions: Option<u32>,
    #[serde(default)]
    suites: Vec<String>,
    #[serde(default)]
    workload: Vec<WorkloadTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadTable {
    name: String,
    title: String,
    path: String,
    answer: String,
    #[serde(default)]
    task: TaskName,
    repetitions: Option<u32>,
    tool: Option<String>,
    connections: Option<u32>,
    requests: Option<u64>,
    seconds: Option<f64>,
    mode: Option<String>,
    rate: Option<f64>,
    share_of_peak: Option<f64>,
    peak: Option<String>,
    warm_up_seconds: Option<f64>,
    timeout_seconds: Option<f64>,
    published: Option<Published>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TaskName {
    #[default]
    Load,
    Start,
    Hold,
}

impl Suite {
    /// Reads one file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file: SuiteFile = toml_file::read(path)?;
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("a workload file has a name")?;
        if file.workload.is_empty() == file.suites.is_empty() {
            bail!("{}: it has to have either `[[workload]]` or `suites`", path.display());
        }
        let convert = |table: WorkloadTable| {
            let name = table.name.clone();
            table
                .into_workload(file.repetitions)
                .with_context(|| format!("{}: workload `{name}`", path.display()))
        };
        let workloads = file.workload.into_iter().map(convert).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            name: name.to_owned(),
            about: file.about,
            workloads,
            suites: file.suites,
            path: path.to_owned(),
        })
    }
}

impl WorkloadTable {
    fn into_workload(mut self, suites_repetitions: Option<u32>) -> anyhow::Result<Workload> {
        let repetitions = self.repetitions.or(suites_repetitions).context("has no `repetitions`")?;
        if repetitions == 0 {
            bail!("repetitions is 0: nothing would be measured");
        }
        if !self.path.starts_with('/') {
            bail!("path = \"{}\" does not begin with `/`", self.path);
        }
        if self.connections == Some(0) {
            bail!("connections is 0: nobody would ask");
        }
        let task = match self.task {
            TaskName::Load => Task::Load(self.load()?),
            TaskName::Start => Task::Start,
            TaskName::Hold => Task::Hold(self.connections.take().context("has no `connections`")?),
        };
        self.refuse_leftovers()?;
        Ok(Workload {
            name: self.name,
            title: self.title,
            path: self.path,
            answer: self.answer,
            task,
            repetitions,
            published: self.published,
        })
    }

    /// Takes what a load is made of.
    fn load(&mut self) -> anyhow::Result<Load> {
        let connections = self.connections.take().context("has no `connections`")?;
        let amount = match (self.requests.take(), self.seconds.take()) {
            (Some(requests), None) if requests >= u64::from(connections) => Amount::Requests(requests),
            (Some(requests), None) => {
                bail!("requests = {requests} is less than connections = {connections}")
            }
            (None, Some(0.0)) => bail!("seconds is 0: nothing would be measured"),
            (None, Some(seconds)) => Amount::Time(time("seconds", seconds)?),
            _ => bail!("has to have either `requests` or `seconds`"),
        };
        let rate = match (self.rate.take(), self.share_of_peak.take(), self.peak.take()) {
            (None, None, None) => None,
            (Some(rate), None, None) if rate > 0.0 => Some(Rate::PerSecond(rate)),
            (Some(rate), None, None) => bail!("rate is {rate}: it has to be more than 0"),
            (None, Some(share), Some(peak)) if share > 0.0 && share < 1.0 => {
                Some(Rate::OfPeak { share, peak })
            }
            (None, Some(share), Some(_)) => bail!("share_of_peak is {share}: it lies between 0 and 1"),
            _ => bail!("has to have either `rate`, or `share_of_peak` with `peak`, or none of them"),
        };
        let mode = self.mode.take().context("has no `mode`")?;
        let timeout = self.timeout_seconds.take().context("has no `timeout_seconds`")?;
        if timeout <= 0.0 {
            bail!("timeout_seconds is {timeout}: nothing would be waited for");
        }
        Ok(Load {
            tool: self.tool.take().context("has no `tool`")?,
            connections,
            amount,
            mode: mode.parse().map_err(|error| anyhow!("mode is `{mode}`: {error}"))?,
            rate,
            warm_up: time(
                "warm_up_seconds",
                self.warm_up_seconds.take().context("has no `warm_up_seconds`")?,
            )?,
            timeout: time("timeout_seconds", timeout)?,
        })
    }

    /// An error when a field is left that the task has no use for.
    fn refuse_leftovers(&self) -> anyhow::Result<()> {
        let fields = [
            ("tool", self.tool.is_some()),
            ("connections", self.connections.is_some()),
            ("requests", self.requests.is_some()),
            ("seconds", self.seconds.is_some()),
            ("mode", self.mode.is_some()),
            ("rate", self.rate.is_some()),
            ("share_of_peak", self.share_of_peak.is_some()),
            ("peak", self.peak.is_some()),
            ("warm_up_seconds", self.warm_up_seconds.is_some()),
            ("timeout_seconds", self.timeout_seconds.is_some()),
        ];
        match fields.into_iter().find(|(_, left)| *left) {
            Some((name, _)) => bail!("`{name}` says nothing for this task"),
            None => Ok(()),
        }
    }
}

impl Workload {
    /// How it loads a server, if it does.
    pub fn load(&self) -> Option<&Load> {
        match &self.task {
            Task::Load(load) => Some(load),
            Task::Start | Task::Hold(_) => None,
        }
    }

    /// The same load by another tool.
    #[must_use]
    pub fn by(&self, tool: &str) -> Self {
        let mut other = self.clone();
        if let Task::Load(load) = &mut other.task {
            tool.clone_into(&mut load.tool);
        }
        other
    }

    /// Connections open at once.
    pub fn connections(&self) -> u32 {
        match &self.task {
            Task::Load(load) => load.connections,
            Task::Start => 1,
            Task::Hold(connections) => *connections,
        }
    }

    /// The workload that has to be measured before, whose throughput is the peak.
    pub fn peak(&self) -> Option<&str> {
        match &self.load()?.rate {
            Some(Rate::OfPeak { peak, .. }) => Some(peak),
            _ => None,
        }
    }

    /// It as it is stored.
    pub fn record(&self) -> WorkloadRecord {
        let load = self.load();
        let amount = load.map(|load| load.amount);
        let rate = |rate: &Rate| match rate {
            Rate::PerSecond(rate) => RateRecord { per_second: Some(*rate), share: None, peak: None },
            Rate::OfPeak { share, peak } => {
                RateRecord { per_second: None, share: Some(*share), peak: Some(peak.clone()) }
            }
        };
        let published = |published: &Published| PublishedRecord {
            baseline: published.baseline.clone(),
            contender: published.contender.clone(),
            ratio: published.ratio,
        };
        WorkloadRecord {
            name: self.name.clone(),
            title: self.title.clone(),
            path: self.path.clone(),
            task: match self.task {
                Task::Load(_) => TaskRecord::Load,
                Task::Start => TaskRecord::Start,
                Task::Hold(_) => TaskRecord::Hold,
            },
            connections: self.connections(),
            mode: load.map(|load| load.mode.to_string()),
            requests: amount.and_then(|amount| match amount {
                Amount::Requests(requests) => Some(requests),
                Amount::Time(_) => None,
            }),
            seconds: amount.and_then(|amount| match amount {
                Amount::Requests(_) => None,
                Amount::Time(time) => Some(time.as_secs_f64()),
            }),
            warm_up_seconds: load.map(|load| load.warm_up.as_secs_f64()),
            timeout_seconds: load.map(|load| load.timeout.as_secs_f64()),
            rate: load.and_then(|load| load.rate.as_ref()).map(rate),
            published: self.published.as_ref().map(published),
        }
    }
}

fn time(field: &str, seconds: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| anyhow!("{field} is {seconds}: it has to be 0 or more"))
}

#[cfg(test)]
impl Load {
    /// A load of 100 connections for the tests of a tool.
    pub(crate) fn example(tool: &str, amount: Amount, mode: Mode) -> Self {
        Self {
            tool: tool.into(),
            connections: 100,
            amount,
            mode,
            rate: None,
            warm_up: Duration::ZERO,
            timeout: Duration::from_secs(10),
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
        timeout_seconds = 10
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
        let load = suite.workloads[0].load().unwrap();
        assert_eq!(load.amount, Amount::Time(Duration::from_secs(5)));
        assert_eq!((load.mode, &load.rate), (Mode::KeepAlive, &None));
    }

    #[test]
    fn reads_other_tasks_and_rates() {
        let open = SUITE.replace("mode =", "share_of_peak = 0.5\npeak = \"two\"\nmode =");
        let suite = read(&open).unwrap();
        let rate = Rate::OfPeak { share: 0.5, peak: "two".into() };
        assert_eq!(suite.workloads[0].load().unwrap().rate, Some(rate));
        assert_eq!(suite.workloads[0].peak(), Some("two"));

        let head = SUITE.split("tool =").next().unwrap();
        let suite = read(&(head.to_owned() + "task = \"hold\"\nconnections = 9\nrepetitions = 2\n")).unwrap();
        assert!(matches!(suite.workloads[0].task, Task::Hold(9)));
        assert_eq!(suite.workloads[0].repetitions, 2);

        let suite = read("about = \"x\"\nsuites = [\"one\", \"two\"]").unwrap();
        assert_eq!((suite.workloads.len(), suite.suites.len()), (0, 2));
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
            (SUITE.replace("tool =", "task = \"start\"\ntool ="), "`tool` says nothing for this task"),
            (SUITE.replace("tool =", "rate = 0\ntool ="), "rate is 0"),
            (
                SUITE.replace("tool =", "peak = \"x\"\ntool ="),
                "either `rate`, or `share_of_peak` with `peak`",
            ),
            (SUITE.replace("tool =", "peak = \"x\"\nshare_of_peak = 2\ntool ="), "between 0 and 1"),
            (SUITE.replace("timeout_seconds = 10", ""), "has no `timeout_seconds`"),
            ("about = \"x\"".into(), "either `[[workload]]` or `suites`"),
        ];
        for (text, expected) in cases {
            let message = format!("{:#}", read(&text).unwrap_err());
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("example.toml"), "{message}");
        }
    }
}
