//! The preparation before the first run: load tools are looked up, and servers are built, asked for
//! their version and sent the conformance cases.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::checks::verify::{self, Depth, Question};
use crate::machine::assignment::Layout;
use crate::machine::cores::Cores;
use crate::machine::sides::{self, Sides};
use crate::servers::identity::Identity;
use crate::servers::server::Server;
use crate::servers::workload::{Load, Workload};
use crate::servers::{build, deploy, launch};
use crate::store::record::{ConformanceRecord, ErrorKind, ErrorRecord, UntilRecord};
use crate::text::progress::{Progress, Stage};
use crate::tools;

/// The tool, the cores and the certificate with which a workload is run.
pub(super) struct Setup {
    /// The version of the load tool, or of the harness if the workload has no tool; `None` if the
    /// tool is unavailable.
    pub(super) tool: Option<String>,
    /// The cores of its runs.
    pub(super) cores: Cores,
    /// The condition that ends its repetitions; `None` if their number is fixed.
    pub(super) until: Option<UntilRecord>,
    /// The certificate of its servers; `None` if nothing is encrypted.
    pub(super) identity: Option<Identity>,
    /// Why the workload cannot be run on this machine.
    pub(super) lacks: Option<ErrorRecord>,
}

impl Setup {
    /// Whether its runs take a part of a budget.
    pub(super) fn has_budget(&self) -> bool {
        self.until.is_some() && self.lacks.is_none()
    }
}

/// A server that is ready to be measured, or why it cannot be measured.
pub(super) type Prepared = Result<Ready, ErrorRecord>;

/// A server that is built.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) version: String,
    /// The server as it is run: on another host, its commands name the files that were copied
    /// there.
    pub(super) server: Server,
    pub(super) conformance: Option<ConformanceRecord>,
    /// The size of the server's program, if it was built on this machine.
    pub(super) binary_bytes: Option<u64>,
}

/// Looks up the tool and the cores of a workload.
pub(super) fn setup(sides: &Sides, layout: &Layout, workload: &Workload) -> Setup {
    let tool =
        workload.load().map_or_else(|| Ok(env!("CARGO_PKG_VERSION").into()), |load| tool_of(sides, load));
    let cores =
        workload.server_cores.map_or_else(|| Ok(layout.cores.clone()), |count| scaled(sides, layout, count));
    let identity = workload.protocol().is_encrypted().then(|| Identity::new(sides.listens())).transpose();
    let identity = identity.map_err(|error| format!("{error:#}"));
    let message = tool.as_ref().err().or(cores.as_ref().err()).or(identity.as_ref().err()).cloned();
    Setup {
        lacks: message.map(|message| ErrorRecord { kind: ErrorKind::Unavailable, message }),
        tool: tool.ok(),
        until: None,
        identity: identity.unwrap_or_default(),
        cores: cores.unwrap_or_else(|_| layout.cores.clone()),
    }
}

/// Returns the cores of a run whose server has `count` cores. On a host of its own, the server may
/// have all cores.
fn scaled(sides: &Sides, layout: &Layout, count: usize) -> Result<Cores, String> {
    if !sides.are_apart() {
        return layout.scaled(count).ok_or_else(|| too_few(layout.scalable()));
    }
    let all = layout.cores.server.len();
    let server = layout.cores.server.get(..count).map(<[usize]>::to_vec);
    let server = server.ok_or_else(|| {
        format!("a server on {count} cores needs as many, and {} has {all}", sides::label(sides.server()))
    })?;
    Ok(Cores { server, ..layout.cores.clone() })
}

/// Returns why a machine with this number of cores has too few. The reason is the same for all
/// workloads, so that a suite on a small machine gets only one warning.
fn too_few(cores: usize) -> String {
    format!(
        "a server on N cores is measured from 2 N cores on (on 1 core from 2, on 2 from 4, on 4 from 8), and here {} {cores}",
        if cores == 1 { "is" } else { "are" }
    )
}

/// Returns the version of the tool, which must be the same on all load hosts, or why the tool
/// cannot be used.
fn tool_of(sides: &Sides, load: &Load) -> Result<String, String> {
    let tool = tools::find(&load.tool).map_err(|error| format!("{error:#}"))?;
    if let Some(reason) = tools::refuses(tool, load) {
        return Err(format!("{} {reason}: choose another with --tool", tool.name()));
    }
    let mut known: Option<String> = None;
    for side in sides.loads() {
        let version = tools::available(&side.host, tool).map_err(|error| match side.host.name() {
            None => error,
            Some(name) => format!("{name}: {error}"),
        })?;
        if let Some(other) = known.replace(version.clone()).filter(|other| *other != version) {
            let name = sides::label(&side.host);
            return Err(format!(
                "{name} has `{version}`, and another load host `{other}`: one version is needed"
            ));
        }
    }
    known.ok_or_else(|| "there is no load host".to_owned())
}

