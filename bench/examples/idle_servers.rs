//! How much do idle servers cost the server that is measured?
//!
//! In a repetition that is measured in slices, all servers run at the same time, each with its open
//! connections, and one of them is loaded. Here one server is loaded in slices while 0, 7 or 15
//! other servers are idle. These are of several kinds, with 100 connections each. Each round has
//! all three numbers in random order. Within a round, the CPU time per request beside idle servers
//! is compared with that without idle servers.
//!
//! ```sh
//! cargo run --release --package bench --example idle_servers
//! ```

#![allow(clippy::indexing_slicing, reason = "a mistake here ends only the experiment")]

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bench::analysis::statistics::{Estimate, median};
use bench::machine::assignment::{Choice, Layout};
use bench::machine::host::{Host, Launch, Process};
use bench::servers::checkout::Checkout;
use bench::servers::launch::{self, Running};
use bench::servers::server::Server;
use bench::text::numbers::as_f64;
use visit_output::Slice;

/// The server that is loaded.
const LOADED: &str = "epoll";

/// The idle servers, used in turn: an event loop, runtimes, threads, and two with a garbage
/// collector.
const IDLE: [&str; 5] = ["hyper", "may", "threads", "nethttp", "node-http"];

/// The numbers of idle servers.
const COUNTS: [usize; 3] = [0, 7, 15];

const ROUNDS: usize = 60;

/// Slices per round and count, of 20 ms each.
const SLICES: usize = 20;

/// Time for the tool to open its connections, and to answer a command.
const BOUND: Duration = Duration::from_secs(30);

/// A server, and the load tool that keeps connections to it.
struct Pair {
    server: Running,
    tool: Process,
}

impl Pair {
    fn start(host: &Host, server: &Server, layout: &Layout) -> anyhow::Result<Self> {
        let running = launch::start(host, server, &layout.cores.server, &[])?;
        let url = format!("http://{}/abc", running.address);
        let words = ["visit", "--control", "--quiet", "--connections", "100", &url].map(str::to_owned);
        let launch = Launch::new(&words, Path::new("/")).on(&layout.cores.tool).commanded();
        let mut tool = host.start(&launch)?;
        tool.line(BOUND)?;
        Ok(Self { server: running, tool })
    }

    /// Loads the server for a slice. Returns its CPU time per request, in seconds.
    fn cost(&mut self) -> anyhow::Result<f64> {
        self.tool.ask("warm 0.002", BOUND)?;
        let before = self.server.process.usage()?;
        let slice = Slice::parse(&self.tool.ask("run 0.02", BOUND)?)?;
        let used = self.server.process.usage()?.since(&before);
        Ok(used.cpu.as_secs_f64() / as_f64(slice.answered))
    }
}

fn main() -> anyhow::Result<()> {
    let checkout = Checkout::read(None)?;
    let host = Host::this_machine(checkout.tools())?;
    let layout = Layout::here(&Choice::default())?;
    let names: Vec<String> = IDLE.iter().chain([&LOADED]).map(ToString::to_string).collect();
    let chosen = checkout.choose_servers(&names)?;
    let mut idle = Vec::new();
    for server in &chosen {
        match launch::prepare(&host, server)? {
            Some(why) => println!("left out: {}: {why}", server.name),
            None if server.name != LOADED => idle.push(*server),
            None => {}
        }
    }
    let loaded = chosen.iter().find(|server| server.name == LOADED).context("there is no such server")?;

    let mut random = fastrand::Rng::new();
    let mut costs = COUNTS.map(|_| Vec::with_capacity(ROUNDS));
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        let mut order: Vec<usize> = (0..COUNTS.len()).collect();
        random.shuffle(&mut order);
        let mut pair = Pair::start(&host, loaded, &layout)?;
        pair.tool.ask("warm 0.2", BOUND)?;
        for index in order {
            let others = idle.iter().cycle().take(COUNTS[index]);
            let others: Vec<Pair> =
                others.map(|server| Pair::start(&host, server, &layout)).collect::<anyhow::Result<_>>()?;
            let mut of_slices = (0..SLICES).map(|_| pair.cost()).collect::<anyhow::Result<Vec<f64>>>()?;
            drop(others);
            costs[index].extend(median(&mut of_slices));
        }
    }
    for (count, values) in COUNTS.iter().zip(&costs) {
        let ratios = values.iter().zip(&costs[0]).map(|(cost, alone)| cost / alone);
        let ratio = Estimate::from_values(ratios.collect()).context("there are no figures")?;
        println!("beside {count:>2} idle servers: {:.3} ({:.3}–{:.3})", ratio.median, ratio.low, ratio.high);
    }
    Ok(())
}
