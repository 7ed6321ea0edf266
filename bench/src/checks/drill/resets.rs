//! Connections that are reset in every state.

use anyhow::Context;
use conformance::Http2Client;

use super::connection::{Connection, Http2};
use super::context::{DrillContext, check_recovered};
use super::definition::{Drill, OVER_ALL};
use crate::store::record::Protocol;

pub(super) const DRILL: Drill = Drill {
    name: "resets",
    about: "resets before, within and after a request, a body and an answer: the server keeps answering, and no \
            descriptor stays open",
    protocols: OVER_ALL,
    run,
};

/// A state, the protocols that have it, and how a client brings its connection into it.
pub(super) type State = (&'static str, fn(Protocol) -> bool, fn(&mut Connection) -> anyhow::Result<()>);

pub(super) const STATES: [State; 8] = [
    ("before anything", |_| true, |_| Ok(())),
    ("within a head", |_| true, Connection::start_head),
    ("with a request on its way", |_| true, |client| client.ask("/unread")),
    ("within a body", |_| true, Connection::start_body),
    (
        "within a chunk",
        |protocol| !protocol.is_http_2(),
        |client| {
            client.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nand so on")
        },
    ),
    (
        "within answers",
        |_| true,
        |client| {
            client.ask_all(["/many"; MANY])?;
            client.expect("/many").context("cannot read the first answer")
        },
    ),
    (
        "after half a close",
        |protocol| protocol.is_plain(),
        |client| {
            client.ask("/unread")?;
            client.half_close()
        },
    ),
    ("amid reset streams", Protocol::is_http_2, |client| {
        let Some(Http2 { frames, .. }) = client.http2() else { return Ok(()) };
        let streams = (0..MANY).map(|_| frames.get("/unread")).collect::<Vec<_>>();
        let cancelled =
            streams.into_iter().map(|(stream, request)| [request, Http2Client::cancel(stream)].concat());
        let bytes: Vec<u8> = cancelled.flatten().collect();
        client.send(&bytes)
    }),
];

/// The number of requests sent at once: fewer than the streams that servers allow, and than the
/// resets that they tolerate.
const MANY: usize = 15;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let times: usize = context.pick(20, 200);
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    let states = STATES.into_iter().filter(|(_, is_over, _)| is_over(context.protocol));
    let states: Vec<State> = states.collect();
    for number in 0..times {
        context.check_interrupted()?;
        for (state, _, reach) in &states {
            let reset = || {
                let mut client = running.endpoint.connect_from(number)?;
                reach(&mut client)?;
                client.reset()
            };
            reset().with_context(|| format!("reset {state}"))?;
        }
        // A reset within the handshake, if there is one.
        running.endpoint.start_from(number)?.reset()?;
    }
    check_recovered(&mut running, before)?;
    Ok(format!("{} states × {times}", states.len()))
}
