//! A measurement: the servers are built, the plan is run, and each run is recorded as it happens.
//!
//! ```text
//! servers ──▶ prepare: build, version, conformance ─┬─▶ contenders ─┐
//! workloads ─▶ prepare: is the tool available?      └───────────────┴─▶ plan ─▶ runner ─▶ run ─▶ record
//! ```

mod contender;
pub(crate) mod forecast;
pub mod microbench;
mod pauses;
mod plan;
mod prepare;
mod probe;
mod rates;
mod run;
mod run_line;
mod runner;
mod turns;
mod until;

use std::time::Duration;

use crate::machine::assignment::Layout;
use crate::machine::sides::Sides;
use crate::servers::server::Server;
use crate::servers::workload::Workload;
use crate::store::record::Record;
use crate::store::results::Results;
use crate::text::numbers;
use crate::text::progress::Progress;
use crate::tools::{self, Tool};

use contender::Contender;
use pauses::Pauses;
use prepare::Setup;
use runner::Runner;
pub use until::Until;

/// A measurement to make: what is measured, where, and how.
pub struct Measurement<'a> {
    /// The hosts of the servers and of the load tool.
    pub sides: &'a Sides,
    /// The cores of the servers' host, and the cores of the servers, of the load tool and of the
    /// harness.
    pub layout: &'a Layout,
    /// The seed of the order of runs.
    pub seed: u64,
    /// The servers.
    pub servers: &'a [&'a Server],
    /// Which server is measured twice, as the A/A control.
    pub control: Control,
    /// The workloads with their repetitions. Those of a suite follow one another.
    pub workloads: &'a [Workload],
    /// The condition that ends the repetitions of a workload early; `None` to make all of them.
    pub until: Option<Until>,
    /// The maximum number of attempts at a disturbed run.
    pub attempts: u32,
    /// Whether each load is made once more, to see it over time.
    pub series: bool,
    /// Shows how far the measurement is.
    pub progress: &'a Progress,
    /// Called after all contenders have run a repetition of a workload, with the workload and the
    /// number of the repetition, unless it was the last repetition of the measurement.
    pub after_repetition: &'a dyn Fn(&Workload, u32),
}

/// Which server has a duplicate: it is measured a second time under another name, and the
/// difference between the two is the noise floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The server that passes the most conformance cases, if there is another to compare it with.
    Best,
    /// The server of this name.
    Named(String),
    /// No server.
    Off,
}

/// How a measurement ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// The number of runs without figures, except those for which this machine lacks a server or a
    /// tool.
    pub failed: usize,
    /// Whether the user interrupted it. The runs made until then are kept.
    pub interrupted: bool,
}

impl Measurement<'_> {
    /// Builds the servers, runs the plan, and appends one record per run to `results`. Runs that
    /// are in `done` are not made again. A run that fails is recorded too. Fails when a record
    /// cannot be written, or when a server's version differs from the one in `done`.
    pub fn run(&self, results: &mut Results, done: Vec<Record>) -> anyhow::Result<Tally> {
        let setup = |workload: &Workload| {
            let until = self.until(workload).map(|until| until.record());
            Setup { until, ..prepare::setup(self.sides, self.layout, workload) }
        };
        let setups: Vec<Setup> = self.workloads.iter().map(setup).collect();
        self.announce(&setups);
        // A resumed measurement keeps its duplicate.
        let duplicate = done.iter().find_map(|run| run.server.duplicate_of.clone());
        let control = duplicate.map_or_else(|| self.control.clone(), Control::Named);
        let prepared = prepare::servers(self.sides, self.servers, self.progress);
        let contenders = Contender::all(self.servers, prepared, &control);
        let tally = Tally { failed: 0, interrupted: self.sides.harness().interrupted() };
        if tally.interrupted {
            return Ok(tally);
        }
        contender::refuse_other_versions(&contenders, &done)?;
        self.sides.harness().pin_harness(&self.layout.cores)?;
        let mut runner = Runner {
            measurement: self,
            contenders: &contenders,
            setups: &setups,
            done,
            results,
            retry_budget: Duration::ZERO,
            tally,
            probed: None,
            pauses: Pauses::default(),
        };
        runner.record_left_out()?;
        runner.run_plan()?;
        if runner.tally.interrupted {
            self.progress.warn("interrupted: the runs made until now are kept");
        }
        Ok(runner.tally)
    }

    /// When the repetitions of a workload end; `None` where their number is fixed.
    fn until(&self, workload: &Workload) -> Option<Until> {
        self.until.filter(|_| Until::applies_to(workload))
    }

    /// Whether the load of a workload is made once more. That of a search for capacity is not: a
    /// search consists of many loads.
    fn has_series(&self, workload: &Workload) -> bool {
        let tool = workload.load().and_then(|load| tools::find(&load.tool).ok());
        self.series && !workload.searches() && tool.is_some_and(Tool::reports_series)
    }

    /// Returns how long the runs of a workload may take: an equal share of the budget. `None` if
    /// the number of runs is fixed, or there are none.
    fn share(&self, setup: &Setup, setups: &[Setup]) -> Option<Duration> {
        let sharing = u32::try_from(setups.iter().filter(|setup| setup.has_budget()).count()).ok()?;
        self.until.filter(|_| setup.has_budget())?.budget.checked_div(sharing)
    }

    /// Which repetition of a workload this is: `repetition 2 of 5`.
    fn progress_of(&self, workload: &Workload, repetition: u32) -> String {
        let most = if self.until(workload).is_some() { "at most " } else { "" };
        format!("repetition {repetition} of {most}{}", workload.repetitions)
    }

    /// Returns the words that precede an expected time.
    fn about(&self) -> &'static str {
        if self.until.is_some() { "at most about" } else { "about" }
    }

    /// Tells the user before the builds how long the runs will take.
    fn announce(&self, setups: &[Setup]) {
        let servers = self.servers.iter().filter(|server| !server.is_floor).count();
        let has_duplicate = match self.control {
            Control::Best => servers > 1,
            Control::Named(_) => true,
            Control::Off => false,
        };
        let contenders = self.servers.len() + usize::from(has_duplicate);
        let floor = if servers < self.servers.len() { " and the floor" } else { "" };
        let run = self.workloads.iter().zip(setups).filter(|(_, setup)| setup.lacks.is_none());
        let times: Vec<Duration> = run
            .map(|(workload, setup)| {
                let all = forecast::total([workload], self.servers, contenders);
                let repeated = self.share(setup, setups).map_or(all, |share| share.min(all));
                let once = Workload { repetitions: u32::from(self.has_series(workload)), ..workload.clone() };
                repeated + forecast::total([&once], self.servers, contenders)
            })
            .collect();
        self.progress.note(&format!(
            "{}{floor} under {}: {} {} once the servers are built",
            numbers::counted(servers, "server"),
            numbers::counted(times.len(), "workload"),
            self.about(),
            numbers::time(times.iter().sum())
        ));
    }
}
