//! Load tools, one file each: the program, its arguments, its output, what its latency means.
//!
//! A tool is never believed about its rate or its exit code: several exit with 0 when every request
//! failed. [`Tool::parse`] gives the answers and the time, and fails on output that is cut off. What
//! a tool makes of servers that answer in odd ways stands in the head of its file;
//! `bench/tests/harness/tools.rs` shows it.

mod h2load;
mod hey;
mod merge;
mod oha;
#[cfg(test)]
mod tests;
mod visit;
mod wrk;
mod zrk;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use visit_output::{Interval, Report, TimesReport};

use crate::machine::host::{Ended, Host, Launch};
use crate::servers::workload::{Amount, Load};
use crate::store::record::{KindRecord, Semantics, TlsRecord};
use crate::text::visible::visible;

/// The time for a program to print its version or its usage: far more than it takes.
const QUERY_LIMIT: Duration = Duration::from_secs(20);

/// A program that makes load and prints figures.
pub trait Tool: Sync {
    /// The program's name.
    fn name(&self) -> &'static str;

    /// How to install it, as the end of a sentence.
    fn hint(&self) -> &'static str;

    /// What its latency means under this load.
    fn semantics(&self, load: &Load) -> Semantics;

    /// What it cannot do of this load, as the end of a sentence that begins with its name.
    fn refuses(&self, load: &Load) -> Option<&'static str>;

    /// Its name and version. Fails when the program of this name is another one.
    fn identify(&self, host: &Host) -> anyhow::Result<String>;

    /// Whether it leaves the end of a connection to the server in mode `close`: it announces the end,
    /// and keeps a connection that the server keeps.
    fn leaves_close_to_the_server(&self) -> bool {
        false
    }

    /// The program and its arguments that make the load.
    fn command(&self, spec: &LoadSpec) -> Vec<String>;

    /// The files that `command` names, which have to be in the folder that the tool runs in.
    fn files(&self) -> &'static [ToolFile] {
        &[]
    }

    /// The figures in its output. Fails when the output is not complete.
    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput>;

    /// Whether over TLS it offers what `visit` offers first, so that both make servers do the same work.
    /// Where a server may still choose otherwise, [`Tool::parse`] fails unless it has agreed on that.
    fn offers_what_visit_offers(&self) -> bool {
        true
    }

    /// Whether it sends fields that a workload names, and requests of several kinds.
    fn sends_kinds(&self) -> bool {
        false
    }

    /// Whether it reports a load in intervals.
    fn reports_series(&self) -> bool {
        false
    }

    /// Whether it divides a load among several of its processes itself, and starts them at one time:
    /// it then takes [`LoadSpec::share`], prints the line of [`SlicedTool::parse_ready`] once its
    /// connections are open, and begins at the time that a line on its standard input says.
    fn shares_load(&self) -> bool {
        false
    }

    /// The figures of several processes that have made one load together, of which one or another made
    /// load for this time. Percentiles are those of all samples, or unknown. Fails when they are not parts
    /// of one load.
    fn merge(&self, parts: Vec<ToolOutput>, elapsed_seconds: f64) -> anyhow::Result<ToolOutput> {
        Ok(merge::sum(parts, elapsed_seconds))
    }

    /// How it loads in slices; `None` where it cannot.
    fn sliced(&self) -> Option<&'static dyn SlicedTool> {
        None
    }
}

/// A tool that keeps its connections open, and is told by lines on its standard input when to send
/// requests and when to be silent. It prints a line once its connections are open, a line per command
/// once the last request is answered, and at the end of input the output that [`Tool::parse`] reads.
pub trait SlicedTool: Sync {
    /// The program and its arguments. The amount in `spec` does not count.
    fn command(&self, spec: &LoadSpec) -> Vec<String>;

    /// How many connections are open, by the first line. Fails when it is another line.
    fn parse_ready(&self, line: &str) -> anyhow::Result<Option<u64>>;

    /// The command to make the load for a time that is in no figure.
    fn warm_up(&self, time: Duration) -> String;

    /// The command to make the load for a time.
    fn slice(&self, time: Duration) -> String;

    /// The figures in the answer to a command. Fails when it is not complete.
    fn parse_slice(&self, line: &str) -> anyhow::Result<SliceOutput>;
}

/// The figures that a tool reports of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SliceOutput {
    /// From the first request to the last answer in seconds, by the clock of the tool.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// Mean latency in seconds; `None` without an answer.
    pub mean_seconds: Option<f64>,
    /// Connections that are open at its end.
    pub connections_open: Option<u64>,
}

/// The load that a tool has to make.
#[derive(Clone, Copy, Debug)]
pub struct LoadSpec<'a> {
    /// The load.
    pub load: &'a Load,
    /// The number of requests or the time: in a warm-up less than that of `load`.
    pub amount: Amount,
    /// Requests per second of an open loop.
    pub rate: Option<f64>,
    /// Which share of the load a process makes, from 1, and of how many; `None` of the whole.
    pub share: Option<(u32, u32)>,
    /// How long the intervals are in which the load is reported; `None` of the whole alone.
    pub series: Option<Duration>,
    /// The expected body of every answer.
    pub answer: &'a str,
    /// The number of cores that the tool may use.
    pub cores: usize,
    /// The URL to request.
    pub url: &'a str,
}

