//! Bodies far over the limit.

use std::io::{ErrorKind, Write};

use anyhow::{Context, bail, ensure};

use super::context::{DrillContext, memory};
use super::definition::Drill;
use crate::servers::client::{Client, check_answers};
use crate::servers::launch::Running;

pub(super) const DRILL: Drill = Drill {
    name: "drill/large-body",
    about: "bodies of 512 MiB, sized and chunked: memory grows by less than 2 MiB, and other clients are answered",
    run,
};

/// What the server's peak resident memory may grow by: some buffers, and what an allocator keeps.
const MAX_GROWTH: u64 = 2 * MIB;

const MIB: u64 = 1024 * 1024;

const PIECE: usize = 64 * 1024;

/// Pieces between two looks at the memory, so that a kept body cannot fill the machine.
const CHECK_EVERY: u64 = 16;

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let size = context.pick(16, 512) * MIB;
    let mut running = context.start(&[])?;
    let before = peak(&running)?;

    let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n");
    let sized = Body { head: &head, piece: &[b'x'; PIECE], size };
    sized.send(context, &running, before).context("a sized body")?;

    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{PIECE:x}\r\n{}\r\n", "x".repeat(PIECE));
    let chunked = Body { head, piece: chunk.as_bytes(), size };
    chunked.send(context, &running, before).context("a chunked body")?;

    running.process.check_running()?;
    let growth = peak(&running)?.saturating_sub(before);
    Ok(format!("{}.{} MiB growth", growth / MIB, growth % MIB * 10 / MIB))
}

struct Body<'a> {
    head: &'a str,
    piece: &'a [u8],
    size: u64,
}

impl Body<'_> {
    /// Sends until the body is complete or the server closes, then sends a request on another
    /// connection. Fails as soon as the server's peak memory is too far above `before`.
    fn send(&self, context: &DrillContext, running: &Running, before: u64) -> anyhow::Result<()> {
        let mut client = Client::connect(running.address)?;
        client.send(self.head.as_bytes())?;
        for sent in 0..self.size / u64::try_from(PIECE)? {
            context.check_interrupted()?;
            match client.stream.write_all(self.piece) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    bail!("the server neither reads the body nor closes")
                }
                // The server may close, with an answer or without.
                Err(_) => break,
            }
            if sent % CHECK_EVERY == 0 {
                check_growth(running, before)?;
            }
        }
        check_answers(running.address)?;
        check_growth(running, before)
    }
}

fn check_growth(running: &Running, before: u64) -> anyhow::Result<()> {
    let growth = peak(running)?.saturating_sub(before);
    ensure!(growth < MAX_GROWTH, "memory has grown by {} MiB", growth / MIB);
    Ok(())
}

fn peak(running: &Running) -> anyhow::Result<u64> {
    Ok(memory(running)?.peak)
}
