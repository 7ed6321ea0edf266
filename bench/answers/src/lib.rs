//! Reads the answers of HTTP/1.1 servers strictly (RFC 9112, sections 2 to 7), for `visit`, the
//! conformance cases, and tests of the answers that the shared code sends.
//!
//! `httparse` reads the syntax of heads and trailers. It also accepts mistakes that a tool for
//! finding mistakes has to report. They are rejected here: lines that end with LF alone, empty
//! lines before the status line, and a status line without a space after the code.
#![allow(clippy::indexing_slicing, reason = "a wrong index may end a test of a server, and ends no server")]

use httparse::Status;

/// The most bytes of a head, and of a trailer: far more than any server sends.
const HEAD_BYTES: usize = 64 * 1024;

/// The most fields of a head, and of a trailer.
const FIELDS: usize = 128;

/// The most bytes of the line with the size of a chunk.
const LINE_BYTES: usize = 8 * 1024;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, from 100 to 599.
    pub status: u16,
    /// The body, without the chunked coding.
    pub body: Vec<u8>,
    /// Whether the answer is HTTP/1.0, and ends its connection unless it says otherwise.
    is_http_1_0: bool,
    /// The fields in order, with names in lower case.
    pub fields: Vec<(String, String)>,
}

/// How the end of a body is found (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body, whatever the fields say.
    None,
    /// The body has this number of bytes.
    Length(usize),
    /// The body has the chunked coding.
    Chunked,
    /// The body ends with the connection.
    UntilClose,
}

/// An answer whose head is whole.
pub struct Arrived {
    /// The answer, with the part of its body that has arrived.
    pub response: Response,
    /// How the end of the body is found.
    pub framing: Framing,
    /// The number of bytes from the status line to the end of the body; `None` while the end has
    /// not arrived.
    pub length: Option<usize>,
}

/// Reads the answer at the start of `bytes`, and returns it with its length; `None` while it is not
/// whole. `head_only` says that it answers a HEAD, `ended` that no more bytes follow. Fails on a
/// malformed answer.
pub fn parse(bytes: &[u8], head_only: bool, ended: bool) -> Result<Option<(Response, usize)>, String> {
    let arrived = read(bytes, head_only, ended)?;
    Ok(arrived.and_then(|arrived| Some((arrived.response, arrived.length?))))
}

/// Reads as much of the answer at the start of `bytes` as has arrived; `None` while its head is not
/// whole. The arguments and errors are those of [`parse`].
pub fn read(bytes: &[u8], head_only: bool, ended: bool) -> Result<Option<Arrived>, String> {
    let Some((mut response, head)) = head(bytes)? else { return Ok(None) };
    let framing = response.framing(head_only)?;
    let rest = &bytes[head..];
    let length = match framing {
        Framing::None => Some(0),
        Framing::Length(length) => {
            response.body.extend_from_slice(&rest[..length.min(rest.len())]);
            (rest.len() >= length).then_some(length)
        }
        Framing::Chunked => chunks(rest, &mut response.body)?,
        Framing::UntilClose => {
            response.body.extend_from_slice(rest);
            ended.then_some(rest.len())
        }
    };
    Ok(Some(Arrived { response, framing, length: length.map(|length| head + length) }))
}

/// Returns where the final answer begins in `bytes`, after any number of interim ones (RFC 9110,
/// section 15.2); `None` while the head of an answer is not whole. 101 is final, since HTTP ends
/// with it. Fails on a malformed answer, and on interim ones without an end.
pub fn final_at(bytes: &[u8]) -> Result<Option<usize>, String> {
    let mut at = 0;
    while let Some((response, length)) = head(&bytes[at..])? {
        if !response.is_interim() || response.status == 101 {
            return Ok(Some(at));
        }
        response.framing(false)?;
        at += length;
        if at > HEAD_BYTES {
            return Err(format!("\"{}\" begins interim answers that have no end", start(bytes)));
        }
    }
    Ok(None)
}

/// Whether a date has the form `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
pub fn is_imf_fixdate(date: &str) -> bool {
    // The parser also accepts two obsolete forms.
    httpdate::parse_http_date(date).is_ok_and(|time| httpdate::fmt_http_date(time) == date)
}

