//! The placement of tokio's runtimes on cores: one for all cores, or one per core.

use std::io;
use std::net::TcpListener;

use anyhow::Context;
use shared::process::{self, Flag, FlagSet, Flags, Values};
use shared::tls::TlsFiles;
use tokio::runtime::{Builder, Runtime};

/// How tokio's runtimes are placed on the cores.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// One runtime whose threads share all connections.
    Multi,
    /// One runtime per core with connections of its own, which the kernel distributes.
    PerCore,
}

/// The flags of a server on tokio.
#[derive(Clone, Debug)]
pub struct LayoutFlags {
    /// The flags of every server.
    pub process: Flags,
    /// How tokio's runtimes are placed on the cores.
    pub layout: Layout,
}

impl FlagSet for LayoutFlags {
    fn list() -> Vec<Flag> {
        let help = "per-core: a runtime per core, with connections of its own;\n\
                    multi: one runtime whose threads share all connections";
        let layout = Flag::new("layout", "LAYOUT", help).with_default("per-core");
        Flags::list().into_iter().chain(TlsFiles::flags()).chain([layout]).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        let layout = values.required("layout", |text| match text {
            "per-core" => Ok(Layout::PerCore),
            "multi" => Ok(Layout::Multi),
            _ => Err("neither per-core nor multi"),
        })?;
        Ok(Self { process: Flags::read(values)?, layout })
    }
}

impl Layout {
    /// Creates a listening socket for each runtime.
    pub(crate) fn listeners(self, flags: &Flags) -> anyhow::Result<Vec<TcpListener>> {
        let addresses = flags.addresses()?;
        match self {
            Self::Multi => Ok(vec![process::bind(&addresses)?]),
            Self::PerCore => process::bind_shared(&addresses, flags.workers_or_cores()),
        }
    }

    /// Creates the runtimes, without timers: the thread for deadlines replaces them. Fails when the
    /// machine refuses threads or descriptors.
    pub(crate) fn runtimes(self, flags: &Flags) -> anyhow::Result<Vec<Runtime>> {
        let workers = flags.workers_or_cores();
        let runtimes: io::Result<Vec<_>> = match self {
            Self::Multi => {
                // Without all of them, tokio would serve with fewer, or panic if there were none.
                process::check_threads(workers)?;
                [Builder::new_multi_thread().worker_threads(workers).enable_io().build()]
                    .into_iter()
                    .collect()
            }
            Self::PerCore => {
                (0..workers).map(|_| Builder::new_current_thread().enable_io().build()).collect()
            }
        };
        runtimes.context("cannot start tokio")
    }
}
