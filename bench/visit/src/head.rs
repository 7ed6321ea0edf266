//! The head of an answer, read strictly (RFC 9112, sections 2 to 6) and without allocation, as this
//! is in the measured loop. Only the fields that matter for a load are kept.
//!
//! By hand, because a load tool should notice what a lenient parser accepts: `httparse` takes lines
//! that end with LF alone, a status line without a space after the code, and empty lines in front.

/// The longest head: far above what any server sends.
const HEAD_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The status code, from 100 to 599.
    pub(super) status: u16,
    /// Bytes from the status line to the end of the empty line.
    pub(super) length: usize,
    /// How the end of the body is found.
    pub(super) framing: Framing,
    /// Whether it announces the end of the connection.
    pub(super) close: bool,
    /// The number of `Content-Type` fields with a value.
    pub(super) types: u32,
    pub(super) dates: u32,
    /// Whether the last `Date` has the required form.
    pub(super) date_is_sound: bool,
}

/// How the end of a body is found (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body, whatever the fields say.
    NoBody,
    /// After a number of bytes.
    Length(usize),
    /// By the chunked coding.
    Chunked,
    /// At the end of the connection.
    UntilClose,
}

/// The fields that matter, as read so far.
#[derive(Default)]
struct Fields {
    lengths: u32,
    length: usize,
    codings: u32,
    is_chunked: bool,
    close: bool,
    keep_alive: bool,
    types: u32,
    dates: u32,
    date_is_sound: bool,
}

/// The head at the start of `bytes`; `None` while it is not whole. Fails when it breaks a rule.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        // Bytes that cannot begin a status line are wrong at once, however few have arrived.
        let could_begin = bytes.iter().zip(b"HTTP/1.").all(|(got, expected)| got == expected);
        return match could_begin {
            false => Err("there is not a status line".into()),
            true if bytes.len() > HEAD_BYTES => Err("the head has no end".into()),
            true => Ok(None),
        };
    };
    let mut rest = &bytes[..end + 2];
    let (is_11, status) = status(next_line(&mut rest))?;
    let mut fields = Fields::default();
    while !rest.is_empty() {
        fields.add(next_line(&mut rest))?;
    }
    let framing = fields.framing(status, is_11)?;
    let close = fields.close || (!is_11 && !fields.keep_alive) || framing == Framing::UntilClose;
    let Fields { types, dates, date_is_sound, .. } = fields;
    Ok(Some(Head { status, length: end + 4, framing, close, types, dates, date_is_sound }))
}

/// The name and the value of a field line (RFC 9112, section 5, and RFC 9110, section 5.6.2).
pub(super) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or_default();
    let (name, value) = line.split_at(colon);
    if name.is_empty() || !name.iter().all(is_token) || !value.iter().all(|byte| is_text(*byte)) {
        return Err(format!("the field \"{}\" is broken", line[..line.len().min(80)].escape_ascii()));
    }
    Ok((name, value[1..].trim_ascii()))
}

/// Whether a byte is allowed in a field value, a reason phrase or a chunk extension.
pub(super) fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Takes the first line from `rest`, without CR LF. `rest` ends with CR LF.
fn next_line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.windows(2).position(|window| window == b"\r\n").unwrap_or(rest.len());
    let line = &rest[..end];
    *rest = rest.get(end + 2..).unwrap_or_default();
    line
}

/// Whether it is HTTP/1.1, and the code (RFC 9112, section 4). The reason phrase may be empty.
fn status(line: &[u8]) -> Result<(bool, u16), String> {
    let broken = || format!("\"{}\" is not a status line", line[..line.len().min(80)].escape_ascii());
    let (version, rest) = line.split_at_checked(9).ok_or_else(broken)?;
    let is_11 = match version {
        b"HTTP/1.1 " => true,
        b"HTTP/1.0 " => false,
        _ => return Err(broken()),
    };
    match rest {
        [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', reason @ ..]
            if reason.iter().all(|byte| is_text(*byte)) =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok((is_11, digit(a) * 100 + digit(b) * 10 + digit(c)))
        }
        _ => Err(broken()),
    }
}

