//! The head of a request as bytes. Requests have no body, so the head is the whole request.

use visit_output::Mode;

use super::field::Field;
use super::kind::{Malformed, Method, RequestKind};

/// The longest field that is added to fill up a head. Servers limit fields as well as heads, and
/// often fields to 8 KiB.
const PADDING_LINE: usize = 4096;

/// A field that fills up a head, without its value.
const PADDING: &str = "Padding: \r\n";

/// The properties that all requests share.
pub(super) struct Form<'a> {
    pub(super) host: &'a str,
    /// Fields after `Host`, in order.
    pub(super) fields: &'a [Field],
    /// Determines which requests ask the server to close the connection, and the size of a batch.
    pub(super) mode: Mode,
}

/// Returns the head of a request for `path`. With `closes` it asks the server to close the
/// connection. `kind` says how it differs from a plain head.
pub(super) fn head(form: &Form, path: &str, closes: bool, kind: Option<&RequestKind>) -> Vec<u8> {
    let method = kind.map_or(Method::Get, |kind| kind.method);
    let malformed = kind.and_then(|kind| kind.malformed);
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if malformed != Some(Malformed::NoHost) {
        head += &format!("Host: {}\r\n", form.host);
    }
    if malformed == Some(Malformed::SpaceInName) {
        head += "Malformed Name: 1\r\n";
    }
    for field in form.fields {
        head += &format!("{field}\r\n");
    }
    if method == Method::Post {
        head += "Content-Length: 0\r\n";
    }
    if closes {
        head += "Connection: close\r\n";
    }
    if let Some(bytes) = kind.and_then(|kind| kind.head) {
        fill_up(&mut head, bytes);
    }
    head += "\r\n";
    head.into_bytes()
}

/// Adds fields so that the whole head has this number of bytes. A longer head is left as it is.
fn fill_up(head: &mut String, bytes: usize) {
    let left = bytes.saturating_sub(head.len() + "\r\n".len());
    let lines = left.div_ceil(PADDING_LINE);
    for line in 0..lines {
        let length = left / lines + usize::from(line < left % lines);
        let value = "a".repeat(length.saturating_sub(PADDING.len()));
        *head += &PADDING.replace('\r', &format!("{value}\r"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET /a HTTP/1.1\r\n";
    const HOST: &str = "Host: h\r\n";

    fn kind(differs: &str) -> RequestKind {
        format!("name=a,share=0.1,status=400{differs}").parse().unwrap()
    }

    #[test]
    fn a_kind_differs_from_the_plain_head() {
        let (length, malformed) = ("Content-Length: 0\r\n", "Malformed Name: 1\r\n");
        let cases = [
            ("", [GET, HOST, "", "A: b\r\n", ""]),
            (",method=DELETE", ["DELETE /a HTTP/1.1\r\n", HOST, "", "A: b\r\n", ""]),
            (",method=POST", ["POST /a HTTP/1.1\r\n", HOST, "", "A: b\r\n", length]),
            (",malformed=no-host", [GET, "", "", "A: b\r\n", ""]),
            (",malformed=space-in-name", [GET, HOST, malformed, "A: b\r\n", ""]),
        ];
        let fields = ["A: b".parse().unwrap()];
        let form = Form { host: "h", fields: &fields, mode: Mode::KeepAlive };
        for (differs, expected) in cases {
            for (closes, close) in [(false, ""), (true, "Connection: close\r\n")] {
                let head = head(&form, "/a", closes, Some(&kind(differs)));
                let expected = format!("{}{close}\r\n", expected.concat());
                assert_eq!(String::from_utf8(head).unwrap(), expected, "{differs}");
            }
        }
    }

    #[test]
    fn a_head_can_be_filled_up() {
        let form = Form { host: "h", fields: &[], mode: Mode::KeepAlive };
        let least = GET.len() + HOST.len() + 2 + PADDING.len();
        for bytes in [least, least + 1, 4000, 4096, 5000, 8192, 100_000, 1_048_576] {
            let head = head(&form, "/a", false, Some(&kind(&format!(",head={bytes}"))));
            let text = String::from_utf8(head).unwrap();
            assert_eq!(text.len(), bytes);
            assert!(text.lines().all(|line| line.len() <= PADDING_LINE), "{bytes}");
            assert!(text.ends_with("a\r\n\r\n") || bytes == least, "{bytes}");
            assert_eq!(text.matches("\r\n\r\n").count(), 1, "{bytes}");
        }
    }
}
