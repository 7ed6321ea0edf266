//! Result folders like those of `bench measure`, with figures that a test chooses.
#![allow(dead_code, reason = "each test takes what it needs of it")]

use std::fs;
use std::io::Write;
use std::path::Path;

use bench::analysis::verdict;
use bench::machine::Machine;
use bench::store::record::{
    ErrorKind, ErrorRecord, From, MemoryRecord, OpenLoopRecord, RateRecord, Record, StartRecord, TaskRecord,
};
use bench::store::results;

/// The maximum deviation of the repetitions of a cell: 0.4 % to either side.
const SPREAD: f64 = 0.004;

/// The content of a result folder.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) machine: Machine,
    pub(crate) records: Vec<Record>,
    /// Whether the last line is incomplete, as after a power failure.
    pub(crate) is_torn: bool,
    /// Whether microbenchmarks were kept.
    pub(crate) has_microbenchmarks: bool,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let machine = serde_json::from_str(include_str!("machine.json")).unwrap();
        Self { machine, records: Vec::new(), is_torn: false, has_microbenchmarks: false }
    }

    /// Seven repetitions of the servers `one` and `two` and of the duplicate of `one`, under a
    /// workload that keeps them busy. `two` takes twice the CPU time per request.
    pub(crate) fn example() -> Self {
        let mut folder = Self::new();
        folder.add(&load("busy", "one", 10.0));
        folder.add(&duplicate(load("busy", "one", 10.0)));
        folder.add(&load("busy", "two", 20.0));
        folder
    }

    /// Adds seven repetitions of a run, each with a small deviation.
    pub(crate) fn add(&mut self, run: &Record) {
        for repetition in 1..=7 {
            let mut record = run.clone();
            record.repetition = Some(repetition);
            // A duplicate, like any other server, deviates in other repetitions than its server
            // does.
            let salt = match &run.server.duplicate_of {
                Some(name) => name.len() + 5,
                None => run.server.name.len(),
            };
            let salt = u32::try_from(salt).unwrap();
            let step = f64::from((repetition * 3 + salt) % 7) - 3.0;
            scale(&mut record, 1.0 + SPREAD * step / 3.0);
            self.records.push(record);
        }
        self.judge();
    }

    /// Changes the runs of one server, and those of its duplicate, which is the same program.
    pub(crate) fn change(&mut self, server: &str, change: impl Fn(&mut Record)) {
        let is_it = |run: &&mut Record| {
            run.server.name == server || run.server.duplicate_of.as_deref() == Some(server)
        };
        self.records.iter_mut().filter(is_it).for_each(change);
        self.judge();
    }

    /// Gives each run its verdict, as the harness does after a run.
    fn judge(&mut self) {
        for record in &mut self.records {
            record.verdict = verdict::judge_run(record);
        }
    }

    pub(crate) fn write(&self, path: &Path) {
        results::write_copy(path, &self.machine, &self.records).unwrap();
        if self.is_torn {
            let file = fs::File::options().append(true).open(path.join("measurements.jsonl"));
            file.unwrap().write_all(b"{\"schema\":3,\"star").unwrap();
        }
        if self.has_microbenchmarks {
            fs::write(path.join("microbench.json"), include_str!("microbench.json")).unwrap();
        }
    }
}

/// A run in which the server was busy, at this number of microseconds of CPU time per request.
pub(crate) fn load(workload: &str, server: &str, microseconds: f64) -> Record {
    let mut record: Record = serde_json::from_str(include_str!("record.json")).unwrap();
    record.workload.name = workload.into();
    record.server.name = server.into();
    record.server.version = Some(format!("server-{server} 1"));
    busy(&mut record, 0.95, microseconds);
    record
}

/// Makes the server busy for a share of the run, with the number of answers that follows from it.
pub(crate) fn busy(record: &mut Record, share: f64, microseconds: f64) {
    record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = share;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is small and not negative"
    )]
    let answered = (share * 1e6 / microseconds).round() as u64;
    record.load.as_mut().unwrap().answered = answered;
}

/// An open loop of this number of requests per second, which were all answered.
pub(crate) fn open_loop(server: &str, rate: u32, p99_seconds: f64) -> Record {
    let mut record = load("open", server, 10.0);
    record.workload.title = "half of the peak".into();
    record.workload.rate =
        Some(RateRecord { share: Some(0.5), peak: Some("busy".into()), ..RateRecord::default() });
    record.tool.semantics.as_mut().unwrap().from = From::Due;
    record.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = f64::from(rate) * 10.0 / 1e6;
    let load = record.load.as_mut().unwrap();
    load.answered = rate.into();
    load.open_loop = Some(OpenLoopRecord {
        rate_per_second: rate.into(),
        peak_per_second: None,
        held: Some(true),
        lag_p99_seconds: Some(1e-6),
    });
    record.latency.as_mut().unwrap().percentiles = [(99, p99_seconds)].into();
    record
}

/// A start with this time to the first answer.
pub(crate) fn start(server: &str, seconds: f64) -> Record {
    let mut record = without_load("start", server, TaskRecord::Start);
    record.start = Some(StartRecord { ready_seconds: seconds / 2.0, first_answer_seconds: seconds });
    record
}

/// A hundred held connections, each of this number of bytes.
pub(crate) fn hold(server: &str, bytes: u64) -> Record {
    let mut record = without_load("hold", server, TaskRecord::Hold);
    let after = Some(1_000_000 + 100 * bytes);
    record.memory =
        Some(MemoryRecord { at_rest_bytes: Some(1_000_000), after_bytes: after, peak_bytes: after });
    record
}

fn without_load(workload: &str, server: &str, task: TaskRecord) -> Record {
    let mut record = load(workload, server, 10.0);
    record.workload.task = task;
    record.workload.title = workload.into();
    record.tool.name = "bench".into();
    (record.tool.version, record.tool.semantics) = (None, None);
    (record.load, record.cpu, record.latency) = (None, None, None);
    record
}

/// The same run of the server's duplicate.
pub(crate) fn duplicate(mut record: Record) -> Record {
    record.server.duplicate_of = Some(record.server.name.clone());
    record.server.name += "-duplicate";
    record
}

/// The same run of the floor.
pub(crate) fn floor(mut record: Record) -> Record {
    (record.server.is_floor, record.server.conformance) = (true, None);
    record
}

/// Turns a run into a failed one.
pub(crate) fn failed(record: &mut Record) {
    (record.load, record.cpu) = (None, None);
    record.error = Some(ErrorRecord { kind: ErrorKind::Start, message: "no luck today".into() });
}

/// Scales the times of a run: the CPU time per request and the latency of a load, and the time to
/// the first answer of a start.
pub(crate) fn scale(record: &mut Record, times: f64) {
    if let (Some(load), Some(cpu)) = (&mut record.load, &mut record.cpu) {
        if load.open_loop.is_some() {
            cpu.server.as_mut().unwrap().seconds *= times;
        } else {
            let microseconds =
                cpu.server.unwrap().seconds * 1e6 / bench::text::numbers::as_f64(load.answered);
            let share = cpu.server.unwrap().seconds;
            busy(record, share, microseconds * times);
        }
    }
    if let Some(latency) = &mut record.latency {
        latency.percentiles.values_mut().for_each(|seconds| *seconds *= times);
    }
    if let Some(start) = &mut record.start {
        start.first_answer_seconds *= times;
    }
}
