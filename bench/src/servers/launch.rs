//! The process contract from the harness's side: build a server, ask whether it can run and for its version, start it, stop it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::machine::host::{Ended, Host, Launch, Memory, Process, Usage, Waited};
use crate::servers::server::Server;

/// Time for a build from nothing on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// Time for a server to print its version or its ready line, or to say whether it can run. An interpreter on a busy machine
/// takes a second.
const START_BOUND: Duration = Duration::from_secs(20);

/// Time for a server to end: its drain limit of 10 s, and some more.
const STOP_BOUND: Duration = Duration::from_secs(15);

/// A server that is ready for requests. Dropping it kills it.
pub struct Running {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What `server` lacks to be built and run on this machine, and how to get it; `None` when that is nothing.
pub fn lacks(host: &Host, server: &Server) -> Option<String> {
    server.lacks(|program| host.find(program).is_some())
}

/// Why `server` cannot run on this machine, as far as that can be told without building it; `None` when it can.
pub fn unavailable(host: &Host, server: &Server) -> Option<String> {
    if let Some(why) = lacks(host, server) {
        return Some(why);
    }
    if !server.build.is_empty() && !server.check.first().is_some_and(|program| is_built(program)) {
        return None;
    }
    refused(host, server).unwrap_or_else(|error| Some(format!("{error:#}")))
}

/// Builds the server, quick when nothing changed, and says why it cannot run on this machine; `None` when it can. What the
/// builder says goes to standard error.
pub fn prepare(host: &Host, server: &Server) -> anyhow::Result<Option<String>> {
    prepare_as(host, server, true)
}

/// The same; only with `shown` is anything seen of what the builder says before it fails.
pub fn prepare_as(host: &Host, server: &Server, shown: bool) -> anyhow::Result<Option<String>> {
    if let Some(why) = lacks(host, server) {
        return Ok(Some(why));
    }
    if !server.build.is_empty() {
        let launch = Launch { words: &server.build, folder: &server.folder, cores: &[], shown };
        host.run(&launch, BUILD_BOUND).with_context(|| format!("cannot build {}", server.name))?;
    }
    refused(host, server)
}

/// What the server says to `--version`, which has to be one line: no version, no measurement.
pub fn version(host: &Host, server: &Server) -> anyhow::Result<String> {
    let launch = Launch { words: &server.version, folder: &server.folder, cores: &[], shown: false };
    let output = host.run(&launch, START_BOUND).with_context(|| format!("{} has no version", server.name))?;
    match output.trim() {
        "" => bail!("{} has no version: `{}` printed nothing", server.name, server.version.join(" ")),
        version => Ok(version.lines().next().unwrap_or(version).to_owned()),
    }
}

/// Starts the server on a free port of the loopback interface, on `cores` (empty for any), with further `flags`.
pub fn start(host: &Host, server: &Server, cores: &[usize], flags: &[&str]) -> anyhow::Result<Running> {
    start_on(host, server, 0, cores, flags)
}

/// The same on a certain port.
pub fn start_on(
    host: &Host,
    server: &Server,
    port: u16,
    cores: &[usize],
    flags: &[&str],
) -> anyhow::Result<Running> {
    let mut words = server.run.clone();
    let port = port.to_string();
    words.extend(["--host", "127.0.0.1", "--port", &port].iter().chain(flags).map(ToString::to_string));
    let launch = Launch { words: &words, folder: &server.folder, cores, shown: false };
    let mut process = host.start(&launch)?;
    let line = process.first_line(START_BOUND)?;
    let address = line.strip_prefix("listening on http://").and_then(|address| address.parse().ok());
    let address = address.with_context(|| {
        format!("{} printed `{line}` instead of `listening on http://HOST:PORT`", server.name)
    })?;
    Ok(Running { process, address })
}

/// Whether a command's program is a file that its server's build has made. One that is looked for on `PATH` was there before.
fn is_built(program: &str) -> bool {
    Path::new(program).is_absolute() && Path::new(program).is_file()
}

/// What the server itself says against running on this machine.
fn refused(host: &Host, server: &Server) -> anyhow::Result<Option<String>> {
    if server.check.is_empty() {
        return Ok(None);
    }
    let launch = Launch { words: &server.check, folder: &server.folder, cores: &[], shown: false };
    let ended = host.output(&launch, START_BOUND).with_context(|| format!("cannot check {}", server.name))?;
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
    /// What it and its children have used since its start.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.process.usage()
    }

    /// Its memory; `None` once it has ended.
    pub fn memory(&self) -> Option<Memory> {
        self.process.memory()
    }

    /// An error that says how it ended, when it has.
    pub fn check_running(&mut self) -> anyhow::Result<()> {
        self.process.check_running()
    }

    /// How many descriptors it and its children have open.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        self.process.descriptors()
    }

    /// Lets each of its processes open so many more descriptors, for the rest of their lives; how many these are.
    pub fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        self.process.limit_descriptors(more)
    }

    /// Sends it SIGTERM, and not its children.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.process.terminate()
    }

    /// Has it stand still for so long.
    pub fn freeze(&self, time: Duration) -> anyhow::Result<()> {
        self.process.freeze(time)
    }

    /// Waits until it exits.
    pub fn wait(&mut self, bound: Duration) -> Waited {
        self.process.wait(bound)
    }

    /// Kills it where it stands, or takes up what is left of it.
    pub fn kill(self) -> anyhow::Result<Ended> {
        self.process.kill()
    }

    /// Stops it as the contract says.
    pub fn stop(self) -> anyhow::Result<Ended> {
        self.process.stop(STOP_BOUND)
    }
}
