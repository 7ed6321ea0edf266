//! A repetition in slices: several servers stand side by side, and one at a time is loaded for a
//! moment.
//!
//! ```text
//! stand up  a b c                 all are started and verified, and the tool's connections opened
//! idle      a b c                 who uses CPU time now is taken down, and measured alone
//! warm-up   a │ b │ c
//! block 1   c │ a │ b             a slice each, in an order that is shuffled anew
//! block 2   a │ c │ b
//! …
//! take down a b c
//! ```
//!
//! A slice is `warm` and `run` of the tool, which answers each once the last request is answered:
//! so no request is on its way where the counters are read, and they count this slice alone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::counters::{Counters, Spent};
use super::loaded_server::LoadedServer;
use super::{Run, RunOutput, failed};
use crate::analysis::verdict;
use crate::checks::verify;
use crate::machine::cores::Cores;
use crate::machine::host::{self, Launch, Memory, Process, Usage};
use crate::servers::workload::{Amount, Load};
use crate::store::record::{ConnectionsRecord, ErrorKind, ErrorRecord, Record, SlicesRecord};
use crate::tools::{self, LoadSpec, SliceOutput, SlicedTool};

/// The load before each slice that is in no figure, as a share of the slice: it refills the caches
/// that other servers have used meanwhile. METHODOLOGY.md has the experiment.
const WARM_UP: f64 = 0.1;

/// For how long nobody is asked, to see which server uses CPU time all the same.
const IDLE_LOOK: Duration = Duration::from_millis(100);

/// The share of a core that an idle server may use: at most a hundredth of what is measured beside
/// it.
const IDLE_FROM: f64 = 0.01;

/// Blocks that are added where slices were disturbed, as a share of those that were planned.
const MORE_BLOCKS: f64 = 0.25;

/// How much longer than its load the tool's answer may take: it opens connections, and waits for the
/// last answers.
const GRACE: Duration = Duration::from_secs(60);

/// A run that takes part, with its record.
pub(in crate::measure) struct Seat<'a> {
    pub(in crate::measure) run: Run<'a>,
    pub(in crate::measure) record: Record,
    pub(in crate::measure) output: RunOutput,
    /// The share of a core that the server used although nothing was asked of it; `None` unless that
    /// is too much for the others, and the run has to be made alone.
    pub(in crate::measure) busy_when_idle: Option<f64>,
    load: &'a Load,
    standing: Option<Standing>,
}

/// A server that stands, with its tool and what they have done until now.
struct Standing {
    server: LoadedServer,
    at_rest: Option<Memory>,
    tool: Process,
    sliced: &'static dyn SlicedTool,
    cores: Vec<usize>,
    slices: Vec<Slice>,
    idle: Idle,
}

struct Slice {
    began: Instant,
    output: SliceOutput,
    spent: Spent,
    tool: Usage,
    is_disturbed: bool,
}

/// What a server used between its slices.
#[derive(Default)]
struct Idle {
    /// The end of the last slice, and what the server had used by then.
    since: Option<(Instant, Duration)>,
    wall: Duration,
    cpu: Duration,
}

/// How often each server gets a slice: in the time that the load is to take, without the warm-up.
pub(in crate::measure) fn blocks(load: &Load, slice: Duration) -> u32 {
    let time = match load.amount {
        Amount::Time(time) => time,
        Amount::Requests(_) => Duration::ZERO,
    };
    let blocks = (time.as_secs_f64() / slice.mul_f64(1.0 + WARM_UP).as_secs_f64()).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a day by a slice")]
    (blocks as u32).max(1)
}

/// Makes the runs of a repetition in slices. The figures of each, or the error that it ended with,
/// are in its record afterwards. `now` is called before each block.
pub(in crate::measure) fn measure(
    seats: &mut [Seat],
    slice: Duration,
    random: &mut fastrand::Rng,
    now: impl Fn(&str),
) {
    now("starting");
    for seat in seats.iter_mut() {
        seat.stand_up();
    }
    look_at_idle(seats);
    for seat in seats.iter_mut() {
        seat.step(|standing, load, output| standing.warm_up(load.warm_up, load, output));
    }
    let Some(blocks) = seats.iter().map(|seat| blocks(seat.load, slice)).max() else { return };
    let most = blocks + (f64::from(blocks) * MORE_BLOCKS).round() as u32;
    let began = Instant::now();
    let mut order: Vec<usize> = (0..seats.len()).collect();
    for block in 1..=most {
        let is_enough = |seat: &Seat| {
            seat.standing.as_ref().is_none_or(|standing| standing.undisturbed() >= blocks as usize)
        };
        if block > blocks && seats.iter().all(is_enough) {
            break;
        }
        now(&format!("block {block} of {}", blocks.max(block)));
        random.shuffle(&mut order);
        for index in &order {
            let Some(seat) = seats.get_mut(*index) else { continue };
            seat.step(|standing, load, output| standing.slice(slice, load, output));
        }
    }
    for seat in seats {
        seat.take_down(slice, began);
    }
}

