//! `hey`, the load tool of the article.
//!
//! What the harness has to take into account:
//! - It exits with 0 and claims a high rate when every request failed: the rate counts failures.
//! - It keeps the first million results and divides the sum of *all* latencies by that million.
//!   Beyond a million, the mean, the percentiles and the statuses say nothing about the rest; the
//!   rate stays right.
//! - It rounds a number of requests down to a multiple of the connections. A run with fewer
//!   requests than asked for is invalid.
//! - A body that is cut off counts as an answer. It follows redirects, each of which costs the
//!   server two requests. When a connection that it had used before was closed, it sends the
//!   request again, and does not report that.
//! - Builds of its current source print `10%% in` where others print `10% in`.
//! - With too few samples for a percentile it prints `0% in 0.0000 secs`; with none, ` NaN`.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};

use super::{LoadSpec, Tool, ToolOutput, query};
use crate::machine::host::Host;
use crate::servers::workload::{Amount, Load, Mode};
use crate::store::record::{From, Semantics};
use crate::text::numbers::as_f64;

const KEPT: u64 = 1_000_000;

/// The largest relative difference between its counts and its rate times its time, which have four
/// decimals.
const ADDS_UP_WITHIN: f64 = 0.01;

const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Hey;

impl Tool for Hey {
    fn name(&self) -> &'static str {
        "hey"
    }

    fn hint(&self) -> &'static str {
        "install it with `apt-get install hey`, which scripts/setup does"
    }

    fn semantics(&self, _: &Load) -> Semantics {
        Semantics {
            from: From::Sent,
            connect_included: true,
            synthetic: false,
            resolution_seconds: Some(0.000_1),
            meaning: "from before the connect (on a new connection) or the write to the end of the body; unknown beyond \
                      a million answers"
                .into(),
        }
    }

    fn refuses(&self, load: &Load) -> Option<&'static str> {
        match (load.mode, &load.rate) {
            _ if !load.protocol.is_plain() => Some("is used for HTTP/1.1 without TLS only"),
            (Mode::Pipelined(_), _) => Some("cannot pipeline"),
            (Mode::CloseAfter(_), _) => Some("closes a connection after one request or keeps it"),
            (_, Some(_)) => Some("has no open loop"),
            _ => None,
        }
    }

    fn identify(&self, host: &Host) -> anyhow::Result<String> {
        // It has no flag for its version; its usage identifies it.
        let usage = query(host, &["hey"])?;
        if !usage.complaint.contains("Usage: hey [options...] <url>") {
            bail!("the `hey` here is another program: its usage is not that of the load tool");
        }
        match query(host, &["dpkg-query", "--show", "--showformat=${Version}", "hey"]) {
            Ok(ended) if ended.status.success() => Ok(format!("hey {}", ended.output.trim())),
            _ => Ok("hey of an unknown version".into()),
        }
    }

    fn command(&self, spec: &LoadSpec) -> Vec<String> {
        let LoadSpec { load, amount, cores, url, .. } = *spec;
        let mut words = vec!["hey".to_owned()];
        match amount {
            Amount::Requests(requests) => words.extend(["-n".into(), requests.to_string()]),
            Amount::Time(time) => words.extend(["-z".into(), format!("{}s", time.as_secs_f64())]),
        }
        if load.timeout != TIMEOUT {
            // It takes whole seconds only.
            words.extend(["-t".into(), load.timeout.as_secs_f64().ceil().to_string()]);
        }
        words.extend(["-c".into(), load.connections.to_string(), "-cpus".into(), cores.to_string()]);
        if load.mode == Mode::Close {
            words.push("-disable-keepalive".into());
        }
        words.push(url.to_owned());
        words
    }

    fn parse(&self, output: &str) -> anyhow::Result<ToolOutput> {
        if output.trim().is_empty() {
            bail!("hey printed nothing");
        }
        let summary = section(output, "Summary:")?;
        let elapsed_seconds =
            field(summary, "Total:").context("hey's summary has no total time: it is cut off")?;
        let claimed = field(summary, "Requests/sec:").context("hey's summary has no rate: it is cut off")?;
        let (answered, errors) = answers(output, elapsed_seconds * claimed)?;
        let all_kept = answered + errors.values().sum::<u64>() <= KEPT;
        let latency = |name| field(summary, name).filter(|_| answered > 0);
        Ok(ToolOutput {
            elapsed_seconds,
            answered,
            errors,
            claimed_per_second: Some(claimed),
            mean_seconds: latency("Average:").filter(|_| all_kept),
            percentiles: if all_kept { percentiles(output)? } else { BTreeMap::new() },
            max_seconds: latency("Slowest:"),
            ..ToolOutput::default()
        })
    }
}

