//! `visit`, the load tool of this project, which is built beside the harness.
//!
//! What the harness has to take into account:
//! - It checks every answer completely, and a run with a wrong answer has no figures.
//! - In mode `close` it waits for the server to close a connection before it opens the next one.
//!   Other tools close it themselves, so in this mode it is comparable only with itself.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use visit_output::{Kind, Ready, Report, Slice, TimesReport, Tls, VERSION};

use super::{LoadSpec, SliceOutput, SlicedTool, Tool, ToolOutput, Unusable, query};
use crate::machine::host::Host;
use crate::servers::identity::CERTIFICATE;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, KindRecord, Semantics, TlsRecord};

pub(super) struct Visit;

impl Tool for Visit {
    fn name(&self) -> &'static str {
        "visit"
    }

    fn hint(&self) -> &'static str {
        "build it: cargo build --release -p visit"
    }

    fn semantics(&self, load: &Load) -> Semantics {
        let (from, since) = match (&load.rate, load.mode) {
            (Some(_), _) => (From::Due, "when the request was due"),
            (None, Mode::Pipelined(_)) => (From::Sent, "the write of the batch"),
            (None, _) => (From::Sent, "the write of the request"),
        };
        Semantics {
            from,
            // In an open loop, a request that has to connect first waits until the connection is
            // open.
            connect_included: load.rate.is_some(),
            synthetic: false,
            resolution_seconds: None,
            meaning: format!("from {since} to the last byte of the answer"),
        }
    }

    fn refuses(&self, _: &Load) -> Option<&'static str> {
        None
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        let version = query(host, &["visit", "--version"])?.output.trim().to_owned();
        let path = host.find(self.name()).context("it has just been run")?;
        identify(&version, &path)?;
        Ok(version)
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let (name, amount) = match spec.amount {
            Amount::Requests(requests) => ("--requests", requests.to_string()),
            Amount::Time(time) => ("--seconds", time.as_secs_f64().to_string()),
        };
        let rate = spec.rate.into_iter().flat_map(|rate| ["--rate".to_owned(), rate.to_string()]);
        let share = spec.share.into_iter().flat_map(|(number, count)| {
            ["--share".to_owned(), format!("{number}/{count}"), "--start-at".to_owned(), "-".to_owned()]
        });
        let seconds = |interval: Duration| ["--series".to_owned(), interval.as_secs_f64().to_string()];
        let series = spec.series.into_iter().flat_map(seconds);
        words(spec, [name.to_owned(), amount].into_iter().chain(rate).chain(series).chain(share))
    }

    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput> {
        let report = Report::parse(output)?;
        let share = report.share.is_some().then(|| Box::new(report.clone()));
        Ok(ToolOutput { share, ..figures(report)? })
    }

    fn shares_load(&self) -> bool {
        true
    }

    fn reports_series(&self) -> bool {
        true
    }

    fn sends_kinds(&self) -> bool {
        true
    }

    fn merge(&self, parts: Vec<ToolOutput>, elapsed_seconds: f64) -> anyhow::Result<ToolOutput> {
        let report = |part: ToolOutput| Some(*part.share?);
        let reports = parts.into_iter().map(report).collect::<Option<Vec<Report>>>();
        figures(Report::merge(&reports.context("a part of the load is not of a share")?, elapsed_seconds)?)
    }

    fn sliced(&self) -> Option<&'static dyn SlicedTool> {
        Some(&Self)
    }
}

/// Fails unless the `visit` at `path`, which prints `version`, was built from the same sources as
/// the harness: another build may take other flags, or print other figures.
fn identify(version: &str, path: &Path) -> anyhow::Result<()> {
    if version == VERSION {
        return Ok(());
    }
    if !version.starts_with("visit ") {
        bail!("the `visit` here is another program: its version is `{version}`");
    }
    // A `visit` beside a debug build of the harness is found before any other.
    let is_debug = path.parent().is_some_and(|folder| folder.ends_with("debug"));
    let build = if is_debug { "cargo build -p visit" } else { "cargo build --release -p visit" };
    let told =
        format!("the `visit` at {} is of another build than this harness; build it: {build}", path.display());
    bail!(Unusable(told))
}

