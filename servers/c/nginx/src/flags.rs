//! The flags of the process contract, with what is different for nginx.

use anyhow::ensure;
use clap::builder::RangedU64ValueParser;
use clap::{CommandFactory, FromArgMatches, Parser};
use shared::process;

/// Connections per worker when `--max-connections` is not given and the descriptors suffice. nginx
/// allocates memory for all of them when it starts, 7 MiB for these.
const CONNECTIONS: usize = 16384;

/// Connections that a worker has before any client's: the listener, and the channel to the main
/// process.
const OWN_CONNECTIONS: usize = 2;

/// nginx has room for 1,024 processes (`NGX_MAX_PROCESSES`), among them some that are no workers.
const MOST_WORKERS: u64 = 1000;

/// nginx, started by the process contract
#[derive(Parser)]
#[command(name = "server-nginx")]
pub(crate) struct Flags {
    #[command(flatten)]
    pub(crate) process: process::Flags,

    /// Print version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
}

impl Flags {
    /// Reads them. Exits with 2 for a flag that is wrong.
    pub(crate) fn read() -> Self {
        let workers = RangedU64ValueParser::<usize>::new().range(1..=MOST_WORKERS);
        let command = Self::command()
            .mut_arg("workers", |flag| {
                flag.value_parser(workers)
                    .help("Processes that answer requests [default: one per core this process may use]")
            })
            .mut_arg("max_connections", |flag| {
                flag.help("Connections open at once, spread over the workers; further ones are closed")
            });
        Self::from_arg_matches(&process::matches(command)).unwrap_or_else(|error| error.exit())
    }

    /// How many connections nginx may open per worker, its own among them. Raises the limit of open
    /// files, which nginx inherits. An error when `--max-connections` asks for more than that.
    pub(crate) fn connections_per_worker(&self) -> anyhow::Result<usize> {
        let unlimited = process::Flags { max_connections: None, ..self.process.clone() };
        let available = unlimited.connections()?;
        let Some(asked) = self.process.max_connections else {
            return Ok(available.min(CONNECTIONS));
        };
        let each = asked.div_ceil(self.process.workers_or_cores());
        ensure!(
            each <= available,
            "{} {asked}: the limit of open files leaves {available} per worker; raise it (`ulimit -n`) or ask \
             for fewer",
            process::origin("max-connections")
        );
        Ok(each + OWN_CONNECTIONS)
    }
}
