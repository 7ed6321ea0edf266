//! One run: one server under one workload, once.
//!
//! A run starts a fresh server, fills in the parts of a record that its task has figures for, and
//! ends the server, whatever happens.

mod counters;
mod hold;
mod load;
mod loaded_server;
mod series;
mod shares;
pub(super) mod slices;
mod start;

use std::net::SocketAddr;
use std::time::Duration;

use super::prepare::Setup;
use crate::analysis::verdict;
use crate::machine::cores::Cores;
use crate::machine::host::Memory;
use crate::machine::sides::Sides;
use crate::servers::identity::{Identity, ServerFlags};
use crate::servers::launch::{self, Running};
use crate::servers::server::Server;
use crate::servers::workload::{Amount, Task, Workload};
use crate::store::record::{ErrorKind, ErrorRecord, MemoryRecord, Record};

/// Expected time of a run beside its load: the start, the verification and the end of a server.
const OVERHEAD: Duration = Duration::from_millis(150);

/// Expected time of a load with a fixed number of requests: the server's speed is unknown
/// beforehand.
const LOAD_BY_COUNT: Duration = Duration::from_secs(2);

/// Expected time to open and use one connection.
const PER_CONNECTION: Duration = Duration::from_micros(100);

/// The inputs of a run.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) sides: &'a Sides,
    pub(super) cores: &'a Cores,
    pub(super) workload: &'a Workload,
    pub(super) server: &'a Server,
    /// Requests per second of an open loop, and the peak that the rate is derived from.
    pub(super) rate: Option<(f64, Option<f64>)>,
    /// The throughput of the link between hosts, as a probe has measured it, in megabits per
    /// second.
    pub(super) probed: Option<f64>,
    /// The share of a core that the server used while no requests were sent to it.
    pub(super) idle_share: Option<f64>,
    /// The certificate of the measurement; `None` where nothing is encrypted.
    pub(super) identity: Option<&'a Identity>,
    /// The length of the intervals in which the tool reports the load; `None` if it reports only
    /// the whole.
    pub(super) series: Option<Duration>,
}

/// The output of a run beside its record.
#[derive(Debug, Default)]
pub(super) struct RunOutput {
    /// What the tool printed.
    pub(super) printed: Option<String>,
    /// How long the tool ran, the warm-up included; `None` for a task without a tool.
    pub(super) load_time: Option<Duration>,
}

/// How long a run takes by the workload's file and the server's manifest.
pub(super) fn expected(workload: &Workload, server: &Server) -> Duration {
    let load = match &workload.task {
        Task::Load(load) => {
            let measured = match load.amount {
                Amount::Time(time) => time,
                Amount::Requests(_) => LOAD_BY_COUNT,
            };
            server.warm_up(load.warm_up) + measured
        }
        Task::Start => Duration::ZERO,
        Task::Hold(connections) => PER_CONNECTION * *connections,
        Task::Idle(connections, time) => PER_CONNECTION * *connections + *time,
    };
    load + OVERHEAD
}

impl<'a> Run<'a> {
    /// Returns a run of a closed loop between sides that are not probed.
    pub(super) fn new(
        sides: &'a Sides,
        setup: &'a Setup,
        workload: &'a Workload,
        server: &'a Server,
    ) -> Self {
        let Setup { cores, identity, .. } = setup;
        let (rate, probed, idle_share, series) = (None, None, None, None);
        let identity = identity.as_ref();
        Self { sides, cores, workload, server, rate, probed, idle_share, identity, series }
    }

    /// Makes the run. Its figures, or the error that it ended with, go into `record`.
    pub(super) fn make(&self, record: &mut Record) -> RunOutput {
        let mut output = RunOutput::default();
        let result = match &self.workload.task {
            Task::Load(load) => self.load(load, record, &mut output),
            Task::Start => self.start(record),
            Task::Hold(connections) => self.hold(*connections, record),
            Task::Idle(connections, time) => self.idle(*connections, *time, record),
        };
        // If a host was lost, that is the reason for whatever failed.
        let lost = self.sides.lost().map(|message| ErrorRecord { kind: ErrorKind::HostLost, message });
        record.error = result.err().map(|error| lost.unwrap_or(error));
        record.verdict = verdict::judge_run(record);
        output
    }
}

impl Run<'_> {
    /// Starts the server on its host and its cores, where the load can reach it.
    fn start_server(&self) -> anyhow::Result<Running> {
        let (listens, host) = (SocketAddr::new(self.sides.listens(), 0), self.sides.server());
        let flags = ServerFlags::new(host, self.workload.protocol(), self.identity)?;
        launch::start_on(host, self.server, listens, &self.cores.server, &flags.words())
    }

    /// The URL that a tool requests of the server.
    fn url(&self, address: SocketAddr) -> String {
        format!("{}://{address}{}", self.workload.protocol().scheme(), self.workload.path)
    }
}

/// Converts an error to its record.
fn failed(kind: ErrorKind) -> impl Fn(anyhow::Error) -> ErrorRecord {
    move |error| ErrorRecord { kind, message: format!("{error:#}") }
}

/// The memory of a server before the first request and later.
fn memory(at_rest: Option<Memory>, after: Option<Memory>) -> MemoryRecord {
    MemoryRecord {
        at_rest_bytes: at_rest.map(|memory| memory.resident),
        after_bytes: after.map(|memory| memory.resident),
        peak_bytes: after.map(|memory| memory.peak),
    }
}
