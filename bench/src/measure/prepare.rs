//! What has to be there before the first run: tools that can make the loads, and servers that are built, have a version, and
//! were asked the conformance cases.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::checks::verify::{self, Depth};
use crate::machine::host::Host;
use crate::servers::launch;
use crate::servers::server::Server;
use crate::servers::workload::{Load, Workload};
use crate::store::record::{ConformanceRecord, ErrorKind, ErrorRecord};
use crate::text::progress::{Progress, Stage};
use crate::tools;

/// A tool's version, or why it cannot be used. A workload that needs no tool has the harness's own.
pub(super) type Tool = Result<String, ErrorRecord>;

/// What is known of a server before it is measured, or why it cannot be.
pub(super) type Prepared = Result<Ready, ErrorRecord>;

/// A server that is built.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) version: String,
    pub(super) conformance: Option<ConformanceRecord>,
}

/// The tool of a workload.
pub(super) fn find_tool(host: &Host, workload: &Workload) -> Tool {
    let Some(load) = workload.load() else { return Ok(env!("CARGO_PKG_VERSION").into()) };
    let unavailable = |message| ErrorRecord { kind: ErrorKind::Unavailable, message };
    find(host, load).map_err(unavailable)
}

fn find(host: &Host, load: &Load) -> Result<String, String> {
    let tool = tools::find(&load.tool).map_err(|error| format!("{error:#}"))?;
    match tool.refuses(load) {
        Some(reason) => Err(format!("{} {reason}: choose another with --tool", tool.name())),
        None => tools::available(host, tool),
    }
}

/// Builds one after another; then all are asked the conformance cases at once, since that is mostly waiting. A floor is not: they
/// are about servers.
pub(super) fn servers(host: &Host, servers: &[&Server], progress: &Progress) -> Vec<Prepared> {
    let mut prepared = build(host, servers, progress);
    let asked = servers.iter().zip(&mut prepared).filter(|(server, _)| !server.is_floor);
    let asked: Vec<(&&Server, &mut Ready)> =
        asked.filter_map(|(server, prepared)| Some((server, prepared.as_mut().ok()?))).collect();
    if asked.is_empty() || host.interrupted() {
        return prepared;
    }
    let stage = progress.stage(asked.len(), "servers asked the conformance cases");
    let waiting = Mutex::new(asked.iter().map(|(server, _)| server.name.as_str()).collect());
    say_who_is_waited_for(&stage, &waiting);
    std::thread::scope(|scope| {
        for (server, ready) in asked {
            let (stage, waiting) = (&stage, &waiting);
            scope.spawn(move || {
                ready.conformance = conformance(host, server, stage);
                lock(waiting).retain(|name| *name != server.name);
                say_who_is_waited_for(stage, waiting);
            });
        }
    });
    drop(stage);
    prepared
}

fn say_who_is_waited_for(stage: &Stage, waiting: &Mutex<Vec<&str>>) {
    stage.now(format!("waiting for {}", lock(waiting).join(", ")));
}

fn lock<'a, 'b>(waiting: &'a Mutex<Vec<&'b str>>) -> MutexGuard<'a, Vec<&'b str>> {
    // The list is whole after a panic too.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn build(host: &Host, servers: &[&Server], progress: &Progress) -> Vec<Prepared> {
    let is_built = |server: &Server| !server.build.is_empty() && launch::lacks(host, server).is_none();
    let count = servers.iter().filter(|server| is_built(server)).count();
    let mut number = 0;
    let build = |server: &&Server| {
        if is_built(server) && !host.interrupted() {
            number += 1;
            progress.note(&format!("building {}, {number} of {count}", server.name));
        }
        prepare(host, server, !progress.is_quiet())
    };
    servers.iter().map(build).collect()
}

fn prepare(host: &Host, server: &Server, shown: bool) -> Prepared {
    if let Some(attached) = &server.attached {
        return Ok(Ready { version: attached.version.clone(), conformance: None });
    }
    let failed = |error| ErrorRecord { kind: ErrorKind::Build, message: format!("{error:#}") };
    if let Some(message) = launch::prepare_as(host, server, shown).map_err(failed)? {
        return Err(ErrorRecord { kind: ErrorKind::Unavailable, message });
    }
    let version = launch::version(host, server).map_err(failed)?;
    Ok(Ready { version, conformance: None })
}

/// How the server keeps the rules of HTTP; nothing when it cannot be asked, which its runs will then tell.
fn conformance(host: &Host, server: &Server, stage: &Stage) -> Option<ConformanceRecord> {
    let name = &server.name;
    let verification = match &server.attached {
        None => verify::verify(host, server, Depth::Cases),
        Some(attached) => Ok(verify::verify_attached(attached.address, Depth::Cases)),
    };
    if host.interrupted() {
        return None;
    }
    let verification = match verification {
        Ok(verification) => verification,
        Err(error) => {
            stage.failed(&format!("{name} cannot be asked the conformance cases: {error:#}"));
            return None;
        }
    };
    let found = verification.count(|_| true);
    let line = format!("{name}: {} of {} conformance cases pass", found.range(), found.cases);
    // Without a manifest there is nothing to compare with.
    if verification.is_as_known() || server.attached.is_some() {
        stage.done(&line, &line);
    } else {
        stage.failed(&format!(
            "{line}; it is not as its manifest says: bench verify --conformance {}",
            server.flag()
        ));
    }
    Some(found)
}