impl Fields {
    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            self.length = length(value)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.codings += 1;
            self.is_chunked = value.eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"connection") {
            for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if name.eq_ignore_ascii_case(b"content-type") {
            self.types += u32::from(!value.is_empty());
        } else if name.eq_ignore_ascii_case(b"date") {
            self.dates += 1;
            self.date_is_sound = is_date(value);
        }
        Ok(())
    }

    fn framing(&self, status: u16, is_11: bool) -> Result<Framing, String> {
        let may_have_body = status >= 200 && status != 204 && status != 304;
        match (self.lengths, self.codings) {
            (0..=1, 0) if !may_have_body => Ok(Framing::NoBody),
            (0, 0) => Ok(Framing::UntilClose),
            (1, 0) => Ok(Framing::Length(self.length)),
            (0, 1) if self.is_chunked && is_11 && may_have_body => Ok(Framing::Chunked),
            (0, _) => Err("its Transfer-Encoding is not one `chunked`".into()),
            (_, 0) => Err("it has several Content-Length".into()),
            _ => Err("it has both Content-Length and Transfer-Encoding".into()),
        }
    }
}

fn length(value: &[u8]) -> Result<usize, String> {
    let digits = std::str::from_utf8(value).ok().filter(|_| value.iter().all(u8::is_ascii_digit));
    let length = digits.and_then(|digits| digits.parse().ok());
    length.ok_or_else(|| format!("its Content-Length is \"{}\"", value[..value.len().min(40)].escape_ascii()))
}

/// Whether a date has the form `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn is_date(value: &[u8]) -> bool {
    const FORM: &[u8] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    let fits = |(got, form): (&u8, &u8)| match form {
        b'0' => got.is_ascii_digit(),
        b'a' => got.is_ascii_lowercase(),
        b'A' => got.is_ascii_uppercase(),
        exact => got == exact,
    };
    value.len() == FORM.len() && value.iter().zip(FORM).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_the_end_of_its_body() {
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", Framing::Length(3), false),
            ("HTTP/1.1 200 \r\ncontent-length:3\r\nConnection: a, Close\r\n", Framing::Length(3), true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", Framing::Chunked, false),
            ("HTTP/1.1 200 OK\r\n", Framing::UntilClose, true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n", Framing::Length(3), true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n", Framing::Length(3), false),
            ("HTTP/1.1 204 No Content\r\n", Framing::NoBody, false),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n", Framing::NoBody, false),
        ];
        for (text, framing, close) in cases {
            let bytes = format!("{text}\r\n");
            let head = read(bytes.as_bytes()).unwrap().unwrap();
            assert_eq!((head.framing, head.close, head.length), (framing, close, bytes.len()), "{text:?}");
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes.as_bytes()[..cut]), Ok(None), "{cut} of {text:?}");
            }
        }
    }

    #[test]
    fn a_broken_head_is_described() {
        let field = |line| format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        let cases = [
            ("Hello, visitor!".to_owned(), "there is not a status line"),
            ("HTTP/1.1 200\r\n\r\n".to_owned(), "is not a status line"),
            ("HTTP/1.1  200 OK\r\n\r\n".to_owned(), "is not a status line"),
            ("HTTP/1.2 200 OK\r\n\r\n".to_owned(), "is not a status line"),
            ("HTTP/1.1 600 OK\r\n\r\n".to_owned(), "is not a status line"),
            ("HTTP/1.1 2000 OK\r\n\r\n".to_owned(), "is not a status line"),
            ("HTTP/1.1 200 O\rK\r\n\r\n".to_owned(), "is not a status line"),
            (field("no field"), "the field \"no field\" is broken"),
            (field("A : b"), "is broken"),
            (field(": b"), "is broken"),
            (field("A: b\r\n c"), "is broken"),
            (field("A: b\nContent-Length: 3"), "is broken"),
            (field("Content-Length: +3"), "its Content-Length is \"+3\""),
            (field("Content-Length:"), "its Content-Length is \"\""),
            (field("Content-Length: 3, 3"), "its Content-Length is \"3, 3\""),
            (field("Content-Length: 3\r\nContent-Length: 3"), "several Content-Length"),
            (field("Content-Length: 3\r\nTransfer-Encoding: chunked"), "both Content-Length and"),
            (field("Transfer-Encoding: gzip, chunked"), "not one `chunked`"),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "not one `chunked`"),
            ("HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "not one `chunked`"),
        ];
        for (bytes, expected) in cases {
            let wrong = read(bytes.as_bytes()).unwrap_err();
            assert!(wrong.contains(expected), "{bytes:?}: {wrong}");
        }
    }

    #[test]
    fn a_date_has_one_form() {
        assert!(is_date(b"Sun, 06 Nov 1994 08:49:37 GMT"));
        let other =
            ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC"];
        for date in other.into_iter().chain([""]) {
            assert!(!is_date(date.as_bytes()), "{date}");
        }
    }
}
