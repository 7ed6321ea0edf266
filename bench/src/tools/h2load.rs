//! `h2load` of nghttp2.
//!
//! What the harness has to take into account:
//! - It exits with 0 whatever happened. When no server listens, a load by time counts nothing at all,
//!   and one by requests counts all of them as failed.
//! - Its rate counts answers of any status, including 5xx, and it counts a 3xx as a success. A
//!   status is counted when its head arrives, so an answer with a body that is cut off is a 2xx
//!   that is not done. Interim answers (1xx) and redirects are neither counted nor followed.
//! - A connection that was closed without notice is not opened again. In a load by requests, the
//!   requests that were left for it count as failed, although they were never sent; in a load by
//!   time, they are in no count. A connection that the server closes with notice is opened again; a
//!   load by time then never ends, and neither do its connections, so the mode `close` is refused.
//! - `-m N` keeps N requests of a connection on their way: the next request is sent after each
//!   answer, and not after the whole batch.
//! - Over TLS it checks no certificate. It offers AES-128 and X25519 first, and others: a server
//!   with an order of its own may choose another suite. It prints the suite that was agreed on.
//! - Without TLS it begins with HTTP/2 unless told otherwise. After a GOAWAY it counts the
//!   remaining requests as failed.
//! - It prints no percentiles. It takes times in whole milliseconds. It has no timeout per request,
//!   but one for a connection without any byte (`-N`).
//! - A load by time counts the answers within the time, and divides by that time, which begins
//!   before the connections are open. It never ends if a connection is not open yet when the time
//!   is over, which happens over TLS on a busy machine. The printed time has two decimals, at worst
//!   hundredths of a second, and is that of the whole run.
//! - It keeps the latencies of at most a million answers, an equal part for each thread, chosen at random
//!   beyond that: the largest may be missing.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};

use super::{LoadSpec, Tool, ToolOutput, query};
use crate::machine::host::Host;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use crate::text::numbers::as_f64;
use crate::text::visible::visible;

/// The largest difference between its count divided by its rate and the time that it prints: as a
/// share of that time, and in parts of its unit, of which it prints two decimals.
const ADDS_UP_WITHIN: (f64, f64) = (0.02, 0.01);

/// The rate from which its two decimals give the time more exactly than the printed time does.
const EXACT_RATE: f64 = 100.0;

/// The shortest warm-up over TLS: the handshakes of all connections have to fit into it. A hundred
/// of them take a twentieth of a second on an idle machine.
const SHORTEST_WARM_UP: Duration = Duration::from_secs(1);

/// The only suite that `visit` and `wrk` offer.
const SUITE: &str = "TLS_AES_128_GCM_SHA256";

/// The number of samples that all of its threads keep, in equal parts (`MAX_SAMPLES` in its
/// source).
const KEPT: u64 = 1_000_000;

pub(super) struct H2load;

