//! Reads and drops a request's body.

use super::limits;
use super::rules::{Framing, Rejection};

/// Bytes of chunk extensions per body. Clients do not use extensions; without a limit, a client
/// could send them without end.
const EXTENSION_BYTES: u32 = 1024;

/// Bytes of trailer fields per body.
const TRAILER_BYTES: u32 = 8 * 1024;

/// Skips a body byte by byte, however it is split, and keeps nothing of it.
#[derive(Clone, Copy, Debug)]
pub struct BodySkipper {
    state: State,
    /// Bytes of data that may still arrive.
    allowed: u64,
    extensions: u32,
    trailers: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Length(u64),
    /// The size of a chunk, in one or more hexadecimal digits (RFC 9112, section 7.1).
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
        part: Part,
    },
    SizeEnd {
        size: u64,
    },
    Data(u64),
    DataReturn,
    DataEnd,
    /// The start of a trailer field, or of the line that ends the body.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerEnd,
    LastEnd,
    Done,
}

/// The position in an extension (RFC 9112, section 7.1.1): `;` and a token, and optionally `=` and
/// a token or a quoted string, with white space around `;` and `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// After the semicolon.
    Start,
    Name,
    AfterName,
    /// After the equals sign.
    ValueStart,
    Value,
    Quoted,
    /// After a backslash within quotes.
    Escaped,
    AfterQuotes,
    AfterValue,
}

impl Part {
    /// Returns the part after `byte`, which neither ends the line nor begins the next extension, or
    /// `None` when `byte` is not allowed here.
    fn after(self, byte: u8) -> Option<Self> {
        let is_space = matches!(byte, b' ' | b'\t');
        Some(match self {
            Self::Start | Self::AfterName | Self::ValueStart | Self::AfterValue if is_space => self,
            Self::Start | Self::Name if is_token(byte) => Self::Name,
            Self::Name if is_space => Self::AfterName,
            Self::Name | Self::AfterName if byte == b'=' => Self::ValueStart,
            Self::ValueStart | Self::Value if is_token(byte) => Self::Value,
            Self::ValueStart if byte == b'"' => Self::Quoted,
            Self::Quoted if byte == b'"' => Self::AfterQuotes,
            Self::Quoted if byte == b'\\' => Self::Escaped,
            Self::Quoted | Self::Escaped if is_field_content(byte) => Self::Quoted,
            Self::Value | Self::AfterQuotes if is_space => Self::AfterValue,
            _ => return None,
        })
    }

    /// Whether the line may end here.
    fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::Value | Self::AfterQuotes)
    }

    /// Whether another extension may begin here.
    fn may_be_followed(self) -> bool {
        self.may_end() || matches!(self, Self::AfterName | Self::AfterValue)
    }
}

impl BodySkipper {
    /// Creates a skipper at the start of a body.
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size { size: 0, digits: 0 },
        };
        Self { state, allowed: limits::BODY_BYTES, extensions: 0, trailers: 0 }
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Skips the bytes of the body at the start of `input`, and returns their number. Fails when
    /// the body is malformed or over a limit.
    pub fn skip(&mut self, input: &[u8]) -> Result<usize, Rejection> {
        let mut skipped = 0;
        while let (false, Some(rest @ [byte, ..])) = (self.is_done(), input.get(skipped..)) {
            match self.state {
                State::Length(left) => {
                    let now = left.min(rest.len() as u64);
                    self.state = if now == left { State::Done } else { State::Length(left - now) };
                    skipped += usize::try_from(now).unwrap_or(rest.len());
                }
                State::Data(left) => {
                    let now = left.min(rest.len() as u64);
                    self.state = if now == left { State::DataReturn } else { State::Data(left - now) };
                    skipped += usize::try_from(now).unwrap_or(rest.len());
                }
                state => {
                    self.state = self.step(state, *byte)?;
                    skipped += 1;
                }
            }
        }
        Ok(skipped)
    }

    /// Returns the state after a byte that is not data.
    fn step(&mut self, state: State, byte: u8) -> Result<State, Rejection> {
        Ok(match (state, byte) {
            (State::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                self.digit(size, digits, byte)?
            }
            (State::Size { size, digits: 1.. }, b'\r') => State::SizeEnd { size },
            (State::Size { size, digits: 1.. }, b';') => State::Extension { size, part: Part::Start },
            (State::Extension { size, part }, b'\r') if part.may_end() => State::SizeEnd { size },
            (State::Extension { size, part }, _) => {
                bounded(&mut self.extensions, EXTENSION_BYTES)?;
                let next = match byte {
                    b';' if part.may_be_followed() => Some(Part::Start),
                    _ => part.after(byte),
                };
                State::Extension { size, part: next.ok_or(Rejection::Malformed)? }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::TrailerStart,
            (State::SizeEnd { size }, b'\n') => {
                self.allowed = self.allowed.checked_sub(size).ok_or(Rejection::BodyTooLarge)?;
                State::Data(size)
            }
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size { size: 0, digits: 0 },
            (State::TrailerStart, b'\r') => State::LastEnd,
            (State::TrailerStart | State::TrailerName, _) if is_token(byte) => {
                bounded(&mut self.trailers, TRAILER_BYTES)?;
                State::TrailerName
            }
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerEnd,
            (State::TrailerValue, _) if is_field_content(byte) => {
                bounded(&mut self.trailers, TRAILER_BYTES)?;
                state
            }
            (State::TrailerEnd, b'\n') => State::TrailerStart,
            (State::LastEnd, b'\n') => State::Done,
            _ => return Err(Rejection::Malformed),
        })
    }

    fn digit(&self, size: u64, digits: u8, byte: u8) -> Result<State, Rejection> {
        let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
        // Sixteen digits fill a u64; there is no valid use for more leading zeros.
        let size = (digits < 16).then_some(size << 4 | digit).ok_or(Rejection::Malformed)?;
        if size > self.allowed {
            return Err(Rejection::BodyTooLarge);
        }
        Ok(State::Size { size, digits: digits + 1 })
    }
}

