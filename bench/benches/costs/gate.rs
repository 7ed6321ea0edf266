//! What the rules in front of a framework cost: which bytes of a connection it gets to see.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::{Gate, Passage, Then};

use super::GET;

pub(crate) fn gates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gate");
    for pipelined in [1, 16] {
        let input = GET.repeat(pipelined);
        let expected =
            Passage { bytes: input.len(), requests: pipelined, has_body: false, then: Then::Input };
        group.throughput(Throughput::Elements(pipelined as u64));
        group.bench_with_input(
            BenchmarkId::new("pipelined", pipelined),
            input.as_bytes(),
            |bencher, input| {
                let mut gate = Gate::default();
                bencher.iter(|| assert_eq!(gate.admit(black_box(input)), expected));
            },
        );
    }
    group.finish();
}
