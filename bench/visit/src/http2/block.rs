//! The header of an answer (RFC 9113, section 8.3.2), compressed by HPACK (RFC 7541).
//!
//! Within a second all answers have the same header, and once its fields are in the dynamic table,
//! the same few bytes. So the last right block of each target is kept, with the generation of the
//! table: equal bytes in the same generation have the same fields. Each block that changes the
//! table increments the generation.
//!
//! A server may also insert the same fields repeatedly, and never refer to them (nginx does). A
//! block that refers to nothing in the table has the same fields whatever the table holds. Its
//! repetitions are only counted until another block arrives, which brings the table up to date.
//! Once repetitions fill the table, further ones do not change it, so only a few have to be
//! decoded.
//!
//! `httlib-hpack` decodes all other blocks. It accepts only whole blocks, so [`scan`] first refuses
//! a block that ends early.

use httlib_hpack::Decoder;

use super::fault::{Fault, code};
use super::settings::HEADER_TABLE;

/// The maximum number of fields, as for HTTP/1.1. Few bytes may stand for many long fields.
const FIELDS: usize = 128;

/// The last index of the static table (RFC 7541, appendix A).
const STATIC: usize = 61;

/// The size of a field in the table in addition to its bytes (RFC 7541, section 4.1).
const OVERHEAD: usize = 32;

/// Fields that belong to a connection of HTTP/1.1 (RFC 9113, section 8.2.2).
const OF_HTTP_1: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// A field as it was decoded: its name, its value, and how it was encoded.
type Decoded = (Vec<u8>, Vec<u8>, u8);

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
    /// The target whose block was repeated since the last decoded one, and how many times.
    repeated: (usize, u64),
}

#[derive(Clone)]
struct Known {
    /// The bytes of the block; empty before the first one.
    block: Vec<u8>,
    /// The generation of the table in which the block has this header.
    generation: u64,
    /// The size of the fields that the block inserts into the table, if it refers to nothing in the
    /// table. Otherwise 0, and the block inserts nothing.
    inserted: usize,
    header: Header,
}

/// How a block uses the dynamic table.
#[derive(Clone, Copy, Default)]
struct Use {
    /// Whether the block inserts fields, or changes the size of the table.
    is_changing: bool,
    /// Whether the block changes the size of the table.
    is_resizing: bool,
    /// Whether the block refers to a field in the table.
    is_referring: bool,
}

impl Blocks {
    pub(super) fn new(targets: usize) -> Self {
        let header = Header { status: 0, length: None };
        let known = Known { block: Vec::new(), generation: 0, inserted: 0, header };
        let decoder = Decoder::with_dynamic_size(HEADER_TABLE);
        Self { decoder, generation: 0, known: vec![known; targets], repeated: (0, 0) }
    }

    /// Prepares for another connection: empties the dynamic table, and forgets all blocks.
    pub(super) fn reset(&mut self) {
        self.decoder = Decoder::with_dynamic_size(HEADER_TABLE);
        self.known.iter_mut().for_each(|known| known.block.clear());
        self.repeated = (0, 0);
    }

