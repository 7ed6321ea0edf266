//! `wrk`, with a script that sends batches and prints what it counted.
//!
//! What has to be known of it:
//! - It goes by time alone. It stops at the first tick of 100 ms after that, and gives up what is under way then.
//! - Its rate counts every answer. Those with a status above 399 are counted beside it, so a 3xx passes for a 2xx; a script
//!   that looks at each answer would tell, and would change what is measured.
//! - An answer later than `--timeout` is a timeout in its count and an answer in its rate. A request that is never answered
//!   is in neither.
//! - A connection that is refused, or closed without an answer, is an error of writing or reading, and is opened anew at
//!   once, tens of thousands of times a second: its count of errors says little about requests.
//! - It always "corrects" its latency: it adds answers that it never had, by the mean time between requests of a
//!   connection. A steady server looks slower or faster by that, and in a batch, which is one sample to it, it adds
//!   fifteen of sixteen and loses track of its percentiles.
//! - It divides its connections by its threads and drops the rest.
//! - It connects once before all others, to see whether anybody is there; when nobody is, it prints no summary.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{LoadSpec, Outcome, Script, Tool};
use crate::machine::host::{Host, Launch};
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use crate::text::numbers::as_f64;

const BOUND: Duration = Duration::from_secs(20);

const SCRIPT: Script = Script { name: "wrk.lua", text: include_str!("wrk.lua") };

pub(super) struct Wrk;

