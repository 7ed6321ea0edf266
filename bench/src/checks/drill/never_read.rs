//! Clients that pipeline requests without end and read no answers.

use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::context::{DrillContext, FIRST, check_quiet, check_recovered, resident};
use super::definition::Drill;
use super::non_reading::{self, NonReadingClient};
use crate::servers::client::check_answers;
use crate::servers::launch::Running;

pub(super) const DRILL: Drill = Drill {
    name: "drill/never-read",
    about: "400 clients that send requests without end and read nothing: less than 64 KiB per client, other clients \
            are answered, the server does not spin, and closes them after its write timeout",
    run,
};

/// What such a client may cost the server: a head, a piece of a body, and some answers.
const MAX_EACH: u64 = 64 * 1024;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let figure = memory_per_client(context, context.connections(300, 400))?;
    if context.server.honours("write-timeout") {
        check_dropped(context)?;
    }
    Ok(figure)
}

/// Memory per client of `count` clients, after a first group. They are several times as many as a
/// pool's threads, some of which make their large buffer only now.
fn memory_per_client(context: &DrillContext, count: usize) -> anyhow::Result<String> {
    let running = context.start(&[])?;
    let first = fill(&running, FIRST)?;
    let before = resident(&running)?;
    let more = fill(&running, count)?;
    let each = resident(&running)?.saturating_sub(before) / u64::try_from(count)?;
    let figure = format!("{} KiB each", each / 1024);
    ensure!(each < MAX_EACH, "{figure}");
    context.check_interrupted()?;
    check_answers(running.address)?;
    check_quiet(&running, context.pick(Duration::from_millis(500), Duration::from_secs(2)))?;
    drop((first, more));
    Ok(figure)
}

/// Connects clients that send until the server reads no more. Fails when it reads without end.
fn fill(running: &Running, count: usize) -> anyhow::Result<Vec<NonReadingClient>> {
    let before = resident(running)?;
    let clients = non_reading::fill(running.address, count)?;
    let endless = clients.iter().filter(|client| client.is_endless()).count();
    if endless > 0 {
        let each = resident(running)?.saturating_sub(before) / u64::try_from(count)?;
        bail!(
            "the server reads requests without end: {endless} of {count} clients have sent {} KiB, at {} KiB of memory each",
            non_reading::MAX_SENT / 1024,
            each / 1024
        );
    }
    Ok(clients)
}

fn check_dropped(context: &DrillContext) -> anyhow::Result<()> {
    let timeout = context.pick("1", "2");
    let mut running = context.start(&[("write-timeout", timeout)])?;
    let before = running.process.descriptors()?;
    let _clients: Vec<NonReadingClient> = non_reading::fill(running.address, 10)?;
    check_recovered(&mut running, before)
        .with_context(|| format!("with --write-timeout {timeout}, clients that never read"))
}
