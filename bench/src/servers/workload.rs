//! Workloads: TOML files in `bench/workloads/`, or a person's own, each a suite of one workload or more.

mod file;
mod mode;

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::store::record::{PublishedRecord, RateRecord, TaskRecord, WorkloadRecord};
pub use mode::Mode;

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
