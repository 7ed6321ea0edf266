//! Deviations in the fields of an answer that do not depend on the request. A server that leaves
//! out `Date` does so in every answer: that is one finding, and fails no case about chunks.

use std::fmt;

use answers::Response;

/// A deviation in the `Date`, `Content-Type` or `Content-Length` of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deviation {
    /// `Date` is absent or repeated.
    NoDate,
    /// `Date` has this value, which is no IMF-fixdate (RFC 9110, section 5.6.7).
    Date(String),
    /// The `Content-Type` of a greeting is absent or repeated.
    NoContentType,
    /// The `Content-Type` of a greeting has this value, and not `text/plain; charset=utf-8`.
    ContentType(String),
    /// The `Content-Length` of a greeting is absent.
    NoContentLength,
    /// The `Content-Length` of a greeting has this value, and not the length of the greeting.
    ContentLength(String),
}

impl Deviation {
    /// Checks the `Date` of an answer to any request. A server with a clock sends it with each
    /// status from 2xx to 4xx (RFC 9110, section 6.6.1).
    pub(super) fn in_date(response: &Response) -> Option<Self> {
        match response.field("date") {
            _ if !Self::has_date(response) => None,
            None => Some(Self::NoDate),
            Some(date) => (!answers::is_imf_fixdate(date)).then(|| Self::Date(date.to_owned())),
        }
    }

    /// Says how many answers have the deviation, out of `dated` answers that need a `Date`, or out
    /// of all greetings.
    pub(super) fn sentence(&self, count: usize, [dated, greetings]: [usize; 2]) -> String {
        let all = if matches!(self, Self::NoDate | Self::Date(_)) { dated } else { greetings };
        let is_absence = matches!(self, Self::NoDate | Self::NoContentType | Self::NoContentLength);
        match is_absence {
            _ if count < all => format!("{self} in {count} of {all} answers"),
            true => format!("{self} in any of {all} answers"),
            false => format!("{self}, in all {all} answers"),
        }
    }

    /// Whether an answer with this status needs a `Date`.
    pub(super) fn has_date(response: &Response) -> bool {
        (200..500).contains(&response.status)
    }

    /// Checks the `Content-Type` of a greeting.
    pub(super) fn in_type(response: &Response) -> Option<Self> {
        match response.field("content-type") {
            None => Some(Self::NoContentType),
            Some(kind) => (!is_plain_utf_8(kind)).then(|| Self::ContentType(kind.to_owned())),
        }
    }

    /// Checks the `Content-Length` of a greeting of this length, or of its head.
    pub(super) fn in_length(length: usize, response: &Response) -> Option<Self> {
        let length = length.to_string();
        match response.field("content-length") {
            None => Some(Self::NoContentLength),
            Some(got) => (got != length).then(|| Self::ContentLength(got.to_owned())),
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDate => out.write_str("no Date"),
            Self::Date(date) => write!(out, "Date is {date}, no IMF-fixdate"),
            Self::NoContentType => out.write_str("no Content-Type"),
            Self::ContentType(kind) => write!(out, "Content-Type is {kind}, not text/plain; charset=utf-8"),
            Self::NoContentLength => out.write_str("no Content-Length"),
            Self::ContentLength(length) => write!(out, "Content-Length is {length}, not the greeting's"),
        }
    }
}

/// Whether a media type is `text/plain; charset=utf-8`. Its words are compared without case, and
/// the value may be in quotes (RFC 9110, section 8.3.1).
fn is_plain_utf_8(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let is_plain = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/plain"));
    let is_utf_8 = |part: &str| {
        part.split_once('=').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    is_plain && parts.filter(|part| !part.is_empty()).map(is_utf_8).collect::<Vec<_>>() == [true]
}
