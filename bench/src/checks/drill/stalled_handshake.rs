//! Clients that do not finish a handshake, or a preface of HTTP/2.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use conformance::Http2Client;

use super::context::{DrillContext, Drilled, check_recovered};
use super::definition::Drill;
use super::endpoint::Endpoint;
use crate::servers::client::{Client, TIMEOUT};
use crate::store::record::Protocol;
use crate::text::numbers;

pub(super) const DRILL: Drill = Drill {
    name: "stalled-handshake",
    about: "clients that send a part of a TLS hello, of a handshake or of HTTP/2's preface, and then nothing: the \
            server answers others meanwhile, and ends those connections by its head timeout",
    protocols: &[Protocol::Https, Protocol::H2c, Protocol::H2],
    run,
};

/// The head timeout in seconds, if the server has a flag for it.
const HEAD: u64 = 1;

/// Time beyond the head timeout for the scheduler, and for a timer that checks every second.
const SLACK: Duration = Duration::from_secs(2);

/// Connections at each stage.
const EACH: usize = 10;

/// The stage at which a client stops, the protocols that have it, and how a client reaches it.
type Stage = (&'static str, fn(Protocol) -> bool, fn(Endpoint) -> anyhow::Result<Box<dyn Read>>);

const STAGES: [Stage; 4] = [
    ("within a hello", Protocol::is_encrypted, |endpoint| {
        let hello = endpoint.hello()?;
        part_sent(endpoint, hello.get(..hello.len() / 2).unwrap_or_default())
    }),
    ("after a hello", Protocol::is_encrypted, |endpoint| part_sent(endpoint, &endpoint.hello()?)),
    ("within a preface", Protocol::is_http_2, |endpoint| {
        let preface = Http2Client::preface();
        begun(endpoint, preface.get(..preface.len() / 2).unwrap_or_default())
    }),
    ("before SETTINGS", Protocol::is_http_2, |endpoint| begun(endpoint, Http2Client::preface())),
];

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let (mut slowest, mut failures) = (Duration::ZERO, Vec::new());
    for (stage, _, reach) in STAGES.into_iter().filter(|(_, is_over, _)| is_over(context.protocol)) {
        context.check_interrupted()?;
        match stall(context, reach) {
            Ok(elapsed) => slowest = slowest.max(elapsed),
            Err(error) => failures.push(format!("clients that stop {stage}: {error:#}")),
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(if has_timeout(context) {
        numbers::seconds(slowest.as_secs_f64())
    } else {
        "others are answered".into()
    })
}

fn has_timeout(context: &DrillContext) -> bool {
    context.server.honours("head-timeout")
}

/// Connects clients that stop at a stage. Returns the time until the server has ended the last of them.
fn stall(
    context: &DrillContext,
    reach: fn(Endpoint) -> anyhow::Result<Box<dyn Read>>,
) -> anyhow::Result<Duration> {
    // No other timeout ends the connections.
    let flags =
        [("head-timeout", HEAD.to_string()), ("idle-timeout", "600".into()), ("write-timeout", "600".into())];
    let flags: Vec<(&str, &str)> = flags.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut running: Drilled = context.start(&flags)?;
    let before = running.process.descriptors()?;
    let began = Instant::now();
    let clients = (0..EACH).map(|_| reach(running.endpoint)).collect::<anyhow::Result<Vec<_>>>()?;
    let opened = began.elapsed();
    running.endpoint.check_answers().context("another client")?;
    let mut elapsed = Duration::ZERO;
    if has_timeout(context) {
        for mut client in clients {
            read_to_end(&mut *client)?;
        }
        elapsed = began.elapsed();
        let most = Duration::from_secs(HEAD) + opened + SLACK;
        ensure!(
            elapsed < most,
            "the last is ended after {:.1} s, with a head timeout of {HEAD} s",
            elapsed.as_secs_f64()
        );
    } else {
        drop(clients);
    }
    check_recovered(&mut running, before)?;
    Ok(elapsed)
}

/// Opens a TCP connection, and sends these bytes.
fn part_sent(endpoint: Endpoint, bytes: &[u8]) -> anyhow::Result<Box<dyn Read>> {
    let mut stream = endpoint.connect_tcp()?;
    stream.write_all(bytes)?;
    Ok(Box::new(stream))
}

/// Opens a connection, completes the TLS handshake if there is one, and sends these bytes.
fn begun(endpoint: Endpoint, bytes: &[u8]) -> anyhow::Result<Box<dyn Read>> {
    let mut client = Client::start(endpoint.address, endpoint.protocol, |_| Ok(()))?;
    client.establish(endpoint.protocol)?;
    client.send(bytes)?;
    Ok(Box::new(client.stream))
}

/// Reads to the end of the stream, whatever comes before it. A reset is an end as well.
fn read_to_end(stream: &mut dyn Read) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                bail!("the server does not end the connection within {} s", TIMEOUT.as_secs())
            }
            Err(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each read of a connection returns: this number of bytes, or an error.
    struct Reads(Vec<Result<usize, ErrorKind>>);

    /// A connection, what its reads return, and whether it has ended.
    type Ending = (&'static str, &'static [Result<usize, ErrorKind>], bool);

    impl Read for Reads {
        fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.remove(0).map_err(Into::into)
        }
    }

    #[test]
    fn an_end_of_any_kind_ends_a_stalled_connection_and_silence_does_not() {
        let cases: [Ending; 6] = [
            ("an end", &[Ok(0)], true),
            ("an alert or a GOAWAY before it", &[Ok(7), Err(ErrorKind::Interrupted), Ok(17), Ok(0)], true),
            ("a reset", &[Err(ErrorKind::ConnectionReset)], true),
            ("an end without close_notify", &[Err(ErrorKind::UnexpectedEof)], true),
            ("silence", &[Err(ErrorKind::WouldBlock)], false),
            ("silence after SETTINGS", &[Ok(15), Err(ErrorKind::TimedOut)], false),
        ];
        for (name, reads, ends) in cases {
            assert_eq!(read_to_end(&mut Reads(reads.to_vec())).is_ok(), ends, "{name}");
        }
    }
}
