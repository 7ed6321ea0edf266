//! Clients that reset each stream as soon as they have opened it.

use anyhow::ensure;
use conformance::Http2Client;

use super::connection::{Connection, Http2};
use super::context::{DrillContext, check_recovered, memory};
use super::definition::Drill;
use crate::store::record::Protocol;
use crate::text::numbers::{self, as_f64};

pub(super) const DRILL: Drill = Drill {
    name: "stream-resets",
    about: "200,000 requests of HTTP/2, each of which is reset at once: memory grows by less than 8 MiB, others are \
            answered, and no descriptor stays open, whether the server ends such a connection or not",
    protocols: &[Protocol::H2c, Protocol::H2],
    run,
};

/// Streams per write.
const BATCH: usize = 100;

/// The bytes by which the server's peak resident memory may grow: the state of the streams of a few
/// connections.
const MAX_GROWTH: u64 = 8 * 1024 * 1024;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let count: usize = context.pick(10_000, 200_000);
    let mut running = context.start(&[])?;
    let (descriptors, before) = (running.process.descriptors()?, memory(&running)?.peak);
    let (mut sent, mut connections) = (0, 0_u32);
    while sent < count {
        context.check_interrupted()?;
        let mut connection = running.endpoint.connect()?;
        connections += 1;
        while sent < count && connection.is_usable() {
            sent += BATCH;
            // The server may end the connection at any batch.
            if flood(&mut connection).is_err() {
                break;
            }
        }
        if connections.is_multiple_of(100) {
            running.endpoint.check_answers()?;
        }
    }
    check_recovered(&mut running, descriptors)?;
    let growth = memory(&running)?.peak.saturating_sub(before);
    ensure!(growth < MAX_GROWTH, "memory has grown by {} MiB", growth / 1024 / 1024);
    let count = numbers::whole(as_f64(u64::try_from(sent)?));
    Ok(format!("{count} on {}", numbers::whole(connections.into())))
}

/// Opens a batch of streams, each of which is reset in the same write.
fn flood(connection: &mut Connection) -> anyhow::Result<()> {
    let Some(Http2 { frames, .. }) = connection.http2() else { return Ok(()) };
    let bytes: Vec<u8> = (0..BATCH)
        .flat_map(|_| {
            let (stream, request) = frames.get("/reset");
            [request, Http2Client::cancel(stream)].concat()
        })
        .collect();
    connection.send(&bytes)
}
