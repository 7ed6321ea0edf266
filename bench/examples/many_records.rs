//! How long does a report of very many records take, and how much memory?
//!
//! Makes a result folder of as many records as one likes: a sweep of all servers and a duplicate, again and again, with figures that
//! are thought up and of the sizes that real ones have. Nothing is measured.
//!
//! ```sh
//! cargo run --release --package bench --example many_records -- /tmp/many
//! bash -c 'time target/release/bench report /tmp/many >/dev/null'
//! ```

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bench::analysis::verdict;
use bench::machine::cores::Cores;
use bench::machine::{self, Machine};
use bench::servers::checkout::Checkout;
use bench::servers::server::Server;
use bench::servers::workload::{Load, Mode, Workload};
use bench::store::record::{
    ConnectRecord, ConnectionsRecord, CpuRecord, LatencyRecord, LoadRecord, MemoryRecord, OpenLoopRecord,
    Record, SCHEMA, ServerRecord, StartRecord, TaskRecord, ToolRecord, UsageRecord,
};
use bench::store::results::Results;
use bench::text::numbers::as_f64;
use bench::tools::{self, Order};
use clap::Parser;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

/// The same folder each time, but for what is said of the machine.
const SEED: u64 = 1;

/// Answers a second of the first server; each is slower than the one before it.
const PER_SECOND: f64 = 50_000.0;

/// Time that a load takes.
const SECONDS: f64 = 2.001_234_567;

/// Latencies that are drawn for a histogram.
const LATENCIES: u32 = 30_000;

/// Histograms of a cell; its runs have them by turns.
const HISTOGRAMS: usize = 4;

/// Makes a result folder of many records
#[derive(Parser)]
struct Flags {
    /// The folder, which must not be there yet
    folder: PathBuf,

    /// How many records
    #[arg(default_value_t = 100_000)]
    records: usize,
}

/// A run of one server under one workload, and what its repetitions have in their turns.
struct Cell {
    run: Record,
    latencies: Vec<LatencyRecord>,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut cells = cells(&Checkout::read(None)?, &mut random)?;
    let cores = Cores { server: vec![0], tool: vec![1], harness: None };
    drop(Results::create(&flags.folder, &Machine::read(&cores, SEED)?)?);
    // Results are on the disk after each record, which would take minutes.
    let path = flags.folder.join("measurements.jsonl");
    let file = OpenOptions::new().append(true).open(&path);
    let mut out = BufWriter::new(file.with_context(|| format!("cannot write to {}", path.display()))?);
    let mut left = flags.records;
    for repetition in 1.. {
        random.shuffle(&mut cells);
        for cell in cells.iter().take(left) {
            serde_json::to_writer(&mut out, &run(cell, repetition, &mut random))?;
            out.write_all(b"\n")?;
        }
        left = left.saturating_sub(cells.len());
        if left == 0 {
            break;
        }
    }
    out.flush()?;
    println!("{} records in {}", flags.records, flags.folder.display());
    Ok(())
}

/// Every server and a duplicate of the last one under every workload of the sweep.
fn cells(checkout: &Checkout, random: &mut fastrand::Rng) -> anyhow::Result<Vec<Cell>> {
    let mut servers: Vec<ServerRecord> = checkout.servers.iter().map(server_record).collect();
    servers.extend(checkout.servers.last().map(|server| ServerRecord {
        name: format!("{}-duplicate", server.name),
        duplicate_of: Some(server.name.clone()),
        ..server_record(server)
    }));
    let mut cells = Vec::new();
    for workload in checkout.choose_workloads(&["sweep".into()])? {
        for (place, server) in servers.iter().enumerate() {
            // The duplicate is as fast as its server, the last one before it.
            let place = place.min(servers.len() - 2);
            let per_second = PER_SECOND / (1.0 + 0.2 * as_f64(place as u64));
            cells.push(cell(&workload, server, per_second, random)?);
        }
    }
    Ok(cells)
}

fn server_record(server: &Server) -> ServerRecord {
    ServerRecord {
        name: server.name.clone(),
        duplicate_of: None,
        title: server.title.clone(),
        language: server.language.clone(),
        runtime: server.runtime.clone(),
        model: server.model.as_str().into(),
        version: Some(format!("server-{} 0.1.0 (runtime 1.2.3)", server.name)),
        is_floor: server.is_floor,
        is_attached: false,
        article: server.article.clone(),
        conformance: None,
    }
}

