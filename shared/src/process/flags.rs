//! The flags of every server, and their environment variables.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::http::{Timeouts, limits};

/// File descriptors kept free for what is not a connection: standard streams, listeners, epoll,
/// timers, wake-ups (some tens on a many-core machine with a runtime per core).
const RESERVED_DESCRIPTORS: usize = 100;

/// The flags of the process contract. A server with more flags flattens them into its own.
#[derive(clap::Args, Clone, Debug)]
#[group(skip)]
pub struct Flags {
    /// Address or name to listen on
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub host: String,

    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// Threads that answer requests [default: one per core this process may use]
    #[arg(long, env = "WORKERS", value_name = "N", value_parser = at_least_one)]
    pub workers: Option<usize>,

    /// Connections open at once; further ones wait [default: what the descriptor limit allows]
    #[arg(long, env = "MAX_CONNECTIONS", value_name = "M", value_parser = at_least_one)]
    pub max_connections: Option<usize>,

    /// Time from a head's first byte to its last
    #[arg(long, env = "HEAD_TIMEOUT", value_name = "SECONDS", default_value = seconds_of(limits::HEAD_TIMEOUT), value_parser = seconds)]
    pub head_timeout: Duration,

    /// Time for a client to send a first or a next request
    #[arg(long, env = "IDLE_TIMEOUT", value_name = "SECONDS", default_value = seconds_of(limits::IDLE_TIMEOUT), value_parser = seconds)]
    pub idle_timeout: Duration,

    /// Time for a client to read what it was sent
    #[arg(long, env = "WRITE_TIMEOUT", value_name = "SECONDS", default_value = seconds_of(limits::WRITE_TIMEOUT), value_parser = seconds)]
    pub write_timeout: Duration,

    /// Time for open connections to finish after SIGTERM
    #[arg(long, env = "DRAIN_TIMEOUT", value_name = "SECONDS", default_value = seconds_of(limits::DRAIN_TIMEOUT), value_parser = seconds)]
    pub drain_timeout: Duration,
}

impl Flags {
    /// The first address of `--host`, with `--port`. Fails when the name is unknown.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        let mut addresses = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .with_context(|| format!("--host {}: not an address or a known name", self.host))?;
        addresses.next().with_context(|| format!("--host {}: has no address", self.host))
    }

    /// `--workers`, or one per core that this process may use.
    pub fn workers_or_cores(&self) -> usize {
        self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// How long a connection waits for its client.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts { head: self.head_timeout, idle: self.idle_timeout, write: self.write_timeout }
    }

    /// How many connections may be open at once. Raises the soft limit of descriptors to the hard
    /// one, and fails when `--max-connections` asks for more than that allows.
    pub fn connections(&self) -> anyhow::Result<usize> {
        let descriptors = raise_descriptor_limit().context("cannot raise the limit of open files")?;
        let available = descriptors.saturating_sub(RESERVED_DESCRIPTORS);
        match self.max_connections {
            Some(asked) if asked > available => bail!(
                "--max-connections {asked}: the limit of {descriptors} open files leaves {available}; raise it \
                 (`ulimit -n`) or ask for fewer"
            ),
            Some(asked) => Ok(asked),
            None if available == 0 => {
                bail!("the limit of {descriptors} open files leaves none for connections")
            }
            None => Ok(available),
        }
    }
}

/// Raises the soft limit of open files to the hard one; returns it.
fn raise_descriptor_limit() -> nix::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(usize::try_from(hard).unwrap_or(usize::MAX))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be more than 0".into()),
    }
}

fn seconds_of(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}
