//! The limits, at their edges.

use super::case::{Answer, Case, End};

const RULE: &str = "the limits of the endpoint";
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_FIELDS: usize = 100;
const TARGET_BYTES: usize = 8 * 1024;
const BODY_BYTES: usize = 1024 * 1024;

/// The table.
pub(super) fn cases() -> Vec<Case> {
    let greeting = || [Answer::greeting("/a")];
    let path = |bytes: usize| format!("/{}", "p".repeat(bytes - 1));
    let target = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    let longest = path(TARGET_BYTES);
    let post = |bytes: usize| format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {bytes}\r\n\r\n");
    let whole = post(BODY_BYTES) + &"b".repeat(BODY_BYTES);
    vec![
        Case::answered("limits/head", RULE, head(HEAD_BYTES), greeting()),
        Case::refused("limits/head-over", RULE, head(HEAD_BYTES + 1), 431),
        Case::answered("limits/fields", RULE, fields(HEAD_FIELDS), greeting()),
        Case::refused("limits/fields-over", RULE, fields(HEAD_FIELDS + 1), 431),
        Case::answered("limits/target", RULE, target(&longest), [Answer::Greeting(longest)]),
        Case::refused("limits/target-over", RULE, target(&path(TARGET_BYTES + 1)), 414),
        Case::answered("limits/body", RULE, whole, [Answer::NotAllowed]),
        Case::refused("limits/body-over", RULE, post(BODY_BYTES + 1), 413)
            .or([Answer::NotAllowed], End::Closed),
    ]
}

/// A head of so many bytes.
fn head(bytes: usize) -> String {
    let (start, end) = ("GET /a HTTP/1.1\r\nHost: h\r\nX: ", "\r\n\r\n");
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

/// A head of so many fields, `Host` among them.
fn fields(count: usize) -> String {
    let more: String = (1..count).map(|number| format!("X-{number}: y\r\n")).collect();
    format!("GET /a HTTP/1.1\r\nHost: h\r\n{more}\r\n")
}
