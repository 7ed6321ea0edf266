//! The flags of the process contract, adapted to nginx.

use anyhow::ensure;
use shared::process::{self, Flag, FlagSet, Values};
use shared::tls::TlsFiles;

/// Connections per worker when `--max-connections` is not given and the descriptors suffice. nginx
/// allocates memory for all of them when it starts, 7 MiB for these.
const CONNECTIONS: usize = 16384;

/// Connections of a worker that are not a client's: the listener, and the channel to the main
/// process.
const OWN_CONNECTIONS: usize = 2;

/// The maximum number of workers. nginx has room for 1,024 processes (`NGX_MAX_PROCESSES`), and
/// some of them are not workers.
const MOST_WORKERS: usize = 1000;

/// The flags of the process contract, and those of TLS.
pub(crate) struct Flags(pub(crate) process::Flags);

impl FlagSet for Flags {
    fn list() -> Vec<Flag> {
        let different = |flag: Flag| match flag.name {
            "workers" => Flag {
                help: "Processes that answer requests, 1000 at most\n[default: one per core this process may use]",
                ..flag
            },
            "max-connections" => Flag {
                help: "Connections open at once, spread over the workers; further ones are closed",
                ..flag
            },
            _ => flag,
        };
        process::Flags::list().into_iter().map(different).chain(TlsFiles::flags()).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        values.get("workers", |text| match text.parse() {
            Ok(1..=MOST_WORKERS) => Ok(()),
            _ => Err(format!("not a whole number from 1 to {MOST_WORKERS}")),
        })?;
        process::Flags::read(values).map(Self)
    }
}

impl Flags {
    /// Returns the number of connections that nginx may open per worker, including its own. Raises
    /// the limit of open files, which nginx inherits. Fails when `--max-connections` needs more.
    pub(crate) fn connections_per_worker(&self) -> anyhow::Result<usize> {
        let unlimited = process::Flags { max_connections: None, ..self.0.clone() };
        let available = unlimited.connections()?;
        let Some(asked) = self.0.max_connections else {
            return Ok(available.min(CONNECTIONS));
        };
        let each = asked.div_ceil(self.0.workers_or_cores());
        ensure!(
            each <= available,
            "{asked} connections: the limit of open files leaves {available} per worker; raise it \
             (`ulimit -n`) or ask for fewer"
        );
        Ok(each + OWN_CONNECTIONS)
    }
}
