//! `wrk`, with a script that sends batches and prints its counts, and over TLS with a configuration of
//! OpenSSL.
//!
//! What the harness has to take into account:
//! - It takes only a time, and no number of requests. It stops at the first tick of 100 ms after
//!   the time, and abandons the requests on their way.
//! - Its rate counts every answer. Those with a status above 399 are also counted separately, so a
//!   3xx counts as a 2xx. A script that checks each answer would notice, but would change what is
//!   measured.
//! - An answer later than `--timeout` counts as a timeout, and as an answer in its rate. A request
//!   that is never answered is in neither.
//! - A connection that is refused, or closed without an answer, counts as a write or read error,
//!   and is opened again at once, tens of thousands of times per second: the number of errors says
//!   little about requests. A connection that is closed without notice after an answer also counts
//!   as an error. An answer whose body ends with the connection is an answer and a read error.
//! - An interim answer (1xx) counts as an answer.
//! - In mode `close` it sends `Connection: close` and leaves the close to the server: over a
//!   connection that the server keeps it sends the next request. The check before a run finds such
//!   a server, and a run that accepted far fewer connections than it has answers is invalid.
//! - A connection that is never answered again is in no count; only the product of throughput and
//!   mean latency shows it.
//! - It always "corrects" its latency: it adds samples that it never measured, by the mean time
//!   between requests of a connection. That makes a steady server look slower or faster. Of a batch
//!   of sixteen requests, it measures one sample and adds fifteen, so the percentiles are then
//!   meaningless.
//! - It divides its connections by its threads and drops the remainder.
//! - Over TLS it checks no certificate, offers no ALPN, and resumes the session of a connection
//!   when it opens that again. By default it offers what its library offers, AES-256 first, and it
//!   has no flag for that. The harness therefore uses the library's own configuration
//!   (`OPENSSL_CONF`, see `config(5)`) to offer only the version, suite and group of `visit`: a
//!   server has no choice, and does the same work under both.
//! - It connects once at first to see whether a server listens; if none does, it prints no summary.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{LoadSpec, Tool, ToolFile, ToolOutput, query};
use crate::machine::host::Host;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use crate::text::numbers::as_f64;

const SCRIPT: ToolFile = ToolFile { name: "wrk.lua", text: include_str!("wrk.lua") };

const TLS: ToolFile = ToolFile { name: "wrk.cnf", text: include_str!("wrk.cnf") };

pub(super) struct Wrk;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary {
    /// Requests per batch.
    depth: u64,
    duration_us: u64,
    requests: u64,
    #[serde(rename = "bytes")]
    _bytes: u64,
    errors: Errors,
    latency_us: Latency,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Errors {
    connect: u64,
    read: u64,
    write: u64,
    status: u64,
    timeout: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    mean: Option<f64>,
    max: Option<f64>,
    percentiles: BTreeMap<u8, Option<f64>>,
}

impl Tool for Wrk {
    fn name(&self) -> &'static str {
        "wrk"
    }

