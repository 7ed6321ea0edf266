//! A measurement: servers are built, the plan is run, and a record of each run is kept as it happens.

use std::time::Duration;

use crate::conformance::Severity;
use crate::cores::Cores;
use crate::host::Host;
use crate::launch;
use crate::plan::{Planned, plan};
use crate::progress::Progress;
use crate::record::{
    ConformanceRecord, Failure, FailureKind, PublishedRecord, Record, SCHEMA, ServerRecord, ToolRecord,
    WorkloadRecord,
};
use crate::results::Results;
use crate::run::{self, Run};
use crate::server::Server;
use crate::tool;
use crate::verify::{self, Depth};
use crate::workload::{Amount, Workload};

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
    /// The workloads, each with its repetitions.
    pub workloads: &'a [Workload],
}

/// How a measurement went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Runs without figures, other than for a server or a tool that this machine lacks.
    pub failed: usize,
    /// Whether somebody stopped it. What was run until then is kept.
    pub interrupted: bool,
}

/// A tool's version, or why it cannot be used.
type Tool = Result<String, Failure>;

/// What is known of a server before it is measured, or why it cannot be.
type Prepared = Result<Ready, Failure>;

/// A server that is built.
struct Ready {
    version: String,
    conformance: Option<ConformanceRecord>,
}

