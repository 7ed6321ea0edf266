//! How runtimes are placed on cores: one for all, or one for each.

use std::io;
use std::net::TcpListener;

use anyhow::Context;
use clap::ValueEnum;
use shared::process::{self, Flags};
use tokio::runtime::{Builder, Runtime};

/// How tokio's runtimes are placed on the cores.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Layout {
    /// One runtime whose threads share all connections
    Multi,
    /// One runtime per core with connections of its own, which the kernel distributes
    PerCore,
}

/// The flags of a server on tokio.
#[derive(clap::Args, Clone, Debug)]
pub struct LayoutFlags {
    /// The flags of every server
    #[command(flatten)]
    pub process: Flags,

    /// How tokio's runtimes are placed on the cores
    #[arg(long, value_enum, env = "LAYOUT", default_value_t = Layout::PerCore)]
    pub layout: Layout,
}

impl Layout {
    /// A listening socket for each runtime.
    pub(crate) fn listeners(self, flags: &Flags) -> anyhow::Result<Vec<TcpListener>> {
        let addresses = flags.addresses()?;
        match self {
            Self::Multi => Ok(vec![process::bind(&addresses)?]),
            Self::PerCore => process::bind_shared(&addresses, flags.workers_or_cores()),
        }
    }

    /// The runtimes, without timers: the thread for deadlines takes their place. Fails when the
    /// machine refuses them threads or descriptors.
    pub(crate) fn runtimes(self, flags: &Flags) -> anyhow::Result<Vec<Runtime>> {
        let workers = flags.workers_or_cores();
        let runtimes: io::Result<Vec<_>> = match self {
            Self::Multi => {
                // tokio would serve with fewer of them, and panic without any.
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
