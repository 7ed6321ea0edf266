//! The endpoint's limits, at their edges. The cases are strict: other servers have other limits.

use super::shorthand::{BAD, Case, End, Expected, NEXT, broken_body, chunked, get, greeting, post, posted};
use crate::rules::{EMPTY_LINE, ENDPOINT as ENDPOINT_RULE, EXTENSION_LENGTH, TRAILER};

const HEAD_BYTES: usize = 16 * 1024;
const HEAD_FIELDS: usize = 100;
const TARGET_BYTES: usize = 8 * 1024;
const BODY_BYTES: usize = 1024 * 1024;

/// RFC 6585, section 5.
const HEAD_TOO_LARGE: &[u16] = &[431];
/// RFC 9110, section 15.5.15.
const TARGET_TOO_LONG: &[u16] = &[414];

pub(super) fn cases() -> Vec<Case> {
    let cases = [heads(), targets(), bodies(), endless()].concat();
    cases.into_iter().map(Case::strict).collect()
}

fn heads() -> Vec<Case> {
    let refused = |name, request: String| Case::rejected(name, ENDPOINT_RULE, request, HEAD_TOO_LARGE);
    let two = || [Expected::greeting("/a"), Expected::greeting("/a")];
    let second = get("") + &head(HEAD_BYTES + 1);
    let over = [Expected::greeting("/a"), Expected::status(HEAD_TOO_LARGE)];
    vec![
        Case::new("limits/head", ENDPOINT_RULE, head(HEAD_BYTES), greeting(), End::Open),
        refused("limits/head-over", head(HEAD_BYTES + 1)),
        refused("limits/head-far-over", head(8 * HEAD_BYTES)),
        Case::new("limits/head-twice", ENDPOINT_RULE, head(HEAD_BYTES).repeat(2), two(), End::Open),
        Case::new("limits/head-after-another", ENDPOINT_RULE, get("") + &head(HEAD_BYTES), two(), End::Open),
        Case::new("limits/head-over-after-another", ENDPOINT_RULE, second, over, End::Closed),
        Case::new("limits/fields", ENDPOINT_RULE, fields(HEAD_FIELDS), greeting(), End::Open),
        refused("limits/fields-over", fields(HEAD_FIELDS + 1)),
        refused("limits/fields-far-over", fields(10 * HEAD_FIELDS)),
        refused("limits/name-of-a-field", get(&format!("{}: y\r\n", "x".repeat(2 * HEAD_BYTES)))),
    ]
}

fn targets() -> Vec<Case> {
    let path = |bytes: usize| format!("/{}", "p".repeat(bytes - 1));
    let request = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
    let longest = path(TARGET_BYTES);
    let answers = [Expected::greeting(&longest)];
    let heads = [Expected::head(&longest)];
    let head = request(&longest).replacen("GET", "HEAD", 1);
    let query = |bytes: usize| request(&format!("/a?{}", "q".repeat(bytes - 3)));
    let far = request(&path(3 * TARGET_BYTES));
    let method = "X".repeat(2 * HEAD_BYTES);
    let over = |name, request: String| Case::rejected(name, ENDPOINT_RULE, request, TARGET_TOO_LONG);
    vec![
        Case::new("limits/target", ENDPOINT_RULE, request(&longest), answers, End::Open),
        Case::new("limits/target-of-a-head", ENDPOINT_RULE, head, heads, End::Open),
        Case::new("limits/target-with-a-query", ENDPOINT_RULE, query(TARGET_BYTES), greeting(), End::Open),
        over("limits/target-over", request(&path(TARGET_BYTES + 1))),
        over("limits/target-with-a-query-over", query(TARGET_BYTES + 1)),
        // The target is too long, and so is the head.
        Case::rejected("limits/target-far-over", ENDPOINT_RULE, far, &[414, 431]),
        Case::rejected("limits/method", ENDPOINT_RULE, method, &[400, 405, 414, 431, 501]),
    ]
}

fn bodies() -> Vec<Case> {
    let sized = |bytes: usize| post(&format!("Content-Length: {bytes}\r\n"), "");
    let data = |bytes: usize| "b".repeat(bytes);
    let chunk = |bytes: usize| format!("{bytes:x}\r\n{}\r\n", data(bytes));
    let last = "0\r\n\r\n";
    let fits = |name, request: String| {
        let both = [posted(), Expected::greeting("/next")];
        let case = Case::new(name, ENDPOINT_RULE, request + NEXT, both, End::Open);
        case.or([posted()], End::Closed)
    };
    let over = |name, request: String| Case::rejected(name, ENDPOINT_RULE, request, &[400, 405, 413]);
    let small = |count: usize| "4\r\nbbbb\r\n".repeat(count);
    vec![
        fits("limits/body", sized(BODY_BYTES) + &data(BODY_BYTES)),
        over("limits/body-over", sized(BODY_BYTES + 1)),
        over("limits/body-over-and-sent", sized(BODY_BYTES + 1) + &data(BODY_BYTES + 1)),
        over("limits/body-far-over", sized(1 << 40)),
        fits("limits/chunk", chunked(&(chunk(BODY_BYTES) + last))),
        over("limits/chunk-over", chunked(&format!("{:x}\r\n", BODY_BYTES + 1))),
        fits("limits/chunks", chunked(&(small(BODY_BYTES / 4) + last))),
        over("limits/chunks-over", chunked(&(small(BODY_BYTES / 4) + "1\r\nb\r\n" + last))),
        over("limits/chunks-far-over", chunked(&(chunk(BODY_BYTES / 2).repeat(4) + last))),
    ]
}

/// Requests without an end: memory and time must be bounded.
fn endless() -> Vec<Case> {
    let long = "x".repeat(256 * 1024);
    let rule = EXTENSION_LENGTH;
    let zeros = format!("{}3\r\nabc\r\n0\r\n\r\n", "0".repeat(64 * 1024));
    let extension = format!("3;{long}\r\nabc\r\n0\r\n\r\n");
    let extensions = format!("{}0\r\n\r\n", format!("1;{}\r\nb\r\n", "x".repeat(200)).repeat(5000));
    let trailer = format!("0\r\nX: {long}\r\n\r\n");
    let trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(50_000));
    let lines = "\r\n".repeat(64 * 1024);
    vec![
        broken_body("limits/chunk-size-of-zeros", rule, chunked(&zeros)),
        broken_body("limits/chunk-extension", rule, chunked(&extension)),
        broken_body("limits/chunk-extensions", rule, chunked(&extensions)),
        broken_body("limits/trailer", TRAILER, chunked(&trailer)),
        broken_body("limits/trailers", TRAILER, chunked(&trailers)),
        Case::rejected("limits/empty-lines", EMPTY_LINE, lines, HEAD_TOO_LARGE)
            .or([Expected::status(BAD)], End::Closed)
            .or([], End::Closed),
    ]
}

fn head(bytes: usize) -> String {
    let (start, end) = ("GET /a HTTP/1.1\r\nHost: h\r\nX: ", "\r\n\r\n");
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

fn fields(count: usize) -> String {
    let more: String = (1..count).map(|number| format!("X-{number}: y\r\n")).collect();
    get(&more)
}