    /// Forgets which blocks were right, but keeps the table.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn forget(&mut self) {
        // The fields that the blocks have inserted are so far only counted.
        let caught_up = self.catch_up();
        assert_eq!(caught_up, Ok(()), "what could be decoded before");
        self.known.iter_mut().for_each(|known| known.block.clear());
    }

    /// Reads the header of an answer to a request for the target with this index.
    pub(super) fn header(&mut self, block: &[u8], target: usize) -> Result<Header, Fault> {
        let known = &self.known[target];
        if known.block == block && !block.is_empty() {
            let header = known.header;
            if known.inserted > 0 {
                self.repeat(target)?;
                return Ok(header);
            }
            if known.generation == self.generation {
                return Ok(header);
            }
        }
        let (fields, used) = self.fields(block)?;
        let header = header(&fields).map_err(|wrong| wrong_header(&wrong, &fields))?;
        let is_constant = !used.is_referring && !used.is_resizing;
        if (is_constant || !used.is_changing) && header.status >= 200 {
            let known = &mut self.known[target];
            let inserted = fields.iter().filter(|(.., flags)| flags & Decoder::WITH_INDEXING != 0);
            known.inserted = inserted.map(|(name, value, _)| name.len() + value.len() + OVERHEAD).sum();
            (known.generation, known.header) = (self.generation, header);
            known.block.clear();
            known.block.extend_from_slice(block);
        }
        Ok(header)
    }

    /// Counts a block that inserts the same fields again.
    fn repeat(&mut self, target: usize) -> Result<(), Fault> {
        if self.repeated.0 != target {
            self.catch_up()?;
        }
        self.repeated = (target, self.repeated.1 + 1);
        self.generation += 1;
        Ok(())
    }

    /// Inserts the fields of blocks that were only counted.
    fn catch_up(&mut self) -> Result<(), Fault> {
        let (target, times) = std::mem::take(&mut self.repeated);
        let Known { block, inserted, .. } = &self.known[target];
        // Once the table is full, further repetitions do not change it.
        let enough = HEADER_TABLE as usize / (*inserted).max(1) + 1;
        for _ in 0..times.min(enough as u64) {
            let decoded = self.decoder.decode(&mut block.clone(), &mut Vec::new());
            // The block could be decoded before.
            decoded.map_err(|error| Fault::new(code::COMPRESSION_ERROR, format!("{error:?}")))?;
        }
        Ok(())
    }

    /// Reads the fields after a body.
    pub(super) fn trailer(&mut self, block: &[u8]) -> Result<(), Fault> {
        let (fields, _) = self.fields(block)?;
        match fields.iter().find(|(name, ..)| name.starts_with(b":")) {
            Some(_) => Err(wrong_header("a trailer has a pseudo-field", &fields)),
            None => check_fields(&fields).map_err(|wrong| wrong_header(&wrong, &fields)),
        }
    }

    /// Reads a block that belongs to no request any more, since it may change the table.
    pub(super) fn skip(&mut self, block: &[u8]) -> Result<(), Fault> {
        self.fields(block).map(|_| ())
    }

    /// Decodes all fields of a block, and finds how it uses the dynamic table.
    fn fields(&mut self, block: &[u8]) -> Result<(Vec<Decoded>, Use), Fault> {
        let wrong = |why: String| {
            let block = block[..block.len().min(80)].escape_ascii();
            Fault::new(code::COMPRESSION_ERROR, format!("a header cannot be decoded: {why}; got \"{block}\""))
        };
        let used = scan(block).map_err(|why| wrong(why.into()))?;
        self.catch_up()?;
        let mut fields = Vec::new();
        let mut rest = block.to_vec();
        self.decoder.decode(&mut rest, &mut fields).map_err(|error| wrong(format!("{error:?}")))?;
        self.generation += u64::from(used.is_changing);
        Ok((fields, used))
    }
}

fn wrong_header(wrong: &str, fields: &[Decoded]) -> Fault {
    let line = |(name, value, _): &Decoded| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
    let mut shown = fields.iter().map(line).collect::<Vec<_>>().join(", ");
    if let Some((end, _)) = shown.char_indices().nth(300) {
        shown.truncate(end);
        shown.push('…');
    }
    Fault::protocol(format!("{wrong}; got \"{shown}\""))
}

/// Reads the header of an answer from its fields. A 200 has to have Content-Type and Date.
fn header(fields: &[Decoded]) -> Result<Header, String> {
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

/// Fails unless names are in lower case, values have no line ends, zeros or surrounding spaces, and
/// no field belongs to HTTP/1.1 (RFC 9113, section 8.2).
fn check_fields(fields: &[Decoded]) -> Result<(), String> {
    for (name, value, _) in fields {
        let shown = name.escape_ascii();
        let is_name = |byte: &u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && *byte != b':';
        if name.is_empty() || !name.iter().all(is_name) {
            return Err(format!("its field \"{shown}\" has a malformed name"));
        }
        let is_space = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let is_forbidden = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        if value.iter().any(is_forbidden) || is_space(value.first()) || is_space(value.last()) {
            return Err(format!("its field \"{shown}\" has a malformed value"));
        }
        if OF_HTTP_1.iter().any(|other| other.as_bytes() == name) {
            return Err(format!("its field \"{shown}\" belongs to HTTP/1.1"));
        }
    }
    Ok(())
}

fn values<'a>(fields: &'a [Decoded], name: &str) -> Vec<&'a [u8]> {
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

