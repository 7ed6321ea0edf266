//! A request's head from bytes: `httparse`, and the strictness that it leaves to us.

use std::mem::MaybeUninit;

use httparse::{Error, Status};

use super::limits;
use super::rules::{self, Rejection, Request, Version};

/// Fields that most heads have no more of. Room for the most that there may be is 3 KiB of a stack, which a coroutine keeps
/// while it waits.
const FEW_FIELDS: usize = 16;

/// A request, and the bytes that its head took; `None` when there are not enough of them.
type Parsed<'a> = Result<Option<(Request<'a>, usize)>, Rejection>;

/// Reads a head from the start of `input`. `None` says that more bytes are needed; otherwise the request, and the number
/// of bytes that its head took. However the bytes arrive, the outcome is the same.
pub fn parse(input: &[u8]) -> Parsed<'_> {
    // What lies beyond the limit is not looked at: a head that is not complete by then is too large.
    let input = input.get(..limits::HEAD_BYTES).unwrap_or(input);
    let mut fields = [const { MaybeUninit::uninit() }; FEW_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(input, &mut fields) {
        Ok(Status::Complete(length)) => whole(input, &request, length),
        Ok(Status::Partial) => part(input, &request),
        Err(Error::TooManyHeaders) => parse_many(input),
        Err(error) => broken(input, error),
    }
}

/// [`parse`] of a head with more than a few fields.
#[cold]
#[inline(never)]
fn parse_many(input: &[u8]) -> Parsed<'_> {
    let mut fields = [const { MaybeUninit::uninit() }; limits::HEAD_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(input, &mut fields) {
        Ok(Status::Complete(length)) => whole(input, &request, length),
        Ok(Status::Partial) => part(input, &request),
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

/// RFC 9110, section 15.6.6: 505 for another version of HTTP, such as that of an HTTP/2 preface. Anything else in a
/// version's place is malformed, which the end of the line tells.
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
            Err(Rejection::Version)
        }
        _ => Err(Rejection::Malformed),
    }
}

/// The empty lines before a request line, which RFC 9112, section 2.2, has a server ignore.
fn empty_lines(input: &[u8]) -> &[u8] {
    let end = input.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    end.and_then(|end| input.get(..end)).unwrap_or(input)
}

/// The part of a head that `httparse` has read when it meets one field too many. Lines behind that may not have arrived.
fn up_to_the_field_too_many(input: &[u8]) -> &[u8] {
    let start = empty_lines(input).len();
    let lines = input.get(start..).unwrap_or_default();
    // The request line, and one field more than there may be.
    let end = memchr::memchr_iter(b'\n', lines).nth(limits::HEAD_FIELDS + 1);
    end.and_then(|end| input.get(..=start + end)).unwrap_or(input)
}

/// What is too large of a head that is not complete at the limit.
fn too_large(request: &httparse::Request) -> Rejection {
    match request.path {
        Some(target) if target.len() <= limits::TARGET_BYTES => Rejection::HeadTooLarge,
        _ if request.method.is_some() => Rejection::TargetTooLong,
        _ => Rejection::Malformed,
    }
}

/// [`check_line_ends`] of a whole head, without a search: of a head that `httparse` has read it is known where lines end.
/// Before each field the line before it ends, and an empty line ends the last.
fn check_known_line_ends(input: &[u8], request: &httparse::Request, length: usize) -> Result<(), Rejection> {
    let offset = |part: &[u8]| part.as_ptr().addr().wrapping_sub(input.as_ptr().addr());
    let follows_a_line = |start: usize| input.get(..start).is_some_and(|lines| lines.ends_with(b"\r\n"));
    let method = offset(request.method.unwrap_or_default().as_bytes());
    let well = (method == 0 || check_line_ends(input.get(..method).unwrap_or(input)).is_ok())
        && request.headers.iter().all(|field| follows_a_line(offset(field.name.as_bytes())))
        && input.get(..length).is_some_and(|head| head.ends_with(b"\r\n\r\n"));
    if well { Ok(()) } else { Err(Rejection::Malformed) }
}

/// RFC 9112, section 2.2, lets a recipient take a lone line feed as the end of a line. Where two recipients differ in
/// that, requests can be smuggled, so here it is malformed. A lone carriage return `httparse` refuses itself.
fn check_line_ends(head: &[u8]) -> Result<(), Rejection> {
    let is_lone = |at: usize| at == 0 || head.get(at - 1) != Some(&b'\r');
    if memchr::memchr_iter(b'\n', head).any(is_lone) { Err(Rejection::Malformed) } else { Ok(()) }
}