fn bounded(count: &mut u32, limit: u32) -> Result<(), Rejection> {
    *count += 1;
    if *count > limit { Err(Rejection::Malformed) } else { Ok(()) }
}

/// Whether `byte` is a `tchar` of RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether `byte` is a `field-vchar`, space or tab of RFC 9110, section 5.5.
fn is_field_content(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the length of a body that arrives byte by byte; `usize::MAX` if it is incomplete.
    fn skip(framing: Framing, input: &str) -> Result<usize, Rejection> {
        let mut body = BodySkipper::new(framing);
        let mut skipped = 0;
        for byte in input.as_bytes() {
            if body.is_done() {
                break;
            }
            skipped += body.skip(&[*byte])?;
        }
        assert_eq!(BodySkipper::new(framing).skip(input.as_bytes()), Ok(skipped), "in one piece: {input:?}");
        Ok(if body.is_done() { skipped } else { usize::MAX })
    }

    #[test]
    fn a_body_ends_where_its_framing_ends() {
        let open = usize::MAX;
        let cases = [
            (Framing::None, "GET", 0),
            (Framing::Length(3), "abcGET", 3),
            (Framing::Length(9), "abcGET", open),
            (Framing::Chunked, "0\r\n\r\nGET", 5),
            (Framing::Chunked, "3\r\nabc\r\n0\r\n\r\nGET", 13),
            (Framing::Chunked, "00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", 28),
            (Framing::Chunked, "0;a ; b\t=\tc;d=\"e;\\\"f\" ;g\r\n\r\n", 28),
            (Framing::Chunked, "1\r\na\r\n0\r\nA-b: c\r\nD:\r\n\r\n", 23),
            (Framing::Chunked, "3\r\nabc\r\n0\r\n", open),
        ];
        for (framing, input, expected) in cases {
            assert_eq!(skip(framing, input), Ok(expected), "{input:?}");
        }
    }

    #[test]
    fn a_broken_chunk_is_rejected() {
        let long_extension = format!("1;{}\r\n", "x".repeat(1025));
        let malformed = [
            "\r\n",
            "g\r\n",
            "0x3\r\nabc\r\n",
            "+3\r\nabc\r\n",
            " 3\r\nabc\r\n",
            "3 \r\nabc\r\n",
            "3\nabc\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            "00000000000000003\r\n",
            "3;\r\nabc\r\n",
            "3;a;\r\nabc\r\n",
            "3;(a)\r\nabc\r\n",
            "3;a b\r\nabc\r\n",
            "3;a=\r\nabc\r\n",
            "3;a \r\nabc\r\n",
            "3;a=\"b\"c\r\nabc\r\n",
            "3;a=\"b\r\nabc\r\n",
            "0\r\nA b: c\r\n",
            "0\r\n: c\r\n",
            "0\r\nabc\r\n",
            "0\r\n fold\r\n",
            &long_extension,
        ];
        let too_large = ["fffffffffffffffff\r\n", "100001\r\n"];
        let cases = malformed.map(|input| (input, Rejection::Malformed)).into_iter();
        for (input, expected) in cases.chain(too_large.map(|input| (input, Rejection::BodyTooLarge))) {
            assert_eq!(BodySkipper::new(Framing::Chunked).skip(input.as_bytes()), Err(expected), "{input:?}");
        }
    }
}
