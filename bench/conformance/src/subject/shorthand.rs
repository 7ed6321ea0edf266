//! Requests, statuses and kinds of case that several tables use.

pub(super) use crate::case::{Case, End};
pub(super) use crate::expected::Expected;
use crate::rules::Rule;

/// A request that is hidden within another one. Its path identifies an answer to it. Its host is
/// long enough to leave room for a longer path.
pub(crate) const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: hidden-within-the-bytes-of-another\r\n\r\n";

/// A request after another one. It is answered unless the server has closed the connection.
pub(super) const NEXT: &str = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

/// The status for a malformed request.
pub(super) const BAD: &[u16] = &[400];
/// The statuses for a version that is malformed or not supported (RFC 9110, section 15.6.6).
pub(super) const BAD_VERSION: &[u16] = &[400, 505];
/// The statuses for a transfer coding that is malformed or not known (RFC 9112, section 6.1).
pub(super) const BAD_CODING: &[u16] = &[400, 501];
/// The statuses of answers to a POST. Only the endpoint's own cases test which one is right; all
/// other cases test where the request ends.
pub(crate) const POSTED: &[u16] = &[200, 201, 202, 204, 403, 404, 405, 411, 415, 501];
/// The statuses for a method that is not allowed or not known (RFC 9110, sections 9.1 and 15.6.2).
pub(super) const NO_METHOD: &[u16] = &[405, 501];

/// The statuses of answers to a CONNECT that open no tunnel.
pub(super) const NO_TUNNEL: &[u16] = &[400, 403, 404, 405, 501];

pub(super) fn get(fields: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n")
}

pub(super) fn post(fields: &str, body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}")
}

pub(super) fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

pub(super) fn posted() -> Expected {
    Expected::status(POSTED)
}

pub(super) fn greeting() -> [Expected; 1] {
    [Expected::greeting("/a")]
}

/// A request with a body. The server reads it and answers the next request, or closes.
pub(super) fn read_or_closed(name: &'static str, rule: Rule, request: &str) -> Case {
    let both = [posted(), Expected::greeting("/next")];
    let case = Case::new(name, rule, [request, NEXT].concat(), both, End::Open);
    case.or([posted()], End::Closed)
}

/// A request whose body is malformed (RFC 9112, section 7.1). The server rejects it, or answers
/// before it has found the error, or does not answer at all. In any case it closes the connection.
pub(super) fn broken_body(name: &'static str, rule: Rule, request: impl Into<Vec<u8>>) -> Case {
    Case::rejected(name, rule, request, &[200, 400, 403, 404, 405, 411, 413, 415, 501]).or([], End::Closed)
}
