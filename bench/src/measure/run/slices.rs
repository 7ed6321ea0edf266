//! A repetition in slices: several servers stand side by side, and one at a time is loaded for a
//! moment.
//!
//! ```text
//! stand up  a b c                 all are started and verified, and the tool's connections opened
//! warm-up   a │ b │ c
//! silence   a b c                 a server that uses CPU time now is taken down, and measured alone
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

/// What a slice takes beside its load and its warm-up: the last answers of both, and the reading of
/// the counters.
const BORDER: Duration = Duration::from_millis(4);

/// How many round trips a slice has at least. At its end connections fall silent one by one, for one
/// round trip: so for most of its time all of them are busy.
const ROUND_TRIPS: f64 = 10.0;

/// For how long nothing is asked, to see which server uses CPU time all the same.
const IDLE_LOOK: Duration = Duration::from_millis(50);

/// How often that is looked at, until no server does.
const IDLE_LOOKS: u32 = 3;

/// The share of a core that an idle server may use: at most a hundredth of what is measured beside
/// it.
const IDLE_FROM: f64 = 0.01;

/// Blocks that are added at most where slices were disturbed: one to so many that were planned.
const MORE_BLOCKS: u32 = 4;

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
    share: Share,
    slices: Vec<Slice>,
    idle: Idle,
}

/// What a server has of the blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share {
    /// How long its slices are.
    slice: Duration,
    /// It has one in every so many blocks.
    every: u32,
}

struct Slice {
    block: u32,
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

/// In how many blocks the time of a load is divided.
fn blocks(load: &Load, slice: Duration) -> u32 {
    let time = match load.amount {
        Amount::Time(time) => time,
        Amount::Requests(_) => Duration::ZERO,
    };
    let each = slice.mul_f64(1.0 + WARM_UP) + BORDER;
    let blocks = (time.as_secs_f64() / each.as_secs_f64()).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a day by a slice")]
    (blocks as u32).max(1)
}

/// The share of a server with this round trip: where it is slow its slices are longer, and as many
/// fewer.
fn share(slice: Duration, blocks: u32, round_trip_seconds: f64) -> Share {
    let every = (round_trip_seconds * ROUND_TRIPS / slice.as_secs_f64()).ceil().clamp(1.0, f64::from(blocks));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the number of blocks"
    )]
    Share { slice: slice.mul_f64(every), every: every as u32 }
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
    let Some(blocks) = seats.first().map(|seat| blocks(seat.load, slice)) else { return };
    for seat in seats.iter_mut() {
        seat.step(|standing, load, output| standing.prepare(slice, blocks, load, output));
    }
    take_down_busy(seats);
    let began = Instant::now();
    let mut order: Vec<usize> = (0..seats.len()).collect();
    for block in 1..=blocks + blocks / MORE_BLOCKS {
        if block > blocks && seats.iter().all(|seat| seat.has_enough(blocks)) {
            break;
        }
        now(&format!("block {block} of {}", blocks.max(block)));
        random.shuffle(&mut order);
        for index in &order {
            seats[*index].step(|standing, load, output| standing.slice(block, load, output));
        }
    }
    for seat in seats {
        seat.take_down(began);
    }
}

