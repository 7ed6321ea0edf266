//! The flags of every server.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::arguments::{Flag, FlagSet, Values};
use crate::http::{Timeouts, limits};
use crate::tls::TlsFiles;

/// File descriptors kept free for what is not a connection: standard streams, listeners, epoll,
/// timers, wake-ups (some tens on a many-core machine with a runtime per core).
const RESERVED_DESCRIPTORS: usize = 100;

/// The flags of the process contract. A server with more flags has these as one of its fields.
#[derive(Clone, Debug)]
pub struct Flags {
    /// Address or name to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Threads that answer requests.
    pub workers: Option<usize>,
    /// Connections open at once; further ones wait.
    pub max_connections: Option<usize>,
    /// Time from a head's first byte to its last.
    pub head_timeout: Duration,
    /// Time for a client to send a first or a next request.
    pub idle_timeout: Duration,
    /// Time for a client to read what it was sent.
    pub write_timeout: Duration,
    /// Time for open connections to finish after SIGTERM.
    pub drain_timeout: Duration,
    /// The certificate and key for TLS. Only servers that list [`TlsFiles::flags`] have flags for
    /// them.
    pub tls: Option<TlsFiles>,
}

impl FlagSet for Flags {
    fn list() -> Vec<Flag> {
        let seconds = |name, help, default: Duration| {
            Flag::new(name, "SECONDS", help).with_default(default.as_secs_f64())
        };
        vec![
            Flag::new("host", "HOST", "Address or name to listen on").with_default("127.0.0.1"),
            Flag::new("port", "PORT", "Port to listen on; 0 takes a free one").with_default(8080),
            Flag::new(
                "workers",
                "N",
                "Threads that answer requests\n[default: one per core this process may use]",
            ),
            Flag::new(
                "max-connections",
                "M",
                "Connections open at once; further ones wait\n[default: what the descriptor limit allows]",
            ),
            seconds("head-timeout", "Time from a head's first byte to its last", limits::HEAD_TIMEOUT),
            seconds(
                "idle-timeout",
                "Time for a client to send a first or a next request",
                limits::IDLE_TIMEOUT,
            ),
            seconds("write-timeout", "Time for a client to read what it was sent", limits::WRITE_TIMEOUT),
            seconds(
                "drain-timeout",
                "Time for open connections to finish after SIGTERM",
                limits::DRAIN_TIMEOUT,
            ),
        ]
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            host: values.required("host", |text| Ok::<_, String>(text.to_owned()))?,
            port: values
                .required("port", |text| text.parse().map_err(|_| "not a port, which is from 0 to 65535"))?,
            workers: values.get("workers", at_least_one)?,
            max_connections: values.get("max-connections", at_least_one)?,
            head_timeout: values.required("head-timeout", seconds)?,
            idle_timeout: values.required("idle-timeout", seconds)?,
            write_timeout: values.required("write-timeout", seconds)?,
            drain_timeout: values.required("drain-timeout", seconds)?,
            tls: TlsFiles::read(values)?,
        })
    }
}

impl Flags {
    /// Returns the addresses of `--host` with `--port`. The host is a name or an address; an IPv6
    /// address may be in brackets. Fails when the name is unknown.
    pub fn addresses(&self) -> anyhow::Result<Vec<SocketAddr>> {
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let addresses = (bare.unwrap_or(&self.host), self.port)
            .to_socket_addrs()
            .with_context(|| format!("host {}: not an address or a known name", self.host))?;
        Ok(addresses.collect())
    }

    /// Returns `--workers`, or the number of cores that this process may use.
    pub fn workers_or_cores(&self) -> usize {
        self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Returns the times that a connection waits for its client.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts { head: self.head_timeout, idle: self.idle_timeout, write: self.write_timeout }
    }

    /// Returns the number of connections that may be open at once. Raises the soft limit of
    /// descriptors to the hard one. Fails when that leaves fewer than `--max-connections`, or none.
    pub fn connections(&self) -> anyhow::Result<usize> {
        let descriptors = raise_descriptor_limit().context("cannot raise the limit of open files")?;
        let available = descriptors.saturating_sub(RESERVED_DESCRIPTORS);
        match self.max_connections {
            Some(asked) if asked > available => bail!(
                "{asked} connections: the limit of {descriptors} open files leaves {available}; raise it \
                 (`ulimit -n`) or ask for fewer"
            ),
            Some(asked) => Ok(asked),
            None if available == 0 => {
                bail!(
                    "the limit of {descriptors} open files leaves none for connections; raise it (`ulimit -n`)"
                )
            }
            None => Ok(available),
        }
    }
}

/// Raises the soft limit of open files to the hard limit, and returns the hard limit.
fn raise_descriptor_limit() -> nix::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(usize::try_from(hard).unwrap_or(usize::MAX))
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("not a whole number of at least 1")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or("not a number of seconds above 0")
}
