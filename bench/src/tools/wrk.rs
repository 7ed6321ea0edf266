//! `wrk`, with a script that sends batches and prints its counts.
//!
//! What has to be known of it:
//! - It takes a time only, no number of requests. It stops at the first tick of 100 ms after the
//!   time, and gives up the requests on their way.
//! - Its rate counts every answer. Those with a status above 399 are also counted separately, so a
//!   3xx passes for a 2xx; a script that looks at each answer would see it, and would change what
//!   is measured.
//! - An answer later than `--timeout` counts as a timeout, and as an answer in its rate. A request
//!   that is never answered is in neither.
//! - A connection that is refused, or closed without an answer, counts as a write or read error,
//!   and is opened again at once, tens of thousands of times per second: the number of errors says
//!   little about requests. So does one that is closed after an answer without notice. An answer
//!   whose body ends with the connection is an answer and a read error.
//! - An interim answer (1xx) counts as an answer.
//! - In mode `close` it sends `Connection: close` and leaves the end to the server: over a connection
//!   that the server keeps it sends the next request. The look before a run finds such a server, and
//!   a run that accepted far fewer connections than it has answers is invalid.
//! - A connection that is never answered again is in no count; only the product of throughput and
//!   mean latency shows it.
//! - It always "corrects" its latency: it adds samples that it never measured, by the mean time
//!   between requests of a connection. That makes a steady server look slower or faster. A batch is
//!   one sample to it, of which it adds fifteen of sixteen, so its percentiles are then
//!   meaningless.
//! - It divides its connections by its threads and drops the remainder.
//! - It connects once at first to see whether a server listens; if none does, it prints no summary.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{LoadSpec, Script, Tool, ToolOutput, query};
use crate::machine::host::Host;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use crate::text::numbers::as_f64;

