//! A measurement: servers are built, the plan is run, and a record of each run is kept as it happens.

mod prepare;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::bail;
use indicatif::HumanDuration;

use crate::cores::Cores;
use crate::host::{self, Host};
use crate::plan::{Planned, plan};
use crate::progress::Progress;
use crate::record::{Bound, ErrorKind, ErrorRecord, Record, SCHEMA, ServerRecord, TaskRecord, ToolRecord};
use crate::results::Results;
use crate::run::{self, Made, Run};
use crate::server::Server;
use crate::summary::summarise;
use crate::tool;
use crate::workload::{Mode, Rate, Workload};

use prepare::{Prepared, Tool};

/// A measurement is made at most so much longer by further attempts: a machine that is never quiet is not waited for.
const LONGER_AT_MOST: f64 = 0.25;

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
}

/// Which server has a twin.
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
struct Entrant<'a> {
    /// Its name, or that of its twin.
    name: String,
    server: &'a Server,
    prepared: Prepared,
    is_twin: bool,
}

impl<'a> Measurement<'a> {
    /// Builds the servers, runs the plan, and appends a record a run to `results`, in which what is there already is not run
    /// again. A run that fails is a record too; an error means that records cannot be kept.
    pub fn run(&self, results: &mut Results, done: Vec<Record>) -> anyhow::Result<Tally> {
        self.announce();
        let tools: Vec<Tool> =
            self.workloads.iter().map(|workload| prepare::find_tool(self.host, workload)).collect();
        let entrants = self.entrants(prepare::servers(self.host, self.servers));
        let mut tally = Tally { failed: 0, interrupted: self.host.interrupted() };
        if tally.interrupted {
            return Ok(tally);
        }
        refuse_other_versions(&entrants, &done)?;
        self.cores.pin_harness()?;
        let mut session = Session { measurement: self, entrants: &entrants, tools: &tools, done, results };
        session.record_the_blocked(&mut tally)?;
        session.run_the_plan(&mut tally)?;
        Ok(tally)
    }

    /// Says beforehand how long it takes, by the plan.
    fn announce(&self) {
        let has_twin = match self.control {
            Control::Best => self.servers.len() > 1,
            Control::Named(_) => true,
            Control::Off => false,
        };
        let entrants = self.servers.len() + usize::from(has_twin);
        let time: Duration = self
            .workloads
            .iter()
            .map(|workload| run::expected(workload) * workload.repetitions * count_of(entrants))
            .sum();
        let some = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        eprintln!(
            "{} under {}: about {} once all is built",
            some(self.servers.len(), "server"),
            some(self.workloads.len(), "workload"),
            HumanDuration(time)
        );
    }

    /// The servers, and the twin of one of them.
    fn entrants(&self, prepared: Vec<Prepared>) -> Vec<Entrant<'a>> {
        let entrant = |(server, prepared): (&&'a Server, Prepared)| Entrant {
            name: server.name.clone(),
            server,
            prepared,
            is_twin: false,
        };
        let mut entrants: Vec<Entrant> = self.servers.iter().zip(prepared).map(entrant).collect();
        let ready: Vec<&Entrant> = entrants.iter().filter(|entrant| entrant.prepared.is_ok()).collect();
        // Of equals the first, so that a person's order counts.
        let best = ready.iter().rev().max_by_key(|entrant| entrant.kept_rules());
        let wanted = match &self.control {
            Control::Best => best.filter(|_| ready.len() > 1).copied(),
            Control::Named(name) => ready.iter().find(|entrant| entrant.name == *name).copied(),
            Control::Off => None,
        };
        let twin = wanted.map(|entrant| Entrant {
            name: format!("{}-twin", entrant.name),
            server: entrant.server,
            prepared: entrant.prepared.clone(),
            is_twin: true,
        });
        entrants.extend(twin);
        entrants
    }
}

impl Entrant<'_> {
    /// How many conformance cases it passed.
    fn kept_rules(&self) -> u64 {
        let conformance = self.prepared.as_ref().ok().and_then(|ready| ready.conformance.as_ref());
        conformance.map_or(0, |found| found.passed)
    }
}

/// A measurement at work.
struct Session<'a> {
    measurement: &'a Measurement<'a>,
    entrants: &'a [Entrant<'a>],
    tools: &'a [Tool],
    /// Every record that there is, also of a session before.
    done: Vec<Record>,
    results: &'a mut Results,
}

