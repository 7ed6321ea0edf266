//! `zrk`, for open loops over kept connections.
//!
//! What the harness has to take into account:
//! - It has only open loops, limited by time, at a rate that is a whole number. It announces that
//!   it keeps its connections, and has no mode that closes them.
//! - It uses one address per name: an IPv4 address if there is one.
//! - Its `requests` are whole answers of any status, including 5xx and 1xx, and its rate counts the
//!   same. It counts statuses by their first digit.
//! - Each connection has an even schedule of its own, which begins when the connection is open, and
//!   one request on its way. The time begins before the connections are opened, so that in a short
//!   load slightly fewer requests are due than the rate says. Requests on their way at the end are
//!   in no count: if answers take longer than a hundredth of the load, its rate seems not to be
//!   held.
//! - When a connection that it keeps was closed, it counts a request that it never sent as an error
//!   (`read`). It tries to reconnect every 5 ms, and counts each attempt as an error (`connect`).
//!   If no server listens at the port, it still exits with 0.
//! - A request that times out is in its latency too, unless `--no-record-timeouts` is given.
//! - Its text report follows lines of progress; its JSON report stands alone.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{LoadSpec, Tool, ToolOutput, query};
use crate::machine::host::Host;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use crate::text::numbers::as_f64;

/// Flags that it must have: older versions lack some of them.
const FLAGS: [&str; 3] = ["--threads", "--format", "--no-record-timeouts"];

/// The largest relative difference between its count and its rate times its time, which it prints
/// in milliseconds.
const ADDS_UP_WITHIN: f64 = 0.02;

pub(super) struct Zrk;

/// The part of its JSON that is read.
#[derive(Deserialize)]
struct RunReport {
    duration_s: f64,
    /// Printed only if a signal has ended the load.
    #[serde(default)]
    interrupted: bool,
    /// Whole answers of any status.
    requests: u64,
    achieved_rate: f64,
    latency_us: LatencyReport,
    /// The number of answers by status class, `1xx` to `5xx`.
    status_codes: BTreeMap<String, u64>,
    /// The number of errors by kind. `non_2xx_3xx` are among the statuses, and `deadline` occurs
    /// only if one was given.
    errors: BTreeMap<String, u64>,
}

/// Latency in microseconds; 0 without an answer.
#[derive(Deserialize)]
struct LatencyReport {
    mean: f64,
    max: f64,
    p50: f64,
    p75: f64,
    p90: f64,
    p99: f64,
}

impl Tool for Zrk {
    fn name(&self) -> &'static str {
        "zrk"
    }

    fn hint(&self) -> &'static str {
        "version 1.4 is at https://github.com/zoxy-io/zrk/releases"
    }

    fn semantics(&self, _: &Load) -> Semantics {
        Semantics {
            from: From::Due,
            // A request that is due while a connection is reopened waits until it is open.
            connect_included: true,
            synthetic: false,
            resolution_seconds: Some(1e-6),
            meaning:
                "from when the request was due to the end of the body, including answers other than 2xx, to \
                      three digits"
                    .into(),
        }
    }

    fn refuses(&self, load: &Load) -> Option<&'static str> {
        match (load.mode, load.amount, &load.rate) {
            _ if !load.protocol.is_plain() => Some("speaks HTTP/1.1 without TLS only"),
            (_, _, None) => Some("has open loops alone"),
            (_, Amount::Requests(_), _) => Some("takes a time, not a number of requests"),
            (Mode::KeepAlive, ..) => None,
            (Mode::Pipelined(_), ..) => Some("cannot pipeline"),
            (Mode::Close | Mode::CloseAfter(_), ..) => Some("keeps its connections"),
        }
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        identify(&query(host, &["zrk", "--version"])?.output, &query(host, &["zrk", "--help"])?.output)
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *spec;
        let mut words: Vec<String> =
            ["zrk", "--format", "json", "--no-record-timeouts"].map(Into::into).into();
        words.extend(["-t".into(), cores.to_string(), "-c".into(), load.connections.to_string()]);
        if let Amount::Time(time) = amount {
            words.extend(["-d".into(), format!("{}ms", time.as_millis())]);
        }
        if let Some(rate) = spec.rate {
            words.extend(["-R".into(), format!("{:.0}", rate.max(1.0))]);
        }
        words.extend(["--timeout".into(), format!("{}ms", load.timeout.as_millis())]);
        words.push(url.to_owned());
        words
    }

    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput> {
        if output.trim().is_empty() {
            bail!("zrk printed nothing");
        }
        let RunReport { duration_s, interrupted, requests, achieved_rate, latency_us, status_codes, errors } =
            serde_json::from_str(output).context("zrk's output is not its JSON: it is cut off")?;
        if interrupted {
            bail!("it was interrupted");
        }
        let counted: u64 = status_codes.values().sum();
        if counted != requests {
            bail!("zrk's statuses are {counted}, and not its {requests} requests");
        }
        let total = achieved_rate * duration_s;
        let off = (total - as_f64(requests)).abs();
        if !(off <= ADDS_UP_WITHIN * as_f64(requests) && duration_s > 0.0) {
            bail!("zrk counts {requests} requests, but its rate says {total:.0}");
        }
        let is_answer = |(status, _): &(String, u64)| status == "2xx";
        let (answers, refusals): (Vec<_>, Vec<_>) = status_codes.into_iter().partition(is_answer);
        let refusals = refusals.into_iter().map(|(status, number)| (format!("status {status}"), number));
        let failed_connections = errors.get("connect").copied().unwrap_or_default();
        let errors = errors.into_iter().filter(|(kind, _)| kind != "non_2xx_3xx");
        let seconds = |microseconds: f64| (requests > 0).then_some(microseconds / 1e6);
        let LatencyReport { mean, max, p50, p75, p90, p99 } = latency_us;
        let percentiles = [(50, p50), (75, p75), (90, p90), (99, p99)];
        Ok(ToolOutput {
            elapsed_seconds: duration_s,
            answered: answers.into_iter().map(|(_, number)| number).sum(),
            errors: refusals.chain(errors).filter(|(_, number)| *number > 0).collect(),
            failed_connections,
            claimed_per_second: Some(achieved_rate),
            mean_seconds: seconds(mean),
            percentiles: percentiles
                .into_iter()
                .filter_map(|(at, time)| Some((at, seconds(time)?)))
                .collect(),
            max_seconds: seconds(max),
            ..ToolOutput::default()
        })
    }
}

/// The version, such as `zrk 1.4.2`.
fn identify(version: &str, help: &str) -> anyhow::Result<String> {
    let version = version.trim();
    if !version.starts_with("zrk 1.") || !help.contains("HTTP load generator") {
        bail!("the `zrk` here is another program, or not version 1: its version is `{version}`");
    }
    if let Some(flag) = FLAGS.iter().find(|flag| !help.contains(*flag)) {
        bail!("the `zrk` here is too old: {version} has no {flag}");
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_identified;
    use super::*;

    #[test]
    fn is_identified_by_its_version() {
        let help = format!("zrk — constant-throughput HTTP load generator\n{}", FLAGS.join("\n"));
        let cases = [
            ("zrk 1.4.2\n", help.clone(), Ok("zrk 1.4.2")),
            ("zrk 1.0.0\n", help.replace("--threads", ""), Err("zrk 1.0.0 has no --threads")),
            ("zrk 2.4.2\n", help.clone(), Err("not version 1")),
            ("zrk 1.4.2\n", "something else".into(), Err("another program")),
            ("", String::new(), Err("another program")),
        ];
        for (version, help, expected) in cases {
            assert_identified(identify(version, &help), expected);
        }
    }
}
