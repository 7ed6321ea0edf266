//! Starts nginx by the process contract.
//!
//! nginx has its own conventions for flags, signals and its listening socket. This launcher
//! translates: it listens on the port, starts nginx with the socket as nginx does when it replaces
//! its own program, prints the ready line, and turns SIGTERM into SIGQUIT.
//!
//! ```text
//! launcher ─┬─ remover (own group)       removes nginx's folder once the others have ended
//!           └─ nginx, main process ─┬─ worker
//!                                   └─ worker
//! ```

mod flags;
mod nginx;
mod prefix;
mod protocol;

use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use shared::process::{self, Program};
use shared::tls::Http2Flags;

use crate::flags::Flags;
use crate::nginx::Nginx;
use crate::prefix::Prefix;
use crate::protocol::Protocol;

/// The remover and nginx's main process.
const OTHER_PROCESSES: usize = 2;

fn main() -> ExitCode {
    let version = || Ok(format!("{} (nginx {})", env!("CARGO_PKG_VERSION"), nginx_version()?));
    Program { name: env!("CARGO_PKG_NAME"), about: env!("CARGO_PKG_DESCRIPTION"), version }.run(run)
}

/// Runs nginx until it ends. Returns the exit code of the launcher.
fn run(Http2Flags { flags, h2c }: &Http2Flags<Flags>) -> anyhow::Result<ExitCode> {
    let signals = nginx::signals()?;
    let protocol = Protocol::new(flags.0.tls.as_ref(), *h2c)?;
    let workers = flags.0.workers_or_cores();
    // The kernel counts processes as threads. nginx itself would continue with fewer workers.
    process::check_threads(workers + OTHER_PROCESSES)
        .with_context(|| format!("nginx has {workers} workers"))?;
    let connections = flags.connections_per_worker()?;
    let listener = process::bind(&flags.0.addresses()?)?;
    let address = listener.local_addr().context("cannot read the address listened on")?;
    let prefix = Prefix::new()?;
    protocol.link(&prefix.folder)?;
    prefix.configure(flags, protocol, address, connections)?;
    let mut nginx = Nginx::start(listener, &prefix)?;
    if let Some(code) = nginx.wait_until_ready(&prefix, workers, || protocol.is_answered(address))? {
        return Ok(code);
    }
    process::announce(&flags.0, address)?;
    nginx.wait_for_end(&signals, flags.0.drain_timeout)
}

/// Returns the version alone, such as `1.26.3`, from `nginx version: nginx/1.26.3`.
fn nginx_version() -> anyhow::Result<String> {
    let output = Command::new("nginx").arg("-v").output().context("cannot run `nginx -v`")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let version = text.split_once("nginx version: nginx/").map(|(_, rest)| rest);
    let version = version.and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    ensure!(!version.is_empty(), "nginx -v: it does not print its version");
    Ok(version.to_owned())
}