impl Session<'_> {
    /// A row for each server under each workload that cannot be run, and a loud line for each reason.
    fn record_the_blocked(&mut self, tally: &mut Tally) -> anyhow::Result<()> {
        let workloads = self.measurement.workloads;
        for entrant in self.entrants.iter().filter(|entrant| !entrant.is_twin) {
            if let Err(error) = &entrant.prepared {
                eprintln!("{} is left out: {}", entrant.name, error.message);
            }
        }
        for (workload, tool) in workloads.iter().zip(self.tools) {
            if let Err(error) = tool {
                eprintln!("{} is left out: {}", workload.name, error.message);
            }
        }
        for (workload, tool) in workloads.iter().zip(self.tools) {
            for entrant in self.entrants.iter().filter(|entrant| !entrant.is_twin) {
                if let Some(error) = entrant.prepared.as_ref().err().or(tool.as_ref().err()) {
                    tally.failed += usize::from(error.kind != ErrorKind::Unavailable);
                    let mut record = self.record(workload, entrant, tool, None, 1);
                    record.error = Some(error.clone());
                    let is_same = |known: &Record| is_of(known, &record) && known.error == record.error;
                    if !self.done.iter().any(is_same) {
                        self.results.append(&record)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn run_the_plan(&mut self, tally: &mut Tally) -> anyhow::Result<()> {
        let plan = self.plan();
        let expected = plan.iter().map(|planned| run::expected(&self.workload(planned))).sum();
        let progress = Progress::start(plan.len(), expected);
        let (began, mut useful, mut longer) = (Instant::now(), Duration::ZERO, Duration::ZERO);
        for planned in plan {
            for attempt in 1.. {
                let run_began = Instant::now();
                // The signal that stops us may have ended the server or the tool first: this run counts for nothing.
                let Some((record, loading)) = self.attempt(&planned, attempt, &progress)? else {
                    tally.interrupted = true;
                    return Ok(());
                };
                let took = run_began.elapsed();
                // Of a start, and of connections that are held, the whole run is what is measured.
                useful += loading.unwrap_or(took);
                tally.failed += usize::from(record.error.is_some());
                let is_disturbed =
                    record.verdict.as_ref().is_some_and(|verdict| verdict.bound == Bound::Disturbed);
                self.done.push(record);
                if !is_disturbed || attempt == self.measurement.attempts {
                    break;
                }
                longer += took;
                if longer > expected.mul_f64(LONGER_AT_MOST) {
                    break;
                }
            }
            progress.done();
        }
        let took = began.elapsed();
        progress.say(&format!(
            "{} in all; the harness took {:.1} % of it for itself",
            HumanDuration(took),
            (1.0 - useful.as_secs_f64() / took.as_secs_f64()) * 100.0
        ));
        Ok(())
    }

    /// The runs of every server that is ready under every workload whose tool is there, less those that are done.
    fn plan(&self) -> Vec<Planned> {
        let workloads = self.measurement.workloads;
        let repetitions = workloads.iter().zip(self.tools);
        let repetitions: Vec<u32> =
            repetitions.map(|(workload, tool)| if tool.is_ok() { workload.repetitions } else { 0 }).collect();
        let mut plan = plan(&repetitions, self.entrants.len(), self.measurement.seed);
        let done: HashSet<_> = self
            .done
            .iter()
            .filter_map(|run| {
                Some((&*run.workload.name, &*run.tool.name, &*run.server.name, run.repetition?))
            })
            .collect();
        plan.retain(|planned| {
            let (workload, entrant) = (&workloads[planned.workload], &self.entrants[planned.entrant]);
            let key = (&*workload.name, tool_name(workload), &*entrant.name, planned.repetition);
            entrant.prepared.is_ok() && !done.contains(&key)
        });
        plan
    }

    fn workload(&self, planned: &Planned) -> Workload {
        self.measurement.workloads[planned.workload].clone()
    }

    /// Makes a run, and keeps its record; with it the time in which a tool was at work. `None` when it was interrupted.
    fn attempt(
        &mut self,
        planned: &Planned,
        attempt: u32,
        progress: &Progress,
    ) -> anyhow::Result<Option<(Record, Option<Duration>)>> {
        let Measurement { host, cores, workloads, .. } = *self.measurement;
        let (workload, entrant) = (&workloads[planned.workload], &self.entrants[planned.entrant]);
        let what = format!("{} {} #{}", workload.name, entrant.name, planned.repetition);
        progress.running(&what);
        let tool = &self.tools[planned.workload];
        let mut record = self.record(workload, entrant, tool, Some(planned.repetition), attempt);
        if workload.load().is_some_and(|load| load.mode == Mode::Close) {
            host::wait_for_ports(host, |line| progress.say(line));
        }
        let made = match self.rate(workload, entrant) {
            Ok(rate) => Run { host, cores, workload, server: entrant.server, rate }.make(&mut record),
            Err(message) => {
                record.error = Some(ErrorRecord { kind: ErrorKind::NoPeak, message });
                Made::default()
            }
        };
        if host.interrupted() {
            return Ok(None);
        }
        if let Some(output) = made.output {
            let label = format!("{}-{}", workload.name, entrant.name);
            record.raw = Some(self.results.keep_raw(&label, &output)?);
        }
        self.results.append(&record)?;
        progress.say(&format!("{what}: {}", outcome(&record)));
        Ok(Some((record, made.loading)))
    }

    /// The rate of an open loop, and the peak that it is a share of: the throughput in the first repetition, so that all
    /// repetitions are asked the same.
    fn rate(&self, workload: &Workload, entrant: &Entrant) -> Result<Option<(f64, Option<f64>)>, String> {
        match workload.load().and_then(|load| load.rate.as_ref()) {
            None => Ok(None),
            Some(Rate::PerSecond(rate)) => Ok(Some((*rate, None))),
            Some(Rate::OfPeak { share, peak }) => {
                let is_peak = |run: &&Record| {
                    run.workload.name == *peak
                        && run.tool.name == tool_name(workload)
                        && run.server.name == entrant.name
                        && run.repetition == Some(1)
                };
                let runs: Vec<Record> = self.done.iter().filter(is_peak).cloned().collect();
                let summaries = summarise(&runs);
                let cells = summaries.iter().flat_map(|summary| summary.cells.iter().chain(&summary.twin));
                let found = cells.filter_map(|cell| cell.median(Record::per_second)).next();
                let found = found.filter(|found| *found > 0.0);
                let found =
                    found.ok_or_else(|| format!("its peak is not known: {peak} has no figures of it"))?;
                Ok(Some((share * found, Some(found))))
            }
        }
    }

    /// A record without figures.
    fn record(
        &self,
        workload: &Workload,
        entrant: &Entrant,
        tool: &Tool,
        repetition: Option<u32>,
        attempt: u32,
    ) -> Record {
        let server = entrant.server;
        let ready = entrant.prepared.as_ref().ok();
        let semantics = workload.load().and_then(|load| Some(tool::find(&load.tool).ok()?.semantics(load)));
        Record {
            schema: SCHEMA,
            started: crate::machine::now(),
            workload: workload.record(),
            server: ServerRecord {
                name: entrant.name.clone(),
                twin_of: entrant.is_twin.then(|| server.name.clone()),
                title: server.title.clone(),
                language: server.language.clone(),
                runtime: server.runtime.clone(),
                model: server.model.as_str().into(),
                version: ready.map(|ready| ready.version.clone()),
                article: server.article.clone(),
                conformance: ready.and_then(|ready| ready.conformance.clone()),
            },
            tool: ToolRecord {
                name: tool_name(workload).into(),
                version: tool.clone().ok(),
                semantics,
                command: Vec::new(),
            },
            repetition,
            attempt,
            server_cores: self.measurement.cores.server.clone(),
            tool_cores: self.measurement.cores.tool.clone(),
            verdict: None,
            load: None,
            latency: None,
            connections: None,
            cpu: None,
            memory: None,
            start: None,
            error: None,
            raw: None,
        }
    }
}

/// Runs of two versions of a server are not one cell's.
fn refuse_other_versions(entrants: &[Entrant], done: &[Record]) -> anyhow::Result<()> {
    for entrant in entrants {
        let Ok(ready) = &entrant.prepared else { continue };
        let others = done.iter().filter(|run| run.server.name == entrant.name);
        let other =
            others.filter_map(|run| run.server.version.as_ref()).find(|other| **other != ready.version);
        if let Some(other) = other {
            bail!(
                "--resume: {} is `{}` now, and was `{other}`: measure anew, or leave it out",
                entrant.name,
                ready.version
            );
        }
    }
    Ok(())
}

/// Who asks under a workload.
fn tool_name(workload: &Workload) -> &str {
    workload.load().map_or("bench", |load| &load.tool)
}

fn is_of(one: &Record, other: &Record) -> bool {
    one.workload.name == other.workload.name
        && one.tool.name == other.tool.name
        && one.server.name == other.server.name
}

fn count_of(entrants: usize) -> u32 {
    u32::try_from(entrants).unwrap_or(u32::MAX)
}

/// A run in a few words.
fn outcome(record: &Record) -> String {
    if let Some(error) = &record.error {
        return format!("failed: {}", error.message);
    }
    match record.workload.task {
        TaskRecord::Start => {
            let answer = record.start.map(|start| start.first_answer_seconds * 1e3);
            answer.map_or_else(String::new, |answer| format!("first answer after {answer:.1} ms"))
        }
        TaskRecord::Hold => {
            let each = record.memory_per_connection();
            each.map_or_else(|| "not all stayed open".into(), |each| format!("{each:.0} bytes a connection"))
        }
        TaskRecord::Load => {
            let cpu = record.cpu_per_request();
            let cpu = cpu.map_or_else(String::new, |cpu| format!(", {:.1} µs CPU a request", cpu * 1e6));
            let verdict = record.verdict.as_ref();
            let reason = verdict.and_then(|verdict| verdict.reason.as_ref());
            let reason = reason.map_or_else(String::new, |reason| format!(", {reason}"));
            format!("{:.0} requests/s{cpu}{reason}", record.per_second().unwrap_or(0.0))
        }
    }
}
