//! What is right, from the endpoint's description and the RFCs, and from nothing that the servers are made of.

use shared::testing::invariants::answers::Answer;

use super::request::{Persistence, Request, Version};

/// Whether the connection is closed after the answer (RFC 9112, section 9.3).
pub(crate) fn closes(request: &Request) -> bool {
    match (request.version, request.option) {
        // What follows is not HTTP.
        _ if request.method == "CONNECT" => true,
        (_, Persistence::Close) => true,
        (Version::Http11, _) | (Version::Http10, Persistence::KeepAlive) => false,
        (Version::Http10, Persistence::Unsaid | Persistence::Upgrade) => true,
    }
}

/// Whether it may be closed although nobody asked for that, which RFC 9112, section 9.6, leaves to a server. The only
/// freedom that is taken: behind a request that could have become another protocol, actix reads no more.
fn may_close(request: &Request) -> bool {
    closes(request) || request.option == Persistence::Upgrade
}

/// Whether the answer says that the connection is closed after it. To an HTTP/1.0 client that needs no word, and it is told
/// when its wish is granted that it stays open (RFC 9112, section 9.3 and appendix C.2.2).
pub(crate) fn ends(request: &Request, answer: &Answer) -> bool {
    let option = answer.field("connection").unwrap_or_default();
    option.eq_ignore_ascii_case("close")
        || request.version == Version::Http10 && !option.eq_ignore_ascii_case("keep-alive")
}

/// Whether `100 Continue` may come before the answer (RFC 9110, section 10.1.1).
pub(crate) fn may_continue(request: &Request) -> bool {
    request.expects && request.version == Version::Http11
}

/// Whether it has to come when nothing of the body does.
pub(crate) fn has_to_continue(request: &Request) -> bool {
    may_continue(request) && !request.body.is_empty()
}

/// What is wrong with the answer to `request`.
pub(crate) fn check(request: &Request, answer: &Answer) -> Result<(), String> {
    let length = answer.field("content-length").unwrap_or_default();
    let greeting = format!("Hello, visitor! You've requested: {}\n", request.path);
    let is_right = match request.method.as_str() {
        "GET" | "HEAD" => {
            let body = if request.method == "HEAD" { "" } else { &greeting };
            answer.status == 200
                && answer.field("content-type") == Some("text/plain; charset=utf-8")
                && length == greeting.len().to_string()
                && answer.body == body.as_bytes()
        }
        _ => answer.status == 405 && answer.field("allow") == Some("GET, HEAD") && answer.body.is_empty(),
    };
    let ends_rightly = if ends(request, answer) { may_close(request) } else { !closes(request) };
    if is_right && ends_rightly {
        Ok(())
    } else {
        let body = String::from_utf8_lossy(&answer.body);
        Err(format!("{request:?} is answered with {} {:?} {body:?}", answer.status, answer.fields))
    }
}
