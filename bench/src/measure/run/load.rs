//! A load: the tool sends requests for a while, and the harness watches both sides.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use tempfile::TempDir;

use super::counters::Counters;
use super::loaded_server::LoadedServer;
use super::{Run, RunOutput, failed};
use crate::checks::verify;
use crate::machine::cores::Cores;
use crate::machine::host::{self, Ended, Launch, Memory, Process, Usage, Waited};
use crate::servers::workload::{Amount, Load};
use crate::store::record::{
    ConnectRecord, ConnectionsRecord, CpuRecord, ErrorKind, ErrorRecord, LatencyRecord, LoadRecord,
    OpenLoopRecord, Record,
};
use crate::tools::{self, LoadSpec, Tool, ToolOutput};

/// How much longer than its load a tool may run: it starts, and waits for the last answers.
const GRACE: Duration = Duration::from_secs(60);

/// How long a load by count may take: 10,000 requests take 100 s at a hundred answers per second.
const LIMIT_BY_COUNT: Duration = Duration::from_secs(300);

/// The longest that a request of the warm-up is waited for. Its answers are thrown away, and a
/// server that drops connections would hold up each run by the workload's own timeout: hey waits
/// 20 s for a warm-up of one second.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// When the server's connections are first counted during a load. Each look comes twice as late as
/// the one before, so that a load of any length is looked at a few times and never often.
const FIRST_LOOK: Duration = Duration::from_millis(50);

/// What the harness saw of a load.
struct Watched {
    ended: Ended,
    tool: Usage,
    /// The most connections of the server at one time.
    connections: Option<u64>,
    /// The connections that this machine accepted meanwhile.
    accepted: Option<u64>,
}