impl Tool for H2load {
    fn name(&self) -> &'static str {
        "h2load"
    }

    fn hint(&self) -> &'static str {
        "install it with `apt-get install nghttp2-client`"
    }

    fn semantics(&self, _: &Load) -> Semantics {
        Semantics {
            from: From::Sent,
            connect_included: false,
            synthetic: false,
            resolution_seconds: Some(1e-6),
            meaning: "from when the request was made to the end of the body, including answers other than 2xx, to \
                      two decimals from 1 ms on; mean and largest only, beyond a million answers those of a sample"
                .into(),
        }
    }

    fn refuses(&self, load: &Load) -> Option<&'static str> {
        let has_few = |requests: u64| requests < u64::from(load.connections);
        match (load.mode, load.amount) {
            _ if load.rate.is_some() => Some("has no open loop"),
            _ if load.resumes => Some("does not resume sessions of TLS"),
            (Mode::KeepAlive | Mode::Pipelined(_), Amount::Requests(requests)) if has_few(requests) => {
                Some("makes at least one request per connection")
            }
            (Mode::KeepAlive | Mode::Pipelined(_), _) => None,
            _ => Some("cannot close a connection after an answer"),
        }
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        identify(&query(host, &["h2load", "--version"])?.output, &query(host, &["h2load", "--help"])?.output)
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *spec;
        let mut words = vec!["h2load".to_owned()];
        if load.protocol.is_http_2() {
            words.extend(["-m".into(), load.streams.to_string()]);
        } else {
            words.push("--h1".into());
        }
        match amount {
            Amount::Requests(requests) => words.extend(["-n".into(), requests.to_string()]),
            Amount::Time(time) => {
                let is_warm_up = load.protocol.is_encrypted() && amount != load.amount;
                let time = if is_warm_up { time.max(SHORTEST_WARM_UP) } else { time };
                words.extend(["-D".into(), format!("{}ms", time.as_millis())]);
            }
        }
        // It refuses to have a thread without a connection.
        let threads = cores.min(usize::try_from(load.connections).unwrap_or(usize::MAX)).max(1);
        words.extend(["-c".into(), load.connections.to_string(), "-t".into(), threads.to_string()]);
        words.extend(["-N".into(), format!("{}ms", load.timeout.as_millis())]);
        if let Mode::Pipelined(depth) = load.mode {
            words.extend(["-m".into(), depth.to_string()]);
        }
        words.push(url.to_owned());
        words
    }

    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput> {
        if output.trim().is_empty() {
            bail!("h2load printed nothing");
        }
        let last = output.trim_end().lines().next_back().unwrap_or_default();
        if !(last.starts_with("req/s ") && last.ends_with('%')) {
            bail!("h2load's summary has no end: it is cut off");
        }
        // This line is printed only with TLS.
        let suite = output.lines().find_map(|line| line.strip_prefix("Cipher: "));
        if let Some(other) = suite.filter(|suite| *suite != SUITE) {
            bail!("h2load and the server agreed on {}, not on {SUITE} as under other tools", visible(other));
        }
        let requests = counts(line(output, "requests:")?)?;
        let statuses = counts(line(output, "status codes:")?)?;
        let number =
            |name: &str| requests.get(name).copied().with_context(|| format!("h2load counts no `{name}`"));
        let (total, done, timeouts) = (number("total")?, number("done")?, number("timeout")?);
        if number("succeeded")? + number("failed")? != total {
            bail!("h2load's successes and failures are not its {total} requests");
        }
        let is_by_time = output.contains("Timing-based test");
        let (elapsed_seconds, claimed) = time_and_rate(line(output, "finished in")?, done, is_by_time)?;
        let is_other = |(status, _): &(&str, u64)| *status != "2xx";
        let others: BTreeMap<String, u64> = statuses
            .into_iter()
            .filter(is_other)
            .map(|(status, number)| (format!("status {status}"), number))
            .collect();
        let unanswered = number("errored")?.saturating_sub(timeouts);
        let answered = done.saturating_sub(others.values().sum());
        let failures = [("timeout".into(), timeouts), ("not answered, or never sent".into(), unanswered)];
        let errors = others.into_iter().chain(failures).filter(|(_, number)| *number > 0);
        let threads = output.lines().filter(|line| line.starts_with("spawning thread")).count().max(1);
        let is_kept = done <= KEPT / threads as u64;
        let latency = line(output, "time for request:")?;
        let of_requests = |place: usize| -> anyhow::Result<Option<f64>> {
            let time = latency.split_whitespace().nth(place).context("h2load's latency is cut off")?;
            Ok(Some(seconds(time)?).filter(|_| done > 0))
        };
        Ok(ToolOutput {
            elapsed_seconds,
            answered,
            errors: errors.collect(),
            claimed_per_second: Some(claimed),
            mean_seconds: of_requests(2)?,
            max_seconds: of_requests(1)?.filter(|_| is_kept),
            ..ToolOutput::default()
        })
    }
}

/// The version, such as `h2load nghttp2/1.52.0`.
fn identify(version: &str, help: &str) -> anyhow::Result<String> {
    let version = version.trim();
    if !version.starts_with("h2load nghttp2/") {
        bail!("the `h2load` here is another program: its version is `{version}`");
    }
    if let Some(flag) = ["--h1", "--duration"].iter().find(|flag| !help.contains(*flag)) {
        bail!("the `h2load` here is too old: {version} has no {flag}");
    }
    Ok(version.to_owned())
}

/// The rest of the first line that begins with `begin`.
fn line<'a>(output: &'a str, begin: &str) -> anyhow::Result<&'a str> {
    let found = output.lines().find_map(|line| line.strip_prefix(begin));
    found.with_context(|| format!("h2load's output has no line `{begin}`"))
}

