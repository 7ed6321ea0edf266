//! What a request costs in the connection loop over a stream in memory: all of a server but its runtime and the kernel.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::Shutdown;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::http::{Buffers, Connection, Pace, Session, Stream, Times, Turn, limits};

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

fn sessions(criterion: &mut Criterion) {
    let times =
        Times { head: limits::HEAD_TIMEOUT, idle: limits::IDLE_TIMEOUT, write: limits::WRITE_TIMEOUT };
    let mut group = criterion.benchmark_group("connection");
    for pipelined in [1, 16] {
        let input = b"GET /abc HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(pipelined);
        let expected = answers(&input);
        group.throughput(Throughput::Elements(pipelined as u64));
        group.bench_with_input(BenchmarkId::new("pipelined", pipelined), &input, |bencher, input| {
            let mut buffers = Buffers::default();
            let mut session = Session::default();
            bencher.iter(|| {
                let mut client = Client { input, received: 0 };
                let turn = session.turn(&mut client, &mut buffers, &times, &Quiet);
                assert_eq!((turn, client.received), (Turn::Readable, expected));
            });
        });
    }
    group.finish();
}

/// Bytes of the answers to `input`.
fn answers(input: &[u8]) -> usize {
    let mut output = Vec::new();
    Connection::default().advance(input, &mut output, false);
    output.len()
}

// Nanoseconds show within seconds. As criterion does it unasked, each benchmark would take ten.
criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
        .nresamples(10_000);
    targets = sessions
}
criterion_main!(benches);
