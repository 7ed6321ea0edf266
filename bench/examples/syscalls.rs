//! How many system calls does a request cost?
//!
//! Each server answers a hundred thousand requests on a hundred connections under `strace`, which counts its calls. That makes
//! it slow, so what waits together may be another number than without; the calls themselves are the same.
//!
//! ```sh
//! cargo run --release --package bench --example syscalls -- [SERVER...]
//! ```
#![allow(clippy::indexing_slicing, reason = "a mistake here may end the experiment")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bench::machine::cores::Cores;
use bench::machine::host::{Host, Launch};
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use bench::servers::workload::{Amount, Load, Mode};
use bench::text::numbers::as_f64;
use bench::tools::{self, LoadSpec, Tool};

const CONNECTIONS: u32 = 100;

/// So many that the calls of the start and of the connections, some ten each, hardly show.
const REQUESTS: u64 = 100_000;

/// No request takes so long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Time for a load. A call takes tens of microseconds under `strace`.
const BOUND: Duration = Duration::from_secs(10 * 60);

/// Time to build `visit` on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// The columns, and the calls that are counted in each. All others have the last column, and are named beside it.
const KINDS: [(&str, &[&str]); 3] = [
    ("read", &["read", "readv", "recvfrom", "recvmsg"]),
    ("write", &["write", "writev", "sendto", "sendmsg"]),
    ("wait", &["epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"]),
];

/// Calls of a server, by name.
type Calls = BTreeMap<String, u64>;

fn main() -> anyhow::Result<()> {
    let checkout = Checkout::read(None)?;
    let host = Host::this_machine(checkout.tools())?;
    let names: Vec<String> = std::env::args().skip(1).collect();
    let servers = checkout.choose_servers(&names)?;
    if host.find("strace").is_none() {
        bail!("there is no `strace` on this machine; on Debian, apt-get install strace");
    }
    let words = ["cargo", "build", "--release", "--locked", "--package", "visit"];
    let words = words.map(String::from);
    host.run(&Launch { words: &words, folder: &checkout.root, cores: &[], shown: true }, BUILD_BOUND)?;

    println!("System calls a request, of {REQUESTS} on {CONNECTIONS} connections that stay open");
    row("", &KINDS.map(|(kind, _)| kind.to_owned()), "others", "sum", "the others");
    for server in servers {
        if let Some(why) = launch::prepare(&host, server)? {
            println!("{} is left out: {why}", server.name);
            continue;
        }
        let calls = trace(&host, server).with_context(|| format!("cannot trace {}", server.name))?;
        print(&server.name, &calls);
    }
    Ok(())
}

/// The calls of a fresh server for that load.
fn trace(host: &Host, server: &Server) -> anyhow::Result<Calls> {
    let folder = tempfile::tempdir()?;
    let counted = folder.path().join("calls").display().to_string();
    // Detached, so that the process which is asked to end is the server. It ends when the server has.
    let strace = ["strace", "-DDD", "-f", "-c", "-o", &counted, "--"].map(String::from);
    let traced = Server { run: [strace.as_slice(), &server.run].concat(), ..server.clone() };
    let cores = Cores::divide(None, None)?;
    let running = launch::start(host, &traced, &cores.server, &[])?;
    load(host, &format!("http://{}/abc", running.address), &cores.tool)?;
    running.stop()?;
    parse(&whole(&counted)?)
}

/// What `strace` writes into a file once the server has ended, when it is all there.
fn whole(file: &str) -> anyhow::Result<String> {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        if text.trim_end().ends_with("total") {
            return Ok(text);
        }
        ensure!(begun.elapsed() < TIMEOUT, "strace has counted nothing");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Has `visit` send the requests, every one of which has to be answered.
fn load(host: &Host, url: &str, cores: &[usize]) -> anyhow::Result<()> {
    let visit: &dyn Tool = tools::find("visit")?;
    let amount = Amount::Requests(REQUESTS);
    let load = Load {
        tool: visit.name().into(),
        connections: CONNECTIONS,
        amount,
        mode: Mode::KeepAlive,
        rate: None,
        warm_up: Duration::ZERO,
        timeout: TIMEOUT,
    };
    let answer = "Hello, visitor! You've requested: /abc\n";
    let spec = LoadSpec { load: &load, amount, rate: None, answer, cores: cores.len(), url };
    let launch = Launch { words: &visit.command(&spec), folder: Path::new("/"), cores, shown: false };
    let outcome = visit.parse(&host.run(&launch, BOUND)?)?;
    ensure!(outcome.answered == REQUESTS, "{} of {REQUESTS} requests were answered", outcome.answered);
    Ok(())
}

/// What `strace -c` says: a line a call, in which its number is the fourth and its name the last word.
fn parse(text: &str) -> anyhow::Result<Calls> {
    let mut calls = Calls::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [share, _, _, number, .., name] = words[..]
            && share.parse::<f64>().is_ok()
            && name != "total"
        {
            calls.insert(name.into(), number.parse().with_context(|| format!("strace says `{line}`"))?);
        }
    }
    ensure!(!calls.is_empty(), "strace has counted nothing");
    Ok(calls)
}

fn print(server: &str, calls: &Calls) {
    let a_request = |calls: u64| as_f64(calls) / as_f64(REQUESTS);
    let by_kind = KINDS.map(|(_, names)| names.iter().filter_map(|name| calls.get(*name)).sum::<u64>());
    let is_other = |name: &str| !KINDS.iter().any(|(_, names)| names.contains(&name));
    let mut others: Vec<_> = calls.iter().filter(|(name, _)| is_other(name)).collect();
    others.sort_by_key(|(_, calls)| std::cmp::Reverse(**calls));
    let other: u64 = others.iter().map(|(_, calls)| **calls).sum();
    let figure = |calls: u64| format!("{:.2}", a_request(calls));
    // What would be shown as nothing is not named.
    let named = others.into_iter().filter(|(_, calls)| a_request(**calls) >= 0.005);
    let named: Vec<String> = named.map(|(name, calls)| format!("{name} {}", figure(*calls))).collect();
    let sum = by_kind.iter().sum::<u64>() + other;
    row(server, &by_kind.map(figure), &figure(other), &figure(sum), &named.join(", "));
}

fn row(server: &str, kinds: &[String; 3], others: &str, sum: &str, named: &str) {
    let [read, write, wait] = kinds;
    println!("{server:<14} {read:>6} {write:>6} {wait:>6} {others:>7} {sum:>6}  {named}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

    use super::*;

    #[test]
    fn reads_what_strace_has_counted() {
        let text = "\
            strace: Process 12 attached\n\
            % time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            61.29    1.234567          12    100103           sendto\n \
            38.71    0.012345           1     50000       123 futex\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    1.246912           8    150103       123 total\n";
        let expected = [("futex", 50_000), ("sendto", 100_103)];
        assert_eq!(parse(text).unwrap(), expected.map(|(name, calls)| (name.to_owned(), calls)).into());
        assert!(parse("").is_err());
    }
}
