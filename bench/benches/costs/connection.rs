//! The cost of a request in the connection loop in memory, without runtime and kernel.

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::{Session, Turn};
use shared::testing::wire::{ServingThread, Wire};

use super::{GET, Group, answers};

pub(crate) fn sessions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connection");
    pipelined(&mut group);
    split(&mut group);
    group.finish();
}

/// Pipelined requests in one piece.
fn pipelined(group: &mut Group) {
    for pipelined in [1, 16, 128] {
        let input = GET.repeat(pipelined);
        let expected = answers(input.as_bytes()).len();
        group.throughput(Throughput::Elements(pipelined as u64));
        let pieces = [input.as_str()];
        group.bench_with_input(BenchmarkId::new("pipelined", pipelined), &pieces, |bencher, pieces| {
            let mut thread = ServingThread::new(false);
            let mut session = Session::default();
            bencher.iter(|| {
                let mut client = Wire::new(pieces);
                let turn = thread.turn(&mut session, &mut client);
                assert_eq!((turn, client.received), (Turn::Readable, expected));
            });
        });
    }
}

/// One request in several pieces, in the end byte by byte, each of which arrives in its own turn.
fn split(group: &mut Group) {
    let expected = answers(GET.as_bytes()).len();
    group.throughput(Throughput::Elements(1));
    for count in [2, 8, GET.len()] {
        let pieces = pieces(count);
        group.bench_with_input(BenchmarkId::new("split", count), &pieces, |bencher, pieces| {
            let mut thread = ServingThread::new(false);
            let mut session = Session::default();
            bencher.iter(|| {
                let mut received = 0;
                for piece in pieces.chunks(1) {
                    let mut client = Wire::new(piece);
                    let turn = thread.turn(&mut session, &mut client);
                    assert_eq!(turn, Turn::Readable);
                    received += client.received;
                }
                assert_eq!(received, expected);
            });
        });
    }
}

/// [`GET`] in `count` pieces of almost equal length.
fn pieces(count: usize) -> Vec<&'static str> {
    let cut = |place: usize| place * GET.len() / count;
    (0..count).filter_map(|place| GET.get(cut(place)..cut(place + 1))).collect()
}
