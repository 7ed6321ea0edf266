//! The header of an answer (RFC 9113, section 8.3.2), compressed by HPACK (RFC 7541).
//!
//! Within a second an answer has the same header, and once its fields are in the dynamic table, the
//! same few bytes. So the last right block of each target is kept, with the generation of the table:
//! equal bytes in the same generation have the same fields. The generation counts up with each block
//! that changes the table, and such a block is never kept.
//!
//! `httlib-hpack` decodes the others. It panics on a block that ends early, which [`scan`] refuses
//! before.

use httlib_hpack::Decoder;

use super::fault::{Fault, code};
use super::settings::HEADER_TABLE;

/// The most fields of a header, as of one of HTTP/1.1. Few bytes may stand for many long fields.
const FIELDS: usize = 128;

/// Fields that belong to a connection of HTTP/1.1 (RFC 9113, section 8.2.2).
const OF_HTTP_1: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// A field: its name, its value, and how it was encoded.
type Field = (Vec<u8>, Vec<u8>, u8);

/// The header of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) status: u16,
    /// The Content-Length, where there is one.
    pub(super) length: Option<u64>,
}

/// The headers of one connection.
pub(super) struct Blocks {
    decoder: Decoder<'static>,
    generation: u64,
    /// The last right block of each target.
    known: Vec<Known>,
}

#[derive(Clone)]
struct Known {
    /// Empty before the first one.
    block: Vec<u8>,
    generation: u64,
    header: Header,
}

impl Blocks {
    pub(super) fn new(targets: usize) -> Self {
        let header = Header { status: 0, length: None };
        let known = Known { block: Vec::new(), generation: 0, header };
        let decoder = Decoder::with_dynamic_size(HEADER_TABLE);
        Self { decoder, generation: 0, known: vec![known; targets] }
    }

    /// The same for another connection: the dynamic table is empty, and nothing is known.
    pub(super) fn reset(&mut self) {
        self.decoder = Decoder::with_dynamic_size(HEADER_TABLE);
        self.known.iter_mut().for_each(|known| known.block.clear());
    }

    /// The header of an answer to a request for the target of this index.
    pub(super) fn header(&mut self, block: &[u8], target: usize) -> Result<Header, Fault> {
        let known = &self.known[target];
        if known.generation == self.generation && known.block == block && !block.is_empty() {
            return Ok(known.header);
        }
        let (fields, is_changing) = self.fields(block)?;
        let header = header(&fields).map_err(|wrong| wrong_header(&wrong, &fields))?;
        let known = &mut self.known[target];
        if !is_changing && header.status >= 200 {
            (known.generation, known.header) = (self.generation, header);
            known.block.clear();
            known.block.extend_from_slice(block);
        }
        Ok(header)
    }

    /// Reads the fields behind a body.
    pub(super) fn trailer(&mut self, block: &[u8]) -> Result<(), Fault> {
        let (fields, _) = self.fields(block)?;
        match fields.iter().find(|(name, ..)| name.starts_with(b":")) {
            Some(_) => Err(wrong_header("a trailer has a pseudo-field", &fields)),
            None => check_fields(&fields).map_err(|wrong| wrong_header(&wrong, &fields)),
        }
    }

    /// Reads what belongs to no request any more, since the table may change by it.
    pub(super) fn skip(&mut self, block: &[u8]) -> Result<(), Fault> {
        self.fields(block).map(|_| ())
    }

    /// All fields, and whether they change the dynamic table.
    fn fields(&mut self, block: &[u8]) -> Result<(Vec<Field>, bool), Fault> {
        let wrong = |why: String| {
            let block = block[..block.len().min(80)].escape_ascii();
            Fault::new(code::COMPRESSION_ERROR, format!("a header cannot be decoded: {why}; got \"{block}\""))
        };
        let is_changing = scan(block).map_err(|why| wrong(why.into()))?;
        let mut fields = Vec::new();
        let mut rest = block.to_vec();
        self.decoder.decode(&mut rest, &mut fields).map_err(|error| wrong(format!("{error:?}")))?;
        self.generation += u64::from(is_changing);
        Ok((fields, is_changing))
    }
}

fn wrong_header(wrong: &str, fields: &[Field]) -> Fault {
    let line = |(name, value, _): &Field| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
    let mut shown = fields.iter().map(line).collect::<Vec<_>>().join(", ");
    if let Some((end, _)) = shown.char_indices().nth(300) {
        shown.truncate(end);
        shown.push('…');
    }
    Fault::protocol(format!("{wrong}; got \"{shown}\""))
}

