//! The server of a load: a process of the harness, or one that the user has started.

use std::net::SocketAddr;

use super::{Run, memory};
use crate::machine::host::{AttachedProcess, Memory, ThreadTimes, Usage};
use crate::servers::client;
use crate::servers::launch::Running;
use crate::store::record::MemoryRecord;

pub(super) enum LoadedServer {
    /// A server that is started on its cores for this run, and ended after it.
    Started(Running),
    /// A server that runs before and after the run. The process is known if the user gave `--pid`.
    Attached { address: SocketAddr, process: Option<AttachedProcess> },
}

impl LoadedServer {
    /// Starts the server, or looks at the attached one. Fails when it does not start or has ended.
    pub(super) fn start(run: &Run) -> anyhow::Result<Self> {
        match &run.server.attached {
            None => Ok(Self::Started(run.start_server()?)),
            Some(attached) => {
                let mut server = Self::Attached { address: attached.address, process: attached.process };
                server.check_running()?;
                Ok(server)
            }
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Started(running) => running.address,
            Self::Attached { address, .. } => *address,
        }
    }

    /// Returns what the server and its children have used; `None` if its process is unknown. Fails
    /// when the process has ended.
    pub(super) fn usage(&self) -> anyhow::Result<Option<Usage>> {
        match self {
            Self::Started(running) => running.process.usage().map(Some),
            Self::Attached { process, .. } => process.map(|process| process.usage()).transpose(),
        }
    }

    /// The CPU time of the threads of the server and its children; `None` where that is not known.
    pub(super) fn threads(&self) -> Option<ThreadTimes> {
        match self {
            Self::Started(running) => running.process.threads(),
            Self::Attached { process, .. } => process.as_ref()?.threads(),
        }
    }

    /// The server's memory before the first request. An attached server has had requests already.
    pub(super) fn at_rest(&self) -> Option<Memory> {
        match self {
            Self::Started(running) => running.process.memory(),
            Self::Attached { .. } => None,
        }
    }

    /// The server's memory now and at rest. The peak of an attached server may be older than the run.
    pub(super) fn memory(&self, at_rest: Option<Memory>) -> Option<MemoryRecord> {
        match self {
            Self::Started(running) => Some(memory(at_rest, running.process.memory())),
            Self::Attached { process, .. } => {
                let now = process.as_ref()?.memory();
                Some(MemoryRecord { peak_bytes: None, ..memory(at_rest, now) })
            }
        }
    }

    /// Whether this kernel knows the server's connections, of which it has seen `seen`: an attached
    /// server may be on another machine.
    pub(super) fn is_here(&self, seen: Option<u64>) -> bool {
        match self {
            Self::Started(_) => true,
            Self::Attached { .. } => seen.is_some_and(|connections| connections > 0),
        }
    }

    /// Fails when the server has ended, or, if its process is unknown, when it accepts no connection.
    pub(super) fn check_running(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Started(running) => running.process.check_running(),
            Self::Attached { process: Some(process), .. } => process.check_running(),
            Self::Attached { address, process: None } => client::check_accepts(*address),
        }
    }

    /// Ends the server if it was started for the run. Fails when it had ended before.
    pub(super) fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Started(running) => running.process.kill().map(drop),
            Self::Attached { .. } => Ok(()),
        }
    }
}
