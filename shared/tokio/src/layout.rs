//! How runtimes lie on cores: one for all, or one for each.

use std::io;
use std::net::TcpListener;

use clap::ValueEnum;
use shared::process::{self, Flags};
use tokio::runtime::{Builder, Runtime};

/// How tokio's runtimes lie on the cores.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Layout {
    /// One runtime whose threads share all connections
    Multi,
    /// A runtime a core with connections of its own, among which the kernel spreads them
    PerCore,
}

impl Layout {
    /// A listening socket for each runtime.
    pub(crate) fn listeners(self, flags: &Flags) -> anyhow::Result<Vec<TcpListener>> {
        let address = flags.address()?;
        match self {
            Self::Multi => Ok(vec![process::bind(address)?]),
            Self::PerCore => process::bind_shared(address, flags.workers_or_cores()),
        }
    }

    /// The runtimes, without timers: those are the keeper's.
    pub(crate) fn runtimes(self, flags: &Flags) -> io::Result<Vec<Runtime>> {
        let workers = flags.workers_or_cores();
        match self {
            Self::Multi => {
                let runtime = Builder::new_multi_thread().worker_threads(workers).enable_io().build()?;
                Ok(vec![runtime])
            }
            Self::PerCore => {
                (0..workers).map(|_| Builder::new_current_thread().enable_io().build()).collect()
            }
        }
    }
}
