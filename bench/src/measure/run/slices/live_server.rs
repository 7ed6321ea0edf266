//! A server that runs beside others, with its own load tool and its slices until now.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::{Share, SlicedRun, WARM_UP, share};
use crate::analysis::verdict;
use crate::machine::cores::Cores;
use crate::machine::host::{Host, Launch, Memory, Process, Usage};
use crate::measure::run::counters::{self, Counters, Spent};
use crate::measure::run::loaded_server::LoadedServer;
use crate::measure::run::{Run, RunOutput, failed};
use crate::servers::workload::Load;
use crate::store::record::{ConnectionsRecord, ErrorKind, ErrorRecord, Record, SlicesRecord};
use crate::tools::{self, SliceOutput, SlicedTool};

/// How much longer than its load the tool's answer may take: the tool opens connections, and waits
/// for the last answers.
const GRACE: Duration = Duration::from_secs(60);

/// A server that is running, with its tool and its slices until now.
pub(super) struct LiveServer {
    pub(super) server: LoadedServer,
    at_rest: Option<Memory>,
    tool: Process,
    sliced: &'static dyn SlicedTool,
    cores: Cores,
    /// The number of connections that were open at the last look.
    pub(super) connections: Option<u64>,
    pub(super) share: Share,
    pub(super) slices: Vec<Slice>,
    idle: Idle,
    /// The frequencies of all cores at the end of the warm-up.
    hertz: Option<Vec<u64>>,
}

/// The counts of a slice.
pub(super) struct Slice {
    block: u32,
    began: Instant,
    output: SliceOutput,
    spent: Spent,
    tool: Usage,
    pub(super) is_disturbed: bool,
}

/// The CPU time of a server between its slices.
#[derive(Default)]
struct Idle {
    /// The end of the last slice, and the server's CPU time by then.
    since: Option<(Instant, Duration)>,
    wall: Duration,
    cpu: Duration,
}

impl LiveServer {
    pub(super) fn new(run: &Run, load: &Load, record: &mut Record) -> Result<Self, ErrorRecord> {
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        let sliced = tool.sliced().context("the tool cannot load in slices");
        let sliced = sliced.map_err(failed(ErrorKind::Unavailable))?;
        let (server, at_rest) = run.verified_server()?;
        let url = run.url(server.address());
        let spec = run.spec(load, &url);
        record.tool.command = sliced.command(&spec);
        // The tool has read its files by the time that it is ready.
        let folder = run.tool_folder(run.sides.harness(), tool).map_err(failed(ErrorKind::Tool))?;
        let launch = Launch::new(&record.tool.command, folder.path()).on(&run.cores.tool).commanded();
        let mut tool = run.sides.harness().start(&launch).map_err(failed(ErrorKind::Tool))?;
        // The tool prints this line once its connections are open.
        let ready = tool.line(load.timeout + GRACE).and_then(|line| sliced.parse_ready(&line));
        let connections = ready.map_err(failed(ErrorKind::Tool))?;
        let cores = Cores { server: record.server_cores.clone(), ..run.cores.clone() };
        let share = Share { slice: Duration::ZERO, every: 1 };
        Ok(Self {
            server,
            at_rest,
            tool,
            sliced,
            cores,
            connections,
            share,
            slices: Vec::new(),
            idle: Idle::default(),
            hertz: None,
        })
    }

    /// Loads the server for the time of its warm-up, which is in no figure. Derives the server's
    /// share from the latency, and reads the frequencies of the cores.
    pub(super) fn prepare(
        &mut self,
        host: &Host,
        warm_up: Duration,
        slice: Duration,
        blocks: u32,
        load: &Load,
        output: &mut RunOutput,
    ) -> Result<(), ErrorRecord> {
        let warm_up = self.warm_up(warm_up.max(slice), load, output)?;
        self.hertz = host.frequencies(&self.cores.all());
        self.connections = warm_up.connections_open;
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

    /// Loads the server for a slice, if it has one in this block, and counts what the slice costs.
    pub(super) fn slice(
        &mut self,
        host: &Host,
        block: u32,
        load: &Load,
        output: &mut RunOutput,
    ) -> Result<(), ErrorRecord> {
        let Share { slice: time, every } = self.share;
        if !block.is_multiple_of(every) {
            return Ok(());
        }
        self.end_idle()?;
        self.warm_up(time.mul_f64(WARM_UP), load, output)?;
        let began = Instant::now();
        let tool_before = self.tool.usage().map_err(failed(ErrorKind::Tool))?;
        let parts = [(host, self.cores.all())];
        let before = Counters::before(&self.server, self.cores.server.len(), &parts);
        let before = before.map_err(failed(ErrorKind::Died))?;
        let slice = self.command(&self.sliced.slice(time), time, load, output)?;
        let spent = before.spent(&self.server, &parts).map_err(failed(ErrorKind::Died))?;
        let tool = self.tool.usage().map_err(failed(ErrorKind::Tool))?.since(&tool_before);
        let is_disturbed = verdict::is_slice_disturbed(
            spent.wall.as_secs_f64(),
            spent.external_seconds(&tool),
            spent.throttled().as_ref().map(Duration::as_secs_f64),
            self.cores.all().len(),
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

    /// Ends tool and server, and records their results.
    pub(super) fn take_down(mut self, sliced_run: &mut SlicedRun, began: Instant) -> Result<(), ErrorRecord> {
        let (load, record) = (sliced_run.load, &mut sliced_run.record);
        self.end_idle()?;
        let seen = sliced_run.run.sides.harness().established(self.server.address());
        record.memory = self.server.memory(self.at_rest);
        let report = self.tool.last_line(load.timeout + GRACE).map_err(failed(ErrorKind::Tool))?;
        self.tool.kill().map_err(failed(ErrorKind::Tool))?;
        self.server.end().map_err(failed(ErrorKind::Died))?;
        sliced_run.output.printed = Some(report.clone());
        let columns = columns(&self.slices, self.share.slice, began);
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        let reported = tool.parse(&report).map_err(failed(ErrorKind::Tool))?;
        sliced_run.run.record_report(reported, record)?;
        let counted: Vec<&Slice> = columns.counted().filter_map(|index| self.slices.get(index)).collect();
        let spent = counted.iter().map(|slice| (slice.spent.clone(), slice.tool));
        let sum = spent.reduce(|(spent, tool), (more, more_tool)| (spent + more, tool.and(more_tool)));
        let server_cores = self.cores.server.len();
        record.cpu = sum.map(|(spent, tool)| spent.record(&tool, server_cores));
        if let Some(cpu) = record.cpu.as_mut().filter(|_| !self.idle.wall.is_zero()) {
            cpu.idle_share = Some(self.idle.cpu.as_secs_f64() / self.idle.wall.as_secs_f64());
        }
        if let Some(cpu) = &mut record.cpu {
            cpu.frequency = self.hertz.map(|hertz| counters::frequency(&hertz, &self.cores));
        }
        if let Some(all) = &mut record.load {
            // The tool's own sums include the disturbed slices.
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
    // To the nanosecond: more digits would be beyond what was measured.
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
        throttled_seconds: known(&|slice| slice.spent.throttled().as_ref().map(Duration::as_secs_f64)),
        disturbed: (0..slices.len()).filter(|index| slices[*index].is_disturbed).collect(),
    }
}
