//! The cost of an answer: its head and body into a buffer that has room, by the length of the path,
//! and the same by the standard library's formatting.

use std::hint::black_box;
use std::io::Write;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::answer::{self, Persistence};
use shared::http::rules::{Framing, Method, Request, Version};
use shared::http::{date, greeting};

pub(crate) fn formatting(criterion: &mut Criterion) {
    let date = date::now();
    let date_text = std::str::from_utf8(&date).unwrap();
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Elements(1));
    for length in [1, 4, 64, 1024, 8192] {
        let path = format!("/{}", "p".repeat(length - 1));
        let body = format!("Hello, visitor! You've requested: {path}\n");
        let whole = by_format(&path, date_text);
        assert!(whole.ends_with(&body));
        let mut out = Vec::with_capacity(16 * 1024);

        answer::write(&request(path.as_bytes()), Persistence::KeepAlive, &date, &mut out);
        assert_eq!(out, whole.as_bytes());
        group.bench_with_input(BenchmarkId::new("whole", length), path.as_bytes(), |bencher, path| {
            bencher.iter(|| {
                out.clear();
                answer::write(&request(black_box(path)), Persistence::KeepAlive, &date, &mut out);
                assert_eq!(out.len(), whole.len());
            });
        });
        group.bench_with_input(BenchmarkId::new("body", length), path.as_bytes(), |bencher, path| {
            bencher.iter(|| {
                out.clear();
                greeting::write(black_box(path), &mut out);
                assert_eq!(out.len(), body.len());
            });
        });
        group.bench_with_input(BenchmarkId::new("write!", length), &path, |bencher, path| {
            bencher.iter(|| {
                out.clear();
                by_write(black_box(path), date_text, &mut out);
                assert_eq!(out.len(), whole.len());
            });
        });
        group.bench_with_input(BenchmarkId::new("format!", length), &path, |bencher, path| {
            bencher.iter(|| assert_eq!(black_box(by_format(black_box(path), date_text)).len(), whole.len()));
        });
    }
    group.finish();
}

pub(crate) fn dates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("date");
    group.throughput(Throughput::Elements(1));
    group.bench_function("now", |bencher| {
        bencher.iter(|| assert!(black_box(date::now()).ends_with(b" GMT")));
    });
    group.finish();
}

fn request(path: &[u8]) -> Request<'_> {
    Request {
        method: Method::Get,
        path,
        version: Version::Http11,
        framing: Framing::None,
        keep_alive: true,
        expects_continue: false,
        wants_upgrade: false,
    }
}

/// The whole answer as most programmers would write it, into a buffer that is reused.
fn by_write(path: &str, date: &str, out: &mut Vec<u8>) {
    let length = greeting::len(path.as_bytes());
    write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {length}\r\nDate: {date}\r\n\r\n\
         Hello, visitor! You've requested: {path}\n",
        greeting::CONTENT_TYPE
    )
    .unwrap();
}

/// The whole answer as a new string.
fn by_format(path: &str, date: &str) -> String {
    let length = greeting::len(path.as_bytes());
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {length}\r\nDate: {date}\r\n\r\n\
         Hello, visitor! You've requested: {path}\n",
        greeting::CONTENT_TYPE
    )
}
