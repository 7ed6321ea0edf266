//! Load tools, one file each: the program, its arguments, its output, and the meaning of its
//! latency.
//!
//! The harness never relies on a tool's rate or exit code: several tools exit with 0 when every
//! request failed. [`Tool::parse`] returns the number of answers and the time, and fails on output
//! that is cut off. The head of a tool's file says how the tool counts unusual answers;
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

/// The time limit for a program to print its version or its usage: far more than that takes.
const QUERY_LIMIT: Duration = Duration::from_secs(20);

/// A program that makes load and prints figures.
pub trait Tool: Sync {
    /// The program's name.
    fn name(&self) -> &'static str;

    /// How to install it, as the end of a sentence.
    fn hint(&self) -> &'static str;

    /// What its latency means under this load.
    fn semantics(&self, load: &Load) -> Semantics;

    /// Returns why the tool cannot make this load, as the end of a sentence that begins with its
    /// name.
    fn refuses(&self, load: &Load) -> Option<&'static str>;

    /// Its name and version. Fails when the program of this name is another one.
    fn identify(&self, host: &Host) -> anyhow::Result<String>;

    /// Whether the tool, in mode `close`, leaves it to the server to close a connection: it
    /// announces the close, but continues to use a connection that the server keeps.
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

    /// Whether, over TLS, the first choice of the tool is that of `visit`, so that both make
    /// servers do the same work. If the server may still choose otherwise, [`Tool::parse`] fails
    /// unless it has agreed on that choice.
    fn offers_what_visit_offers(&self) -> bool {
        true
    }

    /// Whether the tool can send the header fields of a workload, and requests of several kinds.
    fn sends_kinds(&self) -> bool {
        false
    }

    /// Whether the tool reports a load in intervals.
    fn reports_series(&self) -> bool {
        false
    }

    /// Whether several processes of the tool can divide a load among them, and start at the same
    /// time. Each process then takes [`LoadSpec::share`], prints the line of
    /// [`SlicedTool::parse_ready`] once its connections are open, and begins at the time that it
    /// reads from its standard input.
    fn shares_load(&self) -> bool {
        false
    }

    /// Merges the figures of several processes that have made one load together. `elapsed_seconds`
    /// is the time during which any of them made load. Percentiles are those of all samples, or
    /// unknown. Fails when `parts` are not parts of one load.
    fn merge(&self, parts: Vec<ToolOutput>, elapsed_seconds: f64) -> anyhow::Result<ToolOutput> {
        Ok(merge::sum(parts, elapsed_seconds))
    }

    /// The tool's interface for slices; `None` if it cannot load in slices.
    fn sliced(&self) -> Option<&'static dyn SlicedTool> {
        None
    }
}

/// A tool that keeps its connections open, and is told by lines on its standard input when to send
/// requests and when to be silent. It prints a line once its connections are open, a line per command
/// once the last request is answered, and at the end of input the output that [`Tool::parse`] reads.
pub trait SlicedTool: Sync {
    /// The program and its arguments. The amount in `spec` is ignored.
    fn command(&self, spec: &LoadSpec) -> Vec<String>;

    /// Reads the number of open connections from the first line. Fails on any other line.
    fn parse_ready(&self, line: &str) -> anyhow::Result<Option<u64>>;

    /// The command to make the load for a time without recording it.
    fn warm_up(&self, time: Duration) -> String;

    /// The command to make the load for a time.
    fn slice(&self, time: Duration) -> String;

    /// The figures in the answer to a command. Fails when it is not complete.
    fn parse_slice(&self, line: &str) -> anyhow::Result<SliceOutput>;
}

/// The figures that a tool reports of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SliceOutput {
    /// The time from the first request to the last answer in seconds, by the clock of the tool.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// Mean latency in seconds; `None` without an answer.
    pub mean_seconds: Option<f64>,
    /// Connections that are open at the end of the slice.
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
    /// The number of the share that a process makes, from 1, and the number of shares; `None` for
    /// the whole.
    pub share: Option<(u32, u32)>,
    /// The length of the intervals in which the load is reported; `None` to report only the whole.
    pub series: Option<Duration>,
    /// The expected body of every answer.
    pub answer: &'a str,
    /// The number of cores that the tool may use.
    pub cores: usize,
    /// The URL to request.
    pub url: &'a str,
}

