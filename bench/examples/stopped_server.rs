//! What do load tools tell of a server that stands still for a second?
//!
//! Two thousand visitors a second, evenly in time, come for four seconds, and for one of these the server is stopped with
//! SIGSTOP. Whoever comes in that second waits for its end, so what visitors meet can be calculated. Each tool that is on
//! this machine is asked to make that load; what it says stands beside the truth. See "Coordinated omission" in
//! METHODOLOGY.md.
//!
//! ```sh
//! cargo run --release --package bench --example stopped_server
//! ```
#![allow(clippy::indexing_slicing, reason = "a mistake here may end the experiment")]

use std::time::Duration;

use anyhow::{Context, bail};
use bench::machine::cores::Cores;
use bench::machine::host::{Host, Launch, Waited};
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use bench::servers::workload::{Amount, Load, Mode};
use bench::text::names;
use bench::tools::{self, LoadSpec, Tool, ToolOutput};

/// Any that is much faster than the rate: what a request costs must not show.
const SERVER: &str = "hyper";

/// Visitors a second: far below what the server answers, so that its backlog is worked off in no time.
const RATE: u32 = 2000;

/// As many as `RATE` divides by, since `hey` wants its rate a connection.
const CONNECTIONS: u32 = 10;

/// For how long visitors come. `wrk` goes by whole seconds.
const LOAD: Duration = Duration::from_secs(4);

/// When the server is stopped: early enough for its backlog to be worked off before the end of the load.
const STOP_AFTER: Duration = Duration::from_millis(1500);

/// For how long it stands still.
const STOP: Duration = Duration::from_secs(1);

/// No request takes so long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a tool to end, beside the stop. It may want to send what it could not.
const BOUND: Duration = Duration::from_secs(60);

/// Time to build `visit` on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// How each tool is run, beside its usual arguments for that many connections and that time.
const WAYS: [Way; 7] = [
    Way { tool: "visit", title: "open loop", flags: &["--rate", "2000"] },
    Way { tool: "visit", title: "closed loop", flags: &[] },
    Way { tool: "oha", title: "a rate, corrected", flags: &["-q", "2000", "--latency-correction"] },
    Way { tool: "oha", title: "a rate, not corrected", flags: &["-q", "2000"] },
    Way { tool: "oha", title: "closed loop", flags: &[] },
    // Its rate is that of one connection.
    Way { tool: "hey", title: "a rate", flags: &["-q", "200"] },
    // It has no rate, and corrects unasked.
    Way { tool: "wrk", title: "closed loop", flags: &[] },
];

struct Way {
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
    let words = ["cargo", "build", "--release", "--locked", "--package", "visit"];
    let words = words.map(String::from);
    host.run(&Launch { words: &words, folder: &checkout.root, cores: &[], shown: true }, BUILD_BOUND)?;

    row("tool", "run with", &["answered", "p50 ms", "p99 ms", "max ms"].map(String::from));
    let (count, truth) = truth();
    row("", "the truth", &figures(count, truth.map(Some)));
    for way in &WAYS {
        let tool = tools::find(way.tool)?;
        if let Err(why) = tools::available(&host, tool) {
            println!("{} ({}) is left out: {why}", way.tool, way.title);
            continue;
        }
        let said = ask(&host, server, tool, way).with_context(|| format!("{} ({})", way.tool, way.title))?;
        let percentile = |percent| said.percentiles.get(&percent).copied();
        row(way.tool, way.title, &figures(said.answered, [percentile(50), percentile(99), said.max_seconds]));
    }
    Ok(())
}

/// Loads a fresh server by a tool and stops it in the middle: what the tool says of that.
fn ask(host: &Host, server: &Server, tool: &dyn Tool, way: &Way) -> anyhow::Result<ToolOutput> {
    let cores = Cores::divide(None, None)?;
    let running = launch::start(host, server, &cores.server, &[])?;
    let load = Load {
        tool: way.tool.into(),
        connections: CONNECTIONS,
        amount: Amount::Time(LOAD),
        mode: Mode::KeepAlive,
        rate: None,
        warm_up: Duration::ZERO,
        timeout: TIMEOUT,
    };
    let url = format!("http://{}/abc", running.address);
    let spec = LoadSpec {
        load: &load,
        amount: load.amount,
        rate: None,
        answer: "Hello, visitor! You've requested: /abc\n",
        cores: cores.tool.len(),
        url: &url,
    };
    let mut words = tool.command(&spec);
    words.splice(1..1, way.flags.iter().map(ToString::to_string));
    let folder = tempfile::tempdir()?;
    if let Some(script) = tool.script() {
        std::fs::write(folder.path().join(script.name), script.text)?;
    }

    let launch = Launch { words: &words, folder: folder.path(), cores: &cores.tool, shown: false };
    let mut process = host.start(&launch)?;
    std::thread::sleep(STOP_AFTER);
    running.freeze(STOP)?;
    let waited = process.wait(BOUND);
    let ended = process.kill()?;
    host.check_interrupted()?;
    if waited == Waited::TimedOut {
        bail!("`{}` did not end within {} s", words.join(" "), BOUND.as_secs());
    }
    tool.parse(&ended.output)
}

/// How many visitors come, and the median, the 99th percentile and the largest of the times in seconds that they wait. What
/// an answer takes of a server that runs is left out.
fn truth() -> (u64, [f64; 3]) {
    let known_failure = 1.0 / f64::from(RATE);
    let (from, until) = (STOP_AFTER.as_secs_f64(), (STOP_AFTER + STOP).as_secs_f64());
    let due =
        (0..).map(|number| f64::from(number) * known_failure).take_while(|due| *due < LOAD.as_secs_f64());
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