/// Takes down the servers that use CPU time although nothing is asked of them.
fn look_at_idle(seats: &mut [Seat]) {
    let mut before = Vec::with_capacity(seats.len());
    for seat in seats.iter_mut() {
        before.push((Instant::now(), seat.cpu()));
    }
    std::thread::sleep(IDLE_LOOK);
    for (seat, (since, before)) in seats.iter_mut().zip(before) {
        let (Some(before), Some(after)) = (before, seat.cpu()) else { continue };
        let share = after.saturating_sub(before).as_secs_f64() / since.elapsed().as_secs_f64();
        if share > IDLE_FROM {
            seat.busy_when_idle = Some(share);
            seat.standing = None;
        }
    }
}

impl<'a> Seat<'a> {
    pub(in crate::measure) fn new(run: Run<'a>, load: &'a Load, record: Record) -> Self {
        Self { run, record, output: RunOutput::default(), busy_when_idle: None, load, standing: None }
    }

    fn stand_up(&mut self) {
        match Standing::new(&self.run, self.load, &mut self.record) {
            Ok(standing) => self.standing = Some(standing),
            Err(error) => self.record.error = Some(error),
        }
    }

    /// Makes a step of a run that has not failed. After an error its processes are ended.
    fn step(&mut self, step: impl FnOnce(&mut Standing, &Load, &mut RunOutput) -> Result<(), ErrorRecord>) {
        let Some(standing) = &mut self.standing else { return };
        if let Err(error) = step(standing, self.load, &mut self.output) {
            self.record.error = Some(error);
            self.standing = None;
        }
    }

    fn cpu(&self) -> Option<Duration> {
        Some(self.standing.as_ref()?.server.usage().ok()??.cpu)
    }

    fn take_down(&mut self, slice: Duration, began: Instant) {
        let Some(standing) = self.standing.take() else { return };
        let result = standing.take_down(self, slice, began);
        self.record.error = result.err();
        self.record.verdict = verdict::of_run(&self.record);
    }
}

impl Standing {
    fn new(run: &Run, load: &Load, record: &mut Record) -> Result<Self, ErrorRecord> {
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        let sliced = tool.sliced().context("the tool cannot load in slices");
        let sliced = sliced.map_err(failed(ErrorKind::Unavailable))?;
        let server = LoadedServer::start(run).map_err(failed(ErrorKind::Start))?;
        let at_rest = server.at_rest();
        verify::before_timing(server.address(), run.workload, run.server)
            .map_err(failed(ErrorKind::WrongAnswer))?;
        let url = format!("http://{}{}", server.address(), run.workload.path);
        let spec = LoadSpec {
            load,
            amount: load.amount,
            rate: None,
            answer: &run.workload.answer,
            cores: run.cores.tool.len(),
            url: &url,
        };
        record.tool.command = sliced.command(&spec);
        let launch = Launch::new(&record.tool.command, Path::new("/")).on(&run.cores.tool).commanded();
        let mut tool = run.host.start(&launch).map_err(failed(ErrorKind::Tool))?;
        // By this line its connections are open.
        tool.line(load.timeout + GRACE).map_err(failed(ErrorKind::Tool))?;
        let cores = Cores { server: record.server_cores.clone(), ..run.cores.clone() }.all();
        Ok(Self { server, at_rest, tool, sliced, cores, slices: Vec::new(), idle: Idle::default() })
    }

    fn undisturbed(&self) -> usize {
        self.slices.iter().filter(|slice| !slice.is_disturbed).count()
    }

    /// Loads the server for a time that is in no figure.
    fn warm_up(&mut self, time: Duration, load: &Load, output: &mut RunOutput) -> Result<(), ErrorRecord> {
        if !time.is_zero() {
            self.command(&self.sliced.warm_up(time), time, load, output)?;
        }
        Ok(())
    }

    /// Gives the tool a command, and returns its answer.
    fn command(
        &mut self,
        command: &str,
        time: Duration,
        load: &Load,
        output: &mut RunOutput,
    ) -> Result<SliceOutput, ErrorRecord> {
        let began = Instant::now();
        let answer = self.tool.ask(command, time + load.timeout + GRACE);
        *output.load_time.get_or_insert_default() += began.elapsed();
        self.server.check_running().map_err(failed(ErrorKind::Died))?;
        let answer = answer.and_then(|line| self.sliced.parse_slice(&line));
        answer.map_err(failed(ErrorKind::Tool))
    }