/// A run of a server that can answer so many requests a second.
fn cell(
    workload: &Workload,
    server: &ServerRecord,
    per_second: f64,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Cell> {
    let (name, semantics) = match workload.load() {
        Some(load) => (load.tool.as_str(), Some(tool::find(&load.tool)?.semantics(load))),
        None => ("bench", None),
    };
    let mut run = Record {
        schema: SCHEMA,
        started: machine::now(),
        workload: workload.record().into(),
        server: server.clone().into(),
        tool: ToolRecord {
            name: name.into(),
            version: Some(format!("{name} 1.2.3")),
            semantics,
            command: Vec::new(),
        }
        .into(),
        repetition: None,
        attempt: 1,
        server_cores: vec![0],
        tool_cores: vec![1],
        verdict: None,
        load: None,
        latency: None,
        connections: Some(ConnectionsRecord {
            asked: workload.connections(),
            seen: Some(workload.connections().into()),
        }),
        cpu: None,
        memory: Some(MemoryRecord {
            at_rest_bytes: Some(4_000_000),
            after_bytes: Some(9_000_000),
            peak_bytes: Some(9_000_000),
        }),
        start: None,
        error: None,
        raw: Some(format!("0001-{}-{}.txt", workload.name, server.name)),
    };
    let mut latencies = Vec::new();
    if let Some(load) = workload.load() {
        loaded(&mut run, load, workload, per_second)?;
        let depth = if let Mode::Pipelined(depth) = load.mode { u32::from(depth) } else { 1 };
        let under_way = if load.rate.is_some() { 10 } else { load.connections * depth };
        for _ in 0..HISTOGRAMS {
            latencies.push(latency(f64::from(under_way) / per_second, random)?);
        }
    } else if run.workload.task == TaskRecord::Start {
        run.start = Some(StartRecord { ready_seconds: 0.003, first_answer_seconds: 0.004 });
    }
    Ok(Cell { run, latencies })
}

/// A load that keeps the server busy, or an open loop at half of what it can do.
fn loaded(run: &mut Record, load: &Load, workload: &Workload, per_second: f64) -> anyhow::Result<()> {
    let rate = load.rate.as_ref().map(|_| per_second / 2.0);
    let answers = rate.unwrap_or(per_second) * SECONDS;
    let order = Order {
        load,
        amount: load.amount,
        rate,
        answer: &workload.answer,
        cores: 1,
        url: "http://127.0.0.1:30000/abc",
    };
    run.tool.command = tool::find(&load.tool)?.command(&order);
    run.load = Some(LoadRecord {
        elapsed_seconds: SECONDS,
        answered: whole(answers),
        errors: [].into(),
        claimed_per_second: Some(answers / SECONDS),
        open_loop: rate.map(|rate_per_second| OpenLoopRecord {
            rate_per_second,
            peak_per_second: Some(per_second),
            held: Some(true),
            lag_p99_seconds: Some(0.000_123_456),
        }),
    });
    let usage = UsageRecord {
        seconds: 0.95 * answers / per_second,
        user_seconds: 0.61,
        system_seconds: 0.97,
        voluntary_switches: Some(73),
        involuntary_switches: Some(47),
    };
    run.cpu = Some(CpuRecord {
        wall_seconds: 2.043_404_163,
        server: Some(usage),
        tool: UsageRecord { seconds: 0.5, ..usage },
        external_seconds: Some(0.015_601_583_999_982_08),
        steal_seconds: Some(0.0),
        throttled_seconds: Some(0.0),
    });
    Ok(())
}

/// Latencies from half of `seconds` on, which is their mean: many below it, and few far above.
fn latency(seconds: f64, random: &mut fastrand::Rng) -> anyhow::Result<LatencyRecord> {
    let mut times: Histogram<u64> = Histogram::new_with_bounds(1, 3_600_000_000_000, 3)?;
    for _ in 0..LATENCIES {
        let time = seconds * (0.5 - 0.5 * (1.0 - random.f64()).ln());
        times.saturating_record(whole(time * 1e9));
    }
    let at = |share| as_f64(times.value_at_quantile(share)) / 1e9;
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(&times, &mut bytes)?;
    Ok(LatencyRecord {
        mean_seconds: Some(times.mean() / 1e9),
        percentiles: [50_u8, 75, 90, 95, 99].map(|percent| (percent, at(f64::from(percent) / 100.0))).into(),
        max_seconds: Some(at(1.0)),
        p99_9_seconds: Some(at(0.999)),
        connect: Some(ConnectRecord {
            count: 100,
            p50_seconds: 0.001_224_703,
            p99_seconds: 0.002_283_519,
            max_seconds: 0.002_385_919,
        }),
        histogram: Some(BASE64_STANDARD.encode(bytes)),
    })
}

/// One of the cell's runs: its costs are a little off, and its server has another port.
fn run(cell: &Cell, repetition: u32, random: &mut fastrand::Rng) -> Record {
    let off = 0.98 + 0.04 * random.f64();
    let mut run = cell.run.clone();
    run.repetition = Some(repetition);
    run.latency = random.choice(&cell.latencies).cloned();
    if let Some(cpu) = &mut run.cpu {
        cpu.server = cpu.server.map(|server| UsageRecord { seconds: server.seconds * off, ..server });
        let url = format!("http://127.0.0.1:{}{}", random.u16(30_000..), run.workload.path);
        run.tool.command.pop();
        run.tool.command.push(url);
    }
    if let Some(start) = &mut run.start {
        start.first_answer_seconds *= off;
    }
    if let Some(memory) = &mut run.memory {
        memory.after_bytes = Some(9_000_000 + random.u64(..1_000_000));
    }
    run.verdict = verdict::of_run(&run);
    run
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "none is negative, or comes near 2^53"
)]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}
