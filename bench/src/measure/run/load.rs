//! A load: a tool asks for a while, and both sides are watched.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use tempfile::TempDir;

use super::subject::Subject;
use super::{Run, RunOutput, failed};
use crate::checks::verify;
use crate::machine::cores::{self, Cores};
use crate::machine::host::{self, Ended, Launch, Process, Usage, Waited};
use crate::servers::workload::{Amount, Load};
use crate::store::record::{
    ConnectRecord, ConnectionsRecord, CpuRecord, ErrorKind, ErrorRecord, LatencyRecord, LoadRecord,
    OpenLoopRecord, Record, UsageRecord,
};
use crate::tools::{self, LoadSpec, Tool, ToolOutput};

/// How much longer than asked a tool may take that goes by time: it starts, it waits for last answers.
const GRACE: Duration = Duration::from_secs(60);

/// How long a tool may take that goes by count: a server with a hundred answers a second gives 10,000 in 100 s.
const BOUND_BY_COUNT: Duration = Duration::from_secs(300);

/// When the server's connections are first counted during a load; the next look is always twice as late, so that a load of
/// any length is looked at a few times and never often.
const FIRST_LOOK: Duration = Duration::from_millis(50);

/// How a load went, seen from outside.
struct Watched {
    ended: Ended,
    tool: Usage,
    connections: Option<u64>,
}

impl Run<'_> {
    pub(super) fn load(
        &self,
        load: &Load,
        record: &mut Record,
        made: &mut RunOutput,
    ) -> Result<(), ErrorRecord> {
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        let folder = tool_folder(tool).map_err(failed(ErrorKind::Tool))?;
        let mut subject = Subject::of(self).map_err(failed(ErrorKind::Start))?;
        let at_rest = subject.at_rest();
        verify::before_timing(subject.address(), self.workload, self.server)
            .map_err(failed(ErrorKind::WrongAnswer))?;

        let url = format!("http://{}{}", subject.address(), self.workload.path);
        let order = LoadSpec {
            load,
            amount: load.amount,
            rate: self.rate.map(|(rate, _)| rate),
            answer: &self.workload.answer,
            cores: self.cores.tool.len(),
            url: &url,
        };
        if !load.warm_up.is_zero() {
            let warm_up = LoadSpec { amount: Amount::Time(load.warm_up), ..order };
            let began = Instant::now();
            let loaded = self.watch(tool, folder.path(), &warm_up, &subject);
            made.load_time = Some(began.elapsed());
            subject.check_running().map_err(failed(ErrorKind::Died))?;
            loaded.map_err(failed(ErrorKind::Tool))?;
        }

        record.tool.command = tool.command(&order);
        let used = self.used_cores(record);
        // What reading the server's use takes is not to count for others'.
        let before = subject.usage().map_err(failed(ErrorKind::Died))?;
        let (throttled_before, busy_before) = (host::throttled(), cores::times(&used));
        let began = Instant::now();
        let loaded = self.watch(tool, folder.path(), &order, &subject);
        let wall = began.elapsed();
        let (throttled_after, busy_after) = (host::throttled(), cores::times(&used));
        let after = subject.usage();
        record.memory = subject.memory(at_rest);
        made.load_time = Some(made.load_time.unwrap_or_default() + wall);
        made.output = loaded.as_ref().ok().map(|watched| watched.ended.output.clone());
        subject.check_running().map_err(failed(ErrorKind::Died))?;
        let after = after.map_err(failed(ErrorKind::Died))?;
        let server = after.zip(before).map(|(after, before)| after.since(&before));
        let watched = loaded.map_err(failed(ErrorKind::Tool))?;
        // All is known. That it ends well when it is asked to is for the conformance cases to find out.
        subject.end().map_err(failed(ErrorKind::Died))?;

        let outcome = outcome(tool, &watched.ended).map_err(failed(ErrorKind::Tool))?;
        if let Some(mismatch) = &outcome.mismatch {
            let wrong = anyhow!("an answer was wrong under load: {mismatch}");
            return Err(failed(ErrorKind::WrongAnswer)(wrong));
        }
        let times = busy_before.zip(busy_after).map(|(before, after)| after.since(&before));
        record.cpu = Some(CpuRecord {
            wall_seconds: wall.as_secs_f64(),
            server: server.as_ref().map(usage),
            tool: usage(&watched.tool),
            external_seconds: times.zip(server).map(|(times, server)| {
                let ours = server.cpu + watched.tool.cpu;
                (times.busy - ours.as_secs_f64()).max(0.0)
            }),
            steal_seconds: times.map(|times| times.steal),
            throttled_seconds: throttled_before
                .zip(throttled_after)
                .map(|(before, after)| after.saturating_sub(before).as_secs_f64()),
        });
        record.connections = Some(ConnectionsRecord { asked: load.connections, seen: watched.connections });
        self.keep(outcome, record);
        Ok(())
    }

    /// The cores that the server and the tool may use.
    fn used_cores(&self, record: &Record) -> Vec<usize> {
        let cores = Cores { server: record.server_cores.clone(), ..self.cores.clone() };
        cores.all()
    }

    /// What the tool says of it.
    fn keep(&self, outcome: ToolOutput, record: &mut Record) {
        let held = outcome.held;
        record.load = Some(LoadRecord {
            elapsed_seconds: outcome.elapsed_seconds,
            answered: outcome.answered,
            errors: outcome.errors,
            claimed_per_second: outcome.claimed_per_second,
            open_loop: self.rate.map(|(rate_per_second, peak_per_second)| OpenLoopRecord {
                rate_per_second,
                peak_per_second,
                held: held.map(|(held, _)| held),
                lag_p99_seconds: held.map(|(_, lag)| lag),
            }),
        });
        record.latency = Some(LatencyRecord {
            mean_seconds: outcome.mean_seconds,
            percentiles: outcome.percentiles,
            max_seconds: outcome.max_seconds,
            p99_9_seconds: outcome.histogram.as_ref().map(|times| times.p99_9_seconds),
            connect: outcome.connect.map(|times| ConnectRecord {
                count: times.count,
                p50_seconds: times.p50_seconds,
                p99_seconds: times.p99_seconds,
                max_seconds: times.max_seconds,
            }),
            // One that cannot be packed cannot have been unpacked from what the tool printed.
            histogram: outcome.histogram.and_then(|times| times.pack().ok()),
        });
    }

    /// Runs the tool on its cores to its end, and counts the server's connections meanwhile. Its exit code says nothing (hey's
    /// is 0 when every request failed); its output has to be a whole summary.
    fn watch(
        &self,
        tool: &dyn Tool,
        folder: &Path,
        order: &LoadSpec,
        subject: &Subject,
    ) -> anyhow::Result<Watched> {
        let bound = match order.amount {
            Amount::Time(time) => time + GRACE,
            Amount::Requests(_) => BOUND_BY_COUNT,
        };
        let words = tool.command(order);
        let mut process =
            self.host.start(&Launch { words: &words, folder, cores: &self.cores.tool, shown: false })?;
        let (waited, connections) = look_at_times(&mut process, bound, || subject.connections());
        if waited == Waited::TimedOut {
            bail!("`{}` did not end within {} s", words.join(" "), bound.as_secs());
        }
        let so_far = process.usage()?;
        let ended = process.kill()?;
        let tool = ended.usage.unwrap_or(so_far);
        Ok(Watched { ended, tool, connections })
    }
}

