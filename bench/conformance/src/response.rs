//! A strict reader of answers (RFC 9112, sections 2 to 7).
//!
//! It accepts less than a client should: no bare line feeds, no folded fields, no second
//! `Content-Length`. General parsers let some of these pass, which is why this one is our own.

/// One answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Whether it is HTTP/1.0, where an answer ends its connection unless it says otherwise.
    pub(crate) is_http_1_0: bool,
    pub(crate) status: u16,
    /// Its fields in order, their names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Whether it is an interim answer, before the final one to the same request.
    pub(crate) fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// The value of the field `name` (in lower case); `None` where it is absent or repeated.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The members of a list field, of all its lines (RFC 9110, section 5.6.1).
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.values(name).flat_map(|value| value.split(',')).map(str::trim).collect()
    }

    /// Whether it announces the end of its connection (RFC 9112, section 9.3).
    pub fn closes(&self) -> bool {
        let options = self.list("connection");
        let says = |word: &str| options.iter().any(|option| option.eq_ignore_ascii_case(word));
        says("close") || self.is_http_1_0 && !says("keep-alive")
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The answer at the start of `bytes`, and its length; `None` while it is incomplete. `head_only`
/// says that it answers a HEAD, `ended` that no more bytes follow. Fails on a malformed answer.
pub fn parse(bytes: &[u8], head_only: bool, ended: bool) -> Result<Option<(Response, usize)>, String> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        // What cannot become a status line is rejected now: the client need not wait for more.
        let could_begin = bytes.iter().zip(b"HTTP/1.").all(|(got, expected)| got == expected);
        return if could_begin { Ok(None) } else { Err(format!("{} is not an answer", excerpt(bytes))) };
    };
    let (head, rest) = (&bytes[..end], &bytes[end + 4..]);
    let head = std::str::from_utf8(head).map_err(|_| "the head of an answer is not UTF-8")?;
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let status = status_code(line).ok_or_else(|| format!("{line:?} is not a status line"))?;
    let fields = lines.map(field).collect::<Result<_, _>>()?;
    let is_http_1_0 = line.starts_with("HTTP/1.0");
    let mut response = Response { is_http_1_0, status, fields, body: Vec::new() };
    let Some((body, length)) = body(&response, rest, head_only, ended)? else { return Ok(None) };
    response.body = body;
    Ok(Some((response, end + 4 + length)))
}

/// The body at the start of `bytes`, and its length on the wire (RFC 9112, section 6.3).
fn body(
    response: &Response,
    bytes: &[u8],
    head_only: bool,
    ended: bool,
) -> Result<Option<(Vec<u8>, usize)>, String> {
    let status = response.status;
    let (lengths, codings) = (response.list("content-length"), response.list("transfer-encoding"));
    match (lengths.as_slice(), codings.as_slice()) {
        (_, [_, ..]) | ([_, ..], _) if status < 200 || status == 204 && !codings.is_empty() => {
            Err(format!("a {status} with a body"))
        }
        _ if head_only || status < 200 || status == 204 || status == 304 => Ok(Some((Vec::new(), 0))),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => chunks(bytes),
        ([length], []) => {
            let length = Some(length).filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()));
            let length = length.and_then(|length| length.parse().ok());
            let length: usize =
                length.ok_or_else(|| format!("a {status} with a malformed Content-Length"))?;
            Ok(bytes.get(..length).map(|body| (body.to_vec(), length)))
        }
        // Without either, the body ends with the connection.
        ([], []) => Ok(ended.then(|| (bytes.to_vec(), bytes.len()))),
        _ => Err(format!("a {status} with a malformed framing")),
    }
}

/// The code of a status line, whose reason may be empty (RFC 9112, section 4).
fn status_code(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let (code, reason) = rest.split_once(' ')?;
    let clean = code.len() == 3 && !reason.contains(|char: char| char.is_control() && char != '\t');
    code.parse().ok().filter(|code| clean && (100..600).contains(code))
}

