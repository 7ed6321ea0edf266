//! What a request's head costs: parsed and judged, in the shapes that load tools and people's programs send.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::panic, reason = "a benchmark of a wrong answer is none")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::http::head;
use shared::http::rules::Refusal;

const HEADS: [(&str, &str); 5] = [
    ("bare", "GET /abc HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("wrk", "GET /abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"),
    (
        "hey",
        "GET /abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: hey/0.0.1\r\nContent-Type: text/html\r\n\
         Accept-Encoding: gzip\r\n\r\n",
    ),
    ("curl", "GET /abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n"),
    (
        "browser",
        "GET /abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n\
         sec-ch-ua: \"Chromium\";v=\"120\", \"Not?A_Brand\";v=\"8\"\r\nsec-ch-ua-mobile: ?0\r\n\
         sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 \
         Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
         Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\
         Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n",
    ),
];

fn heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for (name, text) in HEADS {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("parse", name), text.as_bytes(), |bencher, bytes| {
            bencher.iter(|| match head::parse(black_box(bytes)) {
                Ok(Some((request, length))) => {
                    assert_eq!((request.path, length), (&b"/abc"[..], bytes.len()));
                }
                other => panic!("{other:?}"),
            });
        });
    }
    let malformed =
        b"GET /abc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    group.throughput(Throughput::Bytes(malformed.len() as u64));
    group.bench_function("refuse/two framings", |bencher| {
        bencher.iter(|| assert_eq!(head::parse(black_box(malformed)), Err(Refusal::Malformed)));
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
    targets = heads
}
criterion_main!(benches);
