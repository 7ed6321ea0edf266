//! The chunked transfer coding (RFC 9112, section 7.1), read strictly, extensions and trailers too.

use super::head;

/// The longest size line or trailer line: far above what any server sends.
const LINE_BYTES: usize = 8 * 1024;

/// The length on the wire of the chunked body at the start of `bytes`; `None` while it is not
/// whole. Fails when the coding is broken, or the decoded body is not `expected`.
pub(super) fn read(bytes: &[u8], expected: Option<&[u8]>) -> Result<Option<usize>, String> {
    let (mut at, mut decoded) = (0, 0);
    loop {
        let Some(line) = line(&bytes[at..])? else { return Ok(None) };
        let size = size(line)?;
        at += line.len() + 2;
        if size == 0 {
            break;
        }
        if let Some(expected) = expected {
            let data = &bytes[at..bytes.len().min(at.saturating_add(size))];
            compare(data, size, decoded, expected)?;
        }
        let end = at.checked_add(size).and_then(|end| end.checked_add(2)).ok_or("a chunk is too large")?;
        let Some(line_end) = bytes.get(end - 2..end) else { return Ok(None) };
        if line_end != b"\r\n" {
            return Err("a chunk does not end where its size says".into());
        }
        (at, decoded) = (end, decoded + size);
    }
    if let Some(expected) = expected.filter(|expected| expected.len() != decoded) {
        return Err(format!("the chunks have {decoded} bytes, not {}", expected.len()));
    }
    loop {
        let Some(line) = line(&bytes[at..])? else { return Ok(None) };
        at += line.len() + 2;
        if line.is_empty() {
            return Ok(Some(at));
        }
        head::field(line)?;
    }
}

/// Compares the `data` that has arrived of a chunk of `size` bytes with `expected`.
fn compare(data: &[u8], size: usize, decoded: usize, expected: &[u8]) -> Result<(), String> {
    let rest = &expected[decoded..];
    if size > rest.len() {
        return Err(format!("the chunks have more than {} bytes", expected.len()));
    }
    match data.iter().zip(rest).position(|(got, expected)| got != expected) {
        Some(at) => Err(format!("the body differs at byte {}", decoded + at)),
        None => Ok(()),
    }
}

/// The line at the start of `bytes`, without CR LF; `None` while it is not whole.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, String> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => Ok(Some(&bytes[..end - 1])),
        Some(_) => Err("a line among the chunks does not end with CR LF".into()),
        None if bytes.len() > LINE_BYTES => Err("a line among the chunks has no end".into()),
        None => Ok(None),
    }
}

/// The size in the first line of a chunk. Extensions are ignored.
fn size(line: &[u8]) -> Result<usize, String> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let extension = line[digits..].trim_ascii_start();
    let is_extension = extension.starts_with(b";") && extension.iter().all(|byte| head::is_text(*byte));
    if !is_extension && digits < line.len() {
        return Err("the size of a chunk is broken".into());
    }
    let digits = std::str::from_utf8(&line[..digits]).unwrap_or_default();
    usize::from_str_radix(digits, 16).map_err(|_| "the size of a chunk is broken".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_where_their_sizes_say() {
        let cases: &[(&str, usize)] = &[
            ("3\r\nabc\r\n0\r\n\r\nHTTP", 13),
            ("1\r\na\r\n02\r\nbc\r\n000\r\n\r\n", 21),
            ("3;name=value\r\nabc\r\n0 ; last\r\n\r\n", 31),
            ("3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", 23),
        ];
        for (bytes, length) in cases {
            for cut in 0..*length {
                assert_eq!(read(&bytes.as_bytes()[..cut], Some(b"abc")), Ok(None), "{cut} of {bytes:?}");
            }
            assert_eq!(read(bytes.as_bytes(), Some(b"abc")), Ok(Some(*length)), "{bytes:?}");
            assert_eq!(read(bytes.as_bytes(), None), Ok(Some(*length)), "{bytes:?}");
        }
    }

    #[test]
    fn a_broken_coding_is_described() {
        let cases = [
            ("3\r\nabd\r\n0\r\n\r\n", "the body differs at byte 2"),
            ("1\r\na\r\n2\r\nx", "the body differs at byte 1"),
            ("2\r\nab\r\n0\r\n\r\n", "the chunks have 2 bytes, not 3"),
            ("4\r\nabc", "the chunks have more than 3 bytes"),
            ("3\r\nabcd\r\n", "a chunk does not end where its size says"),
            ("3\nabc\r\n", "a line among the chunks does not end with CR LF"),
            ("\r\n", "the size of a chunk is broken"),
            ("+3\r\n", "the size of a chunk is broken"),
            ("3 x\r\n", "the size of a chunk is broken"),
            ("0x3\r\n", "the size of a chunk is broken"),
            ("fffffffffffffffff\r\n", "the size of a chunk is broken"),
            ("3\r\nabc\r\n0\r\nno field\r\n\r\n", "the field \"no field\" is broken"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(bytes.as_bytes(), Some(b"abc")), Err(expected.to_owned()), "{bytes:?}");
        }
        assert_eq!(read(b"ffffffffffffffff\r\n", None), Err("a chunk is too large".to_owned()));
    }
}