impl Measurement<'_> {
    /// Builds the servers, runs the plan, and appends a record a run to `results`. A run that fails is a record too;
    /// an error means that records cannot be kept.
    pub fn run(&self, results: &mut Results) -> anyhow::Result<Tally> {
        let tools: Vec<Tool> = self.workloads.iter().map(|workload| self.find_tool(workload)).collect();
        let servers = self.prepare_all();
        let mut tally = Tally { failed: 0, interrupted: self.host.interrupted() };
        if tally.interrupted {
            return Ok(tally);
        }
        self.record_the_blocked(&servers, &tools, results, &mut tally)?;

        let plan = self.plan(&servers, &tools);
        let progress = Progress::start(plan.len(), plan.iter().map(|planned| self.expected(planned)).sum());
        for planned in plan {
            let (workload, server) = (&self.workloads[planned.workload], self.servers[planned.server]);
            let what = format!("{} {} #{}", workload.name, server.name, planned.repetition);
            progress.running(&what);
            let mut record =
                self.record(workload, server, &servers[planned.server], &tools[planned.workload]);
            record.repetition = Some(planned.repetition);
            let run = run::run(self.host, self.cores, workload, server);
            // The signal that stops us may have ended the server or the tool first: this run counts for nothing.
            if self.host.interrupted() {
                tally.interrupted = true;
                break;
            }
            complete(&mut record, run, results)?;
            results.append(&record)?;
            tally.failed += usize::from(record.failure.is_some());
            progress.finished(&format!("{what}: {}", outcome(&record)));
        }
        Ok(tally)
    }

    fn find_tool(&self, workload: &Workload) -> Tool {
        let unavailable = |message| Failure { kind: FailureKind::Unavailable, message };
        let tool = tool::find(&workload.tool).map_err(|error| unavailable(format!("{error:#}")))?;
        if let Some(reason) = tool.refuses(workload) {
            return Err(unavailable(format!("{} {reason}: choose another with --tool", tool.name())));
        }
        tool::available(self.host, tool).map_err(unavailable)
    }

    /// Builds one after another; then all are asked the conformance cases at once, since that is mostly waiting.
    fn prepare_all(&self) -> Vec<Prepared> {
        let mut prepared: Vec<Prepared> = self.servers.iter().map(|server| self.prepare(server)).collect();
        std::thread::scope(|scope| {
            for (server, ready) in self.servers.iter().zip(&mut prepared) {
                if let Ok(ready) = ready {
                    scope.spawn(move || ready.conformance = self.conformance(server));
                }
            }
        });
        prepared
    }

    fn prepare(&self, server: &Server) -> Prepared {
        if let Some(message) = launch::unavailable(self.host, server) {
            return Err(Failure { kind: FailureKind::Unavailable, message });
        }
        let version = launch::build(self.host, server).and_then(|()| launch::version(self.host, server));
        let version =
            version.map_err(|error| Failure { kind: FailureKind::Build, message: format!("{error:#}") })?;
        Ok(Ready { version, conformance: None })
    }

    /// How the server keeps the rules of HTTP; nothing when it cannot be asked, which its runs will then tell.
    fn conformance(&self, server: &Server) -> Option<ConformanceRecord> {
        let verification = verify::verify(self.host, server, Depth::Cases).ok()?;
        let (cases, passed) = (verification.findings.len(), verification.passed());
        let hint = match verification.is_as_known() {
            true => String::new(),
            false => format!(
                "; it is not as its manifest says: bench verify --conformance --servers {}",
                server.name
            ),
        };
        if !self.host.interrupted() {
            eprintln!("{}: {passed} of {cases} conformance cases pass{hint}", server.name);
        }
        let smuggled = verification.failed(Severity::Smuggling);
        Some(ConformanceRecord { cases: cases as u64, passed: passed as u64, smuggled: smuggled as u64 })
    }

    /// A row for each server under each workload that cannot be run, and a loud line for each reason.
    fn record_the_blocked(
        &self,
        servers: &[Prepared],
        tools: &[Tool],
        results: &mut Results,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let servers_left_out = self
            .servers
            .iter()
            .zip(servers)
            .filter_map(|(server, prepared)| Some((&server.name, prepared.as_ref().err()?)));
        let workloads_left_out = self
            .workloads
            .iter()
            .zip(tools)
            .filter_map(|(workload, tool)| Some((&workload.name, tool.as_ref().err()?)));
        for (name, failure) in servers_left_out.chain(workloads_left_out) {
            eprintln!("{name} is left out: {}", failure.message);
        }
        for (workload, tool) in self.workloads.iter().zip(tools) {
            for (server, prepared) in self.servers.iter().zip(servers) {
                if let Some(failure) = prepared.as_ref().err().or(tool.as_ref().err()) {
                    let mut record = self.record(workload, server, prepared, tool);
                    record.failure = Some(failure.clone());
                    results.append(&record)?;
                    tally.failed += usize::from(failure.kind != FailureKind::Unavailable);
                }
            }
        }
        Ok(())
    }

    /// The runs of every server that is ready under every workload whose tool is there.
    fn plan(&self, servers: &[Prepared], tools: &[Tool]) -> Vec<Planned> {
        let repetitions = self.workloads.iter().zip(tools);
        let repetitions: Vec<u32> =
            repetitions.map(|(workload, tool)| if tool.is_ok() { workload.repetitions } else { 0 }).collect();
        let mut plan = plan(&repetitions, self.servers.len(), self.seed);
        plan.retain(|planned| servers[planned.server].is_ok());
        plan
    }

    fn expected(&self, planned: &Planned) -> Duration {
        let workload = &self.workloads[planned.workload];
        let load = match workload.amount {
            Amount::Time(time) => time,
            Amount::Requests(_) => run::EXPECTED_BY_COUNT,
        };
        load + workload.warm_up + run::EXPECTED_OVERHEAD
    }

    /// A record without figures.
    fn record(&self, workload: &Workload, server: &Server, prepared: &Prepared, tool: &Tool) -> Record {
        let (requests, seconds) = match workload.amount {
            Amount::Requests(requests) => (Some(requests), None),
            Amount::Time(time) => (None, Some(time.as_secs_f64())),
        };
        let published = workload.published.as_ref().map(|published| PublishedRecord {
            baseline: published.baseline.clone(),
            contender: published.contender.clone(),
            ratio: published.ratio,
        });
        Record {
            schema: SCHEMA,
            started: crate::machine::now(),
            workload: WorkloadRecord {
                name: workload.name.clone(),
                title: workload.title.clone(),
                path: workload.path.clone(),
                connections: workload.connections,
                mode: workload.mode.to_string(),
                requests,
                seconds,
                published,
            },
            server: ServerRecord {
                name: server.name.clone(),
                title: server.title.clone(),
                language: server.language.clone(),
                runtime: server.runtime.clone(),
                model: server.model.as_str().into(),
                version: prepared.as_ref().ok().map(|ready| ready.version.clone()),
                article: server.article.clone(),
                conformance: prepared.as_ref().ok().and_then(|ready| ready.conformance.clone()),
            },
            tool: ToolRecord { name: workload.tool.clone(), version: tool.clone().ok(), command: Vec::new() },
            repetition: None,
            server_cores: self.cores.server.clone(),
            tool_cores: self.cores.tool.clone(),
            measured: None,
            failure: None,
            raw: None,
        }
    }
}

/// Puts what a run came to into its record, and what the tool printed beside it.
fn complete(record: &mut Record, run: Run, results: &mut Results) -> anyhow::Result<()> {
    if let Some(output) = &run.output {
        let label = format!("{}-{}", record.workload.name, record.server.name);
        record.raw = Some(results.keep_raw(&label, output)?);
    }
    record.tool.command = run.command;
    record.measured = run.measured;
    record.failure = run.failure;
    Ok(())
}

/// A run in a few words.
fn outcome(record: &Record) -> String {
    match (&record.measured, &record.failure) {
        (Some(measured), _) => {
            let cpu = measured.cpu_per_request();
            let cpu = cpu.map_or_else(String::new, |cpu| format!(", {:.1} µs CPU a request", cpu * 1e6));
            let errors = match measured.error_count() {
                0 => String::new(),
                errors => format!(", {errors} errors"),
            };
            format!("{:.0} requests/s{cpu}{errors}", measured.per_second())
        }
        (None, Some(failure)) => format!("failed: {}", failure.message),
        (None, None) => "nothing".into(),
    }
}
