//! The server of a run: one that is started for it, or one that somebody else has started.

use std::net::SocketAddr;

use super::{Run, memory};
use crate::machine::host::{self, AttachedProcess, Memory, Usage};
use crate::servers::client;
use crate::servers::launch::{self, Running};
use crate::store::record::MemoryRecord;

pub(super) enum Subject {
    /// Started on the server's cores, and ended after the run.
    Ours(Running),
    /// Left as it is; its process is known where a person has said which it is.
    Attached { address: SocketAddr, process: Option<AttachedProcess> },
}

impl Subject {
    pub(super) fn of(run: &Run) -> anyhow::Result<Self> {
        match &run.server.attached {
            None => Ok(Self::Ours(launch::start(run.host, run.server, &run.cores.server, &[])?)),
            Some(attached) => {
                let mut subject = Self::Attached { address: attached.address, process: attached.process };
                subject.check_running()?;
                Ok(subject)
            }
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Ours(running) => running.address,
            Self::Attached { address, .. } => *address,
        }
    }

    /// What it and its children have used; `None` where its process is not known.
    pub(super) fn usage(&self) -> anyhow::Result<Option<Usage>> {
        match self {
            Self::Ours(running) => running.usage().map(Some),
            Self::Attached { process, .. } => process.map(|process| process.usage()).transpose(),
        }
    }

    /// Its memory before the first request; one that runs already has had requests.
    pub(super) fn at_rest(&self) -> Option<Memory> {
        match self {
            Self::Ours(running) => running.memory(),
            Self::Attached { .. } => None,
        }
    }

    /// Its memory now beside that at rest. The most that a attached one ever had need not have been in this run.
    pub(super) fn memory(&self, at_rest: Option<Memory>) -> Option<MemoryRecord> {
        match self {
            Self::Ours(running) => Some(memory(at_rest, running.memory())),
            Self::Attached { process, .. } => {
                let now = process.as_ref()?.memory();
                Some(MemoryRecord { peak_bytes: None, ..memory(at_rest, now) })
            }
        }
    }

    /// How many connections it has now; `None` where that is not told here, as of a server on another machine.
    pub(super) fn connections(&self) -> Option<u64> {
        let connections = host::established(self.address());
        match self {
            Self::Ours(_) => connections,
            Self::Attached { .. } => connections.filter(|connections| *connections > 0),
        }
    }

    /// An error when it has ended: of a attached one whose process is not known, when it takes no connection.
    pub(super) fn check_running(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Ours(running) => running.check_running(),
            Self::Attached { process: Some(process), .. } => process.check_running(),
            Self::Attached { address, process: None } => client::check_accepts(*address),
        }
    }

    /// Ends it if it was started for the run.
    pub(super) fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Ours(running) => running.kill().map(drop),
            Self::Attached { .. } => Ok(()),
        }
    }
}
