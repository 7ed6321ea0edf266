//! What one answer has to look like.

use answers::Response;

/// What one answer has to look like.
#[must_use]
#[derive(Clone, Debug, Default)]
pub struct Expected {
    statuses: &'static [u16],
    /// Fields with their exact values.
    fields: Vec<(&'static str, String)>,
    /// Fields that are lists, with their members, in any order.
    lists: Vec<(&'static str, &'static [&'static str])>,
    has_date: bool,
    body: Option<String>,
    /// It answers a HEAD: no body follows, whatever its head says.
    pub(super) head_only: bool,
}

impl Expected {
    pub(super) fn status(statuses: &'static [u16]) -> Self {
        Self { statuses, ..Self::default() }
    }

    /// 200 with this body.
    pub fn body(body: String) -> Self {
        Self { body: Some(body), ..Self::status(&[200]) }
    }

    /// 200 with the greeting for `path` and all of the endpoint's fields.
    pub fn greeting(path: &str) -> Self {
        let body = format!("Hello, visitor! You've requested: {path}\n");
        let (kind, length) = ("text/plain; charset=utf-8".to_owned(), body.len().to_string());
        let fields = vec![("content-type", kind), ("content-length", length)];
        Self { fields, has_date: true, ..Self::body(body) }
    }

    /// The head of the greeting for `path`, and nothing after it.
    pub fn head(path: &str) -> Self {
        Self { head_only: true, body: Some(String::new()), ..Self::greeting(path) }
    }

    /// 405 that names the allowed methods (RFC 9110, section 15.5.6).
    pub fn not_allowed() -> Self {
        Self { lists: vec![("allow", &["GET", "HEAD"])], ..Self::status(&[405]) }
    }

    /// 100, an interim answer before the final one.
    pub(super) fn continue_100() -> Self {
        Self::status(&[100])
    }

    /// Requires a `Date` (RFC 9110, section 6.6.1).
    pub fn with_date(self) -> Self {
        Self { has_date: true, ..self }
    }

    /// Requires `Connection` to have these options (RFC 9110, section 7.6.1).
    pub(super) fn with_connection(mut self, options: &'static [&'static str]) -> Self {
        self.lists.push(("connection", options));
        self
    }

    /// Whether it is an interim answer, before the final one to the same request.
    pub(super) fn is_interim(&self) -> bool {
        self.statuses.iter().all(|status| *status < 200)
    }

    /// The statuses that it may have: `400 or 505`.
    pub(super) fn statuses(&self) -> String {
        self.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
    }

    /// Whether it may have this status.
    pub(super) fn allows(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    /// What is wrong with `response`; `None` when it is as expected.
    pub fn mismatch(&self, response: &Response) -> Option<String> {
        if !self.allows(response.status) {
            return Some(format!("expected {}, got {}", self.statuses(), response.status));
        }
        self.field_mismatch(response).or_else(|| {
            let body = self.body.as_ref().filter(|body| body.as_bytes() != response.body)?;
            let got = response.body[..response.body.len().min(100)].escape_ascii();
            Some(format!("expected the body {body:?}, got \"{got}\""))
        })
    }

    fn field_mismatch(&self, response: &Response) -> Option<String> {
        for (name, value) in &self.fields {
            let got = response.field(name);
            if got != Some(value.as_str()) {
                return Some(format!("expected {name}: {value}, got {}", got.unwrap_or("none, or several")));
            }
        }
        for (name, members) in &self.lists {
            let got = normalised(&response.list(name));
            if got != normalised(members) {
                return Some(format!("expected {name}: {}, got {}", members.join(", "), got.join(", ")));
            }
        }
        let date = response.field("date");
        (self.has_date && !date.is_some_and(answers::is_imf_fixdate))
            .then(|| format!("expected a Date as IMF-fixdate, got {}", date.unwrap_or("none")))
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
        let greeting = Expected::greeting("/a");
        let cases = [
            (greeting.clone(), "", "", None),
            (greeting.clone(), "200 OK", "404 No", Some("expected 200, got 404")),
            (greeting.clone(), "/a\n", "/b\n", Some("expected the body")),
            (greeting.clone(), "utf-8", "latin1", Some("expected content-type")),
            (greeting.clone(), "Content-Type", "X-Type", Some("expected content-type")),
            (greeting.clone(), "06 Nov", "6 Nov", Some("expected a Date")),
            (greeting.clone(), "GMT", "UTC", Some("expected a Date")),
            (greeting.clone(), "Date", "X-Date", Some("expected a Date")),
            (greeting.clone().with_connection(&["close"]), "", "", Some("expected connection: close, got ")),
            (Expected::not_allowed(), "", "", Some("expected 405, got 200")),
            (Expected::not_allowed(), "200 OK", "405 No", Some("expected allow: GET, HEAD")),
            (Expected::not_allowed(), "200 OK", "405 No\r\nAllow: HEAD,GET", None),
            (Expected::status(&[200, 204]).with_date(), "", "", None),
            (greeting.with_connection(&["close"]), "Date", "Connection: Close\r\nDate", None),
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