    fn hint(&self) -> &'static str {
        "install it with `apt-get install wrk`, which scripts/setup does"
    }

    fn semantics(&self, _: &Load) -> Semantics {
        Semantics {
            from: From::Sent,
            connect_included: false,
            synthetic: true,
            resolution_seconds: Some(1e-6),
            meaning: "from before the write of the request to the end of the answer; mean and percentiles are not of the \
                      answers alone: wrk adds samples that it did not measure, by the mean time between requests of a \
                      connection; of pipelined requests only the slowest batch is known"
                .into(),
        }
    }

    fn refuses(&self, load: &Load) -> Option<&'static str> {
        match load.amount {
            _ if load.protocol.is_http_2() => Some("does not speak HTTP/2"),
            _ if load.resumes => Some("cannot be told to resume sessions of TLS"),
            _ if load.protocol.is_encrypted() && load.mode == Mode::Close => {
                Some("resumes sessions of TLS, so that its handshakes are not full ones")
            }
            _ if load.rate.is_some() => Some("has no open loop"),
            _ if matches!(load.mode, Mode::CloseAfter(_)) => {
                Some("closes a connection after one request or keeps it")
            }
            Amount::Requests(_) => Some("takes a time, not a number of requests"),
            Amount::Time(time) if time.subsec_nanos() > 0 => Some("takes whole seconds only"),
            Amount::Time(_) => None,
        }
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        // It exits with 1 although it prints its version.
        identify(&query(host, &["wrk", "--version"])?.output)
    }

    fn leaves_close_to_the_server(&self) -> bool {
        true
    }

    fn files(&self) -> &'static [ToolFile] {
        &[SCRIPT, TLS]
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *spec;
        let seconds = match amount {
            // A fraction of a second, which only a warm-up has, is rounded up.
            Amount::Time(time) => time.as_secs() + u64::from(time.subsec_nanos() > 0),
            // `refuses` excludes this amount.
            Amount::Requests(_) => 0,
        };
        let connections = usize::try_from(load.connections).unwrap_or(usize::MAX);
        let threads = (1..=cores).rev().find(|threads| connections.is_multiple_of(*threads)).unwrap_or(1);
        let depth = if let Mode::Pipelined(depth) = load.mode { depth } else { 1 };
        let mut words = if load.protocol.is_encrypted() {
            vec!["env".to_owned(), format!("OPENSSL_CONF={}", TLS.name)]
        } else {
            Vec::new()
        };
        words.extend([
            "wrk".to_owned(),
            format!("-t{threads}"),
            format!("-c{connections}"),
            format!("-d{seconds}s"),
            format!("--timeout={}s", load.timeout.as_secs_f64().ceil()),
            "-s".into(),
            SCRIPT.name.into(),
        ]);
        if load.mode == Mode::Close {
            words.extend(["-H".into(), "Connection: close".into()]);
        }
        words.extend([url.to_owned(), "--".into(), depth.to_string()]);
        words
    }

    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput> {
        let line = output.lines().last().context("wrk printed nothing")?;
        let Summary { depth, duration_us, requests, errors, latency_us: latency, .. } =
            serde_json::from_str(line)
                .context("the last line of wrk is not the summary of its script: it is cut off")?;
        let Errors { connect, read, write, status, timeout } = errors;
        let seconds = |microseconds: f64| microseconds / 1e6;
        let elapsed_seconds = seconds(as_f64(duration_us));
        if duration_us == 0 || status > requests {
            bail!("wrk's summary is impossible: {status} bad answers of {requests} in {elapsed_seconds} s");
        }
        let kinds = [
            ("connect", connect),
            ("read", read),
            ("write", write),
            ("status above 399", status),
            ("timeout", timeout),
        ];
        let kinds = kinds.into_iter().filter(|(_, number)| *number > 0);
        // With batches its samples are not answers, and only the largest is meaningful.
        let sampled = |time: Option<f64>| time.filter(|_| depth == 1).map(seconds);
        let percentiles = latency.percentiles.into_iter();
        Ok(ToolOutput {
            elapsed_seconds,
            // It counts one timeout per late batch.
            answered: requests.saturating_sub(status).saturating_sub(timeout.saturating_mul(depth)),
            errors: kinds.map(|(kind, number)| (kind.to_owned(), number)).collect(),
            failed_connections: connect + read + write,
            claimed_per_second: Some(as_f64(requests) / elapsed_seconds),
            mean_seconds: sampled(latency.mean),
            percentiles: percentiles.filter_map(|(percent, time)| Some((percent, sampled(time)?))).collect(),
            max_seconds: latency.max.map(seconds),
            ..ToolOutput::default()
        })
    }
}

/// The version in its output for `--version`, which is a line with it and the usage.
fn identify(printed: &str) -> anyhow::Result<String> {
    let version =
        printed.split_once(" [").filter(|(_, rest)| rest.contains("Copyright (C) 2012 Will Glozer"));
    let Some((version, _)) = version.filter(|(version, _)| version.starts_with("wrk ")) else {
        bail!("the `wrk` here is another program: its version is not that of the load tool");
    };
    if printed.contains("--rate") {
        bail!("the `wrk` here is wrk2, which makes load in another way");
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_identified;
    use super::*;

    #[test]
    fn is_identified_by_its_version() {
        let usage = "\nUsage: wrk <options> <url>\n  -d, --duration    <T>  Duration of test";
        let copyright = "[epoll] Copyright (C) 2012 Will Glozer";
        let cases = [
            (format!("wrk debian/4.1.0-3+b2 {copyright}{usage}"), Ok("wrk debian/4.1.0-3+b2")),
            (format!("wrk 4.2.0 {copyright}{usage}"), Ok("wrk 4.2.0")),
            (format!("wrk 4.0.0 {copyright}{usage}\n  -R, --rate  <T>  work rate"), Err("is wrk2")),
            ("wrk 1.0 [something else]".into(), Err("is another program")),
            (String::new(), Err("is another program")),
        ];
        for (printed, expected) in cases {
            assert_identified(identify(&printed), expected);
        }
    }
}