impl Response {
    /// Whether it is an interim answer, before the final one to the same request.
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// The value of the field `name` (in lower case); `None` where it is absent or repeated.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The members of a list field, of all its lines (RFC 9110, section 5.6.1).
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.values(name).flat_map(|value| value.split(',')).map(str::trim).collect()
    }

    /// Whether the answer announces the end of its connection (RFC 9112, section 9.3).
    pub fn closes(&self) -> bool {
        let options = self.list("connection");
        let says = |word: &str| options.iter().any(|option| option.eq_ignore_ascii_case(word));
        says("close") || self.is_http_1_0 && !says("keep-alive")
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn framing(&self, head_only: bool) -> Result<Framing, String> {
        let status = self.status;
        let has_body = !head_only && !self.is_interim() && status != 204 && status != 304;
        let (lengths, codings) = (self.list("content-length"), self.list("transfer-encoding"));
        let framing = match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => Some(Framing::UntilClose),
            ([length], []) if !self.is_interim() => {
                let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
                length.parse().ok().filter(|_| is_number).map(Framing::Length)
            }
            // Not allowed in HTTP/1.0, nor where there is never a body (RFC 9112, section 6.1).
            ([], [coding]) if !self.is_http_1_0 && !self.is_interim() && status != 204 => {
                coding.eq_ignore_ascii_case("chunked").then_some(Framing::Chunked)
            }
            _ => None,
        };
        let framing = framing.ok_or_else(|| {
            format!("its {status} has Content-Length {lengths:?} and Transfer-Encoding {codings:?}")
        })?;
        Ok(if has_body { framing } else { Framing::None })
    }
}

/// The head at the start of `bytes`, as an answer without a body, and its length; `None` while it
/// is not whole.
fn head(bytes: &[u8]) -> Result<Option<(Response, usize)>, String> {
    let wrong = |why: &str| format!("\"{}\" is not an answer: {why}", start(bytes));
    // Bytes that cannot become a status line are rejected now: the client need not wait for more.
    if bytes.iter().zip(b"HTTP/1.").any(|(got, expected)| got != expected) {
        return Err(wrong("it has no status line"));
    }
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > HEAD_BYTES { Err(wrong("its head has no end")) } else { Ok(None) };
    };
    let bytes = &bytes[..end + 4];
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    parsed.parse(bytes).map_err(|error| wrong(&error.to_string()))?;
    let status = parsed.code.filter(|code| (100..600).contains(code) && bytes[12] == b' ');
    let status = status.ok_or_else(|| wrong("its status line is malformed"))?;
    if has_bare_line_feed(bytes) {
        return Err(wrong("a line ends with LF alone"));
    }
    let field = |field: &httparse::Header| {
        (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).into_owned())
    };
    let fields = parsed.headers.iter().map(field).collect();
    let is_http_1_0 = parsed.version == Some(0);
    Ok(Some((Response { status, body: Vec::new(), is_http_1_0, fields }, bytes.len())))
}

/// Decodes the chunks at the start of `bytes` (RFC 9112, section 7.1) into `body`, as far as they
/// have arrived; returns their length on the wire once they are whole, with their trailer.
fn chunks(bytes: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, String> {
    let mut rest = bytes;
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            let is_endless = rest.len() > LINE_BYTES;
            return if is_endless { Err("the size of a chunk has no end".into()) } else { Ok(None) };
        };
        let (line, data) = rest.split_at(end + 1);
        let size =
            chunk_size(line).ok_or_else(|| format!("\"{}\" is not the size of a chunk", start(line)))?;
        rest = data;
        if size == 0 {
            break;
        }
        let (data, after) = rest.split_at(size.min(rest.len()));
        body.extend_from_slice(data);
        let Some((line_end, after)) = after.split_first_chunk() else { return Ok(None) };
        if line_end != b"\r\n" {
            return Err("a chunk does not end where its size says".into());
        }
        rest = after;
    }
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    match httparse::parse_headers(rest, &mut fields) {
        Ok(Status::Complete((length, _))) if !has_bare_line_feed(&rest[..length]) => {
            Ok(Some(bytes.len() - rest.len() + length))
        }
        Ok(Status::Partial) if rest.len() <= HEAD_BYTES => Ok(None),
        _ => Err(format!("\"{}\" is not the trailer of chunks", start(rest))),
    }
}

