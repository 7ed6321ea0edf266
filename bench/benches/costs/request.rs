//! The cost of a request's head, parsed and validated: in the shapes that load tools and browsers
//! send, and with a fault at each stage at which one is found.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use shared::http::rules::Rejection;
use shared::http::{head, limits};
use shared::testing::heads;

use super::Group;

/// Bytes of the path in most shapes, `/abc`.
const PATH: usize = 4;

pub(crate) fn request_heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    parse(&mut group);
    refuse(&mut group);
    group.finish();
}

fn parse(group: &mut Group) {
    for (name, text, path) in shapes() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("parse", name), text.as_bytes(), |bencher, bytes| {
            bencher.iter(|| match head::parse(black_box(bytes)) {
                Ok(Some((request, length))) => {
                    assert_eq!((request.path.len(), length), (path, bytes.len()));
                }
                other => panic!("{name}: {other:?}"),
            });
        });
    }
}

fn refuse(group: &mut Group) {
    for (name, text, rejection) in faults() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("refuse", name), text.as_bytes(), |bencher, bytes| {
            bencher.iter(|| assert_eq!(head::parse(black_box(bytes)), Err(rejection), "{name}"));
        });
    }
}

/// The client that sends a head, the head, and the bytes of its path.
fn shapes() -> Vec<(&'static str, String, usize)> {
    let own = |(name, head): (&'static str, &str)| (name, head.replace('\n', "\r\n"), PATH);
    let mut shapes = vec![("bare", heads::BARE.to_owned(), PATH), ("wrk", heads::WRK.to_owned(), PATH)];
    let of_lines = [("hey", HEY), ("oha", OHA), ("curl", CURL), ("chromium", CHROMIUM), ("firefox", FIREFOX)];
    shapes.extend(of_lines.map(own));
    shapes.push(("100 fields", with_fields(limits::HEAD_FIELDS), PATH));
    shapes.push(("largest", with_filler(limits::TARGET_BYTES), limits::TARGET_BYTES));
    shapes
}

/// What is wrong with a head, the head, and the rejection, in the order in which faults are found.
fn faults() -> Vec<(&'static str, String, Rejection)> {
    let own = |(name, head, rejection): (&'static str, &str, Rejection)| (name, head.into(), rejection);
    let mut faults: Vec<_> = [
        ("method", "G(T /abc HTTP/1.1\r\nHost: localhost\r\n\r\n", Rejection::Malformed),
        ("version", "GET /abc HTTP/2.0\r\nHost: localhost\r\n\r\n", Rejection::Version),
        ("line feed", "GET /abc HTTP/1.1\r\nAccept: */*\nHost: localhost\r\n\r\n", Rejection::Malformed),
        ("target", "GET /a\"c HTTP/1.1\r\nHost: localhost\r\n\r\n", Rejection::Malformed),
        ("no host", "GET /abc HTTP/1.1\r\nAccept: */*\r\n\r\n", Rejection::Malformed),
        (
            "two framings",
            "GET /abc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Rejection::Malformed,
        ),
    ]
    .into_iter()
    .map(own)
    .collect();
    faults.push(("101 fields", with_fields(limits::HEAD_FIELDS + 1), Rejection::HeadTooLarge));
    let endless = with_filler(PATH).trim_end().to_owned() + "....";
    faults.push(("too large", endless, Rejection::HeadTooLarge));
    faults
}

/// A head of `count` fields.
fn with_fields(count: usize) -> String {
    let fields: String = (1..count).map(|number| format!("X-Field-{number}: value {number}\r\n")).collect();
    format!("GET /abc HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// A head of the largest size, with a path of `path` bytes.
fn with_filler(path: usize) -> String {
    let path = "p".repeat(path - 1);
    let head = |filler: &str| format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\nX: {filler}\r\n\r\n");
    head(&".".repeat(limits::HEAD_BYTES - head("").len()))
}

const HEY: &str = "\
GET /abc HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: hey/0.0.1
Content-Type: text/html
Accept-Encoding: gzip

";

const OHA: &str = "\
GET /abc HTTP/1.1
accept: */*
user-agent: oha/1.10.0
host: 127.0.0.1:8080

";

const CURL: &str = "\
GET /abc HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: curl/7.88.1
Accept: */*

";

const CHROMIUM: &str = "\
GET /abc HTTP/1.1
Host: 127.0.0.1:8080
Connection: keep-alive
sec-ch-ua: \"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: \"Linux\"
Upgrade-Insecure-Requests: 1
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,\
application/signed-exchange;v=b3;q=0.7
Sec-Fetch-Site: none
Sec-Fetch-Mode: navigate
Sec-Fetch-User: ?1
Sec-Fetch-Dest: document
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB,en;q=0.9

";

/// With the cookies of a site that has a login, a language and statistics.
const FIREFOX: &str = "\
GET /abc HTTP/1.1
Host: 127.0.0.1:8080
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
Accept-Language: en-GB,en;q=0.5
Accept-Encoding: gzip, deflate, br, zstd
Connection: keep-alive
Cookie: session=eyJ1c2VyIjoxMjM0NTY3ODksImV4cCI6MTc5NTU2NDgwMH0.c2lnbmF0dXJlLW9mLWEtc2Vzc2lvbg; language=en-GB; theme=dark; \
_visits.1.1fff=0123456789abcdef.1764000000.; _visit.1.1fff=1; csrf=0123456789abcdef0123456789abcdef
Upgrade-Insecure-Requests: 1
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Sec-Fetch-Site: none
Sec-Fetch-User: ?1
Priority: u=0, i

";