/// What the script prints.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary {
    /// Requests in a batch.
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

    fn get(&self) -> &'static str {
        "get it with `apt-get install wrk`, which scripts/setup does"
    }

    fn semantics(&self, _: &Load) -> Semantics {
        Semantics {
            from: From::Sent,
            connect_included: false,
            synthetic: true,
            resolution_seconds: Some(1e-6),
            meaning: "from before the write of the request to the end of the answer; mean and percentiles are not of the \
                      answers alone: wrk adds some of its own making, by the mean time between requests of a connection; of \
                      pipelined requests the slowest batch is all that is known"
                .into(),
        }
    }

    fn refuses(&self, load: &Load) -> Option<&'static str> {
        match load.amount {
            _ if load.rate.is_some() => Some("has no open loop"),
            Amount::Requests(_) => Some("cannot ask by count, only by time"),
            Amount::Time(time) if time.subsec_nanos() > 0 => Some("goes by whole seconds"),
            Amount::Time(_) => None,
        }
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        let words = ["wrk", "--version"].map(String::from);
        let launch = Launch { words: &words, folder: Path::new("/"), cores: &[], shown: false };
        // It ends with 1 whatever it is asked.
        identify(&host.output(&launch, BOUND)?.output)
    }

    fn script(&self) -> Option<Script> {
        Some(SCRIPT)
    }

    fn command(&self, order: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *order;
        let seconds = match amount {
            // A part of a second, which only a warm-up has, is rounded up.
            Amount::Time(time) => time.as_secs() + u64::from(time.subsec_nanos() > 0),
            // It has been refused.
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

    fn parse(&self, output: &str) -> anyhow::Result<Outcome> {
        let line = output.lines().last().context("wrk printed nothing")?;
        let Summary { depth, duration_us, requests, errors, latency_us: latency, .. } =
            serde_json::from_str(line)
                .context("wrk's last line is not its script's summary: it is cut off")?;
        let Errors { connect, read, write, status, timeout } = errors;
        let seconds = |microseconds: f64| microseconds / 1e6;
        let elapsed_seconds = seconds(as_f64(duration_us));
        if duration_us == 0 || status > requests {
            bail!("wrk's summary is none: {status} bad answers of {requests} in {elapsed_seconds} s");
        }
        let kinds = [
            ("connect", connect),
            ("read", read),
            ("write", write),
            ("status above 399", status),
            ("timeout", timeout),
        ];
        let kinds = kinds.into_iter().filter(|(_, number)| *number > 0);
        // With batches its samples are not answers, and what it adds to them makes nonsense of all but the largest.
        let sampled = |time: Option<f64>| time.filter(|_| depth == 1).map(seconds);
        let percentiles = latency.percentiles.into_iter();
        Ok(Outcome {
            elapsed_seconds,
            // Of a batch that was late it counts one timeout.
            answered: requests.saturating_sub(status).saturating_sub(timeout.saturating_mul(depth)),
            errors: kinds.map(|(kind, number)| (kind.to_owned(), number)).collect(),
            claimed_per_second: Some(as_f64(requests) / elapsed_seconds),
            mean_seconds: sampled(latency.mean),
            percentiles: percentiles.filter_map(|(percent, time)| Some((percent, sampled(time)?))).collect(),
            max_seconds: latency.max.map(seconds),
            ..Outcome::default()
        })
    }
}

/// The version in what it says to `--version`: its own line, then its usage.
fn identify(said: &str) -> anyhow::Result<String> {
    let version = said.split_once(" [").filter(|(_, rest)| rest.contains("Copyright (C) 2012 Will Glozer"));
    let Some((version, _)) = version.filter(|(version, _)| version.starts_with("wrk ")) else {
        bail!("the `wrk` on this machine is another program: its version is not the load tool's");
    };
    if said.contains("--rate") {
        bail!("the `wrk` on this machine is wrk2, which loads in another way");
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! captured {
        ($name:literal) => {
            include_str!(concat!("../../tests/captured/wrk/", $name, ".txt"))
        };
    }

    #[test]
    fn reads_a_normal_summary() {
        let expected = Outcome {
            elapsed_seconds: 1.000_994,
            answered: 20_453,
            errors: BTreeMap::new(),
            claimed_per_second: Some(20_453.0 / 1.000_994),
            mean_seconds: Some(305.034_959_457_663_15 / 1e6),
            percentiles: [(50, 84e-6), (75, 88e-6), (90, 138e-6), (95, 1_855e-6), (99, 4_824e-6)].into(),
            max_seconds: Some(9_416e-6),
            ..Outcome::default()
        };
        let mut outcome = Wrk.parse(captured!("normal")).unwrap();
        for (percent, time) in &mut outcome.percentiles {
            assert!((*time - expected.percentiles[percent]).abs() < 1e-12, "{percent}: {time}");
            *time = expected.percentiles[percent];
        }
        assert_eq!(outcome, expected);
    }

    #[test]
    fn counts_what_was_answered_and_what_was_not() {
        let cases: [(_, _, _, &[(&str, u64)]); 5] = [
            ("every fifth is a 503", captured!("some-5xx"), 18_127, &[("status above 399", 4_531)]),
            ("every answer is a 503", captured!("all-5xx"), 0, &[("status above 399", 14_367)]),
            ("every answer is late", captured!("timeouts"), 0, &[("timeout", 6)]),
            ("nobody answers", captured!("no-answer"), 0, &[]),
            ("a server that was killed", captured!("killed"), 44_851, &[("read", 3), ("write", 84_495)]),
        ];
        for (name, output, answered, errors) in cases {
            let outcome = Wrk.parse(output).unwrap();
            let errors = errors.iter().map(|(kind, number)| ((*kind).to_owned(), *number)).collect();
            assert_eq!((outcome.answered, outcome.errors), (answered, errors), "{name}");
        }
    }

    #[test]
    fn says_nothing_of_latency_that_it_does_not_know() {
        let known = |output| {
            let outcome = Wrk.parse(output).unwrap();
            (outcome.mean_seconds.is_some(), outcome.percentiles.len(), outcome.max_seconds.is_some())
        };
        assert_eq!(known(captured!("no-answer")), (false, 0, false));
        // It says 719 µs of the 50th percentile and 0 of all above.
        assert_eq!(known(captured!("pipelined")), (false, 0, true));
        assert_eq!(Wrk.parse(captured!("pipelined")).unwrap().answered, 58_321);
    }

    #[test]
    fn an_output_that_is_not_whole_is_an_error() {
        // All that it prints when nobody listens: the reason is on standard error.
        assert_eq!(Wrk.parse("").unwrap_err().to_string(), "wrk printed nothing");
        let normal = captured!("normal").trim_end();
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
    fn knows_itself_by_what_it_says() {
        let usage = "\nUsage: wrk <options> <url>\n  -d, --duration    <T>  Duration of test";
        let copyright = "[epoll] Copyright (C) 2012 Will Glozer";
        let cases = [
            (format!("wrk debian/4.1.0-3+b2 {copyright}{usage}"), Ok("wrk debian/4.1.0-3+b2")),
            (format!("wrk 4.2.0 {copyright}{usage}"), Ok("wrk 4.2.0")),
            (format!("wrk 4.0.0 {copyright}{usage}\n  -R, --rate  <T>  work rate"), Err("is wrk2")),
            ("wrk 1.0 [something else]".into(), Err("is another program")),
            (String::new(), Err("is another program")),
        ];
        for (said, expected) in cases {
            match (identify(&said), expected) {
                (Ok(version), Ok(expected)) => assert_eq!(version, expected),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (got, expected) => panic!("{got:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn its_arguments_are_the_workloads() {
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
        let load = Load::example("wrk", Amount::Time(BOUND), Mode::Close);
        let warm_up = Wrk.command(&LoadSpec::example(&load, Amount::Time(Duration::from_millis(500))));
        assert!(warm_up.contains(&"-d1s".to_owned()), "{warm_up:?}");
    }
}
