//! The loop over the plan: a run, and its record.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::forecast::Forecast;
use super::outcome::{figure, tell};
use super::prepare::Tool;
use super::{Contender, Measurement, Tally};
use crate::analysis::summary::Cell;
use crate::machine::host;
use crate::measure::plan::{Planned, plan};
use crate::measure::run::{self, Run, RunOutput};
use crate::servers::server::Server;
use crate::servers::workload::{Mode, Rate, Workload};
use crate::store::record::{Bound, ErrorKind, ErrorRecord, Record, SCHEMA, ServerRecord, ToolRecord};
use crate::store::results::Results;
use crate::text::numbers;
use crate::text::progress::Stage;
use crate::tools;

/// A measurement is made at most so much longer by further attempts: a machine that is never quiet is not waited for.
const LONGER_AT_MOST: f64 = 0.25;

/// A measurement at work.
pub(super) struct Session<'a> {
    pub(super) measurement: &'a Measurement<'a>,
    pub(super) contenders: &'a [Contender<'a>],
    pub(super) tools: &'a [Tool],
    /// Every record that there is, also of a session before.
    pub(super) done: Vec<Record>,
    pub(super) results: &'a mut Results,
}

impl Session<'_> {
    /// A row for each server under each workload that cannot be run, and a loud line for each reason.
    pub(super) fn record_the_blocked(&mut self, tally: &mut Tally) -> anyhow::Result<()> {
        let Measurement { workloads, progress, .. } = *self.measurement;
        for contender in self.contenders.iter().filter(|contender| !contender.is_duplicate) {
            if let Err(error) = &contender.prepared {
                progress.warn(&format!("{} is left out: {}", contender.name, error.message));
            }
        }
        for (workload, tool) in workloads.iter().zip(self.tools) {
            if let Err(error) = tool {
                progress.warn(&format!("{} is left out: {}", workload.name, error.message));
            }
            for contender in self.contenders.iter().filter(|contender| !contender.is_duplicate) {
                if let Some(error) = contender.refuses(workload) {
                    progress.warn(&format!(
                        "{} {} is left out: {}",
                        workload.name, contender.name, error.message
                    ));
                }
            }
        }
        for (workload, tool) in workloads.iter().zip(self.tools) {
            for contender in self.contenders.iter().filter(|contender| !contender.is_duplicate) {
                let refused = contender.refuses(workload);
                if let Some(error) =
                    contender.prepared.as_ref().err().or(tool.as_ref().err()).or(refused.as_ref())
                {
                    tally.failed += usize::from(error.kind != ErrorKind::Unavailable);
                    let mut record = self.record(workload, contender, tool, None, 1);
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

    pub(super) fn run_the_plan(&mut self, tally: &mut Tally) -> anyhow::Result<()> {
        let plan = self.plan();
        let Measurement { workloads, progress, .. } = *self.measurement;
        let mut forecast =
            Forecast::new(workloads.iter().map(run::expected), plan.iter().map(|planned| planned.workload));
        let expected = forecast.left();
        let runs = plan.len();
        progress.note(&format!(
            "{runs} run{}, about {}",
            if runs == 1 { "" } else { "s" },
            numbers::time(expected)
        ));
        let stage = progress.stage(runs, "runs");
        stage.set_time_left(expected);
        let (began, mut useful) = (Instant::now(), Duration::ZERO);
        let mut patience = expected.mul_f64(LONGER_AT_MOST);
        for planned in plan {
            let run_began = Instant::now();
            // The signal that stops us may have ended the server or the tool first: this run counts for nothing.
            let Some((load_time, record)) = self.run(&planned, &mut patience, tally, &stage)? else {
                tally.interrupted = true;
                return Ok(());
            };
            useful += load_time;
            forecast.done(planned.workload, run_began.elapsed());
            stage.set_time_left(forecast.left());
            tell(&stage, &self.label(&planned), &record);
        }
        drop(stage);
        let took = began.elapsed();
        if runs > 0 {
            progress.note(&format!(
                "{} in all; the harness took {:.1} % of it for itself",
                numbers::time(took),
                (1.0 - useful.as_secs_f64() / took.as_secs_f64()) * 100.0
            ));
        }
        Ok(())
    }

    /// Tries a run until nobody disturbs it, as often as may be and while there is `patience` left. The time in which tools were
    /// at work, and the last record; `None` when it was interrupted.
    fn run(
        &mut self,
        planned: &Planned,
        patience: &mut Duration,
        tally: &mut Tally,
        stage: &Stage,
    ) -> anyhow::Result<Option<(Duration, Record)>> {
        let mut useful = Duration::ZERO;
        for attempt in 1.. {
            stage.now(self.doing(planned, attempt));
            let began = Instant::now();
            let Some((record, load_time)) = self.attempt(planned, attempt, stage)? else { return Ok(None) };
            let took = began.elapsed();
            // Of a start, and of connections that are held, the whole run is what is measured.
            useful += load_time.unwrap_or(took);
            tally.failed += usize::from(record.error.is_some());
            let is_disturbed =
                record.verdict.as_ref().is_some_and(|verdict| verdict.bound == Bound::Disturbed);
            self.done.push(record.clone());
            if !is_disturbed || attempt == self.measurement.attempts || took > *patience {
                return Ok(Some((useful, record)));
            }
            *patience -= took;
            stage.warn(&format!("{}: {}; it is run again", self.label(planned), figure(&record)));
        }
        Ok(None)
    }

    /// A run in a few words.
    fn label(&self, planned: &Planned) -> String {
        let (workload, contender) = (self.workload(planned), &self.contenders[planned.contender]);
        format!("{} {} #{}", workload.name, contender.name, planned.repetition)
    }

    /// What is done now, in more words.
    fn doing(&self, planned: &Planned, attempt: u32) -> String {
        let (workload, contender) = (self.workload(planned), &self.contenders[planned.contender]);
        let again = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
        format!(
            "repetition {} of {}: {}, {}{again}",
            planned.repetition, workload.repetitions, workload.name, contender.name
        )
    }

    fn workload(&self, planned: &Planned) -> &Workload {
        &self.measurement.workloads[planned.workload]
    }

    /// The runs of every server that is ready under every workload whose tool is there, less those that are done.
    fn plan(&self) -> Vec<Planned> {
        let workloads = self.measurement.workloads;
        let repetitions = workloads.iter().zip(self.tools);
        let repetitions: Vec<u32> =
            repetitions.map(|(workload, tool)| if tool.is_ok() { workload.repetitions } else { 0 }).collect();
        let mut plan = plan(&repetitions, self.contenders.len(), self.measurement.seed);
        let done: HashSet<_> = self
            .done
            .iter()
            .filter_map(|run| {
                Some((&*run.workload.name, &*run.tool.name, &*run.server.name, run.repetition?))
            })
            .collect();
        plan.retain(|planned| {
            let (workload, contender) = (&workloads[planned.workload], &self.contenders[planned.contender]);
            let key = (&*workload.name, tool_name(workload), &*contender.name, planned.repetition);
            contender.prepared.is_ok() && contender.refuses(workload).is_none() && !done.contains(&key)
        });
        plan
    }

    /// Makes a run, and keeps its record; with it the time in which a tool was at work. `None` when it was interrupted.
    fn attempt(
        &mut self,
        planned: &Planned,
        attempt: u32,
        stage: &Stage,
    ) -> anyhow::Result<Option<(Record, Option<Duration>)>> {
        let Measurement { host, cores, workloads, .. } = *self.measurement;
        let (workload, contender) = (&workloads[planned.workload], &self.contenders[planned.contender]);
        let tool = &self.tools[planned.workload];
        let mut record = self.record(workload, contender, tool, Some(planned.repetition), attempt);
        if workload.load().is_some_and(|load| load.mode == Mode::Close) {
            host::wait_for_ports(host, |line| stage.warn(line));
        }
        let made = match self.rate(workload, contender) {
            Ok(rate) => Run { host, cores, workload, server: contender.server, rate }.make(&mut record),
            Err(message) => {
                record.error = Some(ErrorRecord { kind: ErrorKind::NoPeak, message });
                RunOutput::default()
            }
        };
        if host.interrupted() {
            return Ok(None);
        }
        if let Some(output) = made.output {
            let label = format!("{}-{}", workload.name, contender.name);
            record.raw = Some(self.results.keep_raw(&label, &output)?);
        }
        self.results.append(&record)?;
        Ok(Some((record, made.load_time)))
    }

    /// The rate of an open loop, and the peak that it is a share of: the throughput in the first repetition, so that all
    /// repetitions are asked the same.
    fn rate(&self, workload: &Workload, contender: &Contender) -> Result<Option<(f64, Option<f64>)>, String> {
        match workload.load().and_then(|load| load.rate.as_ref()) {
            None => Ok(None),
            Some(Rate::PerSecond(rate)) => Ok(Some((*rate, None))),
            Some(Rate::OfPeak { share, peak }) => {
                let is_peak = |run: &&Record| {
                    run.workload.name == *peak
                        && run.tool.name == tool_name(workload)
                        && run.server.name == contender.name
                        && run.repetition == Some(1)
                };
                let runs: Vec<&Record> = self.done.iter().filter(is_peak).collect();
                // The best attempt at it, as a report would take.
                let found = (!runs.is_empty()).then(|| Cell::new(runs).median(Record::per_second)).flatten();
                let found = found.filter(|found| *found > 0.0);
                let found =
                    found.ok_or_else(|| format!("its peak is not known: {peak} has no figures of it"))?;
                Ok(Some((share * found, Some(found))))
            }
        }
    }

    /// The cores that a server may use: of one that somebody else has started those that the kernel says, where its process is
    /// known.
    fn server_cores(&self, server: &Server) -> Vec<usize> {
        match &server.attached {
            None => self.measurement.cores.server.clone(),
            Some(attached) => attached.process.and_then(|process| process.cores()).unwrap_or_default(),
        }
    }

    /// A record without figures.
    fn record(
        &self,
        workload: &Workload,
        contender: &Contender,
        tool: &Tool,
        repetition: Option<u32>,
        attempt: u32,
    ) -> Record {
        let server = contender.server;
        let ready = contender.prepared.as_ref().ok();
        let semantics = workload.load().and_then(|load| Some(tools::find(&load.tool).ok()?.semantics(load)));
        Record {
            schema: SCHEMA,
            started: crate::machine::now(),
            workload: workload.record(),
            server: ServerRecord {
                name: contender.name.clone(),
                duplicate_of: contender.is_duplicate.then(|| server.name.clone()),
                title: server.title.clone(),
                language: server.language.clone(),
                runtime: server.runtime.clone(),
                model: server.model.as_str().into(),
                version: ready.map(|ready| ready.version.clone()),
                is_floor: server.is_floor,
                is_attached: server.attached.is_some(),
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
            server_cores: self.server_cores(server),
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

/// Who asks under a workload.
fn tool_name(workload: &Workload) -> &str {
    workload.load().map_or("bench", |load| &load.tool)
}

fn is_of(one: &Record, other: &Record) -> bool {
    one.workload.name == other.workload.name
        && one.tool.name == other.tool.name
        && one.server.name == other.server.name
}
