//! One run: a fresh server, verified, warmed up, and loaded once.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::cores::{self, Cores};
use crate::host::{Ended, Host, Launch, Waited};
use crate::launch;
use crate::record::{Failure, FailureKind, LatencyRecord, Measured};
use crate::server::Server;
use crate::tool::{self, Outcome, Tool};
use crate::verify;
use crate::workload::{Amount, Workload};

/// Time of a run beside the load and its warm-up, as planned: the start, the verification and the end of a server.
pub const EXPECTED_OVERHEAD: Duration = Duration::from_millis(150);

/// Time of a load that goes by count, as planned: nothing is known of the server's speed.
pub const EXPECTED_BY_COUNT: Duration = Duration::from_secs(2);

/// How much longer than asked a tool may take that goes by time: it starts, it waits for last answers.
const GRACE: Duration = Duration::from_secs(60);

/// How long a tool may take that goes by count: a server with a hundred answers a second gives 10,000 in 100 s.
const BOUND_BY_COUNT: Duration = Duration::from_secs(300);

/// What a run came to: either `measured` or `failure` is there.
#[derive(Default)]
pub struct Run {
    /// The tool and its arguments; empty when it was not run.
    pub command: Vec<String>,
    /// What the tool printed, if it was run.
    pub output: Option<String>,
    /// The figures.
    pub measured: Option<Measured>,
    /// Why there are none.
    pub failure: Option<Failure>,
}

/// Runs `server` under `workload` once. Nothing of it is left when this returns.
pub fn run(host: &Host, cores: &Cores, workload: &Workload, server: &Server) -> Run {
    let mut run = Run::default();
    match run.measure(host, cores, workload, server) {
        Ok(measured) => run.measured = Some(measured),
        Err(failure) => run.failure = Some(failure),
    }
    run
}

impl Run {
    fn measure(
        &mut self,
        host: &Host,
        cores: &Cores,
        workload: &Workload,
        server: &Server,
    ) -> Result<Measured, Failure> {
        let tool = tool::find(&workload.tool).map_err(failed(FailureKind::Unavailable))?;
        let folder = tool_folder(tool).map_err(failed(FailureKind::Tool))?;
        let mut running =
            launch::start(host, server, &cores.server, &[]).map_err(failed(FailureKind::Start))?;
        let at_rest = running.memory();
        verify::before_timing(running.address, workload, server).map_err(failed(FailureKind::WrongAnswer))?;

        let url = format!("http://{}{}", running.address, workload.path);
        let command = |amount| tool.command(workload, amount, cores.tool.len(), &url);
        if !workload.warm_up.is_zero() {
            let warm_up = Amount::Time(workload.warm_up);
            let loaded = load(host, cores, folder.path(), &command(warm_up), warm_up);
            running.check_running().map_err(failed(FailureKind::Died))?;
            loaded.map_err(failed(FailureKind::Tool))?;
        }

        self.command = command(workload.amount);
        let used = cores.all();
        let (began, busy_before) = (Instant::now(), cores::busy_seconds(&used));
        let before = running.cpu_time().map_err(failed(FailureKind::Died))?;
        let loaded = load(host, cores, folder.path(), &self.command, workload.amount);
        let after = running.cpu_time();
        let (wall, busy_after) = (began.elapsed(), cores::busy_seconds(&used));
        let memory = running.memory();
        self.output = loaded.as_ref().ok().map(|(ended, _)| ended.output.clone());
        running.check_running().map_err(failed(FailureKind::Died))?;
        let server_cpu = after.map_err(failed(FailureKind::Died))?.saturating_sub(before);
        let (ended, tool_cpu) = loaded.map_err(failed(FailureKind::Tool))?;
        let outcome = outcome(tool, &ended).map_err(failed(FailureKind::Tool))?;
        // All is known. That it ends well when it is asked to is for the conformance cases to find out.
        running.kill().map_err(failed(FailureKind::Died))?;

        Ok(Measured {
            elapsed_seconds: outcome.elapsed_seconds,
            answered: outcome.answered,
            errors: outcome.errors,
            claimed_per_second: outcome.claimed_per_second,
            latency: LatencyRecord {
                meaning: tool.latency_meaning().into(),
                mean_seconds: outcome.mean_seconds,
                percentiles: outcome.percentiles,
                max_seconds: outcome.max_seconds,
            },
            server_cpu_seconds: server_cpu.as_secs_f64(),
            tool_cpu_seconds: tool_cpu.as_secs_f64(),
            wall_seconds: wall.as_secs_f64(),
            foreign_cpu_seconds: busy_before.zip(busy_after).map(|(before, after)| {
                let ours = server_cpu + tool_cpu;
                (after - before - ours.as_secs_f64()).max(0.0)
            }),
            memory_at_rest_bytes: at_rest.map(|memory| memory.resident),
            memory_after_bytes: memory.map(|memory| memory.resident),
            memory_peak_bytes: memory.map(|memory| memory.peak),
        })
    }
}

/// The folder that the tool is run in, with its script if it has one; it goes with the value.
fn tool_folder(tool: &dyn Tool) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    if let Some(script) = tool.script() {
        std::fs::write(folder.path().join(script.name), script.text)
            .with_context(|| format!("cannot write {} into {}", script.name, folder.path().display()))?;
    }
    Ok(folder)
}

/// Runs the tool on its cores to its end: how it ended, and its CPU time. Its exit code says nothing (hey's is 0 when
/// every request failed); its output has to be a whole summary.
fn load(
    host: &Host,
    cores: &Cores,
    folder: &Path,
    words: &[String],
    amount: Amount,
) -> anyhow::Result<(Ended, Duration)> {
    let bound = match amount {
        Amount::Time(time) => time + GRACE,
        Amount::Requests(_) => BOUND_BY_COUNT,
    };
    let mut process = host.start(&Launch { words, folder, cores: &cores.tool, shown: false })?;
    if process.wait(bound) == Waited::TimedOut {
        bail!("`{}` did not end within {} s", words.join(" "), bound.as_secs());
    }
    let cpu = process.cpu_time()?;
    Ok((process.kill()?, cpu))
}

fn outcome(tool: &dyn Tool, ended: &Ended) -> anyhow::Result<Outcome> {
    let outcome = tool.parse(&ended.output);
    outcome.with_context(|| format!("{} ended with {}{}", tool.name(), ended.status, ended.last_words()))
}

fn failed(kind: FailureKind) -> impl Fn(anyhow::Error) -> Failure {
    move |error| Failure { kind, message: format!("{error:#}") }
}
