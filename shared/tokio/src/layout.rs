//! How runtimes are placed on cores: one for all, or one for each.

use std::io;
use std::net::TcpListener;

use shared::process::{self, Flag, FlagSet, Flags, Values};
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
        let mut list = Flags::list();
        list.push(Flag::new("layout", "LAYOUT", help).with_default("per-core"));
        list
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
