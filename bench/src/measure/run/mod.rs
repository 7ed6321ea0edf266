//! One run: a fresh server under one workload, once.
//!
//! A run fills in the parts of a record that its task has figures for. Nothing of it is left when it ends.

mod hold;
mod load;
mod start;
mod subject;

use std::time::Duration;

use crate::analysis::verdict;
use crate::machine::cores::Cores;
use crate::machine::host::{Host, Memory};
use crate::servers::server::Server;
use crate::servers::workload::{Amount, Task, Workload};
use crate::store::record::{ErrorKind, ErrorRecord, MemoryRecord, Record};

/// Time of a run beside its load, as planned: the start, the verification and the end of a server.
const EXPECTED_OVERHEAD: Duration = Duration::from_millis(150);

/// Time of a load that goes by count, as planned: nothing is known of the server's speed.
const EXPECTED_BY_COUNT: Duration = Duration::from_secs(2);

/// Time to open and use one connection, as planned.
const EXPECTED_A_CONNECTION: Duration = Duration::from_micros(100);

/// What a run is made with.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The machine.
    pub host: &'a Host,
    /// Who gets which cores.
    pub cores: &'a Cores,
    /// What is asked.
    pub workload: &'a Workload,
    /// Who is asked.
    pub server: &'a Server,
    /// Requests a second of an open loop, and the peak that it is a share of.
    pub rate: Option<(f64, Option<f64>)>,
}

/// What came of a run beside its record.
#[derive(Debug, Default)]
pub struct RunOutput {
    /// What the tool printed.
    pub output: Option<String>,
    /// For how long the tool was at work, its warm-up included; `None` of a run that needs no tool.
    pub load_time: Option<Duration>,
}

/// How long a run takes, as planned.
pub fn expected(workload: &Workload) -> Duration {
    let asking = match &workload.task {
        Task::Load(load) => match load.amount {
            Amount::Time(time) => time + load.warm_up,
            Amount::Requests(_) => EXPECTED_BY_COUNT + load.warm_up,
        },
        Task::Start => Duration::ZERO,
        Task::Hold(connections) => EXPECTED_A_CONNECTION * *connections,
    };
    asking + EXPECTED_OVERHEAD
}

impl Run<'_> {
    /// Makes the run, and puts what it came to into `record`.
    pub fn make(&self, record: &mut Record) -> RunOutput {
        let mut made = RunOutput::default();
        let outcome = match &self.workload.task {
            Task::Load(load) => self.load(load, record, &mut made),
            Task::Start => self.start(record),
            Task::Hold(connections) => self.hold(*connections, record),
        };
        record.error = outcome.err();
        record.verdict = verdict::of_run(record);
        made
    }
}

/// An error as a record's.
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
