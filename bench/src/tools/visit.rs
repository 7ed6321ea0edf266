//! `visit`, our own load tool, which is built with the harness and lies beside it.
//!
//! What has to be known of it: it checks every answer whole, and a run with a wrong one has no figures. It waits for the
//! end of a connection that is to be closed before it opens the next one. Other tools close it themselves, so in mode
//! `close` it is only comparable with itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use super::{LoadSpec, Outcome, Tool};
use crate::machine::host::{Host, Launch};
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use ::visit::{Report, TimesReport, version};

const BOUND: Duration = Duration::from_secs(20);

pub(super) struct Visit;

impl Tool for Visit {
    fn name(&self) -> &'static str {
        "visit"
    }

    fn get(&self) -> &'static str {
        "build it with `cargo build --release --package bench`"
    }

    fn semantics(&self, load: &Load) -> Semantics {
        let (from, meaning) = match (&load.rate, load.mode) {
            (Some(_), _) => (From::Due, "from when the request was due to the last byte of the answer"),
            (None, Mode::Pipelined(_)) => {
                (From::Sent, "from the write of the batch to the last byte of the answer")
            }
            (None, _) => (From::Sent, "from the write of the request to the last byte of the answer"),
        };
        Semantics {
            from,
            // In an open loop a request that has to connect first is late by that.
            connect_included: load.rate.is_some(),
            synthetic: false,
            resolution_seconds: None,
            meaning: meaning.into(),
        }
    }

    fn refuses(&self, _: &Load) -> Option<&'static str> {
        None
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        let words = ["visit", "--version"].map(String::from);
        let launch = Launch { words: &words, folder: Path::new("/"), cores: &[], shown: false };
        let said = host.run(&launch, BOUND)?;
        let (said, expected) = (said.trim(), version());
        if said != expected {
            bail!("the `visit` on this machine is another one: it says `{said}` and not `{expected}`");
        }
        Ok(expected)
    }

    fn command(&self, order: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, rate, answer, cores, url } = *order;
        let (name, amount) = match amount {
            Amount::Requests(requests) => ("--requests", requests.to_string()),
            Amount::Time(time) => ("--seconds", time.as_secs_f64().to_string()),
        };
        let words = [
            ("--connections", load.connections.to_string()),
            ("--mode", load.mode.to_string()),
            (name, amount),
            ("--threads", cores.to_string()),
            ("--expect", answer.to_owned()),
            ("--timeout", load.timeout.as_secs_f64().to_string()),
        ];
        let rate = rate.map(|rate| ("--rate", rate.to_string()));
        let words = words.into_iter().chain(rate).flat_map(|(name, value)| [name.to_owned(), value]);
        ["visit".to_owned(), "--quiet".to_owned()].into_iter().chain(words).chain([url.to_owned()]).collect()
    }

    fn parse(&self, output: &str) -> anyhow::Result<Outcome> {
        let report = Report::parse(output)?;
        if report.interrupted {
            bail!("it was interrupted");
        }
        let refusals = report.statuses.iter().filter(|(status, _)| **status >= 300);
        let refusals = refusals.map(|(status, count)| (format!("status {status}"), *count));
        let errors = report.errors.occurred().into_iter().map(|(kind, count)| (kind.to_owned(), count));
        let latency = report.latency.as_ref();
        Ok(Outcome {
            elapsed_seconds: report.elapsed_seconds,
            answered: report.answered,
            errors: refusals.chain(errors).collect(),
            claimed_per_second: report.per_second(),
            held: report
                .rate
                .as_ref()
                .zip(report.schedule_lag.as_ref())
                .map(|(rate, lag)| (rate.held, lag.p99_seconds)),
            mean_seconds: latency.map(|times| times.mean_seconds),
            percentiles: latency.map(percentiles).unwrap_or_default(),
            max_seconds: latency.map(|times| times.max_seconds),
            mismatch: report.mismatch,
            histogram: report.latency,
            connect: report.connect,
        })
    }
}

fn percentiles(times: &TimesReport) -> BTreeMap<u8, f64> {
    BTreeMap::from([
        (50, times.p50_seconds),
        (75, times.p75_seconds),
        (90, times.p90_seconds),
        (95, times.p95_seconds),
        (99, times.p99_seconds),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::workload::Mode;

    const RIGHT: &str = include_str!("../../tests/captured/visit/some-5xx.json");

    #[test]
    fn reads_a_report() {
        let outcome = Visit.parse(RIGHT).unwrap();
        assert_eq!((outcome.answered, outcome.errors), (160, [("status 503".to_owned(), 40)].into()));
        let known: Vec<u8> = outcome.percentiles.keys().copied().collect();
        assert_eq!(known, [50, 75, 90, 95, 99]);
        let claimed = outcome.claimed_per_second.unwrap();
        assert!((claimed * outcome.elapsed_seconds - 160.0).abs() < 1e-6, "{claimed}");
    }

    #[test]
    fn a_wrong_answer_is_told() {
        let wrong = RIGHT.replace("\"mismatch\":null", "\"mismatch\":\"GET /: no\"");
        assert_eq!(Visit.parse(&wrong).unwrap().mismatch.as_deref(), Some("GET /: no"));
    }

    #[test]
    fn what_is_no_valid_run_is_an_error() {
        let interrupted = RIGHT.replace("\"interrupted\":false", "\"interrupted\":true");
        let cases = [
            (String::new(), "not what visit prints"),
            (RIGHT[..RIGHT.trim().len() - 1].to_owned(), "not what visit prints"),
            (interrupted, "it was interrupted"),
        ];
        for (output, expected) in cases {
            let error = Visit.parse(&output).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn its_arguments_are_the_workloads() {
        let cases = [
            (Amount::Requests(9), Mode::Close, "--mode close --requests 9"),
            (Amount::Time(Duration::from_secs(5)), Mode::KeepAlive, "--mode keep-alive --seconds 5"),
        ];
        for (amount, mode, expected) in cases {
            let load = Load::example("visit", amount, mode);
            let words = Visit.command(&LoadSpec::example(&load, amount)).join(" ");
            let expected = format!(
                "visit --quiet --connections 100 {expected} --threads 1 --expect Hello --timeout 10 URL"
            );
            assert_eq!(words, expected);
        }
    }
}