impl LoadSpec<'_> {
    /// The load that a process makes as one of several whose tool does not divide the load: its part of
    /// the connections, the requests and the rate.
    pub fn part(&self, number: u32, count: u32) -> (Load, Amount, Option<f64>) {
        let part =
            |whole: u64| whole / u64::from(count) + u64::from(whole % u64::from(count) >= u64::from(number));
        let connections = u32::try_from(part(self.load.connections.into())).unwrap_or(u32::MAX);
        let amount = match self.amount {
            Amount::Requests(requests) => Amount::Requests(part(requests)),
            time @ Amount::Time(_) => time,
        };
        let load = Load { connections, ..self.load.clone() };
        (load, amount, self.rate.map(|rate| rate / f64::from(count)))
    }
}

/// A file that a tool runs with.
#[derive(Clone, Copy, Debug)]
pub struct ToolFile {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub text: &'static str,
}

/// The figures that a tool reports of a run. What it does not report is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolOutput {
    /// The time of the load in seconds, by the clock of the tool.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// Requests with any other result, and connections that failed, by kind.
    pub errors: BTreeMap<String, u64>,
    /// How many of the errors are those of connections, which say nothing about a request.
    pub failed_connections: u64,
    /// A description of the first wrong answer, where the tool checks answers.
    pub mismatch: Option<String>,
    /// The rate that it claims.
    pub claimed_per_second: Option<f64>,
    /// Open loop: whether the rate was held, and the 99th percentile of the lag in seconds.
    pub held: Option<(bool, f64)>,
    /// Mean latency in seconds.
    pub mean_seconds: Option<f64>,
    /// Latency in seconds by percentile.
    pub percentiles: BTreeMap<u8, f64>,
    /// The largest latency in seconds.
    pub max_seconds: Option<f64>,
    /// The histogram of latency.
    pub histogram: Option<TimesReport>,
    /// The histogram of the time to open a connection.
    pub connect: Option<TimesReport>,
    /// The histogram of the time of a handshake of TLS after that.
    pub handshake: Option<TimesReport>,
    /// When the load began, by the `CLOCK_MONOTONIC` of the host, in nanoseconds.
    pub began_nanoseconds: Option<u64>,
    /// How much later than it was told it began, in seconds.
    pub late_seconds: Option<f64>,
    /// What the tool and the server agreed on, where there is TLS and the tool says so.
    pub tls: Option<TlsRecord>,
    /// The kinds of requests of a mix.
    pub kinds: Vec<KindRecord>,
    /// What a process has printed that made a share of a load, where the tool adds up shares by more than
    /// these figures.
    pub share: Option<Box<Report>>,
    /// The intervals of [`LoadSpec::series`].
    pub series: Option<Vec<Interval>>,
}

/// All tools.
pub const TOOLS: &[&dyn Tool] = &[&h2load::H2load, &hey::Hey, &oha::Oha, &visit::Visit, &wrk::Wrk, &zrk::Zrk];

/// The tool with this name. Fails on an unknown name, with the most similar one.
pub fn find(name: &str) -> anyhow::Result<&'static dyn Tool> {
    crate::text::names::find("tool", name, TOOLS, |tool| tool.name()).copied()
}

/// What a tool cannot do of a load, in the form of [`Tool::refuses`].
pub fn refuses(tool: &dyn Tool, load: &Load) -> Option<&'static str> {
    let has_kinds = !load.mix.is_empty() || !load.headers.is_empty() || load.poisson.is_some();
    let kinds = (has_kinds && !tool.sends_kinds()).then_some("sends the same bare request, evenly spaced");
    tool.refuses(load).or(kinds)
}

/// Why the figures of a load by one tool cannot be checked by another, which is what the sentence begins
/// with: both have to make the same work.
pub fn refuses_check(tool: &dyn Tool, of: &dyn Tool, load: &Load) -> Option<&'static str> {
    let is_other =
        load.protocol.is_encrypted() && tool.offers_what_visit_offers() != of.offers_what_visit_offers();
    refuses(tool, load).or(is_other.then_some("makes other work over TLS, by another cipher"))
}

/// The name and version of the tool, or why it is unavailable: where it is missing or another program
/// with how to install it.
pub fn available(host: &Host, tool: &dyn Tool) -> Result<String, String> {
    let name = tool.name();
    if host.find(name).is_none() {
        return Err(format!("there is no `{name}` here; {}", tool.hint()));
    }
    match tool.identify(host) {
        Ok(version) => Ok(visible(&version).into_owned()),
        Err(error) if error.is::<Told>() => Err(format!("{error:#}")),
        Err(error) => Err(format!("{error:#}; {}", tool.hint())),
    }
}

/// Why a program that is here is not used, where installing it does not mend that: there are no descriptors
/// left, for example, or what to do is said already.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Runs a program that prints its version or usage, whatever its exit code. Fails with [`Told`].
fn query(host: &Host, words: &[&str]) -> anyhow::Result<Ended> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let asked = host.output(&Launch::new(&words, Path::new("/")), QUERY_LIMIT);
    asked.with_context(|| Told(format!("cannot ask `{}` what it is", words.join(" "))))
}
