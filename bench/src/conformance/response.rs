//! Answers from bytes, read strictly (RFC 9112, sections 4 to 7).

/// One answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status code.
    pub status: u16,
    /// Its fields in order, names in small letters.
    pub fields: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of the field called `name`, in small letters; `None` where it is absent or there are several.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values =
            self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }
}

/// The answer at the start of `bytes` and its length; `None` while it is not whole. `head_only` says that it is to a
/// HEAD, `ended` that no more bytes come. An error says what is wrong.
pub(super) fn parse(bytes: &[u8], head_only: bool, ended: bool) -> Result<Option<(Response, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "its head is not text")?;
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let status = status_code(line).ok_or_else(|| format!("{line:?} is no status line"))?;
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("its field {line:?} is broken"))?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response { status, fields, body: Vec::new() };
    let rest = &bytes[end + 4..];
    let body = match (response.field("content-length"), response.field("transfer-encoding")) {
        _ if head_only || status < 200 || status == 204 || status == 304 => Some((Vec::new(), 0)),
        (None, Some("chunked")) => chunks(rest)?,
        (Some(length), None) => {
            let length = length.parse().map_err(|_| format!("its Content-Length `{length}` is broken"))?;
            rest.get(..length).map(|body| (body.to_vec(), length))
        }
        // RFC 9112, section 6.3: without either, the end of the connection is that of the body.
        (None, None) => ended.then(|| (rest.to_vec(), rest.len())),
        _ => return Err(format!("the framing of its {status} is broken")),
    };
    let Some((body, length)) = body else { return Ok(None) };
    response.body = body;
    Ok(Some((response, end + 4 + length)))
}

/// The code of a status line, the reason of which may be empty.
fn status_code(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let (code, _reason) = rest.split_once(' ')?;
    code.parse().ok().filter(|code| (100..600).contains(code))
}

/// A chunked body without extensions and trailers, and its length on the wire; `None` while it is not whole.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[at..at + line])
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or("the size of a chunk is broken")?;
        let start = at + line + 2;
        let (Some(data), Some(end)) =
            (bytes.get(start..start + size), bytes.get(start + size..start + size + 2))
        else {
            return Ok(None);
        };
        if end != b"\r\n" {
            return Err("the end of a chunk is broken".into());
        }
        body.extend_from_slice(data);
        at = start + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_framing_says() {
        let sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP";
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nHTTP";
        let unframed = "HTTP/1.0 200 OK\r\n\r\nabc";
        let cases = [
            (sized, false, false, Some(("abc", sized.len() - 4))),
            (sized, true, false, Some(("", sized.len() - 7))),
            (&sized[..sized.len() - 5], false, false, None),
            (&sized[..sized.len() - 5], false, true, None),
            (chunked, false, false, Some(("abc", chunked.len() - 4))),
            (&chunked[..chunked.len() - 7], false, false, None),
            (unframed, false, false, None),
            (unframed, false, true, Some(("abc", unframed.len()))),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP", false, false, Some(("", 25))),
        ];
        for (bytes, head_only, ended, expected) in cases {
            let got = parse(bytes.as_bytes(), head_only, ended).unwrap();
            let got = got.map(|(response, length)| (String::from_utf8(response.body).unwrap(), length));
            assert_eq!(got, expected.map(|(body, length)| (body.to_owned(), length)), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let cases = [
            "Hello, visitor!\r\n\r\n",
            "HTTP/1.1 200\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 999 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        ];
        for bytes in cases {
            assert!(parse(bytes.as_bytes(), false, true).is_err(), "{bytes:?}");
        }
    }
}
