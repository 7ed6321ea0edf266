//! Bodies that are far too large.

use std::io::{ErrorKind, Write};

use anyhow::{Context, bail, ensure};

use super::client::{Client, check_answers};
use super::{Drill, Scene};
use crate::servers::launch::Running;

pub(super) const DRILL: Drill = Drill {
    name: "drill/large-body",
    about: "bodies of 512 MiB, sized and chunked: memory grows by less than 2 MiB, and others are answered",
    run,
};

/// What the server's peak of resident memory may grow by: some buffers, and what an allocator keeps for itself.
const MOST_GROWTH: u64 = 2 * MIB;

const MIB: u64 = 1024 * 1024;

/// Bytes sent at a time, and those of a chunk.
const PIECE: usize = 64 * 1024;

/// Pieces after which memory is looked at, so that a server which keeps all of a body does not fill the machine.
const LOOK_EVERY: u64 = 16;

fn run(scene: &Scene) -> anyhow::Result<String> {
    let size = scene.pick(16, 512) * MIB;
    let mut running = scene.start(&[])?;
    let before = peak(&running)?;

    let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n");
    let sized = Body { head: &head, piece: &[b'x'; PIECE], size };
    sized.send(scene, &running, before).context("a sized body")?;

    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{PIECE:x}\r\n{}\r\n", "x".repeat(PIECE));
    let chunked = Body { head, piece: chunk.as_bytes(), size };
    chunked.send(scene, &running, before).context("a chunked body")?;

    running.check_running()?;
    let growth = peak(&running)?.saturating_sub(before);
    Ok(format!("{}.{} MiB growth", growth / MIB, growth % MIB * 10 / MIB))
}

/// A body without an end that matters.
struct Body<'a> {
    head: &'a str,
    piece: &'a [u8],
    size: u64,
}

impl Body<'_> {
    /// Sends until all is taken or the server has closed, and asks for something on another connection. An error as soon
    /// as the server's peak is too far above what it was `before`.
    fn send(&self, scene: &Scene, running: &Running, before: u64) -> anyhow::Result<()> {
        let mut client = Client::connect(running.address)?;
        client.send(self.head.as_bytes())?;
        for sent in 0..self.size / u64::try_from(PIECE)? {
            scene.check_interrupted()?;
            match client.stream.write_all(self.piece) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    bail!("it neither takes the body nor closes")
                }
                // It is right to close, with an answer or without.
                Err(_) => break,
            }
            if sent % LOOK_EVERY == 0 {
                check_growth(running, before)?;
            }
        }
        check_answers(running.address)?;
        check_growth(running, before)
    }
}

fn check_growth(running: &Running, before: u64) -> anyhow::Result<()> {
    let growth = peak(running)?.saturating_sub(before);
    ensure!(growth < MOST_GROWTH, "memory has grown by {} MiB", growth / MIB);
    Ok(())
}

fn peak(running: &Running) -> anyhow::Result<u64> {
    Ok(running.memory().context("it has ended")?.peak)
}
