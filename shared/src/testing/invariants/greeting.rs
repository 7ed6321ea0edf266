//! The invariants of the greeting and of the path in it.

use answers::Response;

use super::outcome::whole;
use crate::http::{Connection, greeting as written, limits, target};

/// The greeting names the path of any target, and has the length that it states. A request for such
/// a target is greeted, with GET and HEAD alike, or rejected.
pub fn greeting(target: &[u8]) {
    let path = path(target);
    let expected = [b"Hello, visitor! You've requested: ", path.as_slice(), b"\n"].concat();
    assert_eq!(target::path(target), path.as_slice());
    let mut body = Vec::new();
    written::write(target::path(target), &mut body);
    assert_eq!((body.as_slice(), written::len(target::path(target))), (expected.as_slice(), expected.len()));

    // Other bytes end the request line, or are not allowed in a target.
    if target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return;
    }
    let get = answer("GET", target);
    let head = answer("HEAD", target);
    assert_eq!((get.status, &get.fields), (head.status, &head.fields));
    assert_eq!(head.body, b"");
    match get.status {
        200 => {
            assert_eq!(get.body, expected);
            assert_eq!(get.field("content-length"), Some(expected.len().to_string().as_str()));
        }
        status => {
            let expected = if target.len() > limits::TARGET_BYTES { 414 } else { 400 };
            assert_eq!(status, expected);
            let is_odd = target.iter().any(|byte| b"\"<>`".contains(byte));
            assert!(status == 414 || is_odd || target[0] != b'/', "an origin form is greeted");
        }
    }
}

/// Returns the path by its definition: the part before `?` and `#`. In the absolute form, it starts
/// at the first slash after the authority, or is `/` when there is none.
fn path(target: &[u8]) -> Vec<u8> {
    // Each byte becomes one character.
    let text: String = target.iter().copied().map(char::from).collect();
    let text = text.split(['?', '#']).next().unwrap();
    let path = match text.split_once("://") {
        Some((_, rest)) if !text.starts_with('/') => match rest.split_once('/') {
            Some((_, path)) => format!("/{path}"),
            None => "/".to_owned(),
        },
        _ => text.to_owned(),
    };
    path.chars().map(|character| u8::try_from(character).unwrap()).collect()
}

/// Returns the only answer to a request for this target.
fn answer(method: &str, target: &[u8]) -> Response {
    let request = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat();
    let mut output = Vec::new();
    Connection::default().advance(&request, &mut output, false);
    let (answer, length) = whole(&output, method == "HEAD");
    assert_eq!(length, output.len(), "nothing after it");
    answer
}