/// The lines below a heading, up to an empty line.
fn section<'a>(output: &'a str, heading: &str) -> anyhow::Result<&'a str> {
    let start =
        output.find(heading).with_context(|| format!("hey's output has no `{heading}`: it is cut off"))?;
    let below = &output[start + heading.len()..];
    Ok(below.split("\n\n").next().unwrap_or(below))
}

/// The number after `name` in a line such as `  Total: 1.0157 secs`. ` NaN` is none.
fn field(lines: &str, name: &str) -> Option<f64> {
    let rest = lines.lines().find_map(|line| line.trim().strip_prefix(name))?;
    let number: f64 = rest.split_whitespace().next()?.parse().ok()?;
    number.is_finite().then_some(number)
}

/// The number of 2xx answers, and of other results by kind, of `total` requests.
fn answers(output: &str, total: f64) -> anyhow::Result<(u64, BTreeMap<String, u64>)> {
    let mut answered = 0;
    let mut errors = BTreeMap::new();
    for line in entries(section(output, "Status code distribution:")?) {
        let (status, rest) = line?;
        let responses = rest.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
        let responses = responses.with_context(|| format!("hey's count of status {status} is cut off"))?;
        if (200..300).contains(&status) {
            answered += responses;
        } else {
            *errors.entry(format!("status {status}")).or_insert(0) += responses;
        }
    }
    let kept = answered + errors.values().sum::<u64>();
    if output.contains("Error distribution:") {
        for line in entries(section(output, "Error distribution:")?) {
            let (requests, message) = line?;
            *errors.entry(reason(message)).or_insert(0) += requests;
        }
    }
    let counted = as_f64(answered + errors.values().sum::<u64>());
    if kept == KEPT && total > counted {
        if answered < kept {
            bail!("hey kept the statuses of only a million answers, and not all of those are 2xx");
        }
        return Ok((beyond_the_kept(total, &errors), errors));
    }
    if (total - counted).abs() > (total * ADDS_UP_WITHIN).max(2.0) {
        bail!("hey counts {counted} requests, but its rate says {total:.0}: its output is cut off");
    }
    Ok((answered, errors))
}

/// The number of all 2xx answers if hey kept a million of them, from its rounded rate and time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, above a million")]
fn beyond_the_kept(total: f64, errors: &BTreeMap<String, u64>) -> u64 {
    (total.round() as u64).saturating_sub(errors.values().sum())
}

/// The number in brackets and the rest of each line, as in `  [200] 48 responses`.
fn entries(lines: &str) -> impl Iterator<Item = anyhow::Result<(u64, &str)>> {
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let parts = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let entry = parts.and_then(|(number, rest)| Some((number.parse().ok()?, rest.trim())));
        entry.with_context(|| unknown(line))
    })
}

fn unknown(line: &str) -> String {
    format!("hey's line `{line}` is cut off, or of a version that prints it in another form")
}

/// The end of an error message, without the addresses, which differ between requests.
fn reason(message: &str) -> String {
    message.rsplit(": ").next().unwrap_or(message).to_owned()
}

fn percentiles(output: &str) -> anyhow::Result<BTreeMap<u8, f64>> {
    let mut percentiles = BTreeMap::new();
    let lines = section(output, "Latency distribution:")?.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty()) {
        let parts = line.strip_suffix(" secs").and_then(|line| line.split_once("% in "));
        let entry = parts.and_then(|(percent, seconds)| {
            Some((percent.trim_end_matches('%').parse().ok()?, seconds.parse().ok()?))
        });
        let (percent, seconds) = entry.with_context(|| unknown(line))?;
        // Too few samples: hey prints `0% in 0.0000 secs` for a percentile that it does not know.
        if percent > 0 {
            percentiles.insert(percent, seconds);
        }
    }
    Ok(percentiles)
}

#[cfg(test)]
mod tests {
    use super::super::tests::captured;
    use super::*;

    #[test]
    fn newer_versions_double_a_percent_sign() {
        let normal = captured("hey/normal.txt");
        let newest = normal.replace("% in", "%% in");
        assert_eq!(Hey.parse(&newest).unwrap(), Hey.parse(&normal).unwrap());
    }
}
