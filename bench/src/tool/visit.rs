//! `visit`, our own load tool, which is built with the harness and lies beside it.
//!
//! What has to be known of it: it checks every answer whole, and a run with a wrong one has no figures. It waits for the
//! end of a connection that is to be closed before it opens the next one. Other tools close it themselves, so in mode
//! `close` it is only comparable with itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use super::{Outcome, Tool};
use crate::host::{Host, Launch};
use crate::visit::{Report, TimesReport, version};
use crate::workload::{Amount, Workload};

const BOUND: Duration = Duration::from_secs(20);

pub(super) struct Visit;

impl Tool for Visit {
    fn name(&self) -> &'static str {
        "visit"
    }

    fn get(&self) -> &'static str {
        "build it with `cargo build --release --package bench`"
    }

    fn latency_meaning(&self) -> &'static str {
        "closed loop, from the write of the request to the last byte of the answer, without the connect, not corrected for \
         coordinated omission, resolution 0.1 % of itself"
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

    fn command(&self, workload: &Workload, amount: Amount, cores: usize, url: &str) -> Vec<String> {
        let (name, amount) = match amount {
            Amount::Requests(requests) => ("--requests", requests.to_string()),
            Amount::Time(time) => ("--seconds", time.as_secs_f64().to_string()),
        };
        let words = [
            ("--connections", workload.connections.to_string()),
            ("--mode", workload.mode.to_string()),
            (name, amount),
            ("--threads", cores.to_string()),
            ("--expect", workload.answer.clone()),
        ];
        let words = words.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        ["visit".to_owned(), "--quiet".to_owned()].into_iter().chain(words).chain([url.to_owned()]).collect()
    }

    fn parse(&self, output: &str) -> anyhow::Result<Outcome> {
        let report = Report::parse(output)?;
        if let Some(mismatch) = &report.mismatch {
            bail!("an answer was wrong: {mismatch}");
        }
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
            mean_seconds: latency.map(|times| times.mean_seconds),
            percentiles: latency.map(percentiles).unwrap_or_default(),
            max_seconds: latency.map(|times| times.max_seconds),
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
    use crate::workload::Mode;

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
    fn what_is_no_valid_run_is_an_error() {
        let wrong = RIGHT.replace("\"mismatch\":null", "\"mismatch\":\"GET /: no\"");
        let interrupted = RIGHT.replace("\"interrupted\":false", "\"interrupted\":true");
        let cases = [
            (String::new(), "not what visit prints"),
            (RIGHT[..RIGHT.trim().len() - 1].to_owned(), "not what visit prints"),
            (wrong, "an answer was wrong: GET /: no"),
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
            let words = Visit.command(&Workload::example("visit", amount, mode), amount, 1, "URL").join(" ");
            let expected =
                format!("visit --quiet --connections 100 {expected} --threads 1 --expect Hello URL");
            assert_eq!(words, expected);
        }
    }
}
