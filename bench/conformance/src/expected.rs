//! The requirements that one answer has to meet.

use std::fmt;

use answers::Response;

use crate::deviation::Deviation;

/// The requirements that one answer has to meet.
#[must_use]
#[derive(Clone, Debug, Default)]
pub struct Expected {
    statuses: &'static [u16],
    /// Fields that are lists, with their members, in any order.
    lists: Vec<(&'static str, &'static [&'static str])>,
    /// The path of the greeting, if the answer is a greeting or the head of one.
    pub(super) path: Option<String>,
    body: Option<String>,
    /// Whether the answer is to a HEAD: no body follows, whatever its head says.
    pub(super) head_only: bool,
    /// The fields that have to be those of the endpoint, in cases about these fields.
    checked: &'static [Field],
}

/// A field of the endpoint's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Date,
    Type,
    Length,
}

impl Expected {
    pub(super) fn status(statuses: &'static [u16]) -> Self {
        Self { statuses, ..Self::default() }
    }

    /// 200 with this body.
    pub fn body(body: String) -> Self {
        Self { body: Some(body), ..Self::status(&[200]) }
    }

    /// 200 with the greeting for `path`.
    pub fn greeting(path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..Self::body(greeting(path)) }
    }

    /// The head of the greeting for `path`, and nothing after it.
    pub fn head(path: &str) -> Self {
        Self { head_only: true, body: Some(String::new()), ..Self::greeting(path) }
    }

    /// Requires a `Date` (RFC 9110, section 6.6.1).
    pub fn dated(self) -> Self {
        Self { checked: &[Field::Date], ..self }
    }

    /// Requires the `Content-Type` of the endpoint's greeting.
    pub(super) fn typed(self) -> Self {
        Self { checked: &[Field::Type], ..self }
    }

    /// Requires the length of the greeting in `Content-Length`.
    pub(super) fn sized(self) -> Self {
        Self { checked: &[Field::Length], ..self }
    }

    /// Requires `Date`, `Content-Type` and `Content-Length` as in the endpoint's greeting.
    pub fn exact(self) -> Self {
        Self { checked: &[Field::Date, Field::Type, Field::Length], ..self }
    }

    /// 405 that names the allowed methods (RFC 9110, section 15.5.6).
    pub fn not_allowed() -> Self {
        Self { lists: vec![("allow", &["GET", "HEAD"])], ..Self::status(&[405]) }
    }

    /// 100, an interim answer before the final one.
    pub(super) fn continue_100() -> Self {
        Self::status(&[100])
    }

    /// Requires `Connection` to have these options (RFC 9110, section 7.6.1).
    pub(super) fn with_connection(mut self, options: &'static [&'static str]) -> Self {
        self.lists.push(("connection", options));
        self
    }

    /// Expects another body in place of the greeting.
    pub(super) fn with_text(mut self, text: &str) -> Self {
        if self.path.is_some() && !self.head_only {
            self.body = Some(text.to_owned());
        }
        self
    }

    /// Whether it is an interim answer, before the final one to the same request.
    pub(super) fn is_interim(&self) -> bool {
        self.statuses.iter().all(|status| *status < 200)
    }

    /// The allowed statuses in words, such as `400 or 505`.
    pub(super) fn statuses(&self) -> String {
        self.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
    }

    /// Whether the answer may have this status.
    pub(super) fn allows(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    /// Returns what is wrong with `response`; `None` when it is as expected.
    pub fn mismatch(&self, response: &Response) -> Option<String> {
        if !self.allows(response.status) {
            return Some(format!("expected {}, got {}", self.statuses(), response.status));
        }
        let deviation = |field: &Field| match field {
            Field::Date => Deviation::in_date(response),
            Field::Type => Deviation::in_type(response),
            Field::Length => Deviation::in_length(greeting(self.path.as_deref()?).len(), response),
        };
        self.list_mismatch(response).or_else(|| self.body_mismatch(response)).or_else(|| {
            let found = self.checked.iter().find_map(deviation)?;
            Some(found.to_string())
        })
    }

    fn body_mismatch(&self, response: &Response) -> Option<String> {
        let body = self.body.as_ref().filter(|body| body.as_bytes() != response.body)?;
        let got = response.body[..response.body.len().min(100)].escape_ascii();
        Some(format!("expected the body {body:?}, got \"{got}\""))
    }

    fn list_mismatch(&self, response: &Response) -> Option<String> {
        self.lists.iter().find_map(|(name, members)| {
            let got = response.list(name);
            let differs = normalised(&got) != normalised(members);
            differs.then(|| format!("expected {name}: {}, got {}", members.join(", "), got.join(", ")))
        })
    }

    /// Whether `response` is the greeting that is expected, whatever its fields.
    pub(super) fn is_greeting(&self, response: &Response) -> bool {
        let body = self.path.as_deref().map(greeting);
        response.status == 200 && body.is_some_and(|body| body.as_bytes() == response.body)
    }
}

