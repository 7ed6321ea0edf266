//! The cost of the rules in front of a framework.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::{Admitted, Next, RequestFilter};

use super::GET;

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
