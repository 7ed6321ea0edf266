//! The flags of every server, and their environment variables.

use std::env;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgMatches, Command};
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
    /// The addresses of `--host`, which may be a name or an address (of IPv6 in brackets or not),
    /// with `--port`. Fails when the name is unknown.
    pub fn addresses(&self) -> anyhow::Result<Vec<SocketAddr>> {
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let addresses = (bare.unwrap_or(&self.host), self.port)
            .to_socket_addrs()
            .with_context(|| format!("{} {}: not an address or a known name", origin("host"), self.host))?;
        Ok(addresses.collect())
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
                "{} {asked}: the limit of {descriptors} open files leaves {available}; raise it (`ulimit -n`) or \
                 ask for fewer",
                origin("max-connections")
            ),
            Some(asked) => Ok(asked),
            None if available == 0 => {
                bail!("the limit of {descriptors} open files leaves none for connections")
            }
            None => Ok(available),
        }
    }
}

/// Reads the arguments and the variables of this process. An empty variable counts as unset:
/// `PORT=${UNSET}` in a file of variables makes one. A mistake ends the process with 2, and the
/// message names the variable where the value is that of one.
pub fn matches(command: Command) -> ArgMatches {
    let mut command = command.mut_args(|argument| match argument.get_env() {
        Some(variable) if env::var_os(variable).is_some_and(|value| value.is_empty()) => {
            argument.env(Resettable::Reset)
        }
        _ => argument,
    });
    command.build();
    let with_variable = |argument: &Arg| Some((argument.to_string(), argument.get_long()?.to_owned()));
    let arguments: Vec<_> = command.get_arguments().filter_map(with_variable).collect();
    command.try_get_matches().unwrap_or_else(|mut error| {
        let wrong = error.get(ContextKind::InvalidArg).map(ToString::to_string);
        if let Some((_, flag)) = arguments.iter().find(|(name, _)| Some(name) == wrong.as_ref()) {
            let named = origin(flag);
            if !named.starts_with('-') {
                error.insert(ContextKind::InvalidArg, ContextValue::String(named));
            }
        }
        error.exit()
    })
}

/// Where a value comes from, for an error: the flag where it was typed, else its variable.
pub fn origin(flag: &str) -> String {
    let is_flag = |argument: &str| {
        let rest = argument.strip_prefix("--").and_then(|argument| argument.strip_prefix(flag));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    if env::args_os().any(|argument| argument.to_str().is_some_and(is_flag)) {
        format!("--{flag}")
    } else {
        flag.to_ascii_uppercase().replace('-', "_")
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