/// The figures of a report. Fails when the run was interrupted.
fn figures(report: Report) -> anyhow::Result<ToolOutput> {
    if report.interrupted {
        bail!("it was interrupted");
    }
    let kinds = report.kinds.as_deref().unwrap_or_default();
    // For the kinds that expect a status other than 2xx: the expected answers by status, which are
    // as good as a 2xx, and the 2xx answers, which are wrong.
    let others = || kinds.iter().filter(|kind| kind.status >= 300);
    let expected = |status: u16| -> u64 {
        others().filter(|kind| kind.status == status).map(|kind| kind.expected).sum()
    };
    let accepted: u64 = others()
        .flat_map(|kind| &kind.statuses)
        .filter(|(status, _)| **status < 300)
        .map(|(_, count)| count)
        .sum();
    let answered = report.answered - accepted + others().map(|kind| kind.expected).sum::<u64>();
    let refusals = report.statuses.iter().filter(|(status, _)| **status >= 300);
    let refusals = refusals.map(|(status, count)| (format!("status {status}"), count - expected(*status)));
    let accepted = std::iter::once(("a wrong request accepted".to_owned(), accepted));
    let refusals = refusals.chain(accepted).filter(|(_, count)| *count > 0);
    let errors = report.errors.occurred().into_iter().map(|(kind, count)| (kind.to_owned(), count));
    let latency = report.latency.as_ref();
    Ok(ToolOutput {
        elapsed_seconds: report.elapsed_seconds,
        answered,
        errors: refusals.chain(errors).collect(),
        failed_connections: report.errors.failed_connections(),
        claimed_per_second: report.per_second(),
        held: report.rate.zip(report.schedule_lag).map(|(rate, lag)| (rate.held, lag.p99_seconds)),
        mean_seconds: latency.map(|times| times.mean_seconds),
        percentiles: latency.into_iter().flat_map(percentiles).collect(),
        max_seconds: latency.map(|times| times.max_seconds),
        mismatch: report.mismatch,
        histogram: report.latency,
        connect: report.connect,
        handshake: report.handshake,
        tls: report.tls.map(tls),
        began_nanoseconds: report.began_nanoseconds,
        late_seconds: report.late_seconds,
        kinds: kinds.iter().map(kind).collect(),
        share: None,
        series: report.series,
    })
}

/// The stored form of the TLS parameters.
fn tls(tls: Tls) -> TlsRecord {
    let Tls { version, suite, group, alpn, full, resumed } = tls;
    TlsRecord { version, suite, group, alpn, full, resumed }
}

/// The stored form of a kind.
fn kind(kind: &Kind) -> KindRecord {
    let latency = kind.latency.as_ref();
    KindRecord {
        name: kind.name.clone(),
        share: kind.share,
        status: kind.status,
        sent: kind.sent,
        expected: kind.expected,
        mean_seconds: latency.map(|times| times.mean_seconds),
        p50_seconds: latency.map(|times| times.p50_seconds),
        p99_seconds: latency.map(|times| times.p99_seconds),
    }
}

impl SlicedTool for Visit {
    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        words(spec, ["--control".to_owned()])
    }

    fn parse_ready(&self, line: &str) -> anyhow::Result<Option<u64>> {
        Ok(Ready::parse(line)?.connections_open)
    }

    fn warm_up(&self, time: Duration) -> String {
        format!("warm {}", time.as_secs_f64())
    }

    fn slice(&self, time: Duration) -> String {
        format!("run {}", time.as_secs_f64())
    }

    fn parse_slice(&self, line: &str) -> anyhow::Result<SliceOutput> {
        let slice = Slice::parse(line)?;
        let Slice { elapsed_seconds, answered, mean_seconds, connections_open, .. } = slice;
        Ok(SliceOutput { elapsed_seconds, answered, mean_seconds, connections_open })
    }
}

