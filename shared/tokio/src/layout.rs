//! How runtimes are placed on cores: one for all, or one for each.

use std::io;
use std::net::TcpListener;

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
        let address = flags.address()?;
        match self {
            Self::Multi => Ok(vec![process::bind(address)?]),
            Self::PerCore => process::bind_shared(address, flags.workers_or_cores()),
        }
    }

    /// The runtimes, without timers: the thread for deadlines takes their place.
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
