//! The cost of a request in the connection loop, and in the request filter in front of a framework.
//! Both are timed in memory, without a runtime and without the kernel.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::{Admitted, Next, RequestFilter, Session, Turn};
use shared::testing::wire::{ServingThread, Wire};

use super::{GET, answers};

pub(crate) fn sessions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connection");
    for pipelined in [1, 16, 128] {
        let input = GET.repeat(pipelined);
        let expected = answers(input.as_bytes()).len();
        group.throughput(Throughput::Elements(pipelined as u64));
        let pieces = [input.as_str()];
        group.bench_function(BenchmarkId::new("pipelined", pipelined), |bencher| {
            let mut thread = ServingThread::new(false);
            let mut session = Session::default();
            bencher.iter(|| {
                let mut client = Wire::new(&pieces);
                let turn = thread.turn(&mut session, &mut client);
                assert_eq!((turn, client.received), (Turn::Readable, expected));
            });
        });
    }
    group.finish();
}

pub(crate) fn filters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("filter");
    for pipelined in [1, 16] {
        let input = GET.repeat(pipelined);
        let expected =
            Admitted { bytes: input.len(), requests: pipelined, has_body: false, next: Next::Input };
        group.throughput(Throughput::Elements(pipelined as u64));
        group.bench_function(BenchmarkId::new("pipelined", pipelined), |bencher| {
            let mut filter = RequestFilter::default();
            bencher.iter(|| assert_eq!(filter.admit(black_box(input.as_bytes())), expected));
        });
    }
    group.finish();
}