/// The size in the first line of a chunk, with its line end. Extensions are ignored.
fn chunk_size(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let (size, extension) = line.split_once(';').unwrap_or((line, ""));
    let is_clean = !extension.contains(|char: char| char.is_control() && char != '\t');
    // White space before an extension is bad, but has to be accepted (RFC 9112, section 7.1.1).
    let size = if extension.is_empty() { size } else { size.trim_end_matches([' ', '\t']) };
    let is_number = size.bytes().all(|byte| byte.is_ascii_hexdigit());
    usize::from_str_radix(size, 16).ok().filter(|_| is_clean && is_number)
}

fn has_bare_line_feed(lines: &[u8]) -> bool {
    lines.split_inclusive(|byte| *byte == b'\n').any(|line| !line.ends_with(b"\r\n"))
}

/// The first bytes, escaped so that a message can quote them.
fn start(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(80)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_answer_is_behind_any_number_of_interim_ones() {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
        let several = ["HTTP/1.1 100 Continue\r\n\r\n", hints, hints].concat();
        let found = "HTTP/1.1 404 No\r\n\r\n";
        for interim in ["", hints, &several] {
            let bytes = [interim, found].concat();
            assert_eq!(final_at(bytes.as_bytes()), Ok(Some(interim.len())));
            for cut in 0..bytes.len() {
                assert_eq!(final_at(&bytes.as_bytes()[..cut]), Ok(None), "{cut} of {bytes:?}");
            }
        }
        assert_eq!(final_at(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), Ok(Some(0)));
        assert!(final_at(hints.repeat(2000).as_bytes()).is_err(), "they do not end");
        assert!(final_at(format!("{hints}HTTP").as_bytes()) == Ok(None));
        assert!(final_at(format!("{hints}Hello").as_bytes()).is_err(), "no answer");
        assert!(final_at(b"HTTP/1.1 100 A\r\nContent-Length: 1\r\n\r\n").is_err(), "it has no body");
    }

    /// The body that has arrived, how its end is found, and the length of a whole answer.
    fn body(bytes: &str, head_only: bool, ended: bool) -> Option<(String, Framing, Option<usize>)> {
        let Arrived { response, framing, length } = read(bytes.as_bytes(), head_only, ended).unwrap()?;
        Some((String::from_utf8(response.body).unwrap(), framing, length))
    }

    #[test]
    fn the_framing_decides_where_an_answer_ends() {
        use Framing::{Chunked, Length, None, UntilClose};
        let sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
        let two = format!("{chunked}2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
        let zeros = format!("{chunked}02\r\nab\r\n0001\r\nc\r\n000\r\n\r\n");
        let extended = format!("{chunked}3;name=value\r\nabc\r\n0 ; last\r\n\r\n");
        let trailed = format!("{chunked}3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n");
        let cases = [
            (sized, false, "abc", Length(3)),
            ("HTTP/1.1 200 \r\ncontent-length:3\r\n\r\nabc", false, "abc", Length(3)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, "", None),
            (&two, false, "abc", Chunked),
            (&zeros, false, "abc", Chunked),
            (&extended, false, "abc", Chunked),
            (&trailed, false, "abc", Chunked),
            (chunked, true, "", None),
            ("HTTP/1.0 200 OK\r\n\r\n", true, "", None),
            ("HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n", false, "", None),
            ("HTTP/1.1 100 Continue\r\n\r\n", false, "", None),
            ("HTTP/1.1 204 No Content\r\n\r\n", false, "", None),
        ];
        for (bytes, head_only, expected, framing) in cases {
            let whole = Some((expected.to_owned(), framing, Some(bytes.len())));
            assert_eq!(body(&format!("{bytes}HTTP"), head_only, false), whole, "{bytes:?}");
            for cut in 0..bytes.len() {
                let parsed = parse(&bytes.as_bytes()[..cut], head_only, true).unwrap();
                assert!(parsed.is_none(), "{cut} of {bytes:?}");
            }
        }
        let unframed = "HTTP/1.0 200 OK\r\n\r\nabc";
        for (ended, length) in [(false, Option::None), (true, Some(unframed.len()))] {
            assert_eq!(body(unframed, false, ended), Some(("abc".to_owned(), UntilClose, length)));
        }
        let part = |bytes: &str| body(bytes, false, false).map(|(body, ..)| body);
        assert_eq!(part(&sized[..sized.len() - 1]).as_deref(), Some("ab"));
        assert_eq!(part(&format!("{chunked}2\r\nab\r\n4\r\ncd")).as_deref(), Some("abcd"));
        assert_eq!(part(&format!("{chunked}ffffffffffffffff\r\na")).as_deref(), Some("a"));
    }

    #[test]
    fn malformed_answers_are_described() {
        let status_line = |line| format!("{line}\r\n\r\n");
        let field = |line| format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        let chunk = |chunks| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        let framing = "its 200 has Content-Length";
        let (size, trailer) = ("is not the size of a chunk", "is not the trailer of chunks");
        let cases = [
            ("Hello, visitor!".to_owned(), "it has no status line"),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n".to_owned(), "it has no status line"),
            (status_line("HTTP/2 200 OK"), "it has no status line"),
            (status_line("HTTP/1.2 200 OK"), "invalid HTTP version"),
            (status_line("HTTP/1.1 200"), "its status line is malformed"),
            (status_line("HTTP/1.1  200 OK"), "invalid response status"),
            (status_line("HTTP/1.1 600 OK"), "its status line is malformed"),
            (status_line("HTTP/1.1 0200 OK"), "invalid response status"),
            (status_line("HTTP/1.1 200 O\rK"), "invalid"),
            ("HTTP/1.1 200 ".to_owned() + &"O".repeat(HEAD_BYTES), "its head has no end"),
            (field("no field"), "invalid header name"),
            (field("A : b"), "invalid header name"),
            (field(": b"), "invalid header name"),
            (field("A: b\0"), "invalid header value"),
            (field("A: b\r\n c"), "invalid header name"),
            (field("A: b\nContent-Length: 3"), "a line ends with LF alone"),
            (field("Content-Length: +3"), framing),
            (field("Content-Length:"), framing),
            (field("Content-Length: 3, 3"), framing),
            (field("Content-Length: 3\r\nContent-Length: 3"), framing),
            (field("Content-Length: 3\r\nTransfer-Encoding: chunked"), framing),
            (field("Transfer-Encoding: gzip, chunked"), framing),
            (field("Transfer-Encoding: chunked").replace("1.1", "1.0"), framing),
            (field("Transfer-Encoding: chunked").replace("200", "204"), "its 204 has"),
            (field("Content-Length: 0").replace("200", "100"), "its 100 has"),
            (chunk("3\r\nabcd\r\n"), "a chunk does not end where its size says"),
            (chunk("3\nabc\r\n"), size),
            (chunk("\r\n"), size),
            (chunk("+3\r\n"), size),
            (chunk("3 \r\n"), size),
            (chunk("3 x\r\n"), size),
            (chunk("3;a\0\r\n"), size),
            (chunk("0x3\r\n"), size),
            (chunk("fffffffffffffffff\r\n"), size),
            (chunk(&"0".repeat(LINE_BYTES + 1)), "the size of a chunk has no end"),
            (chunk("0\r\nno field\r\n\r\n"), trailer),
            (chunk("0\r\nA: b\n\r\n"), trailer),
            (chunk(&("0\r\nA: ".to_owned() + &"b".repeat(HEAD_BYTES))), trailer),
        ];
        for (bytes, expected) in cases {
            let wrong = read(bytes.as_bytes(), false, true).err().unwrap_or_default();
            assert!(wrong.contains(expected), "{}: {wrong}", start(bytes.as_bytes()));
        }
    }

    #[test]
    fn an_answer_announces_the_end_of_its_connection() {
        let cases = [
            ("HTTP/1.1 204 A\r\n\r\n", false),
            ("HTTP/1.1 204 A\r\nConnection: Upgrade, Close\r\n\r\n", true),
            ("HTTP/1.0 204 A\r\n\r\n", true),
            ("HTTP/1.0 204 A\r\nConnection: keep-alive\r\n\r\n", false),
        ];
        for (bytes, closes) in cases {
            let (response, _) = parse(bytes.as_bytes(), false, false).unwrap().unwrap();
            assert_eq!(response.closes(), closes, "{bytes:?}");
        }
    }

    #[test]
    fn the_members_of_a_list_may_be_on_several_lines() {
        let bytes = b"HTTP/1.1 405 No\r\nAllow: GET,HEAD\r\nContent-Length: 0\r\nallow: A\r\n\r\n";
        let (response, _) = parse(bytes, false, false).unwrap().unwrap();
        assert_eq!(response.list("allow"), ["GET", "HEAD", "A"]);
        assert_eq!((response.field("allow"), response.field("content-length")), (None, Some("0")));
    }

    #[test]
    fn a_date_has_one_form() {
        let others = [
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "",
        ];
        assert!(is_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert!(!others.into_iter().any(is_imf_fixdate));
    }
}
