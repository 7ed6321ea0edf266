//! Whole servers that answer requests: their instructions, as gungraun has callgrind count them. `bench/tests/budgets` holds them
//! against the budgets in the manifests: every server that has one is counted.
//!
//! A server starts and ends in both of its benchmarks, so that their difference is what the requests take by which they differ.
#![allow(missing_docs, reason = "gungraun's macros make undocumented functions")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a count of what went wrong is none"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use gungraun::{
    Bench, BinaryBenchmark, BinaryBenchmarkConfig, Command, Sandbox, Stdio, binary_benchmark_group,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::{Process, all_processes};

/// How many requests a server is asked in its benchmarks. By how many they differ makes little of what a server does by the clock or
/// by chance: in `threads` the pool's own threads take 68,000 instructions in some runs and none in others.
const REQUESTS: [usize; 2] = [1_000, 11_000];

/// What a server prints goes into this file, in the folder that the runner makes for it and its client.
const READY: &str = "ready";

/// Tells the client how many requests to send.
const VARIABLE: &str = "REQUESTS";

const REQUEST: &[u8] = b"GET /abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
const END: &[u8] = b"\r\n\r\nHello, visitor! You've requested: /abc\n";

/// Generous: only what hangs comes near it.
const BOUND: Duration = Duration::from_secs(60);

binary_benchmark_group!(
    name = servers,
    benchmarks = |group: &mut BinaryBenchmarkGroup| {
        for server in &counted().1 {
            group.binary_benchmark(benchmark(server));
        }
    }
);

/// What gungraun makes a program of. `cargo test --all-targets` runs benchmarks too, and is to need no runner.
fn main() {
    if std::env::args().any(|argument| ["--bench", "--gungraun-run"].contains(&argument.as_str())) {
        runner::run();
    }
}

mod runner {
    use gungraun::{BinaryBenchmarkConfig, Callgrind, main};

    use super::{build, servers};

    main!(
        // Nobody asks for the caches: instructions are all that is shown.
        config = BinaryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
        setup = build(),
        binary_benchmark_groups = servers
    );

    pub(super) fn run() {
        main();
    }
}

/// Before the first benchmark: builds what is counted.
fn build() {
    let (host, servers) = counted();
    for server in &servers {
        launch::prepare(&host, server).unwrap();
    }
}

/// The servers that have a budget and can run here.
fn counted() -> (Host, Vec<Server>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut checkout = Checkout::read(Some(&root)).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    checkout
        .servers
        .retain(|server| server.instructions.is_some() && launch::unavailable(&host, server).is_none());
    (host, checkout.servers)
}

/// A server with one worker, and beside it the client that asks it and ends it.
fn benchmark(server: &Server) -> BinaryBenchmark {
    // What the runner calls a benchmark has no hyphens.
    let mut benchmark = BinaryBenchmark::new(server.name.replace('-', "_"));
    let mut command = Command::new(&server.run[0]);
    command.args(&server.run[1..]).args(["--host", "127.0.0.1", "--port", "0", "--workers", "1"]);
    command.stdout(Stdio::File(READY.into())).setup_parallel(true);
    for requests in REQUESTS {
        let mut config = BinaryBenchmarkConfig::default();
        config.sandbox(Sandbox::new(true)).current_dir(&server.folder).env(VARIABLE, requests.to_string());
        benchmark.bench(
            Bench::new(format!("requests_{requests}")).config(config).command(command.clone()).setup(ask),
        );
    }
    benchmark
}

/// The client: asks the server, and ends it, however that went: the runner waits for it.
fn ask() {
    let asked = send_requests();
    kill(server(), Signal::SIGTERM).unwrap();
    asked.unwrap();
}

/// Sends the requests on one connection, each when the one before it is answered.
fn send_requests() -> anyhow::Result<()> {
    let requests: usize = std::env::var(VARIABLE)?.parse()?;
    let mut stream = TcpStream::connect(address()?)?;
    stream.set_read_timeout(Some(BOUND))?;
    // As long as the first is each of them.
    let mut answer = Vec::new();
    stream.write_all(REQUEST)?;
    while !answer.ends_with(END) {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece)?;
        ensure!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    for _ in 1..requests {
        stream.write_all(REQUEST)?;
        stream.read_exact(&mut answer)?;
        ensure!(answer.ends_with(END), "{:?}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// Where the server listens, once it says so.
fn address() -> anyhow::Result<SocketAddr> {
    let begun = Instant::now();
    loop {
        // The runner makes the file while we start.
        let said = std::fs::read_to_string(READY).unwrap_or_default();
        if let Some(line) = said.strip_suffix('\n') {
            let address = line.strip_prefix("listening on http://").context("no ready line")?;
            return Ok(address.parse()?);
        }
        ensure!(begun.elapsed() < BOUND, "the server is not ready");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The server: what the runner, which has started this process too, has started beside it.
fn server() -> Pid {
    let own = Process::myself().unwrap().stat().unwrap();
    let others = all_processes().unwrap().filter_map(|process| process.ok()?.stat().ok());
    let mut beside = others.filter(|other| other.ppid == own.ppid && other.pid != own.pid);
    Pid::from_raw(beside.next().expect("the runner has started the server").pid)
}