impl Run<'_> {
    pub(super) fn load(
        &self,
        load: &Load,
        record: &mut Record,
        output: &mut RunOutput,
    ) -> Result<(), ErrorRecord> {
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        let folder = tool_folder(tool).map_err(failed(ErrorKind::Tool))?;
        let (mut server, at_rest) = self.verified_server()?;
        let url = format!("http://{}{}", server.address(), self.workload.path);
        let spec = self.spec(load, &url);
        if !load.warm_up.is_zero() {
            let began = Instant::now();
            let watched = self.warm_up(tool, folder.path(), &spec, &server);
            output.load_time = Some(began.elapsed());
            server.check_running().map_err(failed(ErrorKind::Died))?;
            watched.map_err(failed(ErrorKind::Tool))?;
        }

        record.tool.command = tool.command(&spec);
        let used_cores = Cores { server: record.server_cores.clone(), ..self.cores.clone() };
        let before = Counters::before(&server, &used_cores).map_err(failed(ErrorKind::Died))?;
        let began = Instant::now();
        let watched = self.watch(tool, folder.path(), &spec, &server);
        let wall = began.elapsed();
        let spent = before.spent(&server, &used_cores);
        record.memory = server.memory(at_rest);
        *output.load_time.get_or_insert_default() += wall;
        output.printed = watched.as_ref().ok().map(|watched| watched.ended.output.clone());
        server.check_running().map_err(failed(ErrorKind::Died))?;
        let spent = spent.map_err(failed(ErrorKind::Died))?;
        let watched = watched.map_err(failed(ErrorKind::Tool))?;
        // The server is killed: whether it ends on SIGTERM is what the conformance cases check.
        server.end().map_err(failed(ErrorKind::Died))?;

        let ended = &watched.ended;
        let reported = tool
            .parse(&ended.output)
            .with_context(|| format!("{} ended with {}{}", tool.name(), ended.status, ended.last_words()));
        self.record_report(reported, record)?;
        record.cpu = Some(CpuRecord {
            idle_share: self.idle_share,
            ..spent.record(&watched.tool, used_cores.server.len())
        });
        record.connections = Some(ConnectionsRecord {
            asked: load.connections,
            seen: watched.connections,
            // Those of a server on another machine are not counted here.
            accepted: watched.accepted.filter(|_| watched.connections.is_some()),
        });
        Ok(())
    }

    /// The server, which has given the right answers, and its memory before the first of them. Fails when
    /// it does not start, or answers otherwise.
    pub(super) fn verified_server(&self) -> Result<(LoadedServer, Option<Memory>), ErrorRecord> {
        let server = LoadedServer::start(self).map_err(failed(ErrorKind::Start))?;
        let at_rest = server.at_rest();
        verify::before_timing(server.address(), self.workload, self.server)
            .map_err(failed(ErrorKind::WrongAnswer))?;
        Ok((server, at_rest))
    }

    /// The load that the tool has to make, on the server at this URL.
    pub(super) fn spec<'s>(&'s self, load: &'s Load, url: &'s str) -> LoadSpec<'s> {
        LoadSpec {
            load,
            amount: load.amount,
            rate: self.rate.map(|(rate, _)| rate),
            answer: &self.workload.answer,
            cores: self.cores.tool.len(),
            url,
        }
    }

    /// Runs the same load for a moment. Fails when the tool does not end.
    fn warm_up(
        &self,
        tool: &dyn Tool,
        folder: &Path,
        spec: &LoadSpec,
        server: &LoadedServer,
    ) -> anyhow::Result<Watched> {
        let load = Load { timeout: spec.load.timeout.min(WARM_UP_TIMEOUT), ..spec.load.clone() };
        let amount = Amount::Time(load.warm_up);
        self.watch(tool, folder, &LoadSpec { load: &load, amount, ..*spec }, server)
    }

    /// Records what the tool reports. Fails when that is not complete, or an answer was wrong.
    pub(super) fn record_report(
        &self,
        reported: anyhow::Result<ToolOutput>,
        record: &mut Record,
    ) -> Result<(), ErrorRecord> {
        let reported = reported.map_err(failed(ErrorKind::Tool))?;
        if let Some(mismatch) = &reported.mismatch {
            let wrong = anyhow!("an answer was wrong under load: {mismatch}");
            return Err(failed(ErrorKind::WrongAnswer)(wrong));
        }
        let held = reported.held;
        record.load = Some(LoadRecord {
            elapsed_seconds: reported.elapsed_seconds,
            answered: reported.answered,
            errors: reported.errors,
            failed_connections: reported.failed_connections,
            claimed_per_second: reported.claimed_per_second,
            open_loop: self.rate.map(|(rate_per_second, peak_per_second)| OpenLoopRecord {
                rate_per_second,
                peak_per_second,
                held: held.map(|(held, _)| held),
                lag_p99_seconds: held.map(|(_, lag)| lag),
            }),
        });
        record.latency = Some(LatencyRecord {
            mean_seconds: reported.mean_seconds,
            percentiles: reported.percentiles,
            max_seconds: reported.max_seconds,
            p99_9_seconds: reported.histogram.as_ref().map(|times| times.p99_9_seconds),
            connect: reported.connect.map(|times| ConnectRecord {
                count: times.count,
                p50_seconds: times.p50_seconds,
                p99_seconds: times.p99_seconds,
                max_seconds: times.max_seconds,
            }),
            // Packing does not fail: the tool printed it packed.
            histogram: reported.histogram.and_then(|times| times.pack().ok()),
        });
        Ok(())
    }

    /// Runs the tool on its cores to its end, and counts the server's connections meanwhile. The exit
    /// code is ignored (hey's is 0 when every request failed). Fails when the tool does not end.
    fn watch(
        &self,
        tool: &dyn Tool,
        folder: &Path,
        spec: &LoadSpec,
        server: &LoadedServer,
    ) -> anyhow::Result<Watched> {
        let limit = match spec.amount {
            Amount::Time(time) => time + GRACE,
            Amount::Requests(_) => LIMIT_BY_COUNT,
        };
        let words = tool.command(spec);
        let launch = Launch::new(&words, folder).on(&self.cores.tool);
        let accepted_before = host::accepted();
        let mut process = self.host.start(&launch)?;
        let (waited, connections) = wait_and_look(&mut process, limit, || server.connections());
        if waited == Waited::TimedOut {
            bail!("`{}` did not end within {} s", words.join(" "), limit.as_secs());
        }
        let before_end = process.usage()?;
        let ended = process.kill()?;
        let tool = ended.usage.unwrap_or(before_end);
        let accepted =
            host::accepted().zip(accepted_before).map(|(after, before)| after.saturating_sub(before));
        Ok(Watched { ended, tool, connections, accepted })
    }
}

/// Waits until the process has ended, and looks at times. Returns the largest number that `look` saw.
fn wait_and_look(
    process: &mut Process,
    limit: Duration,
    look: impl Fn() -> Option<u64>,
) -> (Waited, Option<u64>) {
    let began = Instant::now();
    let (mut next, mut most) = (FIRST_LOOK, None);
    while next < limit {
        if process.wait(next.saturating_sub(began.elapsed())) == Waited::Exited {
            return (Waited::Exited, most);
        }
        most = most.max(look());
        next *= 2;
    }
    (process.wait(limit.saturating_sub(began.elapsed())), most)
}

/// The folder that the tool runs in, with its script if it has one. Dropping it removes the folder.
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