/// The command line for a load, with these arguments for its amount.
fn words(spec: &LoadSpec, amount: impl IntoIterator<Item = String>) -> Vec<String> {
    let LoadSpec { load, answer, cores, url, .. } = *spec;
    let words = [
        ("--connections", load.connections.to_string()),
        ("--mode", load.mode.to_string()),
        ("--threads", cores.to_string()),
        ("--expect", answer.to_owned()),
        ("--timeout", load.timeout.as_secs_f64().to_string()),
    ];
    let named = |name: &'static str, values: &[String]| {
        values.iter().map(move |value| (name, value.clone())).collect::<Vec<_>>()
    };
    let poisson = load
        .poisson
        .into_iter()
        .flat_map(|seed| [("--arrivals", "poisson".to_owned()), ("--seed", seed.to_string())]);
    let certificate = load.protocol.is_encrypted().then(|| ("--certificate", CERTIFICATE.to_owned()));
    let streams = load.protocol.is_http_2().then(|| ("--streams", load.streams.to_string()));
    let further = [named("--header", &load.headers), named("--mix", &load.mix), poisson.collect()].concat();
    let words = words.into_iter().chain(further).chain(certificate).chain(streams);
    let words = words.flat_map(|(name, value)| [name.to_owned(), value]);
    let switches = [("--http2", load.protocol.is_http_2()), ("--resume", load.resumes)];
    let switches = switches.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned());
    ["visit".to_owned(), "--quiet".to_owned()]
        .into_iter()
        .chain(switches)
        .chain(words)
        .chain(amount)
        .chain([url.to_owned()])
        .collect()
}

fn percentiles(times: &TimesReport) -> [(u8, f64); 5] {
    let TimesReport { p50_seconds, p75_seconds, p90_seconds, p95_seconds, p99_seconds, .. } = *times;
    [(50, p50_seconds), (75, p75_seconds), (90, p90_seconds), (95, p95_seconds), (99, p99_seconds)]
}

#[cfg(test)]
mod tests {
    use super::super::tests::captured;
    use super::*;

    #[test]
    fn is_of_the_sources_of_the_harness() {
        let old = "visit 0.1.0";
        let cases = [
            (VERSION, "/t/release/visit", None),
            (
                old,
                "/t/release/visit",
                Some(
                    "the `visit` at /t/release/visit is of another build than this harness; build it: cargo build --release -p visit",
                ),
            ),
            (
                old,
                "/t/debug/visit",
                Some(
                    "the `visit` at /t/debug/visit is of another build than this harness; build it: cargo build -p visit",
                ),
            ),
            (
                "something 1",
                "/bin/visit",
                Some("the `visit` here is another program: its version is `something 1`"),
            ),
            ("", "/bin/visit", Some("the `visit` here is another program: its version is ``")),
        ];
        for (version, path, expected) in cases {
            let error = identify(version, Path::new(path)).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), expected, "{version}");
        }
    }

    #[test]
    fn a_wrong_answer_is_reported() {
        let wrong =
            captured("visit/some-5xx.json").replace("\"mismatch\":null", "\"mismatch\":\"GET /: no\"");
        assert_eq!(Visit.parse(&wrong).unwrap().mismatch.as_deref(), Some("GET /: no"));
    }

    #[test]
    fn shares_are_added_by_what_was_parsed_of_them() {
        let whole = captured("visit/some-5xx.json");
        let share = |number: u32| {
            let mut report = Report::parse(&whole).unwrap();
            report.share = visit_output::Share::new(number, 2);
            let part = Visit.parse(&serde_json::to_string(&report).unwrap()).unwrap();
            assert_eq!(part.share.as_deref(), Some(&report));
            part
        };
        let one = Visit.parse(&whole).unwrap();
        let both = Visit.merge(vec![share(1), share(2)], 2.0 * one.elapsed_seconds).unwrap();
        assert_eq!((both.answered, both.elapsed_seconds), (2 * one.answered, 2.0 * one.elapsed_seconds));
        let missing = Visit.merge(vec![share(1), one], 1.0).unwrap_err().to_string();
        assert!(missing.contains("not of a share"), "{missing}");
    }
}