    /// Loads the server for a slice, and counts what that costs.
    fn slice(&mut self, time: Duration, load: &Load, output: &mut RunOutput) -> Result<(), ErrorRecord> {
        self.end_idle()?;
        self.warm_up(time.mul_f64(WARM_UP), load, output)?;
        let began = Instant::now();
        let tool_before = self.tool.usage().map_err(failed(ErrorKind::Tool))?;
        let before = Counters::before(&self.server, &self.cores).map_err(failed(ErrorKind::Died))?;
        let slice = self.command(&self.sliced.slice(time), time, load, output)?;
        let spent = before.spent(&self.server, &self.cores).map_err(failed(ErrorKind::Died))?;
        let tool = self.tool.usage().map_err(failed(ErrorKind::Tool))?.since(&tool_before);
        let is_disturbed = verdict::is_slice_disturbed(
            spent.wall.as_secs_f64(),
            spent.external_seconds(&tool),
            spent.throttled.as_ref().map(Duration::as_secs_f64),
            self.cores.len(),
        );
        self.slices.push(Slice { began, output: slice, spent, tool, is_disturbed });
        self.begin_idle()
    }

    fn begin_idle(&mut self) -> Result<(), ErrorRecord> {
        let used = self.server.usage().map_err(failed(ErrorKind::Died))?;
        self.idle.since = used.map(|used| (Instant::now(), used.cpu));
        Ok(())
    }

    fn end_idle(&mut self) -> Result<(), ErrorRecord> {
        let used = self.server.usage().map_err(failed(ErrorKind::Died))?;
        if let Some(((since, before), used)) = self.idle.since.take().zip(used) {
            self.idle.wall += since.elapsed();
            self.idle.cpu += used.cpu.saturating_sub(before);
        }
        Ok(())
    }

    /// Ends tool and server, and records what they have done.
    fn take_down(mut self, seat: &mut Seat, slice: Duration, began: Instant) -> Result<(), ErrorRecord> {
        let (load, record) = (seat.load, &mut seat.record);
        self.end_idle()?;
        let seen = host::established(self.server.address());
        record.memory = self.server.memory(self.at_rest);
        let report = self.tool.last_line(load.timeout + GRACE).map_err(failed(ErrorKind::Tool))?;
        self.tool.kill().map_err(failed(ErrorKind::Tool))?;
        self.server.end().map_err(failed(ErrorKind::Died))?;
        seat.output.printed = Some(report.clone());
        let columns = columns(&self.slices, slice, began);
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        seat.run.record_report(tool.parse(&report), record)?;
        let counted: Vec<&Slice> = columns.counted().filter_map(|index| self.slices.get(index)).collect();
        let spent = counted.iter().map(|slice| (slice.spent, slice.tool));
        let sum = spent.reduce(|(spent, tool), (more, more_tool)| (spent + more, tool.and(more_tool)));
        record.cpu = sum.map(|(spent, tool)| spent.record(&tool));
        if let Some(cpu) = record.cpu.as_mut().filter(|_| !self.idle.wall.is_zero()) {
            cpu.idle_share = Some(self.idle.cpu.as_secs_f64() / self.idle.wall.as_secs_f64());
        }
        if let Some(all) = &mut record.load {
            // The tool's own sums have the disturbed slices too.
            all.elapsed_seconds = counted.iter().map(|slice| slice.output.elapsed_seconds).sum();
            all.answered = counted.iter().map(|slice| slice.output.answered).sum();
        }
        record.connections = Some(ConnectionsRecord { asked: load.connections, seen, accepted: None });
        record.slices = Some(columns);
        Ok(())
    }
}

/// The stored form of slices.
fn columns(slices: &[Slice], slice: Duration, began: Instant) -> SlicesRecord {
    // To the nanosecond, so that no digits are stored that nothing was measured to.
    let rounded = |seconds: f64| (seconds * 1e9).round() / 1e9;
    let seconds = |value: &dyn Fn(&Slice) -> f64| slices.iter().map(|slice| rounded(value(slice))).collect();
    let known = |value: &dyn Fn(&Slice) -> Option<f64>| {
        slices.iter().map(|slice| value(slice).map(rounded)).collect::<Option<Vec<f64>>>()
    };
    let switches = |slice: &Slice| {
        let used = slice.spent.server?;
        Some(used.voluntary_switches? + used.involuntary_switches?)
    };
    SlicesRecord {
        seconds: slice.as_secs_f64(),
        warm_up_seconds: slice.mul_f64(WARM_UP).as_secs_f64(),
        began_seconds: seconds(&|slice| slice.began.saturating_duration_since(began).as_secs_f64()),
        elapsed_seconds: seconds(&|slice| slice.output.elapsed_seconds),
        answered: slices.iter().map(|slice| slice.output.answered).collect(),
        server_seconds: known(&|slice| Some(slice.spent.server?.cpu.as_secs_f64())).unwrap_or_default(),
        tool_seconds: seconds(&|slice| slice.tool.cpu.as_secs_f64()),
        server_switches: slices.iter().map(switches).collect(),
        external_seconds: known(&|slice| slice.spent.external_seconds(&slice.tool)),
        steal_seconds: known(&|slice| slice.spent.steal_seconds()),
        throttled_seconds: known(&|slice| slice.spent.throttled.as_ref().map(Duration::as_secs_f64)),
        disturbed: (0..slices.len()).filter(|index| slices[*index].is_disturbed).collect(),
    }
}