/// Waits until the process has ended, and looks now and then; the most that was seen.
fn look_at_times(
    process: &mut Process,
    bound: Duration,
    look: impl Fn() -> Option<u64>,
) -> (Waited, Option<u64>) {
    let began = Instant::now();
    let (mut next, mut most) = (FIRST_LOOK, None);
    while next < bound {
        if process.wait(next.saturating_sub(began.elapsed())) == Waited::Exited {
            return (Waited::Exited, most);
        }
        most = most.max(look());
        next *= 2;
    }
    (process.wait(bound.saturating_sub(began.elapsed())), most)
}

/// The folder that the tool is run in, with its script if it has one; it goes with the value.
fn tool_folder(tool: &dyn Tool) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir().with_context(|| {
        format!("cannot make a folder in {}; TMPDIR names another", std::env::temp_dir().display())
    })?;
    if let Some(script) = tool.script() {
        std::fs::write(folder.path().join(script.name), script.text)
            .with_context(|| format!("cannot write {} into {}", script.name, folder.path().display()))?;
    }
    Ok(folder)
}

fn outcome(tool: &dyn Tool, ended: &Ended) -> anyhow::Result<ToolOutput> {
    let outcome = tool.parse(&ended.output);
    outcome.with_context(|| format!("{} ended with {}{}", tool.name(), ended.status, ended.last_words()))
}

fn usage(usage: &Usage) -> UsageRecord {
    UsageRecord {
        seconds: usage.cpu.as_secs_f64(),
        user_seconds: usage.user.as_secs_f64(),
        system_seconds: usage.system.as_secs_f64(),
        voluntary_switches: usage.voluntary_switches,
        involuntary_switches: usage.involuntary_switches,
    }
}
