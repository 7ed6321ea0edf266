//! The correct answers, according to the endpoint's description and the RFCs. The model uses no
//! code of the servers.

use answers::Response;
use conformance::Expected;

use super::request::{Persistence, Request, Version};

/// Whether the connection is closed after the answer (RFC 9112, section 9.3).
pub(crate) fn closes(request: &Request) -> bool {
    match (request.version, request.option) {
        // The bytes after a CONNECT request are not HTTP.
        _ if request.method == "CONNECT" => true,
        (_, Persistence::Close) => true,
        (Version::Http11, _) | (Version::Http10, Persistence::KeepAlive) => false,
        (Version::Http10, Persistence::Unsaid | Persistence::Upgrade) => true,
    }
}

/// Whether the answer announces the end of the connection. To an HTTP/1.0 client every answer does,
/// unless it says that the connection stays open (RFC 9112, section 9.3 and appendix C.2.2).
pub(crate) fn ends(request: &Request, answer: &Response) -> bool {
    let option = answer.field("connection").unwrap_or_default();
    option.eq_ignore_ascii_case("close")
        || request.version == Version::Http10 && !option.eq_ignore_ascii_case("keep-alive")
}

/// Whether `100 Continue` may come before the answer (RFC 9110, section 10.1.1).
pub(crate) fn may_continue(request: &Request) -> bool {
    request.expects && request.version == Version::Http11
}

/// Whether `100 Continue` has to come while the client sends none of the body.
pub(crate) fn has_to_continue(request: &Request) -> bool {
    may_continue(request) && !request.body.is_empty()
}

/// Fails when the answer to `request` is wrong.
pub(crate) fn check(request: &Request, answer: &Response) -> Result<(), String> {
    let wrong = if let Some(wrong) = mismatch(&request.method, &request.path, answer) {
        wrong
    } else if ends(request, answer) != closes(request) {
        format!("the answer has Connection: {:?}", answer.field("connection"))
    } else {
        return Ok(());
    };
    Err(format!("{request:?}: {wrong}"))
}

/// Returns the error in the answer to a request with this method and path, over any protocol.
pub(crate) fn mismatch(method: &str, path: &str, answer: &Response) -> Option<String> {
    let expected = match method {
        "GET" => Expected::greeting(path).exact(),
        "HEAD" => Expected::head(path).exact(),
        _ => Expected::not_allowed().dated(),
    };
    let has_body = method != "GET" && !answer.body.is_empty();
    expected.mismatch(answer).or_else(|| has_body.then(|| "the answer has a body".to_owned()))
}
