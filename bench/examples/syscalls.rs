//! How many system calls does a server make per request?
//!
//! Each server answers a hundred thousand requests on a hundred connections under `strace`, which
//! counts its calls. `strace` makes the server slow, so more or fewer requests may be handled per
//! wait than without it; the calls per request are the same.
//!
//! ```sh
//! cargo run --release --package bench --example syscalls -- [SERVER...]
//! ```
#![allow(clippy::indexing_slicing, reason = "a mistake here ends only the experiment")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bench::machine::assignment::{Choice, Layout};
use bench::machine::host::{Host, Launch};
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use bench::text::numbers::as_f64;
use visit_output::Report;

const CONNECTIONS: u64 = 100;

/// The number of requests. With so large a number, the calls of the start and of the connections,
/// about ten each, hardly matter.
const REQUESTS: u64 = 100_000;

/// The timeout for `strace` to write its counts.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Time for a load. A system call takes tens of microseconds under `strace`.
const BOUND: Duration = Duration::from_secs(10 * 60);

/// Time to build `visit` on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// The columns and their calls. All other calls are in the last column, and are named beside it.
const KINDS: [(&str, &[&str]); 3] = [
    ("read", &["read", "readv", "recvfrom", "recvmsg"]),
    ("write", &["write", "writev", "sendto", "sendmsg"]),
    ("wait", &["epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"]),
];

/// The number of calls of a server, by the name of the call.
type Calls = BTreeMap<String, u64>;

fn main() -> anyhow::Result<()> {
    let checkout = Checkout::read(None)?;
    let host = Host::this_machine(checkout.tools())?;
    let names: Vec<String> = std::env::args().skip(1).collect();
    let servers = checkout.choose_servers(&names)?;
    if host.find("strace").is_none() {
        bail!("there is no `strace` on this machine; on Debian, apt-get install strace");
    }
    let words = ["cargo", "build", "--release", "--locked", "--package", "visit"].map(String::from);
    host.run(&Launch::build(&words, &checkout.root).shown(true), BUILD_BOUND)?;

    println!("System calls per request, of {REQUESTS} on {CONNECTIONS} connections that stay open");
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

/// The calls of a fresh server under the load.
fn trace(host: &Host, server: &Server) -> anyhow::Result<Calls> {
    let folder = tempfile::tempdir()?;
    let counted = folder.path().join("calls").display().to_string();
    // `strace` is detached, so that the server is the process that gets SIGTERM. `strace` ends
    // after the server.
    let strace = ["strace", "-DDD", "-f", "-c", "-o", &counted, "--"].map(String::from);
    let traced = Server { run: [strace.as_slice(), &server.run].concat(), ..server.clone() };
    let Layout { cores, .. } = Layout::here(&Choice::default())?;
    let running = launch::start(host, &traced, &cores.server, &[])?;
    load(host, &format!("http://{}/abc", running.address), &cores.tool)?;
    running.stop()?;
    parse(&read_counts(&counted)?)
}

/// Waits until `strace` has written all of its counts. It does so after the server has ended.
fn read_counts(file: &str) -> anyhow::Result<String> {
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

/// Sends the requests with `visit`. Fails when one of them is not answered.
fn load(host: &Host, url: &str, cores: &[usize]) -> anyhow::Result<()> {
    let words = format!("visit {url} --connections {CONNECTIONS} --requests {REQUESTS} --timeout 60 --quiet");
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let launch = Launch::new(&words, Path::new("/")).on(cores);
    let report = Report::parse(&host.run(&launch, BOUND)?)?;
    ensure!(report.answered == REQUESTS, "{} of {REQUESTS} requests were answered", report.answered);
    Ok(())
}

/// Parses the counts of `strace -c`. Each line is a call: the fourth word is the count, and the
/// last word is the name.
fn parse(text: &str) -> anyhow::Result<Calls> {
    let mut calls = Calls::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [share, _, _, number, .., name] = words[..]
            && share.parse::<f64>().is_ok()
            && name != "total"
        {
            calls.insert(name.into(), number.parse().with_context(|| format!("strace printed `{line}`"))?);
        }
    }
    ensure!(!calls.is_empty(), "strace has counted nothing");
    Ok(calls)
}

fn print(server: &str, calls: &Calls) {
    let per_request = |calls: u64| as_f64(calls) / as_f64(REQUESTS);
    let by_kind = KINDS.map(|(_, names)| names.iter().filter_map(|name| calls.get(*name)).sum::<u64>());
    let is_other = |name: &str| !KINDS.iter().any(|(_, names)| names.contains(&name));
    let mut others: Vec<_> = calls.iter().filter(|(name, _)| is_other(name)).collect();
    others.sort_by_key(|(_, calls)| std::cmp::Reverse(**calls));
    let other: u64 = others.iter().map(|(_, calls)| **calls).sum();
    let figure = |calls: u64| format!("{:.2}", per_request(calls));
    // Calls that would be shown as 0.00 are not named.
    let named = others.into_iter().filter(|(_, calls)| per_request(**calls) >= 0.005);
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
    #![allow(clippy::unwrap_used, reason = "a panic fails the test")]

    use super::*;

    #[test]
    fn reads_the_counts_of_strace() {
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
