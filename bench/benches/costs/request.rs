//! The cost of parsing and validating the head of a request, as load tools and browsers send it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::head;
use shared::testing::heads;

pub(crate) fn request_heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for (name, text) in [("bare", heads::BARE), ("wrk", heads::WRK), ("browser", heads::BROWSER)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("parse", name), text.as_bytes(), |bencher, bytes| {
            bencher.iter(|| match head::parse(black_box(bytes)) {
                Ok(Some((_, length))) => assert_eq!(length, bytes.len()),
                other => panic!("{name}: {other:?}"),
            });
        });
    }
    group.finish();
}