/// The greeting for `path`.
pub(super) fn greeting(path: &str) -> String {
    format!("Hello, visitor! You've requested: {path}\n")
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.statuses())?;
        if self.head_only {
            out.write_str(" without a body")?;
        }
        self.lists.iter().try_for_each(|(name, members)| write!(out, " with {name}: {}", members.join(", ")))
    }
}

fn normalised(members: &[&str]) -> Vec<String> {
    let mut members: Vec<String> = members.iter().map(|member| member.to_ascii_lowercase()).collect();
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: &str = "HTTP/1.1 200 OK\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Length: 37\r\n\
        Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nHello, visitor! You've requested: /a\n";

    #[test]
    fn each_part_of_an_answer_is_compared() {
        let exact = Expected::greeting("/a").exact();
        let cases = [
            (exact.clone(), "", "", None),
            (exact.clone(), "200 OK", "404 No", Some("expected 200, got 404")),
            (exact.clone(), "/a\n", "/b\n", Some("expected the body")),
            (exact.clone(), "utf-8", "latin1", Some("Content-Type is text/plain; charset=latin1")),
            (exact.clone(), "Content-Type", "X-Type", Some("no Content-Type")),
            (exact.clone(), "text/plain; charset=utf-8", "Text/Plain;charset=\"UTF-8\"", None),
            (exact.clone(), "06 Nov", "6 Nov", Some("Date is Sun, 6 Nov")),
            (exact.clone(), "GMT", "UTC", Some("Date is Sun, 06")),
            (exact.clone(), "Date", "X-Date", Some("no Date")),
            (exact.clone(), "Content-Length: 37", "Connection: close", Some("no Content-Length")),
            (Expected::greeting("/a"), "Date", "X-Date", None),
            (
                Expected::greeting("/a").with_connection(&["close"]),
                "",
                "",
                Some("expected connection: close, got "),
            ),
            (Expected::not_allowed(), "", "", Some("expected 405, got 200")),
            (Expected::not_allowed(), "200 OK", "405 No", Some("expected allow: GET, HEAD")),
            (Expected::not_allowed(), "200 OK", "405 No\r\nAllow: HEAD,GET", None),
            (Expected::status(&[200, 204]).exact(), "", "", None),
            (exact.with_connection(&["close"]), "Date", "Connection: Close\r\nDate", None),
        ];
        for (expected, from, to, part) in cases {
            let bytes = GREETING.replacen(from, to, 1);
            let (response, _) = answers::parse(bytes.as_bytes(), false, true).unwrap().unwrap();
            let wrong = expected.mismatch(&response);
            let fits = wrong.as_deref().map(|wrong| part.is_some_and(|part| wrong.starts_with(part)));
            assert_eq!(fits, part.map(|_| true), "{from:?} to {to:?}: {wrong:?}");
        }
    }
}
