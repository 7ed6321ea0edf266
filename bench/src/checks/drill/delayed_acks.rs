//! Several answers at once, to a client that acknowledges late.
//!
//! A server without `TCP_NODELAY` sends the first of several answers, and holds the others back
//! until the client acknowledges the first (RFC 9293, section 3.7.4). The client's kernel
//! acknowledges it after 40 ms, since it hopes to send the acknowledgement with the next request,
//! which waits for the answers.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use socket2::SockRef;

use super::context::{DrillContext, check_recovered};
use super::definition::{Drill, OVER_ALL};
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "delayed-acks",
    about: "rounds of several requests at once, to which the client acknowledges no answer before it has to: at most \
            half of the rounds take as long as a delayed acknowledgement",
    protocols: OVER_ALL,
    run,
};

/// Requests per round: pipelined, or on streams.
const PATHS: [&str; 5] = ["/1", "/2", "/3", "/4", "/5"];

/// Rounds before those that count: the kernel acknowledges the first data of a connection at once.
const FIRST_ROUNDS: usize = 10;

/// A round that takes longer has waited for an acknowledgement. This is less than the 40 ms of a
/// delayed acknowledgement, and more than the answers take.
const DELAY: Duration = Duration::from_millis(30);

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let rounds = context.pick(20, 200);
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    let mut connection = running.endpoint.connect()?;
    let mut times = Vec::with_capacity(rounds);
    for round in 0..FIRST_ROUNDS + rounds {
        context.check_interrupted()?;
        SockRef::from(connection.client.stream.tcp()).set_tcp_quickack(false)?;
        let began = Instant::now();
        connection.ask_all(PATHS)?;
        for path in PATHS {
            if !connection.is_answered(path).with_context(|| format!("round {}", round + 1))? {
                return Ok("closes after an answer".into());
            }
        }
        if round >= FIRST_ROUNDS {
            times.push(began.elapsed());
        }
    }
    drop(connection);
    check_recovered(&mut running, before)?;
    judged(&times)
}

/// The number of rounds that waited. Fails when most of them did: a few may wait for other reasons.
fn judged(times: &[Duration]) -> anyhow::Result<String> {
    let late = times.iter().filter(|time| **time > DELAY).count();
    let (late, all) = (u32::try_from(late)?, u32::try_from(times.len())?);
    let figure = format!("{} of {} late", numbers::whole(late.into()), numbers::whole(all.into()));
    ensure!(late * 2 <= all, "{figure}: answers wait for an acknowledgement");
    Ok(figure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_fails_when_most_rounds_wait() {
        // Milliseconds per round.
        let cases: [(&[u64], Result<&str, &str>); 5] = [
            (&[0, 0, 1, 29], Ok("0 of 4 late")),
            (&[44, 0, 0, 41], Ok("2 of 4 late")),
            (&[44, 44, 0, 44], Err("3 of 4 late: answers wait for an acknowledgement")),
            (&[300, 300, 300], Err("3 of 3 late: answers wait for an acknowledgement")),
            (&[30], Ok("0 of 1 late")),
        ];
        for (milliseconds, expected) in cases {
            let times: Vec<Duration> = milliseconds.iter().copied().map(Duration::from_millis).collect();
            let judged = judged(&times).map_err(|error| error.to_string());
            assert_eq!(judged.as_deref().map_err(String::as_str), expected, "{milliseconds:?}");
        }
    }
}