/// Builds the servers, then sends the conformance cases to all of them at once, since most of that
/// time is spent waiting. A floor is sent no cases.
pub(super) fn servers(sides: &Sides, servers: &[&Server], progress: &Progress) -> Vec<Prepared> {
    let host = sides.harness();
    let mut prepared = build(sides, servers, progress);
    let asked = servers.iter().zip(&mut prepared).filter(|(server, _)| !server.is_floor);
    let asked: Vec<(&&Server, &mut Ready)> =
        asked.filter_map(|(server, prepared)| Some((server, prepared.as_mut().ok()?))).collect();
    if asked.is_empty() || host.interrupted() {
        return prepared;
    }
    let stage = progress.stage(asked.len(), "servers sent the conformance cases");
    let waiting = Mutex::new(asked.iter().map(|(server, _)| server.name.as_str()).collect());
    show_waiting(&stage, &waiting);
    std::thread::scope(|scope| {
        for (server, ready) in asked {
            let (stage, waiting) = (&stage, &waiting);
            scope.spawn(move || {
                ready.conformance = conformance(sides, &ready.server, stage);
                waiting.lock().retain(|name| *name != server.name);
                show_waiting(stage, waiting);
            });
        }
    });
    drop(stage);
    prepared
}

fn show_waiting(stage: &Stage, waiting: &Mutex<Vec<&str>>) {
    stage.now(format!("waiting for {}", waiting.lock().join(", ")));
}

/// Builds the servers. Servers with the same build program are built one after another, since
/// programs such as cargo lock their folder; servers with different programs are built at the same
/// time.
fn build(sides: &Sides, servers: &[&Server], progress: &Progress) -> Vec<Prepared> {
    let host = sides.harness();
    let is_built = |server: &Server| {
        let is_possible = build::lacks(host, server).is_none() && build::kept(host, server).is_none();
        !server.build.is_empty() && is_possible
    };
    let count = servers.iter().filter(|server| is_built(server)).count();
    let begun = AtomicUsize::new(0);
    let build = |server: &Server| {
        build::kept(host, server).iter().for_each(|sentence| progress.warn(sentence));
        if is_built(server) && !host.interrupted() {
            let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
            progress.note(&format!("building {}, {number} of {count}", server.name));
        }
        prepare(sides, server, !progress.is_quiet())
    };
    let mut prepared: Vec<Option<Prepared>> = servers.iter().map(|_| None).collect();
    let mut by_program: BTreeMap<Option<&String>, Vec<(&Server, &mut Option<Prepared>)>> = BTreeMap::new();
    for (server, prepared) in servers.iter().zip(&mut prepared) {
        by_program.entry(server.build.first()).or_default().push((server, prepared));
    }
    std::thread::scope(|scope| {
        for group in by_program.into_values() {
            scope.spawn(|| group.into_iter().for_each(|(server, prepared)| *prepared = Some(build(server))));
        }
    });
    prepared.into_iter().flatten().collect()
}

fn prepare(sides: &Sides, server: &Server, shown: bool) -> Prepared {
    if let Some(attached) = &server.attached {
        let (version, server) = (attached.version.clone(), server.clone());
        return Ok(Ready { version, server, conformance: None, binary_bytes: None });
    }
    let failed = |error| ErrorRecord { kind: ErrorKind::Build, message: format!("{error:#}") };
    let (here, host) = (sides.harness(), sides.server());
    let deployed = deploy::prepare(here, host, server, shown).map_err(failed)?;
    let deployed = deployed.map_err(|message| ErrorRecord { kind: ErrorKind::Unavailable, message })?;
    let version = launch::version(host, &deployed).map_err(failed)?;
    // A program that another host has built has another size.
    let binary_bytes = host.source().is_none().then(|| build::binary_bytes(server)).flatten();
    Ok(Ready { version, server: deployed, conformance: None, binary_bytes })
}

/// Sends the server the conformance cases. `None` when that is not possible: its runs then record why.
fn conformance(sides: &Sides, server: &Server, stage: &Stage) -> Option<ConformanceRecord> {
    let (name, question) = (&server.name, Question::new(Depth::Cases));
    let host = sides.server();
    let verification = match &server.attached {
        None => verify::verify(host, server, &question, &|_, _| {}),
        Some(attached) => {
            verify::verify_attached(attached.address, &question, &|| host.interrupted(), &|_, _| {})
        }
    };
    if host.interrupted() {
        return None;
    }
    let verification = match verification {
        Ok(verification) => verification,
        Err(error) => {
            stage.failed(&format!("{name} cannot be sent the conformance cases: {error:#}"));
            return None;
        }
    };
    let found = verification.count(|_| true);
    let odd: String = found.odd.iter().map(|sentence| format!("; {sentence}")).collect();
    let line = format!("{name}: {} of {} conformance cases pass{odd}", found.range(), found.cases);
    // An attached server has no manifest to differ from.
    if verification.is_as_known() || server.attached.is_some() {
        stage.done(&line, &line);
    } else {
        let flag = server.flag();
        stage.failed(&format!(
            "{line}, which is not what its manifest says: bench verify --conformance {flag}"
        ));
    }
    Some(found)
}
