//! Clients that send requests without end and read no answers.

use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::context::{DrillContext, Drilled, FIRST, check_quiet, check_recovered, resident};
use super::definition::{Drill, OVER_ALL};
use super::non_reading::{self, NonReadingClient, Unread};

pub(super) const DRILL: Drill = Drill {
    name: "never-read",
    about: "400 clients that send requests without end and read nothing: less than 64 KiB per client, other clients \
            are answered, the server does not spin, and closes them after its write timeout; over HTTP/2 also clients \
            that open no window for answers",
    protocols: OVER_ALL,
    run,
};

/// The bytes of memory that a client may cost the server: a head, a piece of a body, and some
/// answers.
const MAX_EACH: u64 = 64 * 1024;

/// The bytes that TLS may cost in addition: one record in each direction, as it is on the wire and
/// in plain text, since a record is encrypted as a whole (RFC 8446, section 5.1).
const MAX_OF_TLS: u64 = 2 * 2 * 16 * 1024;

/// The bytes that each stream that the server allows may cost in addition: its state, its fields,
/// and an answer.
const MAX_PER_STREAM: u64 = 2 * 1024;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let count = context.connections(300, 400);
    let figure = drill(context, Unread::Bytes, count)?;
    if context.protocol.is_http_2() {
        return Ok(format!("{figure}, {}", drill(context, Unread::Content, count / 4)?));
    }
    Ok(figure)
}

fn drill(context: &DrillContext, unread: Unread, count: usize) -> anyhow::Result<String> {
    let what = match unread {
        Unread::Bytes => "clients that read nothing",
        Unread::Content => "clients that open no window",
    };
    let figure = memory_per_client(context, unread, count).context(what)?;
    if context.server.honours("write-timeout") {
        check_dropped(context, unread).context(what)?;
    }
    Ok(figure)
}

/// Measures the memory per client of `count` clients, after a first group. There are several times
/// as many clients as threads in a pool, some of which allocate their large buffer only now.
fn memory_per_client(context: &DrillContext, unread: Unread, count: usize) -> anyhow::Result<String> {
    let running = context.start(&[])?;
    let most = most_per_client(context, &running)?;
    let first = fill(&running, unread, FIRST.min(count))?;
    let before = resident(&running)?;
    let more = fill(&running, unread, count)?;
    let each = resident(&running)?.saturating_sub(before) / u64::try_from(count)?;
    let figure = format!("{} KiB each", each / 1024);
    ensure!(each < most, "{figure}, more than {} KiB", most / 1024);
    context.check_interrupted()?;
    running.endpoint.check_answers()?;
    check_quiet(&running, context.pick(Duration::from_millis(500), Duration::from_secs(2)))?;
    drop((first, more));
    Ok(figure)
}

/// The bytes of memory that a client may cost the server.
fn most_per_client(context: &DrillContext, running: &Drilled) -> anyhow::Result<u64> {
    let of_tls = if context.protocol.is_encrypted() { MAX_OF_TLS } else { 0 };
    let mut connection = running.endpoint.connect()?;
    let streams = connection.http2().map_or(Ok(0), |http2| u64::try_from(http2.most_streams()))?;
    Ok(MAX_EACH + of_tls + MAX_PER_STREAM * streams)
}

/// Connects clients that send until the server reads no more, or they have sent enough. Fails when
/// an HTTP/1.1 server reads without end. An HTTP/2 server has to continue to read, since a window
/// is opened by a frame: only its memory counts.
fn fill(running: &Drilled, unread: Unread, count: usize) -> anyhow::Result<Vec<NonReadingClient>> {
    let before = resident(running)?;
    let clients = non_reading::fill(running.endpoint, unread, count)?;
    let endless = clients.iter().filter(|client| client.is_endless()).count();
    if endless > 0 && !running.endpoint.protocol.is_http_2() {
        let each = resident(running)?.saturating_sub(before) / u64::try_from(count)?;
        bail!(
            "the server reads requests without end: {endless} of {count} clients have sent {} KiB, at {} KiB of memory each",
            non_reading::MAX_SENT / 1024,
            each / 1024
        );
    }
    Ok(clients)
}

/// Fails unless the server closes the connections of such clients after its timeouts. A client that
/// opens no window, and sends nothing more, may count as one that does not read or as one that is
/// idle.
fn check_dropped(context: &DrillContext, unread: Unread) -> anyhow::Result<()> {
    let timeout = context.pick("1", "2");
    let flags = [("write-timeout", timeout), ("idle-timeout", timeout)];
    let flags = if unread == Unread::Content { &flags[..] } else { &flags[..1] };
    let mut running = context.start(flags)?;
    let before = running.process.descriptors()?;
    let _clients: Vec<NonReadingClient> = non_reading::fill(running.endpoint, unread, 10)?;
    check_recovered(&mut running, before).with_context(|| {
        let flags: Vec<String> = flags.iter().map(|(name, value)| format!("--{name} {value}")).collect();
        format!("with {}", flags.join(" "))
    })
}