/// What the fields of an answer say, of which a 200 has to have Content-Type and Date.
fn header(fields: &[Field]) -> Result<Header, String> {
    let Some(((_, status, _), rest)) = fields.split_first().filter(|((name, ..), _)| name == b":status")
    else {
        return Err("its header does not begin with :status".into());
    };
    let status = status_code(status).ok_or("its :status is not a number from 100 to 599")?;
    if let Some((name, ..)) = rest.iter().find(|(name, ..)| name.starts_with(b":")) {
        return Err(format!("its header has the pseudo-field {} behind :status", name.escape_ascii()));
    }
    check_fields(rest)?;
    if status == 101 {
        return Err("the status is 101, which HTTP/2 does not have".into());
    }
    let length = match values(rest, "content-length").as_slice() {
        [] => None,
        [length] => Some(number(length).ok_or("its Content-Length is not a number")?),
        _ => return Err("it has several Content-Length".into()),
    };
    if status == 200 {
        if !matches!(values(rest, "content-type").as_slice(), [value] if !value.is_empty()) {
            return Err("it has no Content-Type, or several".into());
        }
        let is_date = |value: &[u8]| std::str::from_utf8(value).is_ok_and(answers::is_imf_fixdate);
        if !matches!(values(rest, "date").as_slice(), [value] if is_date(value)) {
            return Err("it has no Date like Sun, 06 Nov 1994 08:49:37 GMT, or several".into());
        }
    }
    Ok(Header { status, length })
}

/// Names in lower case, values without control characters or spaces around them, and no field of
/// HTTP/1.1 (RFC 9113, section 8.2).
fn check_fields(fields: &[Field]) -> Result<(), String> {
    for (name, value, _) in fields {
        let shown = name.escape_ascii();
        let is_name = |byte: &u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && *byte != b':';
        if name.is_empty() || !name.iter().all(is_name) {
            return Err(format!("its field \"{shown}\" has a malformed name"));
        }
        let is_space = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let is_control = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        if value.iter().any(is_control) || is_space(value.first()) || is_space(value.last()) {
            return Err(format!("its field \"{shown}\" has a malformed value"));
        }
        if OF_HTTP_1.iter().any(|other| other.as_bytes() == name) {
            return Err(format!("its field \"{shown}\" belongs to HTTP/1.1"));
        }
    }
    Ok(())
}

fn values<'a>(fields: &'a [Field], name: &str) -> Vec<&'a [u8]> {
    let named = fields.iter().filter(|(known, ..)| known == name.as_bytes());
    named.map(|(_, value, _)| value.as_slice()).collect()
}

fn status_code(text: &[u8]) -> Option<u16> {
    let status = u16::try_from(number(text)?).ok()?;
    (text.len() == 3 && (100..600).contains(&status)).then_some(status)
}

fn number(text: &[u8]) -> Option<u64> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}

/// Whether a block changes the dynamic table. Fails on one that ends early, that has more fields
/// than a header may have, or whose size update comes late (RFC 7541, section 4.2).
fn scan(block: &[u8]) -> Result<bool, &'static str> {
    let (mut rest, mut fields, mut is_changing) = (block, 0, false);
    while let Some(first) = rest.first().copied() {
        match first {
            0x80.. => {
                integer(&mut rest, 7)?;
            }
            0x20..0x40 if fields > 0 => return Err("a size update is behind a field"),
            0x20..0x40 => {
                integer(&mut rest, 5)?;
                is_changing = true;
                continue;
            }
            _ => {
                let is_inserted = first & 0x40 > 0;
                is_changing |= is_inserted;
                if integer(&mut rest, if is_inserted { 6 } else { 4 })? == 0 {
                    string(&mut rest)?;
                }
                string(&mut rest)?;
            }
        }
        fields += 1;
        if fields > FIELDS {
            return Err("it has more than 128 fields");
        }
    }
    Ok(is_changing)
}

/// An integer whose first byte has this number of bits of it (RFC 7541, section 5.1).
fn integer(rest: &mut &[u8], bits: u32) -> Result<usize, &'static str> {
    const EARLY: &str = "it ends within an integer";
    let mut next = || {
        let (byte, after) = rest.split_first().ok_or(EARLY)?;
        *rest = after;
        Ok::<usize, &'static str>(usize::from(*byte))
    };
    let most = (1 << bits) - 1;
    let mut value = next()? & most;
    if value < most {
        return Ok(value);
    }
    // Four more bytes are far more than any index or length.
    for shift in [0, 7, 14, 21] {
        let byte = next()?;
        value += (byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("it has an integer of more than five bytes")
}

fn string(rest: &mut &[u8]) -> Result<(), &'static str> {
    let length = integer(rest, 7)?;
    *rest = rest.get(length..).ok_or("it ends within a string")?;
    Ok(())
}