impl LoadSpec<'_> {
    /// The load of process `number` of `count`, if the tool does not divide the load: its part of
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
    /// The number of errors that are those of connections, and say nothing about a request.
    pub failed_connections: u64,
    /// A description of the first wrong answer, where the tool checks answers.
    pub mismatch: Option<String>,
    /// The rate that the tool claims, in requests per second.
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
    /// The histogram of the time of the TLS handshake after that.
    pub handshake: Option<TimesReport>,
    /// When the load began, by the `CLOCK_MONOTONIC` of the host, in nanoseconds.
    pub began_nanoseconds: Option<u64>,
    /// How much later than the requested time the load began, in seconds.
    pub late_seconds: Option<f64>,
    /// The TLS parameters that the tool and the server agreed on, if the tool prints them.
    pub tls: Option<TlsRecord>,
    /// The kinds of requests of a mix.
    pub kinds: Vec<KindRecord>,
    /// The report of a process that made a share of a load, if the tool merges shares by more than
    /// these figures.
    pub share: Option<Box<Report>>,
    /// The intervals of [`LoadSpec::series`].
    pub series: Option<Vec<Interval>>,
}

/// All tools.
pub const TOOLS: &[&dyn Tool] = &[&h2load::H2load, &hey::Hey, &oha::Oha, &visit::Visit, &wrk::Wrk, &zrk::Zrk];

/// Finds the tool with this name. Fails on an unknown name, and suggests the most similar one.
pub fn find(name: &str) -> anyhow::Result<&'static dyn Tool> {
    crate::text::names::find("tool", name, TOOLS, |tool| tool.name()).copied()
}

/// Returns why a tool cannot make a load, in the form of [`Tool::refuses`].
pub fn refuses(tool: &dyn Tool, load: &Load) -> Option<&'static str> {
    let has_kinds = !load.mix.is_empty() || !load.headers.is_empty() || load.poisson.is_some();
    let kinds = (has_kinds && !tool.sends_kinds()).then_some("sends the same bare request, evenly spaced");
    tool.refuses(load).or(kinds)
}

/// Returns why `tool` cannot check the figures of a load by the tool `of`, as the end of a sentence
/// that begins with the name of `tool`: both have to cause the same work.
pub fn refuses_check(tool: &dyn Tool, of: &dyn Tool, load: &Load) -> Option<&'static str> {
    let is_other =
        load.protocol.is_encrypted() && tool.offers_what_visit_offers() != of.offers_what_visit_offers();
    refuses(tool, load).or(is_other.then_some("makes other work over TLS, by another cipher"))
}

/// Returns the name and version of the tool, or why it is unavailable. If the tool is missing or
/// the program is another one, the text says how to install it.
pub fn available(host: &Host, tool: &dyn Tool) -> Result<String, String> {
    let name = tool.name();
    if host.find(name).is_none() {
        return Err(format!("there is no `{name}` here; {}", tool.hint()));
    }
    match tool.identify(host) {
        Ok(version) => Ok(visible(&version).into_owned()),
        Err(error) if error.is::<Unusable>() => Err(format!("{error:#}")),
        Err(error) => Err(format!("{error:#}; {}", tool.hint())),
    }
}

/// Why a program that is here is not used, if installing it would not help: for example, no
/// descriptors are left, or the text already says what to do.
#[derive(Debug)]
struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Runs a program that prints its version or usage, whatever its exit code. Fails with [`Unusable`].
fn query(host: &Host, words: &[&str]) -> anyhow::Result<Ended> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let asked = host.output(&Launch::new(&words, Path::new("/")), QUERY_LIMIT);
    asked.with_context(|| Unusable(format!("cannot ask `{}` what it is", words.join(" "))))
}
