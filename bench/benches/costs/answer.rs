//! The cost of writing an answer, head and body, to a buffer that has room for it, by the length of
//! the path.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::answer::{self, Persistence};
use shared::http::{date, greeting, head};

pub(crate) fn answers(criterion: &mut Criterion) {
    let date = date::now();
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Elements(1));
    for length in [1, 4, 64, 1024, 8192] {
        let path = format!("/{}", "p".repeat(length - 1));
        let body = format!("Hello, visitor! You've requested: {path}\n");
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (request, _) = head::parse(head.as_bytes()).unwrap().unwrap();
        let mut out = Vec::with_capacity(16 * 1024);
        group.bench_with_input(BenchmarkId::new("whole", length), &request, |bencher, request| {
            bencher.iter(|| {
                out.clear();
                answer::write(black_box(request), Persistence::KeepAlive, &date, &mut out);
                assert!(out.ends_with(body.as_bytes()));
            });
        });
        group.bench_with_input(BenchmarkId::new("body", length), path.as_bytes(), |bencher, path| {
            bencher.iter(|| {
                out.clear();
                greeting::write(black_box(path), &mut out);
                assert_eq!(out.len(), body.len());
            });
        });
    }
    group.finish();
}
