//! The loop over the plan: each run becomes a record, and a disturbed run is repeated.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use super::contender::Contender;
use super::forecast::{self, Forecast};
use super::pauses::Pauses;
use super::prepare::Setup;
use super::until::Next;
use super::{Measurement, Tally, probe, rates, run_line};
use crate::analysis::looks::LOOKS;
use crate::measure::plan::{self, Planned};
use crate::measure::run::{Run, RunOutput};
use crate::measure::turns;
use crate::servers::workload::Workload;
use crate::store::record::{Bound, ErrorKind, ErrorRecord, Record};
use crate::store::results::Results;
use crate::text::numbers;
use crate::text::progress::Stage;

/// The maximum share by which retries make a measurement longer: on a machine that is never quiet
/// they do not help.
const RETRY_BUDGET: f64 = 0.25;

/// A measurement whose servers are built.
pub(super) struct Runner<'a> {
    pub(super) measurement: &'a Measurement<'a>,
    pub(super) contenders: &'a [Contender<'a>],
    /// The setup of each workload.
    pub(super) setups: &'a [Setup],
    /// Every record, those made before a resume included.
    pub(super) done: Vec<Record>,
    pub(super) results: &'a mut Results,
    /// The time that retries may still take.
    pub(super) retry_budget: Duration,
    pub(super) tally: Tally,
    /// The throughput of the link between hosts, as a probe has measured it, in megabits per
    /// second.
    pub(super) probed: Option<f64>,
    /// The pauses before the harness reconnects to lost hosts.
    pub(super) pauses: Pauses,
}

/// A run that is stored.
struct Done {
    planned: Planned,
    record: Record,
    /// The time for which the server was under load.
    loaded: Duration,
    /// How long the run took.
    taken: Duration,
}

