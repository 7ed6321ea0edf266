//! What has to be there before the first run: tools that can make the loads, and servers that are built, have a version, and
//! were asked the conformance cases.

use crate::conformance::Severity;
use crate::host::Host;
use crate::launch;
use crate::record::{ConformanceRecord, ErrorKind, ErrorRecord};
use crate::server::Server;
use crate::tool;
use crate::verify::{self, Depth};
use crate::workload::{Load, Workload};

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
    let tool = tool::find(&load.tool).map_err(|error| format!("{error:#}"))?;
    match tool.refuses(load) {
        Some(reason) => Err(format!("{} {reason}: choose another with --tool", tool.name())),
        None => tool::available(host, tool),
    }
}

/// Builds one after another; then all are asked the conformance cases at once, since that is mostly waiting.
pub(super) fn servers(host: &Host, servers: &[&Server]) -> Vec<Prepared> {
    let mut prepared: Vec<Prepared> = servers.iter().map(|server| prepare(host, server)).collect();
    std::thread::scope(|scope| {
        for (server, ready) in servers.iter().zip(&mut prepared) {
            if let Ok(ready) = ready {
                scope.spawn(move || ready.conformance = conformance(host, server));
            }
        }
    });
    prepared
}

fn prepare(host: &Host, server: &Server) -> Prepared {
    if let Some(message) = launch::unavailable(host, server) {
        return Err(ErrorRecord { kind: ErrorKind::Unavailable, message });
    }
    let version = launch::build(host, server).and_then(|()| launch::version(host, server));
    let version =
        version.map_err(|error| ErrorRecord { kind: ErrorKind::Build, message: format!("{error:#}") })?;
    Ok(Ready { version, conformance: None })
}

/// How the server keeps the rules of HTTP; nothing when it cannot be asked, which its runs will then tell.
fn conformance(host: &Host, server: &Server) -> Option<ConformanceRecord> {
    let verification = verify::verify(host, server, Depth::Cases).ok()?;
    let (cases, passed) = (verification.findings.len(), verification.passed());
    let hint = match verification.is_as_known() {
        true => String::new(),
        false => {
            format!("; it is not as its manifest says: bench verify --conformance --servers {}", server.name)
        }
    };
    if !host.interrupted() {
        eprintln!("{}: {passed} of {cases} conformance cases pass{hint}", server.name);
    }
    let smuggled = verification.failed(Severity::Smuggling);
    Some(ConformanceRecord { cases: cases as u64, passed: passed as u64, smuggled: smuggled as u64 })
}
