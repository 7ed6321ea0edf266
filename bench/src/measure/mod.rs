//! A measurement: servers are built, the plan is run, and a record of each run is kept as it happens.

mod forecast;
pub mod microbench;
mod outcome;
pub mod plan;
mod prepare;
pub mod run;
mod session;

use std::time::Duration;

use anyhow::bail;

use crate::machine::cores::Cores;
use crate::machine::host::Host;
use crate::servers::server::Server;
use crate::servers::workload::Workload;
use crate::store::record::{ErrorKind, ErrorRecord, Record};
use crate::store::results::Results;
use crate::text::numbers;
use crate::text::progress::Progress;

use prepare::{Prepared, Tool};
use session::Session;

/// What is to be measured, where and how.
pub struct Measurement<'a> {
    /// The machine.
    pub host: &'a Host,
    /// Who gets which cores.
    pub cores: &'a Cores,
    /// The seed of the order.
    pub seed: u64,
    /// The servers.
    pub servers: &'a [&'a Server],
    /// Whether one of them is measured a second time under another name, which tells how much of a difference is noise.
    pub control: Control,
    /// The workloads, each with its repetitions.
    pub workloads: &'a [Workload],
    /// How often a run is tried that others disturb.
    pub attempts: u32,
    /// Whom to tell how it goes.
    pub progress: &'a Progress,
}

/// Which server has a duplicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The one that keeps the most rules of HTTP, if there is another one to compare it with: it does the same work each time.
    Best,
    /// This one.
    Named(String),
    /// None.
    Off,
}

/// How a measurement went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Runs without figures, other than for a server or a tool that this machine lacks.
    pub failed: usize,
    /// Whether somebody stopped it. What was run until then is kept.
    pub interrupted: bool,
}

/// A server as it takes part.
struct Contender<'a> {
    /// Its name, or that of its duplicate.
    name: String,
    server: &'a Server,
    prepared: Prepared,
    is_duplicate: bool,
}

impl<'a> Measurement<'a> {
    /// Builds the servers, runs the plan, and appends a record a run to `results`, in which what is there already is not run
    /// again. A run that fails is a record too; an error means that records cannot be kept.
    pub fn run(&self, results: &mut Results, done: Vec<Record>) -> anyhow::Result<Tally> {
        self.announce();
        let tools: Vec<Tool> =
            self.workloads.iter().map(|workload| prepare::find_tool(self.host, workload)).collect();
        // A measurement that is gone on with keeps its duplicate.
        let duplicate = done.iter().find_map(|run| run.server.duplicate_of.clone());
        let control = duplicate.map_or_else(|| self.control.clone(), Control::Named);
        let contenders = self.contenders(prepare::servers(self.host, self.servers, self.progress), &control);
        let mut tally = Tally { failed: 0, interrupted: self.host.interrupted() };
        if tally.interrupted {
            return Ok(tally);
        }
        refuse_other_versions(&contenders, &done)?;
        self.cores.pin_harness()?;
        let mut session =
            Session { measurement: self, contenders: &contenders, tools: &tools, done, results };
        session.record_the_blocked(&mut tally)?;
        session.run_the_plan(&mut tally)?;
        if tally.interrupted {
            self.progress.warn("interrupted: what was measured until now is kept");
        }
        Ok(tally)
    }

    /// Says beforehand how long it takes, by the plan.
    fn announce(&self) {
        let servers = self.servers.iter().filter(|server| !server.is_floor).count();
        let has_duplicate = match self.control {
            Control::Best => servers > 1,
            Control::Named(_) => true,
            Control::Off => false,
        };
        let contenders = self.servers.len() + usize::from(has_duplicate);
        let time: Duration = self
            .workloads
            .iter()
            .map(|workload| run::expected(workload) * workload.repetitions * count_of(contenders))
            .sum();
        let some = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let floor = if servers < self.servers.len() { " and the floor" } else { "" };
        self.progress.note(&format!(
            "{}{floor} under {}: about {} once all is built",
            some(servers, "server"),
            some(self.workloads.len(), "workload"),
            numbers::time(time)
        ));
    }

    /// The servers, and the duplicate of one of them.
    fn contenders(&self, prepared: Vec<Prepared>, control: &Control) -> Vec<Contender<'a>> {
        let contender = |(server, prepared): (&&'a Server, Prepared)| Contender {
            name: server.name.clone(),
            server,
            prepared,
            is_duplicate: false,
        };
        let mut contenders: Vec<Contender> = self.servers.iter().zip(prepared).map(contender).collect();
        let is_ready = |contender: &&Contender| contender.prepared.is_ok() && !contender.server.is_floor;
        let ready: Vec<&Contender> = contenders.iter().filter(is_ready).collect();
        // Of equals the first, so that a person's order counts.
        let best = ready.iter().rev().max_by_key(|contender| contender.kept_rules());
        let wanted = match control {
            Control::Best => best.filter(|_| ready.len() > 1).copied(),
            Control::Named(name) => ready.iter().find(|contender| contender.name == *name).copied(),
            Control::Off => None,
        };
        let duplicate = wanted.map(|contender| Contender {
            name: format!("{}-duplicate", contender.name),
            server: contender.server,
            prepared: contender.prepared.clone(),
            is_duplicate: true,
        });
        contenders.extend(duplicate);
        contenders
    }
}

impl Contender<'_> {
    /// Why it cannot be run under a workload.
    fn refuses(&self, workload: &Workload) -> Option<ErrorRecord> {
        let is_refused = self.server.attached.is_some() && workload.load().is_none();
        is_refused.then(|| ErrorRecord {
            kind: ErrorKind::Unavailable,
            message: "it runs already, and this workload starts its server: give it a `server.toml` and --server-dir".into(),
        })
    }

    /// How many conformance cases it passed.
    fn kept_rules(&self) -> u64 {
        let conformance = self.prepared.as_ref().ok().and_then(|ready| ready.conformance.as_ref());
        conformance.map_or(0, |found| found.passed)
    }
}

/// Runs of two versions of a server are not one cell's.
fn refuse_other_versions(contenders: &[Contender], done: &[Record]) -> anyhow::Result<()> {
    for contender in contenders {
        let Ok(ready) = &contender.prepared else { continue };
        let others = done.iter().filter(|run| run.server.name == contender.name);
        let other =
            others.filter_map(|run| run.server.version.as_ref()).find(|other| **other != ready.version);
        if let Some(other) = other {
            bail!(
                "--resume: {} is `{}` now, and was `{other}`: measure anew, or leave it out",
                contender.name,
                ready.version
            );
        }
    }
    Ok(())
}

fn count_of(contenders: usize) -> u32 {
    u32::try_from(contenders).unwrap_or(u32::MAX)
}