const SCRIPT: Script = Script { name: "wrk.lua", text: include_str!("wrk.lua") };

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
            _ if load.rate.is_some() => Some("has no open loop"),
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

    fn script(&self) -> Option<Script> {
        Some(SCRIPT)
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *spec;
        let seconds = match amount {
            // A fraction of a second, which only a warm-up has, is rounded up.
            Amount::Time(time) => time.as_secs() + u64::from(time.subsec_nanos() > 0),
            // `refuses` excludes it.
            Amount::Requests(_) => 0,
        };
        let connections = usize::try_from(load.connections).unwrap_or(usize::MAX);
        let threads = (1..=cores).rev().find(|threads| connections.is_multiple_of(*threads)).unwrap_or(1);
        let depth = if let Mode::Pipelined(depth) = load.mode { depth } else { 1 };
        let mut words = vec![
            "wrk".to_owned(),
            format!("-t{threads}"),
            format!("-c{connections}"),
            format!("-d{seconds}s"),
            format!("--timeout={}s", load.timeout.as_secs_f64().ceil()),
            "-s".into(),
            SCRIPT.name.into(),
        ];
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
        bail!("the `wrk` on this machine is another program: its version is not that of the load tool");
    };
    if printed.contains("--rate") {
        bail!("the `wrk` on this machine is wrk2, which makes load in another way");
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Counted, assert_counts, assert_identified, captured};
    use super::*;

    #[test]
    fn reads_a_normal_summary() {
        let expected = ToolOutput {
            elapsed_seconds: 1.000_994,
            answered: 20_453,
            claimed_per_second: Some(20_453.0 / 1.000_994),
            mean_seconds: Some(305.034_959_457_663_15 / 1e6),
            percentiles: [(50, 84e-6), (75, 88e-6), (90, 138e-6), (95, 1_855e-6), (99, 4_824e-6)].into(),
            max_seconds: Some(9_416e-6),
            ..ToolOutput::default()
        };
        let mut figures = Wrk.parse(captured!("wrk/normal.txt")).unwrap();
        for (percent, time) in &mut figures.percentiles {
            assert!((*time - expected.percentiles[percent]).abs() < 1e-12, "{percent}: {time}");
            *time = expected.percentiles[percent];
        }
        assert_eq!(figures, expected);
    }

    #[test]
    fn counts_answers_and_errors() {
        let killed: &[_] = &[("read", 3), ("write", 84_495)];
        let cases: [Counted; 5] = [
            ("every fifth is a 503", captured!("wrk/some-5xx.txt"), 18_127, &[("status above 399", 4_531)]),
            ("every answer is a 503", captured!("wrk/all-5xx.txt"), 0, &[("status above 399", 14_367)]),
            ("every answer is late", captured!("wrk/timeouts.txt"), 0, &[("timeout", 6)]),
            ("no request is answered", captured!("wrk/no-answer.txt"), 0, &[]),
            ("a server that was killed", captured!("wrk/killed.txt"), 44_851, killed),
        ];
        assert_counts(&Wrk, &cases);
    }

    #[test]
    fn has_no_latency_without_samples() {
        let known = |output| {
            let figures = Wrk.parse(output).unwrap();
            (figures.mean_seconds.is_some(), figures.percentiles.len(), figures.max_seconds.is_some())
        };
        assert_eq!(known(captured!("wrk/no-answer.txt")), (false, 0, false));
        // Its 50th percentile is 719 µs and all above are 0.
        assert_eq!(known(captured!("wrk/pipelined.txt")), (false, 0, true));
        assert_eq!(Wrk.parse(captured!("wrk/pipelined.txt")).unwrap().answered, 58_321);
    }

    #[test]
    fn output_that_is_cut_off_is_an_error() {
        // Its whole output when no server listens: the reason is on standard error.
        assert_eq!(Wrk.parse("").unwrap_err().to_string(), "wrk printed nothing");
        let normal = captured!("wrk/normal.txt").trim_end();
        for cut in 1..normal.len() {
            assert!(Wrk.parse(&normal[..cut]).is_err(), "cut after {cut} bytes");
        }
        let cases = [
            ("more errors than answers", normal.replace("\"status\":0", "\"status\":20454")),
            ("no time", normal.replace("\"duration_us\":1000994", "\"duration_us\":0")),
            ("something unknown", normal.replace("\"depth\"", "\"width\"")),
            ("negative", normal.replace("\"read\":0", "\"read\":-1")),
        ];
        for (name, output) in cases {
            assert!(Wrk.parse(&output).is_err(), "{name}");
        }
    }

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

    #[test]
    fn arguments_follow_the_workload() {
        let cases = [
            (Mode::KeepAlive, 1, "wrk -t1 -c100 -d5s --timeout=10s -s wrk.lua URL -- 1"),
            (Mode::KeepAlive, 3, "wrk -t2 -c100 -d5s --timeout=10s -s wrk.lua URL -- 1"),
            (Mode::Close, 1, "wrk -t1 -c100 -d5s --timeout=10s -s wrk.lua -H Connection: close URL -- 1"),
            (Mode::Pipelined(16), 1, "wrk -t1 -c100 -d5s --timeout=10s -s wrk.lua URL -- 16"),
        ];
        for (mode, cores, expected) in cases {
            let load = Load::example("wrk", Amount::Time(Duration::from_secs(5)), mode);
            assert_eq!(Wrk.refuses(&load), None);
            let order = LoadSpec { cores, ..LoadSpec::example(&load, load.amount) };
            assert_eq!(Wrk.command(&order).join(" "), expected);
        }
        for amount in [Amount::Requests(5), Amount::Time(Duration::from_millis(500))] {
            assert!(Wrk.refuses(&Load::example("wrk", amount, Mode::Close)).is_some(), "{amount:?}");
        }
        let load = Load::example("wrk", Amount::Time(Duration::from_secs(5)), Mode::Close);
        let warm_up = Wrk.command(&LoadSpec::example(&load, Amount::Time(Duration::from_millis(500))));
        assert!(warm_up.contains(&"-d1s".to_owned()), "{warm_up:?}");
    }
}