/// The name in lower case and the value (RFC 9112, section 5; RFC 9110, section 5.6.2).
fn field(line: &str) -> Result<(String, String), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let malformed = || format!("the field {line:?} is malformed");
    let (name, value) = line.split_once(':').ok_or_else(malformed)?;
    let value = value.trim_matches([' ', '\t']);
    let is_clean = !value.contains(|char: char| char.is_control() && char != '\t');
    if name.is_empty() || !name.bytes().all(is_token) || !is_clean {
        return Err(malformed());
    }
    Ok((name.to_ascii_lowercase(), value.to_owned()))
}

/// A chunked body without extensions and trailers, and its length; `None` while incomplete.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut body = Vec::new();
    let mut rest = bytes;
    loop {
        let Some(line) = find(rest, b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&rest[..line]).ok();
        let size = size.filter(|size| size.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let size = size.and_then(|size| u32::from_str_radix(size, 16).ok());
        let size = size.ok_or("a chunk has a malformed size")? as usize;
        rest = &rest[line + 2..];
        let (Some(data), Some(end)) = (rest.get(..size), rest.get(size..size + 2)) else { return Ok(None) };
        if end != b"\r\n" {
            return Err("a chunk has a malformed end".into());
        }
        body.extend_from_slice(data);
        rest = &rest[size + 2..];
        if size == 0 {
            return Ok(Some((body, bytes.len() - rest.len())));
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The start of `bytes`, in quotes.
fn excerpt(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes[..bytes.len().min(40)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_framing_decides_where_an_answer_ends() {
        let sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP";
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nHTTP";
        let unframed = "HTTP/1.0 200 OK\r\n\r\nabc";
        let not_modified = "HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\nHTTP";
        let cases = [
            (sized, false, false, Some(("abc", sized.len() - 4))),
            (sized, true, false, Some(("", sized.len() - 7))),
            (&sized[..sized.len() - 5], false, false, None),
            (&sized[..sized.len() - 5], false, true, None),
            (chunked, false, false, Some(("abc", chunked.len() - 4))),
            (&chunked[..chunked.len() - 7], false, false, None),
            (unframed, false, false, None),
            (unframed, false, true, Some(("abc", unframed.len()))),
            (unframed, true, false, Some(("", unframed.len() - 3))),
            (not_modified, false, false, Some(("", not_modified.len() - 4))),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP", false, false, Some(("", 25))),
            ("HTTP/1.1 204 No Content\r\n\r\nHTTP", false, false, Some(("", 27))),
            ("", false, false, None),
            ("HTT", false, true, None),
        ];
        for (bytes, head_only, ended, expected) in cases {
            let got = parse(bytes.as_bytes(), head_only, ended).unwrap();
            let got = got.map(|(response, length)| (String::from_utf8(response.body).unwrap(), length));
            assert_eq!(got, expected.map(|(body, length)| (body.to_owned(), length)), "{bytes:?}");
        }
    }

    #[test]
    fn malformed_answers_are_rejected() {
        let cases = [
            "Hello, visitor!",
            "HTTP/1.1 200\r\n\r\n",
            "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 999 OK\r\n\r\n",
            "HTTP/1.1 0200 OK\r\n\r\n",
            "HTTP/1.1 200 O\rK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        ];
        for bytes in cases {
            assert!(parse(bytes.as_bytes(), false, true).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_members_of_a_list_may_be_on_several_lines() {
        let bytes = b"HTTP/1.1 405 No\r\nAllow: GET,HEAD\r\nContent-Length: 0\r\nallow: A\r\n\r\n";
        let (response, _) = parse(bytes, false, false).unwrap().unwrap();
        assert_eq!(response.list("allow"), ["GET", "HEAD", "A"]);
        assert_eq!((response.field("allow"), response.field("content-length")), (None, Some("0")));
    }
}
