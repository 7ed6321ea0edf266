//! The cases, a file a subject, and what their tables have in common.

mod chunks;
mod connection;
mod endpoint;
mod framing;
mod host;
mod limits;
mod methods;
mod pipelining;
mod smuggling;
mod target;
mod timing;

use super::answer::Answer;
use super::case::{Case, End};

/// The subject that says whether a server is the endpoint at all.
pub const ENDPOINT: &str = "endpoint";

/// The subject whose cases wait for the server's timeouts.
pub const TIMING: &str = "timing";

/// The case that says whether a server answers a pipelined burst in order.
pub const BURST: &str = "endpoint/burst";

/// The cases of [`ENDPOINT`]. The others have megabytes to send, which a look before each run does not need.
pub fn endpoint_cases() -> Vec<Case> {
    endpoint::cases()
}

/// What is asked of a floor, which is no server, in place of all other cases: the same request again and again.
pub fn floor_cases(path: &str, host: &str, answer: Answer) -> Vec<Case> {
    endpoint::floor_cases(path, host, answer)
}

/// Every case, by subject. The first of them are those of [`ENDPOINT`].
pub fn cases() -> Vec<Case> {
    [
        endpoint::cases(),
        framing::cases(),
        chunks::cases(),
        host::cases(),
        target::cases(),
        methods::cases(),
        connection::cases(),
        limits::cases(),
        pipelining::cases(),
        smuggling::cases(),
        timing::cases(),
    ]
    .concat()
}

/// Where the endpoint's own rules stand, in words.
const ENDPOINT_RULE: &str = "the endpoint";

/// A request that follows on another, and is answered unless the connection was closed.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

/// Malformed.
const BAD: &[u16] = &[400];
/// A version that is malformed or not supported (RFC 9110, section 15.6.6).
const BAD_VERSION: &[u16] = &[400, 505];
/// A transfer coding that is malformed or not known (RFC 9112, section 6.1).
const BAD_CODING: &[u16] = &[400, 501];
/// Answers to a POST. Which of them is right is for the endpoint's own cases; elsewhere it counts where the
/// request ends.
const POSTED: &[u16] = &[200, 405, 501];
/// A method that is not allowed or not known (RFC 9110, sections 9.1 and 15.6.2).
const NO_METHOD: &[u16] = &[405, 501];

fn get(fields: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n")
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn posted() -> Answer {
    Answer::status(POSTED)
}

fn greeting() -> [Answer; 1] {
    [Answer::greeting("/a")]
}

/// A case whose request has a body, and is well-formed: that body is read, so that the next request is
/// answered, or the connection is closed.
fn read_or_closed(name: &'static str, rule: &'static str, request: &str) -> Case {
    let both = [posted(), Answer::greeting("/next")];
    let case = Case::new(name, rule, [request, NEXT].concat(), both, End::Open);
    case.or([posted()], End::Closed)
}

/// A case whose body is broken: answered as malformed, or as what it was before that was found, or not at
/// all, and the connection closed (RFC 9112, section 7.1).
fn broken_body(name: &'static str, rule: &'static str, request: impl Into<Vec<u8>>) -> Case {
    Case::refused(name, rule, request, &[200, 400, 405, 413, 501]).or([], End::Closed)
}