/// Finds how a block uses the dynamic table. Fails on a block that ends early, has too many fields
/// for a header, or changes the size after a field (RFC 7541, section 4.2).
fn scan(block: &[u8]) -> Result<Use, &'static str> {
    let (mut rest, mut fields, mut used) = (block, 0, Use::default());
    while let Some(first) = rest.first().copied() {
        match first {
            0x80.. => {
                used.is_referring |= integer(&mut rest, 7)? > STATIC;
            }
            0x20..0x40 if fields > 0 => return Err("a size update is behind a field"),
            0x20..0x40 => {
                integer(&mut rest, 5)?;
                (used.is_changing, used.is_resizing) = (true, true);
                continue;
            }
            _ => {
                let is_inserted = first & 0x40 > 0;
                used.is_changing |= is_inserted;
                let name = integer(&mut rest, if is_inserted { 6 } else { 4 })?;
                used.is_referring |= name > STATIC;
                if name == 0 {
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
    Ok(used)
}

/// Reads an integer whose first byte has this number of bits of it (RFC 7541, section 5.1).
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

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    /// A literal without indexing.
    fn field(name: &str, value: &str) -> Vec<u8> {
        let string = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        [vec![0], string(name), string(value)].concat()
    }

    /// A field that enters the table.
    fn inserted(name: &str, value: &str) -> Vec<u8> {
        let mut field = field(name, value);
        field[0] = 0x40;
        field
    }

    /// A right header, with more fields after it.
    fn right(more: &[u8]) -> Vec<u8> {
        [&[0x88], field("content-type", "text/plain").as_slice(), &field("date", DATE), more].concat()
    }

    #[test]
    fn a_header_is_checked_whole() {
        let (status, length) = (|status| field(":status", status), |length| field("content-length", length));
        let kind = field("content-type", "text/plain");
        let ok = |status, length| Ok(Header { status, length });
        let cases: [(&str, Vec<u8>, Result<Header, &str>); 28] = [
            ("right", right(&[]), ok(200, None)),
            ("with a length", right(&length("37")), ok(200, Some(37))),
            ("an empty field", right(&field("a", "")), ok(200, None)),
            ("another status", status("503"), ok(503, None)),
            ("an interim one", status("103"), ok(103, None)),
            ("nothing", vec![], Err("does not begin with :status")),
            ("no status", kind.clone(), Err("does not begin with :status")),
            ("a late status", [kind.clone(), status("503")].concat(), Err("does not begin with :status")),
            ("two statuses", right(&[0x88]), Err("the pseudo-field :status")),
            ("a pseudo-field of a request", right(&[0x82]), Err("the pseudo-field :method")),
            ("a short status", status("20"), Err("not a number from 100 to 599")),
            ("a long status", status("0200"), Err("not a number from 100 to 599")),
            ("a large status", status("600"), Err("not a number from 100 to 599")),
            ("a status with a sign", status("+20"), Err("not a number from 100 to 599")),
            ("a status of HTTP/1.1", status("101"), Err("the status is 101")),
            ("no type", [vec![0x88], field("date", DATE)].concat(), Err("no Content-Type")),
            ("an empty type", right(&kind), Err("no Content-Type, or several")),
            ("no date", [vec![0x88], kind.clone()].concat(), Err("no Date")),
            ("two dates", right(&field("date", DATE)), Err("no Date like")),
            ("two lengths", right(&[length("3"), length("3")].concat()), Err("several Content-Length")),
            ("a length with a sign", right(&length("+3")), Err("Content-Length is not a number")),
            ("no length", right(&length("")), Err("Content-Length is not a number")),
            ("upper case", right(&field("A", "b")), Err("\"A\" has a malformed name")),
            ("no name", right(&field("", "b")), Err("\"\" has a malformed name")),
            ("a space behind", right(&field("a", "b ")), Err("\"a\" has a malformed value")),
            ("a line feed", right(&field("a", "b\nc")), Err("\"a\" has a malformed value")),
            ("a connection", right(&field("connection", "close")), Err("belongs to HTTP/1.1")),
            ("a coding", right(&field("transfer-encoding", "chunked")), Err("belongs to HTTP/1.1")),
        ];
        for (name, block, expected) in cases {
            let mut blocks = Blocks::new(1);
            // In the second round the block may be known.
            for _ in 0..2 {
                match (blocks.header(&block, 0), expected) {
                    (Ok(header), Ok(expected)) => assert_eq!(header, expected, "{name}"),
                    (Err(fault), Err(expected)) => {
                        assert!(fault.text.contains(expected), "{name}: {fault:?}");
                    }
                    (got, _) => panic!("{name}: {got:?}"),
                }
            }
        }
    }

    #[test]
    fn a_block_is_known_only_with_the_same_table() {
        let mut blocks = Blocks::new(2);
        let date = inserted("date", DATE);
        let begin = [&[0x88], field("content-type", "text/plain").as_slice()].concat();
        let indexed = [begin.as_slice(), &[0xbe]].concat();
        let header = Header { status: 200, length: None };
        let compression = |blocks: &mut Blocks| blocks.header(&indexed, 0).unwrap_err().code;
        assert_eq!(compression(&mut blocks), code::COMPRESSION_ERROR, "the table is empty");
        let mut blocks = Blocks::new(2);
        assert_eq!(blocks.header(&[begin.as_slice(), &date].concat(), 0), Ok(header));
        for target in [0, 0, 1, 1] {
            assert_eq!(blocks.header(&indexed, target), Ok(header));
        }
        // Now the index belongs to another field, on any stream.
        blocks.skip(&inserted("x", "y")).unwrap();
        assert!(blocks.header(&indexed, 0).unwrap_err().text.contains("no Date"));
        assert_eq!(blocks.header(&[begin.as_slice(), &[0xbf]].concat(), 0), Ok(header));
        // A size update empties the table.
        blocks.skip(b"\x20").unwrap();
        assert_eq!(blocks.header(&indexed, 1).unwrap_err().code, code::COMPRESSION_ERROR);
        blocks.reset();
        assert_eq!(blocks.header(&[begin.as_slice(), &date].concat(), 0), Ok(header));
        assert_eq!(blocks.header(&indexed, 0), Ok(header));
    }

    #[test]
    fn what_inserts_the_same_again_is_known() {
        let constant = right(&inserted("x", "y"));
        let size = 1 + 1 + OVERHEAD;
        let fits = HEADER_TABLE as usize / size;
        for times in [1, 2, 5, fits - 1, fits, fits + 1, 10 * fits] {
            let (mut blocks, mut slow) = (Blocks::new(2), Blocks::new(2));
            for count in 0..times {
                let header = blocks.header(&constant, 0);
                assert_eq!(header, Ok(Header { status: 200, length: None }), "{count} of {times}");
                slow.skip(&constant).unwrap();
            }
            // The newest field has index 62, and the oldest field the highest index in the table.
            let count = times.min(fits);
            for (index, is_there) in [(62, true), (61 + count, true), (62 + count, false)] {
                let mut field = vec![0x80 | 0x7f];
                let more = index.wrapping_sub(0x7f);
                match (index < 0x7f, more < 0x80) {
                    (true, _) => field = vec![0x80 | u8::try_from(index).unwrap()],
                    (_, true) => field.push(u8::try_from(more).unwrap()),
                    _ => field.extend([
                        u8::try_from(more & 0x7f | 0x80).unwrap(),
                        u8::try_from(more >> 7).unwrap(),
                    ]),
                }
                for blocks in [&mut blocks, &mut slow] {
                    assert_eq!(blocks.skip(&field).is_ok(), is_there, "{index} after {times}");
                }
            }
        }
        // Blocks of two targets alternate, and another block refers to their fields.
        let (other, mut blocks) = (right(&inserted("z", "y")), Blocks::new(2));
        for _ in 0..5 {
            blocks.header(&constant, 0).unwrap();
            blocks.header(&other, 1).unwrap();
        }
        let names = blocks.fields(b"\xbe\xbf\xc0").unwrap().0.into_iter().map(|(name, ..)| name);
        assert_eq!(names.collect::<Vec<_>>(), [b"z", b"x", b"z"]);
        // A block that refers to the table is not right because of its bytes alone.
        let referring = [right(&[]).as_slice(), b"\xbe", &inserted("a", "b")].concat();
        blocks.header(&referring, 0).unwrap();
        blocks.header(&referring, 0).unwrap();
        blocks.reset();
        assert!(blocks.header(&referring, 0).is_err());
    }

    #[test]
    fn strings_may_be_compressed() {
        // RFC 7541, appendix C.6.1. Its table of 256 bytes does not matter here.
        let block = b"\x48\x82\x64\x02\x58\x85\xae\xc3\x77\x1a\x4b\x61\x96\xd0\x7a\xbe\x94\x10\x54\xd4\x44\
                      \xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff\x6e\x91\x9d\x29\xad\x17\x18\
                      \x63\xc7\x8f\x0b\x97\xc8\xe9\xae\x82\xae\x43\xd3";
        let mut blocks = Blocks::new(1);
        assert_eq!(blocks.header(block, 0), Ok(Header { status: 302, length: None }));
        let (fields, _) = blocks.fields(b"\xc0\xbf").unwrap();
        let fields: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value, _)| (&**name, &**value)).collect();
        let date: &[u8] = b"Mon, 21 Oct 2013 20:13:21 GMT";
        assert_eq!(fields, [(&b"cache-control"[..], &b"private"[..]), (b"date", date)]);
    }

    #[test]
    fn a_damaged_block_is_an_error() {
        let many = [vec![0x88; 128], vec![0x88]].concat();
        let cases: [(&[u8], &str); 8] = [
            (b"\xff\x80\x80\x80\x80\x01", "more than five bytes"),
            (b"\x80", "InvalidIndex"),
            (b"\xbe", "InvalidIndex"),
            (b"\x00\x01", "ends within a string"),
            (b"\x00\x01a\x05b", "ends within a string"),
            (b"\x88\x20", "a size update is behind a field"),
            (b"\x3f\xe2\x1f", "InvalidMaxDynamicSize"),
            (&many, "more than 128 fields"),
        ];
        for (block, expected) in cases {
            let fault = Blocks::new(1).header(block, 0).unwrap_err();
            assert!(fault.text.contains(expected), "{}: {fault:?}", block.escape_ascii());
            assert_eq!(fault.code, code::COMPRESSION_ERROR, "{}", block.escape_ascii());
        }
    }

    /// `integer` and `string` read each part of a block. As whole blocks these bytes would be
    /// harmless: indices of the tables, a field whose value is empty or too long, or nothing.
    #[test]
    fn what_is_cut_off_is_an_error() {
        const EARLY: &str = "it ends within an integer";
        let integers: [(&[u8], u32, Result<usize, &str>); 6] = [
            (b"\x9f\x9a\x0a\x00", 5, Ok(1337)),
            (b"\x9e", 5, Ok(30)),
            (b"\x9f", 5, Err(EARLY)),
            (b"\x9f\x9a", 5, Err(EARLY)),
            (b"\x8f\x81\x82", 4, Err(EARLY)),
            (b"", 7, Err(EARLY)),
        ];
        for (bytes, bits, expected) in integers {
            assert_eq!(integer(&mut &bytes[..], bits), expected, "{}", bytes.escape_ascii());
        }
        assert_eq!(string(&mut &b"\x02a"[..]), Err("it ends within a string"));
        assert_eq!(string(&mut &b""[..]), Err(EARLY));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut state = 1_u64;
        let mut random = |below: usize| {
            // Knuth's linear congruential generator, whose high bits are good enough.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let whole = right(&inserted("a", "b"));
        for round in 0..50_000 {
            let mut blocks = Blocks::new(1);
            for _ in 0..4 {
                let mut block = if round % 2 == 0 { vec![0; random(40)] } else { whole.clone() };
                let changes = if round % 2 == 0 { block.len() } else { 1 + random(4) };
                for change in 0..changes {
                    let at = if round % 2 == 0 { change } else { random(block.len()) };
                    block[at] = u8::try_from(random(256)).unwrap();
                }
                if blocks.header(&block, 0).is_err() && blocks.trailer(&block).is_err() {
                    break;
                }
            }
        }
    }
}
