//! The instructions of whole servers that answer requests, as callgrind counts them. Every server
//! whose manifest has a budget is counted. `bench/tests/budgets` compares the counts with the
//! budgets.
//!
//! A server starts and ends in both of its benchmarks, so that their difference is the cost of the
//! additional requests.
#![allow(missing_docs, reason = "gungraun's macros make undocumented functions")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failure is not counted"
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
use shared::testing::heads::WRK;

/// The number of requests in each benchmark of a server. The difference is so large that work that
/// depends on the clock or on chance hardly counts: in `threads` the pool's own threads take 68,000
/// instructions in some runs and none in others.
const REQUESTS: [usize; 2] = [1_000, 11_000];

/// The file for a server's output, in the folder that the runner makes for it and its client.
const READY: &str = "ready";

/// The variable that tells the client how many requests to send.
const VARIABLE: &str = "REQUESTS";

const END: &[u8] = b"\r\n\r\nHello, visitor! You've requested: /abc\n";

/// The timeout of each wait. Only a program that hangs comes near it.
const BOUND: Duration = Duration::from_secs(60);

binary_benchmark_group!(
    name = servers,
    benchmarks = |group: &mut BinaryBenchmarkGroup| {
        for server in &counted().1 {
            group.binary_benchmark(benchmark(server));
        }
    }
);

/// Runs gungraun only for `cargo bench`: `cargo test --all-targets` runs benchmarks too, where no
/// runner may be installed.
fn main() {
    if std::env::args().any(|argument| ["--bench", "--gungraun-run"].contains(&argument.as_str())) {
        runner::run();
    }
}

mod runner {
    use gungraun::{BinaryBenchmarkConfig, Callgrind, main};

    use super::{build, servers};

    main!(
        // Only instructions are shown, so the caches are not simulated.
        config = BinaryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
        setup = build(),
        binary_benchmark_groups = servers
    );

    pub(super) fn run() {
        main();
    }
}

/// Builds the counted servers, before the first benchmark.
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

/// The benchmarks of a server with one worker, each with a client that sends the requests and ends
/// the server.
fn benchmark(server: &Server) -> BinaryBenchmark {
    // Names of benchmarks have no hyphens.
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

/// The client: sends the requests, and ends the server even if that fails, since the runner waits for
/// the server.
fn ask() {
    let sent = send_requests();
    kill(server(), Signal::SIGTERM).unwrap();
    sent.unwrap();
}

/// Sends the requests on one connection, each when the one before it is answered.
fn send_requests() -> anyhow::Result<()> {
    let requests: usize = std::env::var(VARIABLE)?.parse()?;
    let mut stream = TcpStream::connect(address()?)?;
    stream.set_read_timeout(Some(BOUND))?;
    // Each answer is as long as the first.
    let mut answer = Vec::new();
    stream.write_all(WRK.as_bytes())?;
    while !answer.ends_with(END) {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece)?;
        ensure!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    for _ in 1..requests {
        stream.write_all(WRK.as_bytes())?;
        stream.read_exact(&mut answer)?;
        ensure!(answer.ends_with(END), "{:?}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// The address in the server's ready line, once that is printed.
fn address() -> anyhow::Result<SocketAddr> {
    let begun = Instant::now();
    loop {
        // The runner makes the file while this client starts.
        let said = std::fs::read_to_string(READY).unwrap_or_default();
        if let Some(line) = said.strip_suffix('\n') {
            let address = line.strip_prefix("listening on http://").context("no ready line")?;
            return Ok(address.parse()?);
        }
        ensure!(begun.elapsed() < BOUND, "the server is not ready");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The server: the other process that the runner, the parent of this one, has started.
fn server() -> Pid {
    let own = Process::myself().unwrap().stat().unwrap();
    let others = all_processes().unwrap().filter_map(|process| process.ok()?.stat().ok());
    let mut beside = others.filter(|other| other.ppid == own.ppid && other.pid != own.pid);
    Pid::from_raw(beside.next().expect("the runner has started the server").pid)
}