impl Runner<'_> {
    /// Appends a record for each server under each workload that cannot be run, and warns once for
    /// each reason. Fails when a record cannot be written.
    pub(super) fn record_left_out(&mut self) -> anyhow::Result<()> {
        let Measurement { workloads, progress, .. } = *self.measurement;
        let warn = |what: &str, error: &ErrorRecord| {
            progress.warn(&format!("{what} is left out: {}", error.message));
        };
        let servers = || self.contenders.iter().filter(|contender| !contender.is_duplicate);
        for contender in servers() {
            if let Err(error) = &contender.prepared {
                warn(&contender.name, error);
            }
        }
        for (message, names) in self.lacking() {
            let are = if names.len() == 1 { "is" } else { "are" };
            progress.warn(&format!("{} {are} left out: {message}", names.join(", ")));
        }
        for (workload, setup) in workloads.iter().zip(self.setups) {
            for contender in servers() {
                let refused = contender.refuses(workload);
                if let Some(error) = &refused {
                    warn(&format!("{} {}", workload.name, contender.name), error);
                }
                let unprepared = contender.prepared.as_ref().err().or(setup.lacks.as_ref());
                let Some(error) = unprepared.or(refused.as_ref()) else { continue };
                self.tally.failed += usize::from(error.kind != ErrorKind::Unavailable);
                let mut record = contender.record(workload, setup, None, 1);
                record.error = Some(error.clone());
                let (workload, tool) = (&record.workload.name, &record.tool.name);
                let is_known = |run: &Record| {
                    run.is_of(workload, tool, &record.server.name) && run.error == record.error
                };
                if !self.done.iter().any(is_known) {
                    self.results.append(&record)?;
                }
            }
        }
        Ok(())
    }

    /// Returns what this machine lacks for workloads, each with the names of the workloads that
    /// need it.
    fn lacking(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (workload, setup) in self.measurement.workloads.iter().zip(self.setups) {
            if let Some(error) = &setup.lacks {
                lacking.entry(&error.message).or_default().push(&workload.name);
            }
        }
        lacking
    }

    /// Makes all runs of the plan that are not done yet, until the user interrupts. Fails when a
    /// record cannot be written.
    pub(super) fn run_plan(&mut self) -> anyhow::Result<()> {
        let plan = self.plan();
        let Measurement { workloads, progress, after_repetition, .. } = *self.measurement;
        let servers: Vec<_> = self.contenders.iter().map(|contender| contender.server).collect();
        let expected = workloads.iter().zip(self.setups).map(|(workload, setup)| {
            let each = forecast::expected(workload, &servers);
            (each, self.measurement.share(setup, self.setups))
        });
        let mut forecast = Forecast::new(expected, &plan);
        if !plan.is_empty() {
            self.probed = probe::link(self.measurement, self.contenders);
        }
        let (expected, about) = (forecast.left(), self.measurement.about());
        progress.note(&format!(
            "{}, {about} {}",
            numbers::counted(plan.len(), "run"),
            numbers::time(expected)
        ));
        let stage = progress.stage(plan.len(), "runs");
        stage.set_time_left(expected);
        let (began, mut loaded) = (Instant::now(), Duration::ZERO);
        self.retry_budget = expected.mul_f64(RETRY_BUDGET);
        let mut left = plan.len();
        for repetition in plan::repetitions(&plan) {
            let Some(first) = repetition.first().filter(|first| forecast.is_open(first.workload)) else {
                continue;
            };
            let mut done = |label: &str, run: Done| {
                loaded += run.loaded;
                forecast.done(run.planned.workload, run.taken);
                stage.set_time_left(forecast.left());
                run_line::show(&stage, label, &run.record);
            };
            let turns =
                turns::make(self.measurement, self.contenders, self.setups, &self.done, repetition, &stage);
            if self.measurement.sides.harness().interrupted() {
                self.tally.interrupted = true;
                return Ok(());
            }
            for (planned, mut record, output) in turns.made {
                let loaded = output.load_time.unwrap_or_default();
                self.add_series(&planned, &self.run_of(&planned), &mut record, &stage);
                let record = self.keep(record, output)?;
                done(&self.label(&planned), Done { planned, record, loaded, taken: turns.taken });
            }
            for (planned, idle_share) in turns.alone {
                let Some(run) = self.run(&planned, idle_share, &stage)? else {
                    self.tally.interrupted = true;
                    return Ok(());
                };
                done(&self.label(&planned), run);
            }
            left -= repetition.len();
            if self.is_over(first, forecast.is_spent(first.workload, repetition.len())) {
                left -= forecast.end(first.workload);
                stage.set_time_left(forecast.left());
            }
            if left > 0 {
                after_repetition(self.workload(first), first.repetition);
            }
        }
        drop(stage);
        let taken = began.elapsed();
        if !plan.is_empty() {
            let overhead = 1.0 - loaded.as_secs_f64() / taken.as_secs_f64();
            let taken = numbers::time(taken);
            let share = overhead * 100.0;
            progress.note(&format!("{taken} in total, {share:.1} % of it neither load nor warm-up"));
        }
        Ok(())
    }

    /// Whether the repetitions of a workload end after this one. Tells the user why they end or
    /// continue.
    fn is_over(&self, planned: &Planned, is_spent: bool) -> bool {
        let workload = self.workload(planned);
        let is_look = is_spent || LOOKS.contains(&planned.repetition);
        let Some(until) = self.measurement.until(workload).filter(|_| is_look) else { return false };
        let (next, said) = until.look(&self.done, workload, planned.repetition, is_spent);
        let said = format!("{}: {said}", workload.name);
        match next {
            Next::Further(_) | Next::Narrow => self.measurement.progress.note(&said),
            Next::NoFigures | Next::Spent | Next::Most => self.measurement.progress.warn(&said),
        }
        next.is_end()
    }

    /// Makes a run, and repeats it if it was disturbed, for at most `attempts` attempts and within
    /// the retry budget. A run whose host was lost has no figures, and is repeated regardless of
    /// the budget. Returns the last attempt; `None` when the user interrupted.
    fn run(
        &mut self,
        planned: &Planned,
        idle_share: Option<f64>,
        stage: &Stage,
    ) -> anyhow::Result<Option<Done>> {
        let (began, mut loaded) = (Instant::now(), Duration::ZERO);
        for attempt in 1.. {
            if !self.await_hosts(stage) {
                return Ok(None);
            }
            stage.now(self.current(planned, attempt));
            let attempt_began = Instant::now();
            let Some((record, load_time)) = self.attempt(planned, attempt, idle_share, stage)? else {
                return Ok(None);
            };
            let taken = attempt_began.elapsed();
            // Without a tool, the whole run is measured: a start, or connections that are held.
            loaded += load_time.unwrap_or(taken);
            let is_lost = record.error.as_ref().is_some_and(|error| error.kind == ErrorKind::HostLost);
            self.pauses.note(is_lost);
            let is_disturbed =
                record.verdict.as_ref().is_some_and(|verdict| verdict.bound == Bound::Disturbed);
            let is_affordable = is_lost || is_disturbed && taken <= self.retry_budget;
            if attempt == self.measurement.attempts || !is_affordable {
                let taken = began.elapsed();
                return Ok(Some(Done { planned: *planned, record, loaded, taken }));
            }
            if is_lost {
                // A run that is made again does not count as failed.
                self.tally.failed -= 1;
            } else {
                self.retry_budget -= taken;
            }
            stage.warn(&format!("{}: {}; retrying", self.label(planned), run_line::result(&record)));
        }
        Ok(None)
    }

    /// Waits for a while if hosts were lost, since they may not be back yet. Returns false if the
    /// user interrupted.
    fn await_hosts(&mut self, stage: &Stage) -> bool {
        let Some(pause) = self.pauses.next() else { return true };
        let sides = self.measurement.sides;
        let said = format!("{}: connecting again in {} s", sides.lost_hosts().join(", "), pause.as_secs());
        stage.now(said.clone());
        stage.warn(&said);
        sides.harness().pause(pause)
    }

    /// Returns the name of a run in the progress display.
    fn label(&self, planned: &Planned) -> String {
        let (workload, contender) = (self.workload(planned), &self.contenders[planned.contender]);
        format!("{} {} #{}", workload.name, contender.name, planned.repetition)
    }

    /// Returns the text of the progress line during a run.
    fn current(&self, planned: &Planned, attempt: u32) -> String {
        let (workload, contender) = (self.workload(planned), &self.contenders[planned.contender]);
        let retry = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
        let repetition = self.measurement.progress_of(workload, planned.repetition);
        format!("{repetition}: {}, {}{retry}", workload.name, contender.name)
    }

    fn workload(&self, planned: &Planned) -> &Workload {
        &self.measurement.workloads[planned.workload]
    }

    /// Returns the runs of every server that is ready, under every workload whose tool is
    /// available, except those that are done. A run whose host was lost does not count as done.
    fn plan(&self) -> Vec<Planned> {
        let Measurement { workloads, seed, .. } = *self.measurement;
        let mut plan = plan::plan(workloads, self.contenders.len(), seed);
        let done: HashSet<_> = self
            .done
            .iter()
            .filter(|run| run.error.as_ref().is_none_or(|error| error.kind != ErrorKind::HostLost))
            .filter_map(|run| {
                Some((&*run.workload.name, &*run.tool.name, &*run.server.name, run.repetition?))
            })
            .collect();
        plan.retain(|planned| {
            let (workload, contender) = (&workloads[planned.workload], &self.contenders[planned.contender]);
            let key = (&*workload.name, workload.tool(), &*contender.name, planned.repetition);
            self.setups[planned.workload].lacks.is_none()
                && contender.prepared.is_ok()
                && contender.refuses(workload).is_none()
                && !done.contains(&key)
        });
        // If the repetitions of a workload had ended before a resume, only runs whose host was lost
        // before that end are left.
        for (number, workload) in workloads.iter().enumerate() {
            let Some(until) = self.measurement.until(workload) else { continue };
            let whole = self.whole_repetitions(workload, plan.iter().filter(|run| run.workload == number));
            let is_end = |at: &u32| until.look(&self.done, workload, *at, false).0.is_end();
            let end = LOOKS.into_iter().filter(|look| *look <= whole).find(is_end);
            plan.retain(|planned| {
                planned.workload != number || end.is_none_or(|end| planned.repetition <= end)
            });
        }
        plan
    }

    /// Returns the number of repetitions after which it may have been decided whether more follow:
    /// those in which each server that has runs left was run.
    fn whole_repetitions<'p>(&self, workload: &Workload, left: impl Iterator<Item = &'p Planned>) -> u32 {
        let last = |contender: usize| {
            let server = &self.contenders[contender].name;
            let runs = self.done.iter().filter(|run| run.is_of(&workload.name, workload.tool(), server));
            runs.filter_map(|run| run.repetition).max().unwrap_or(0)
        };
        let contenders: BTreeSet<usize> = left.map(|planned| planned.contender).collect();
        contenders.into_iter().map(last).min().unwrap_or(0)
    }

    /// Makes a run and appends its record. Returns the record and how long the tool ran; `None` when
    /// the user interrupted, since the signal may have ended the server or the tool first.
    fn attempt(
        &mut self,
        planned: &Planned,
        attempt: u32,
        idle_share: Option<f64>,
        stage: &Stage,
    ) -> anyhow::Result<Option<(Record, Option<Duration>)>> {
        let sides = self.measurement.sides;
        let (workload, contender) = (self.workload(planned), &self.contenders[planned.contender]);
        let setup = &self.setups[planned.workload];
        let mut record = contender.record(workload, setup, Some(planned.repetition), attempt);
        self.wait_for_ports(workload, stage);
        let failed = |kind, message| Err(ErrorRecord { kind, message });
        let rate = match sides.revive() {
            Ok(()) => rates::next(&self.done, workload, &contender.name, planned.repetition)
                .or_else(|message| failed(ErrorKind::NoPeak, message)),
            Err(error) => failed(ErrorKind::HostLost, format!("{error:#}")),
        };
        let output = match rate {
            Ok(rate) => {
                let run = Run { rate, idle_share, ..self.run_of(planned) };
                let output = run.make(&mut record);
                self.add_series(planned, &run, &mut record, stage);
                output
            }
            Err(error) => {
                record.error = Some(error);
                RunOutput::default()
            }
        };
        if sides.harness().interrupted() {
            return Ok(None);
        }
        let load_time = output.load_time;
        Ok(Some((self.keep(record, output)?, load_time)))
    }

    /// Returns the planned run as a closed loop.
    fn run_of(&self, planned: &Planned) -> Run<'_> {
        let (sides, setup) = (self.measurement.sides, &self.setups[planned.workload]);
        let server = self.contenders[planned.contender].runs();
        Run { probed: self.probed, ..Run::new(sides, setup, self.workload(planned), server) }
    }

    /// Makes the load of a first repetition once more, if the user asked to see it over time.
    fn add_series(&self, planned: &Planned, run: &Run, record: &mut Record, stage: &Stage) {
        let contender = &self.contenders[planned.contender];
        let is_server = !contender.is_duplicate && !contender.server.is_floor;
        let is_first = is_server && planned.repetition == 1 && record.is_measured();
        if self.measurement.has_series(run.workload) && is_first && !run.sides.harness().interrupted() {
            stage.now(format!("over time: {}", self.label(planned)));
            self.wait_for_ports(run.workload, stage);
            record.series = run.over_time(record);
        }
    }

    /// Waits for free ports if the workload opens a new connection for each request or for every
    /// few requests.
    fn wait_for_ports(&self, workload: &Workload, stage: &Stage) {
        let sides = self.measurement.sides;
        if workload.load().is_some_and(|load| load.mode.requests_per_connection().is_some()) {
            for load in sides.loads() {
                load.host.wait_for_ports(sides.listens(), |line| stage.warn(line));
            }
        }
    }

    /// Stores a run. Fails when that is not possible.
    fn keep(&mut self, mut record: Record, output: RunOutput) -> anyhow::Result<Record> {
        if let Some(printed) = output.printed {
            let label = format!("{}-{}", record.workload.name, record.server.name);
            record.raw = Some(self.results.keep_raw(&label, &printed)?);
        }
        self.results.append(&record)?;
        self.tally.failed += usize::from(record.error.is_some());
        self.done.push(record.clone());
        Ok(record)
    }
}
