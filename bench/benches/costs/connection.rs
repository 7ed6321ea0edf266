//! What a request costs in the connection loop over a stream in memory: all of a server but its runtime and the kernel.

use std::hint::black_box;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::Shutdown;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::{Buffers, Pace, Session, Stream, Times, Turn, limits};

use super::{GET, Group, answers};

const TIMES: Times =
    Times { head: limits::HEAD_TIMEOUT, idle: limits::IDLE_TIMEOUT, write: limits::WRITE_TIMEOUT };

pub(crate) fn sessions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connection");
    pipelined(&mut group);
    split(&mut group);
    group.finish();
}

/// So many requests in one piece.
fn pipelined(group: &mut Group) {
    for pipelined in [1, 16, 128] {
        let input = GET.repeat(pipelined);
        let expected = answers(&input).len();
        group.throughput(Throughput::Elements(pipelined as u64));
        group.bench_with_input(BenchmarkId::new("pipelined", pipelined), &input, |bencher, input| {
            let mut buffers = Buffers::default();
            let mut session = Session::default();
            bencher.iter(|| {
                let mut client = Client { input, received: 0 };
                let turn = session.turn(&mut client, &mut buffers, &TIMES, &Quiet);
                assert_eq!((turn, client.received), (Turn::Readable, expected));
            });
        });
    }
}

/// One request in so many pieces, at last byte by byte, each of which comes in a turn of its own.
fn split(group: &mut Group) {
    let expected = answers(GET).len();
    group.throughput(Throughput::Elements(1));
    for count in [2, 8, GET.len()] {
        let pieces = pieces(count);
        group.bench_with_input(BenchmarkId::new("split", count), &pieces, |bencher, pieces| {
            let mut buffers = Buffers::default();
            let mut session = Session::default();
            bencher.iter(|| {
                let mut received = 0;
                for input in pieces {
                    let mut client = Client { input, received: 0 };
                    let turn = session.turn(&mut client, &mut buffers, &TIMES, &Quiet);
                    assert_eq!(turn, Turn::Readable);
                    received += client.received;
                }
                assert_eq!(received, expected);
            });
        });
    }
}

/// [`GET`] in so many pieces, as even as can be.
fn pieces(count: usize) -> Vec<&'static [u8]> {
    let cut = |place: usize| place * GET.len() / count;
    (0..count).filter_map(|place| GET.get(cut(place)..cut(place + 1))).collect()
}

/// A client that sends `input` once, in one piece, and counts what it gets.
struct Client<'a> {
    input: &'a [u8],
    received: usize,
}

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.input.read(buffer)? {
            0 => Err(ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Client<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.received += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Stream for Client<'_> {
    fn shutdown(&self, _: Shutdown) -> Result<()> {
        Ok(())
    }
}

/// A server with nobody else to serve.
struct Quiet;

impl Pace for Quiet {
    fn others_wait(&self) -> bool {
        false
    }
    fn is_draining(&self) -> bool {
        false
    }
    fn is_ending(&self) -> bool {
        false
    }
}
