//! `oha`.
//!
//! What the harness has to take into account:
//! - It counts any answer as a success, including a 503, and its rate includes failures. It exits
//!   with 0 when every request failed. It counts statuses separately.
//! - It reports requests on their way at the end of the time as errors, `aborted due to deadline`,
//!   although the server did not fail. With `-w` it waits for them, and its time includes the wait.
//! - When a connection that it keeps was closed, it counts a request that it never sent as an error.
//! - Without `-t` it waits forever.
//! - Figures without a sample are `null`. Its percentiles are those of all answers, whatever their
//!   status.
//! - Over TLS it offers AES-256 first and the group X25519MLKEM768, and cannot be told otherwise. It resumes
//!   sessions on new connections.
//! - It corrects latency for coordinated omission only at a fixed rate (`--latency-correction` with
//!   `-q`).

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{LoadSpec, Tool, ToolOutput, query};
use crate::machine::host::Host;
use crate::servers::identity::CERTIFICATE;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Protocol, Semantics};
use crate::text::numbers::as_f64;

/// The error kind of requests that were on their way when the time was over.
const ABORTED: &str = "aborted due to deadline";

/// Flags that it must have: older versions lack some of them.
const FLAGS: [&str; 4] =
    ["--no-tui", "--output-format", "--wait-ongoing-requests-after-deadline", "--worker-threads"];

/// The largest difference between the sum of its counts and its rate times its time.
const ADDS_UP_WITHIN: f64 = 0.5;

pub(super) struct Oha;

/// The part of its JSON that is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    summary: Summary,
    /// Latency in seconds, by names such as `p50` and `p99.9`.
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<u16, u64>,
    error_distribution: BTreeMap<String, u64>,
}

/// Times are in seconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total: f64,
    average: Option<f64>,
    slowest: Option<f64>,
    requests_per_sec: f64,
}

impl Tool for Oha {
    fn name(&self) -> &'static str {
        "oha"
    }

    fn hint(&self) -> &'static str {
        "install it with `cargo install oha --locked`, which takes some minutes"
    }

    fn semantics(&self, load: &Load) -> Semantics {
        let (from, since) = match load.rate {
            Some(_) => (From::Due, "from when the request was due"),
            None => (From::Sent, "from before the connect (on a new connection) or the write"),
        };
        Semantics {
            from,
            connect_included: true,
            synthetic: false,
            resolution_seconds: Some(1e-9),
            meaning: format!("{since} to the end of the body, including answers other than 2xx"),
        }
    }

    fn refuses(&self, load: &Load) -> Option<&'static str> {
        match load.mode {
            _ if load.protocol == Protocol::H2c => Some("does not speak HTTP/2 without TLS"),
            _ if load.resumes => Some("cannot be told to resume sessions of TLS"),
            Mode::Close if load.protocol.is_encrypted() => {
                Some("resumes sessions of TLS, so that its handshakes are not full ones")
            }
            Mode::Pipelined(_) => Some("cannot pipeline"),
            Mode::CloseAfter(_) => Some("closes a connection after one request or keeps it"),
            Mode::KeepAlive | Mode::Close => None,
        }
    }

    fn offers_what_visit_offers(&self) -> bool {
        false
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        identify(&query(host, &["oha", "--version"])?.output, &query(host, &["oha", "--help"])?.output)
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *spec;
        let mut words: Vec<String> =
            ["oha", "--no-tui", "--output-format", "json", "-w"].map(Into::into).into();
        match amount {
            Amount::Requests(requests) => words.extend(["-n".into(), requests.to_string()]),
            Amount::Time(time) => words.extend(["-z".into(), format!("{}ms", time.as_millis())]),
        }
        let timeout = format!("{}ms", load.timeout.as_millis());
        words.extend(["-c".into(), load.connections.to_string(), "-t".into(), timeout]);
        words.extend(["--worker-threads".into(), cores.to_string()]);
        if load.protocol.is_encrypted() {
            words.extend(["--cacert".into(), CERTIFICATE.into()]);
        }
        if load.protocol.is_http_2() {
            words.extend(["--http2".into(), "-p".into(), load.streams.to_string()]);
        }
        if let Some(rate) = spec.rate {
            words.extend(["-q".into(), rate.to_string(), "--latency-correction".into()]);
        }
        if load.mode == Mode::Close {
            words.push("--disable-keepalive".into());
        }
        words.push(url.to_owned());
        words
    }

    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput> {
        if output.trim().is_empty() {
            bail!("oha printed nothing");
        }
        let Report { summary, latency_percentiles, status_code_distribution, error_distribution } =
            serde_json::from_str(output).context("oha's output is not its JSON: it is cut off")?;
        let total = summary.requests_per_sec * summary.total;
        let counted = status_code_distribution.values().chain(error_distribution.values()).sum();
        if !((total - as_f64(counted)).abs() < ADDS_UP_WITHIN && summary.total > 0.0) {
            bail!("oha counts {counted} requests, but its rate says {total:.0}");
        }
        let (answers, refusals): (Vec<_>, Vec<_>) =
            status_code_distribution.into_iter().partition(|(status, _)| (200..300).contains(status));
        let refusals = refusals.into_iter().map(|(status, number)| (format!("status {status}"), number));
        let errors = error_distribution.into_iter().filter(|(kind, _)| kind != ABORTED);
        let percentile =
            |(name, time): (String, Option<f64>)| Some((name.strip_prefix('p')?.parse().ok()?, time?));
        Ok(ToolOutput {
            elapsed_seconds: summary.total,
            answered: answers.into_iter().map(|(_, number)| number).sum(),
            errors: refusals.chain(errors).collect(),
            claimed_per_second: Some(summary.requests_per_sec),
            mean_seconds: summary.average,
            percentiles: latency_percentiles.into_iter().filter_map(percentile).collect(),
            max_seconds: summary.slowest,
            ..ToolOutput::default()
        })
    }
}

/// The version, such as `oha 1.16.0`.
fn identify(version: &str, help: &str) -> anyhow::Result<String> {
    let version = version.trim();
    if !version.starts_with("oha 1.") || !help.contains("HTTP load generator") {
        bail!("the `oha` here is another program, or not version 1: its version is `{version}`");
    }
    if let Some(flag) = FLAGS.iter().find(|flag| !help.contains(*flag)) {
        bail!("the `oha` here is too old: {version} has no {flag}");
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_identified;
    use super::*;

    #[test]
    fn is_identified_by_its_version() {
        let help = format!("Ohayou, HTTP load generator\n{}", FLAGS.join("\n"));
        let cases = [
            ("oha 1.16.0\n", help.clone(), Ok("oha 1.16.0")),
            ("oha 1.3.0\n", help.replace("--worker-threads", ""), Err("oha 1.3.0 has no --worker-threads")),
            ("oha 0.6.5\n", help.clone(), Err("not version 1")),
            ("oha 1.0\n", "something else".into(), Err("another program")),
            ("", String::new(), Err("another program")),
        ];
        for (version, help, expected) in cases {
            assert_identified(identify(version, &help), expected);
        }
    }
}