/// Takes down the servers that use CPU time although nothing is asked of them. One that does so only
/// for a moment, to end what the warm-up has left, stays.
fn take_down_busy(seats: &mut [Seat]) {
    for _ in 0..IDLE_LOOKS {
        let before: Vec<_> = seats.iter().map(|seat| (Instant::now(), seat.cpu())).collect();
        std::thread::sleep(IDLE_LOOK);
        for (seat, (since, before)) in seats.iter_mut().zip(before) {
            let used = before.zip(seat.cpu()).map(|(before, after)| after.saturating_sub(before));
            let share = used.map(|used| used.as_secs_f64() / since.elapsed().as_secs_f64());
            seat.busy_when_idle = share.filter(|share| *share > IDLE_FROM);
        }
        if seats.iter().all(|seat| seat.busy_when_idle.is_none()) {
            return;
        }
    }
    for seat in seats.iter_mut().filter(|seat| seat.busy_when_idle.is_some()) {
        seat.standing = None;
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

    /// Whether it has the undisturbed slices of this number of blocks.
    fn has_enough(&self, blocks: u32) -> bool {
        self.standing.as_ref().is_none_or(|Standing { slices, share, .. }| {
            let undisturbed = slices.iter().filter(|slice| !slice.is_disturbed).count();
            undisturbed >= (blocks / share.every) as usize
        })
    }

    fn take_down(&mut self, began: Instant) {
        let Some(standing) = self.standing.take() else { return };
        let result = standing.take_down(self, began);
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
        let share = Share { slice: Duration::ZERO, every: 1 };
        Ok(Self { server, at_rest, tool, sliced, cores, share, slices: Vec::new(), idle: Idle::default() })
    }

    /// Loads the server for the time of the workload's warm-up, which is in no figure, and sees by the
    /// latency what its share is.
    fn prepare(
        &mut self,
        slice: Duration,
        blocks: u32,
        load: &Load,
        output: &mut RunOutput,
    ) -> Result<(), ErrorRecord> {
        let warm_up = self.warm_up(load.warm_up.max(slice), load, output)?;
        self.share = share(slice, blocks, warm_up.mean_seconds.unwrap_or_default());
        Ok(())
    }

    fn warm_up(
        &mut self,
        time: Duration,
        load: &Load,
        output: &mut RunOutput,
    ) -> Result<SliceOutput, ErrorRecord> {
        self.command(&self.sliced.warm_up(time), time, load, output)
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

    /// Loads the server for a slice, where it has one in this block, and counts what that costs.
    fn slice(&mut self, block: u32, load: &Load, output: &mut RunOutput) -> Result<(), ErrorRecord> {
        let Share { slice: time, every } = self.share;
        if !block.is_multiple_of(every) {
            return Ok(());
        }
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
        self.slices.push(Slice { block, began, output: slice, spent, tool, is_disturbed });
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
    fn take_down(mut self, seat: &mut Seat, began: Instant) -> Result<(), ErrorRecord> {
        let (load, record) = (seat.load, &mut seat.record);
        self.end_idle()?;
        let seen = host::established(self.server.address());
        record.memory = self.server.memory(self.at_rest);
        let report = self.tool.last_line(load.timeout + GRACE).map_err(failed(ErrorKind::Tool))?;
        self.tool.kill().map_err(failed(ErrorKind::Tool))?;
        self.server.end().map_err(failed(ErrorKind::Died))?;
        seat.output.printed = Some(report.clone());
        let columns = columns(&self.slices, self.share.slice, began);
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
        block: slices.iter().map(|slice| slice.block).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::workload::Mode;

    #[test]
    fn a_load_is_divided_into_blocks() {
        let cases = [(1000, 20, 38), (1000, 100, 9), (5000, 20, 192), (30, 20, 1), (1, 1000, 1)];
        for (time, slice, expected) in cases {
            let load = Load::example("visit", Amount::Time(Duration::from_millis(time)), Mode::KeepAlive);
            assert_eq!(blocks(&load, Duration::from_millis(slice)), expected, "{time} by {slice}");
        }
    }

    #[test]
    fn a_slow_server_has_longer_slices_and_as_many_fewer() {
        // Milliseconds of a round trip, of a slice, and in which blocks there is one.
        let cases = [
            (0.0, 20.0, 1),
            (0.7, 20.0, 1),
            (2.0, 20.0, 1),
            (2.1, 40.0, 2),
            (50.0, 500.0, 25),
            (1e6, 760.0, 38),
        ];
        for (round_trip, slice, every) in cases {
            let share = share(Duration::from_millis(20), 38, round_trip / 1e3);
            assert_eq!((share.slice.as_secs_f64() * 1e3, share.every), (slice, every), "{round_trip} ms");
        }
    }
}
