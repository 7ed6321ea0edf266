//! Connections that are reset in every state.

use std::io::Read;

use anyhow::Context;

use super::context::{DrillContext, check_recovered};
use super::definition::Drill;
use crate::servers::client::{Client, get};

pub(super) const DRILL: Drill = Drill {
    name: "drill/resets",
    about: "resets before, within and after a request, a body and an answer: the server keeps answering, and no \
            descriptor stays open",
    run,
};

/// A state, and how a client brings its connection into it.
pub(super) type State = (&'static str, fn(&mut Client) -> anyhow::Result<()>);

pub(super) const STATES: [State; 7] = [
    ("before anything", |_| Ok(())),
    ("within a head", |client| client.send(b"GET /half HTTP/1.1\r\nHo")),
    ("with a request on its way", |client| client.ask("/unread")),
    ("within a body", |client| {
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nand so on")
    }),
    ("within a chunk", |client| {
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nand so on")
    }),
    ("within answers", |client| {
        client.send(get("/many").repeat(200).as_bytes())?;
        client.stream.read_exact(&mut [0; 100]).context("cannot read the start of an answer")
    }),
    ("after half a close", |client| {
        client.ask("/unread")?;
        client.half_close()
    }),
];

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let times: usize = context.pick(20, 200);
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    for number in 0..times {
        context.check_interrupted()?;
        for (state, reach) in STATES {
            let reset = || {
                let mut client = Client::connect_from(number, running.address)?;
                reach(&mut client)?;
                client.reset()
            };
            reset().with_context(|| format!("reset {state}"))?;
        }
    }
    check_recovered(&mut running, before)?;
    Ok(format!("{} states × {times}", STATES.len()))
}
