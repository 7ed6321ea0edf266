//! The process contract from the harness's side: build a server, check that it can run, ask for its
//! version, start it, stop it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::machine::host::{Ended, Host, Launch, Process};
use crate::servers::build;
use crate::servers::server::Server;
use crate::text::visible::visible;

/// The limit for a server to print its version or its ready line, or to run its check. An
/// interpreter on a busy machine takes a second.
pub const START_LIMIT: Duration = Duration::from_secs(20);

/// The limit for a server to end: the drain limit of 10 s, and some more.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A server that is ready for requests. Dropping it kills it.
pub struct Running {
    /// Its process, which leads a group that its children belong to.
    pub process: Process,
    /// The address at which it listens.
    pub address: SocketAddr,
}

/// Why the server cannot run on this machine, as far as is known without a build.
pub fn unavailable(host: &Host, server: &Server) -> Option<String> {
    if let Some(why) = build::lacks(host, server) {
        return Some(why);
    }
    if !server.build.is_empty() && !server.check.first().is_some_and(|program| build::is_made(program)) {
        return None;
    }
    refused(host, server).unwrap_or_else(|error| Some(format!("{error:#}")))
}

/// Builds the server, and returns why it cannot run on this machine. The builder prints to standard
/// error. Fails when the build fails, or when the server's check fails without a reason.
pub fn prepare(host: &Host, server: &Server) -> anyhow::Result<Option<String>> {
    prepare_with(host, server, true)
}

/// Does what [`prepare`] does. Unless `shown`, the builder's output is printed only when the build
/// fails.
pub fn prepare_with(host: &Host, server: &Server, shown: bool) -> anyhow::Result<Option<String>> {
    if let Some(why) = build::lacks(host, server) {
        return Ok(Some(why));
    }
    build::build(host, server, shown)?;
    refused(host, server)
}

/// The server's version: the first line that its version command prints. Fails when there is none,
/// since a figure without a version cannot be compared with others.
pub fn version(host: &Host, server: &Server) -> anyhow::Result<String> {
    let launch = Launch::new(&server.version, &server.folder);
    let output = host.run(&launch, START_LIMIT).with_context(|| format!("{} has no version", server.name))?;
    match output.trim() {
        "" => bail!("{} has no version: `{}` printed nothing", server.name, server.version.join(" ")),
        version => Ok(visible(version.lines().next().unwrap_or(version)).into_owned()),
    }
}

/// Starts the server on a free port of its host's address, on `cores` (empty for any), with further
/// `flags`. Fails when the server does not print its ready line in time.
pub fn start(host: &Host, server: &Server, cores: &[usize], flags: &[&str]) -> anyhow::Result<Running> {
    start_on(host, server, SocketAddr::new(host.address(), 0), cores, flags)
}

/// Does what [`start`] does, at a given address and port.
pub fn start_on(
    host: &Host,
    server: &Server,
    listens: SocketAddr,
    cores: &[usize],
    flags: &[&str],
) -> anyhow::Result<Running> {
    let mut words = server.run.clone();
    let (address, port) = (listens.ip().to_string(), listens.port().to_string());
    words.extend(["--host", &address, "--port", &port].iter().chain(flags).map(ToString::to_string));
    let launch = Launch::new(&words, &server.folder).on(cores);
    let mut process = host.start(&launch)?;
    let line = process.line(START_LIMIT)?;
    let scheme = if flags.contains(&"--tls-cert") { "https" } else { "http" };
    let address = line.strip_prefix(&format!("listening on {scheme}://")[..]);
    let address = address.and_then(|address| address.parse().ok()).with_context(|| {
        format!("{} printed `{line}` instead of `listening on {scheme}://HOST:PORT`", server.name)
    })?;
    Ok(Running { process, address })
}

/// The reason that the server's own check gives against running on this machine.
pub(super) fn refused(host: &Host, server: &Server) -> anyhow::Result<Option<String>> {
    if server.check.is_empty() {
        return Ok(None);
    }
    let launch = Launch::new(&server.check, &server.folder);
    let ended = host.output(&launch, START_LIMIT).with_context(|| format!("cannot check {}", server.name))?;
    if ended.status.success() {
        return Ok(None);
    }
    let words = ended.last_words();
    let Some(why) = words.strip_prefix(": ") else {
        bail!("`{}` failed with {} and did not say why", server.check.join(" "), ended.status);
    };
    Ok(Some(why.strip_prefix("error: ").unwrap_or(why).to_owned()))
}

impl Running {
    /// Ends the server by SIGTERM, as the process contract says, and kills it if it does not end in
    /// time. Fails when its end cannot be awaited.
    pub fn stop(self) -> anyhow::Result<Ended> {
        self.process.stop(STOP_LIMIT)
    }
}
