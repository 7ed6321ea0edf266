//! What do load tools report about a server that stops for a second?
//!
//! Two thousand requests per second, evenly spaced, are due for four seconds, and for one of these
//! the server is stopped with SIGSTOP. A request that is due in that second waits for its end, so
//! the true latency can be calculated. Each load tool on this machine makes that load; its figures
//! are printed beside the truth. See "What can latency hide?" in METHODOLOGY.md.
//!
//! ```sh
//! cargo run --release --package bench --example stopped_server
//! ```
#![allow(clippy::indexing_slicing, reason = "a mistake here ends only the experiment")]

use std::time::Duration;

use anyhow::{Context, bail};
use bench::machine::assignment::{Choice, Layout};
use bench::machine::host::{Host, Launch, Waited};
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use bench::servers::workload::{Amount, Load, Mode};
use bench::text::names;
use bench::tools::{self, LoadSpec, Tool, ToolOutput};

/// Any server that is much faster than the rate, so that its own time per request does not matter.
const SERVER: &str = "hyper";

/// Requests per second: far below the throughput of the server, so that its backlog is gone at
/// once.
const RATE: u32 = 2000;

/// The number of connections. It divides `RATE`, since `hey` takes a rate per connection.
const CONNECTIONS: u32 = 10;

/// The time of the load. `wrk` takes whole seconds only.
const LOAD: Duration = Duration::from_secs(4);

/// The time of the stop: early enough that the backlog is answered before the end of the load.
const STOP_AFTER: Duration = Duration::from_millis(1500);

/// The length of the stop.
const STOP: Duration = Duration::from_secs(1);

/// The timeout of a request: longer than any request takes.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a tool to end, in addition to the load. It may still send requests that it could not
/// send before.
const BOUND: Duration = Duration::from_secs(60);

/// Time to build `visit` on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// The runs, each with flags in addition to those for the connections and the time.
const RUNS: [Run; 7] = [
    Run { tool: "visit", title: "open loop", flags: &["--rate", "2000"] },
    Run { tool: "visit", title: "closed loop", flags: &[] },
    Run { tool: "oha", title: "a rate, corrected", flags: &["-q", "2000", "--latency-correction"] },
    Run { tool: "oha", title: "a rate, not corrected", flags: &["-q", "2000"] },
    Run { tool: "oha", title: "closed loop", flags: &[] },
    // `hey` takes the rate of one connection.
    Run { tool: "hey", title: "a rate", flags: &["-q", "200"] },
    // `wrk` takes no rate, and always corrects the latency.
    Run { tool: "wrk", title: "closed loop", flags: &[] },
];

struct Run {
    tool: &'static str,
    title: &'static str,
    flags: &'static [&'static str],
}

fn main() -> anyhow::Result<()> {
    let checkout = Checkout::read(None)?;
    let server = names::find("server", SERVER, &checkout.servers, |server| &server.name)?;
    let host = Host::this_machine(checkout.tools())?;
    if let Some(why) = launch::prepare(&host, server)? {
        bail!("{SERVER} is unavailable: {why}");
    }
    let words = ["cargo", "build", "--release", "--locked", "--package", "visit"].map(String::from);
    host.run(&Launch::build(&words, &checkout.root).shown(true), BUILD_BOUND)?;

    row("tool", "run", &["answered", "p50 ms", "p99 ms", "max ms"].map(String::from));
    let (count, truth) = truth();
    row("", "the truth", &figures(count, truth.map(Some)));
    for run in &RUNS {
        let tool = tools::find(run.tool)?;
        if let Err(why) = tools::available(&host, tool) {
            println!("{} ({}) is left out: {why}", run.tool, run.title);
            continue;
        }
        let output = load(&host, server, tool, run);
        let output = output.with_context(|| format!("{} ({})", run.tool, run.title))?;
        let [p50, p99] = [50, 99].map(|percent| output.percentiles.get(&percent).copied());
        row(run.tool, run.title, &figures(output.answered, [p50, p99, output.max_seconds]));
    }
    Ok(())
}

/// Loads a fresh server with a tool and stops the server in the middle. Returns the figures of the
/// tool.
fn load(host: &Host, server: &Server, tool: &dyn Tool, run: &Run) -> anyhow::Result<ToolOutput> {
    let Layout { cores, .. } = Layout::here(&Choice::default())?;
    let running = launch::start(host, server, &cores.server, &[])?;
    let load =
        Load { timeout: TIMEOUT, ..Load::new(run.tool, CONNECTIONS, Amount::Time(LOAD), Mode::KeepAlive) };
    let url = format!("http://{}/abc", running.address);
    let spec = LoadSpec {
        load: &load,
        amount: load.amount,
        rate: None,
        share: None,
        series: None,
        answer: "Hello, visitor! You've requested: /abc\n",
        cores: cores.tool.len(),
        url: &url,
    };
    let mut words = tool.command(&spec);
    words.splice(1..1, run.flags.iter().map(ToString::to_string));
    let folder = tempfile::tempdir()?;
    for file in tool.files() {
        std::fs::write(folder.path().join(file.name), file.text)?;
    }

    let launch = Launch::new(&words, folder.path()).on(&cores.tool);
    let mut process = host.start(&launch)?;
    std::thread::sleep(STOP_AFTER);
    running.process.freeze(STOP)?;
    let waited = process.wait(BOUND);
    let ended = process.kill()?;
    host.check_interrupted()?;
    if waited == Waited::TimedOut {
        bail!("`{}` did not end within {} s", words.join(" "), BOUND.as_secs());
    }
    tool.parse(&ended.output)
}

/// The true figures: the number of requests, and the median, the 99th percentile and the maximum of
/// their latency in seconds. The time per request of a server that runs is left out.
fn truth() -> (u64, [f64; 3]) {
    let interval = 1.0 / f64::from(RATE);
    let (from, until) = (STOP_AFTER.as_secs_f64(), (STOP_AFTER + STOP).as_secs_f64());
    let due = (0..).map(|number| f64::from(number) * interval).take_while(|due| *due < LOAD.as_secs_f64());
    let mut waits: Vec<f64> =
        due.map(|due| if (from..until).contains(&due) { until - due } else { 0.0 }).collect();
    waits.sort_unstable_by(f64::total_cmp);
    let percentile = |percent: usize| waits[(waits.len() * percent).div_ceil(100) - 1];
    (waits.len() as u64, [percentile(50), percentile(99), percentile(100)])
}

fn figures(answered: u64, seconds: [Option<f64>; 3]) -> [String; 4] {
    let milliseconds =
        seconds.map(|seconds| seconds.map_or_else(|| "–".into(), |seconds| format!("{:.1}", seconds * 1e3)));
    let [p50, p99, max] = milliseconds;
    [answered.to_string(), p50, p99, max]
}

fn row(tool: &str, title: &str, figures: &[String; 4]) {
    let [answered, p50, p99, max] = figures;
    println!("{tool:<6} {title:<22} {answered:>9} {p50:>8} {p99:>8} {max:>8}");
}