/// `100 total, 20 started, 15 done`: numbers by their names.
fn counts(line: &str) -> anyhow::Result<BTreeMap<&str, u64>> {
    let found: Option<BTreeMap<&str, u64>> = line.split(',').map(count).collect();
    found.with_context(|| format!("h2load's counts are not numbers with names: `{}`", line.trim()))
}

fn count(part: &str) -> Option<(&str, u64)> {
    let (number, name) = part.trim().split_once(' ')?;
    Some((name, number.parse().ok()?))
}

/// Reads ` 16.11ms, 6208.87 req/s, 242.53KB/s`: the seconds in which `done` requests were done, and
/// the claimed rate. Fails when they contradict each other. A load by time may have taken longer as
/// a whole.
fn time_and_rate(line: &str, done: u64, is_by_time: bool) -> anyhow::Result<(f64, f64)> {
    let cut_off = || format!("h2load's time and rate are cut off: `{}`", line.trim());
    let (printed, rest) = line.trim().split_once(", ").with_context(cut_off)?;
    let rate: f64 =
        rest.split_once(" req/s").and_then(|(rate, _)| rate.parse().ok()).with_context(cut_off)?;
    let (printed, unit) = (seconds(printed)?, unit(printed).with_context(cut_off)?);
    if rate < EXACT_RATE || done == 0 {
        return Ok((printed, rate));
    }
    let exact = as_f64(done) / rate;
    let (share, parts) = ADDS_UP_WITHIN;
    let off = if is_by_time { exact - printed } else { (exact - printed).abs() };
    if off > share * printed + parts * unit {
        bail!("h2load's {done} requests took {printed} s, but its rate says {exact:.4} s");
    }
    Ok((exact, rate))
}

/// `72us`, `5.56ms`, `1.00s`
fn seconds(text: &str) -> anyhow::Result<f64> {
    let parsed = unit(text).and_then(|unit| {
        let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        Some(number.parse::<f64>().ok()? * unit)
    });
    parsed.with_context(|| format!("h2load's time `{text}` is cut off, or of a version"))
}

/// The unit of a time, in seconds.
fn unit(text: &str) -> Option<f64> {
    match text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.') {
        "us" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_identified, captured};
    use super::*;

    #[test]
    fn is_identified_by_its_version() {
        let help = "  -D, --duration=<DURATION>\n  --h1        Short hand";
        let cases = [
            ("h2load nghttp2/1.52.0\n", help, Ok("h2load nghttp2/1.52.0")),
            ("h2load nghttp2/1.0.0\n", "  --h1", Err("h2load nghttp2/1.0.0 has no --duration")),
            ("something else 1.0", help, Err("another program")),
            ("", "", Err("another program")),
        ];
        for (version, help, expected) in cases {
            assert_identified(identify(version, help), expected);
        }
    }

    #[test]
    fn the_time_is_as_exact_as_its_rate() {
        // A line, the number of requests done, and the seconds in a load by requests and in one by
        // time.
        let cases = [
            (" 1.00s, 39558.00 req/s, 1.51MB/s", 39558, [Some(1.0); 2]),
            (" 16.11ms, 6208.87 req/s, 242.53KB/s", 100, [Some(100.0 / 6208.87); 2]),
            (" 2.00s, 0.00 req/s, 0B/s", 0, [Some(2.0); 2]),
            (" 1.01s, 3.00 req/s, 240B/s", 3, [Some(1.01); 2]),
            (" 3.00s, 500.00 req/s, 240B/s", 500, [None, Some(1.0)]),
            (" 0.50s, 500.00 req/s, 240B/s", 500, [None; 2]),
            (" 1.00, 500.00 req/s, 240B/s", 500, [None; 2]),
            (" 1.00s, 500.00", 500, [None; 2]),
        ];
        for (line, done, expected) in cases {
            let found = [false, true].map(|is_by_time| time_and_rate(line, done, is_by_time));
            let found = found.map(|found| found.ok().map(|(seconds, _)| seconds));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn the_largest_latency_of_a_sample_is_unknown() {
        let normal = captured("h2load/normal.txt");
        let many = normal.replace("200 ", "2000000 ").replace("12892.41 req/s", "128924100.00 req/s");
        for (output, is_known) in [(normal, true), (many, false)] {
            assert_eq!(H2load.parse(&output).unwrap().max_seconds.is_some(), is_known);
        }
    }
}
