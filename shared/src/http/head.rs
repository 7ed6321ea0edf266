//! Parses a request's head with `httparse`, and enforces the rules that `httparse` does not.

use std::mem::MaybeUninit;

use httparse::{Error, Status};

use super::limits;
use super::rules::{self, Rejection, Request, Version};

/// Most heads have no more fields. The limit would take 3 KiB of stack, also in waiting coroutines.
const FEW_FIELDS: usize = 16;

/// A request and the length of its head; `None` when there are not enough bytes.
type Parsed<'a> = Result<Option<(Request<'a>, usize)>, Rejection>;

/// Reads a head from the start of `input`: the request and the length of its head, or `None` when
/// more bytes are needed. The result does not depend on how the bytes are split. Fails with the
/// first rule that is broken.
pub fn parse(input: &[u8]) -> Parsed<'_> {
    // Bytes beyond the limit are not read: a head that is not complete by then is too large.
    let input = input.get(..limits::HEAD_BYTES).unwrap_or(input);
    parse_fields::<FEW_FIELDS>(input, parse_many)
}

#[cold]
#[inline(never)]
fn parse_many(input: &[u8]) -> Parsed<'_> {
    parse_fields::<{ limits::HEAD_FIELDS }>(input, |input| broken(input, Error::TooManyHeaders))
}

/// Reads a head of at most `N` fields; calls `too_many` when it has more.
#[inline(always)]
fn parse_fields<'a, const N: usize>(
    input: &'a [u8],
    too_many: impl FnOnce(&'a [u8]) -> Parsed<'a>,
) -> Parsed<'a> {
    let mut fields = [const { MaybeUninit::uninit() }; N];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(input, &mut fields) {
        Ok(Status::Complete(length)) => whole(input, &request, length),
        Ok(Status::Partial) => part(input, &request),
        Err(Error::TooManyHeaders) => too_many(input),
        Err(error) => broken(input, error),
    }
}

fn whole<'a>(input: &'a [u8], request: &httparse::Request<'_, 'a>, length: usize) -> Parsed<'a> {
    check_known_line_ends(input, request, length)?;
    let version = if request.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let method = request.method.unwrap_or_default().as_bytes();
    let target = request.path.unwrap_or_default().as_bytes();
    let fields = request.headers.iter().map(|field| (field.name.as_bytes(), field.value));
    Ok(Some((rules::validate(method, target, version, fields)?, length)))
}

fn part<'a>(input: &'a [u8], request: &httparse::Request) -> Parsed<'a> {
    check_line_ends(input)?;
    if input.len() < limits::HEAD_BYTES { Ok(None) } else { Err(too_large(request)) }
}

#[cold]
fn broken(input: &[u8], error: Error) -> Parsed<'_> {
    match error {
        Error::TooManyHeaders => {
            check_line_ends(up_to_the_field_too_many(input))?;
            Err(Rejection::HeadTooLarge)
        }
        Error::Version => {
            check_line_ends(empty_lines(input))?;
            unknown_version(input)
        }
        _ => Err(Rejection::Malformed),
    }
}

/// Handles a version that `httparse` does not know. A later minor version is served as HTTP/1.1
/// (RFC 9110, section 2.5). Another major version, such as that of an HTTP/2 preface, is a 505
/// (section 15.6.6). Anything else is malformed, which is known only at the end of the line.
fn unknown_version(input: &[u8]) -> Parsed<'_> {
    let start = empty_lines(input).len();
    let mut line = input.get(start..).unwrap_or_default().split(|byte| matches!(byte, b'\r' | b'\n'));
    let (line, ended) = (line.next().unwrap_or_default(), line.next().is_some());
    if !ended && input.len() < limits::HEAD_BYTES {
        return Ok(None);
    }
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(_), Some(_), Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None)
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            if *major == b'1' {
                later(input, start + line.len() - 1)
            } else {
                Err(Rejection::Version)
            }
        }
        _ => Err(Rejection::Malformed),
    }
}

/// Parses a head of a later minor version, whose digit is at `minor`.
fn later(input: &[u8], minor: usize) -> Parsed<'_> {
    let mut known = input.to_vec();
    if let Some(digit) = known.get_mut(minor) {
        *digit = b'1';
    }
    let Some((request, length)) = parse(&known)? else { return Ok(None) };
    let path = request.path.as_ptr().addr().wrapping_sub(known.as_ptr().addr());
    let path = input.get(path..path.wrapping_add(request.path.len())).unwrap_or(b"/");
    Ok(Some((Request { path, version: Version::Later, ..request }, length)))
}

/// The empty lines before a request line, which a server should ignore (RFC 9112, section 2.2).
fn empty_lines(input: &[u8]) -> &[u8] {
    let end = input.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    end.and_then(|end| input.get(..end)).unwrap_or(input)
}

/// Returns the part that `httparse` has read at one field too many: the rest may not have arrived.
fn up_to_the_field_too_many(input: &[u8]) -> &[u8] {
    let start = empty_lines(input).len();
    let lines = input.get(start..).unwrap_or_default();
    // The lines are the request line, the fields up to the limit, and one more field.
    let end = memchr::memchr_iter(b'\n', lines).nth(limits::HEAD_FIELDS + 1);
    end.and_then(|end| input.get(..=start + end)).unwrap_or(input)
}

/// Returns the rejection of a head that is not complete at the limit of its bytes.
fn too_large(request: &httparse::Request) -> Rejection {
    match request.path {
        Some(target) if target.len() <= limits::TARGET_BYTES => Rejection::HeadTooLarge,
        _ if request.method.is_some() => Rejection::TargetTooLong,
        _ => Rejection::Malformed,
    }
}

/// Does what [`check_line_ends`] does for a whole head, without a search: `httparse` has found the
/// lines. Each field is preceded by the end of a line, and the head ends with an empty line.
fn check_known_line_ends(input: &[u8], request: &httparse::Request, length: usize) -> Result<(), Rejection> {
    let offset = |part: &[u8]| part.as_ptr().addr().wrapping_sub(input.as_ptr().addr());
    let follows_a_line = |start: usize| input.get(..start).is_some_and(|lines| lines.ends_with(b"\r\n"));
    let method = offset(request.method.unwrap_or_default().as_bytes());
    let is_valid = (method == 0 || check_line_ends(input.get(..method).unwrap_or(input)).is_ok())
        && request.headers.iter().all(|field| follows_a_line(offset(field.name.as_bytes())))
        && input.get(..length).is_some_and(|head| head.ends_with(b"\r\n\r\n"));
    if is_valid { Ok(()) } else { Err(Rejection::Malformed) }
}

/// Rejects a lone line feed. RFC 9112, section 2.2, allows a recipient to take it as the end of a
/// line. Where two recipients differ in that, requests can be smuggled. `httparse` itself rejects a
/// lone carriage return.
fn check_line_ends(head: &[u8]) -> Result<(), Rejection> {
    let is_lone = |at: usize| at == 0 || head.get(at - 1) != Some(&b'\r');
    if memchr::memchr_iter(b'\n', head).any(is_lone) { Err(Rejection::Malformed) } else { Ok(()) }
}
