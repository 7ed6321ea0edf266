//! What an answer costs: its head and body into a buffer that has room, by the length of the path.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::http::answer::{self, After};
use shared::http::rules::{Framing, Method, Request, Version};
use shared::http::{date, greeting};

fn request(path: &[u8]) -> Request<'_> {
    let (version, framing) = (Version::Http11, Framing::None);
    Request {
        method: Method::Get,
        path,
        version,
        framing,
        keep_alive: true,
        expects_continue: false,
        wants_upgrade: false,
    }
}

fn formatting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("answer");
    for length in [1, 4, 64, 1024, 8192] {
        let path = format!("/{}", "p".repeat(length - 1));
        let body = format!("Hello, visitor! You've requested: {path}\n");
        let mut out = Vec::with_capacity(16 * 1024);
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::new("whole", length), path.as_bytes(), |bencher, path| {
            let date = date::now();
            bencher.iter(|| {
                out.clear();
                answer::write(&request(black_box(path)), After::KeepOpen, &date, &mut out);
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

fn dates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("date");
    group.throughput(Throughput::Elements(1));
    group.bench_function("now", |bencher| {
        bencher.iter(|| assert!(black_box(date::now()).ends_with(b" GMT")));
    });
    group.finish();
}

// Nanoseconds show within seconds. As criterion does it unasked, each benchmark would take ten.
criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
        .nresamples(10_000);
    targets = formatting, dates
}
criterion_main!(benches);
