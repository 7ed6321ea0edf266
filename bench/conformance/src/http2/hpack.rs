//! Field blocks (RFC 7541). The client makes them byte by byte, since most cases are about single
//! bytes; answers are read by `httlib-hpack`.

/// Indices of the static table (RFC 7541, appendix A).
pub(super) mod index {
    pub(in super::super) const AUTHORITY: u8 = 1;
    pub(in super::super) const METHOD_GET: u8 = 2;
    pub(in super::super) const METHOD: u8 = 2;
    pub(in super::super) const PATH: u8 = 4;
    pub(in super::super) const SCHEME_HTTP: u8 = 6;
    pub(in super::super) const SCHEME_HTTPS: u8 = 7;
    /// The newest entry of the dynamic table, after the 61 static ones.
    pub(in super::super) const NEWEST: u8 = 62;
}

/// First bits of the representations (RFC 7541, section 6).
pub(super) mod form {
    pub(in super::super) const INDEXED: u8 = 0x80;
    pub(in super::super) const INCREMENTAL: u8 = 0x40;
    pub(in super::super) const SIZE_UPDATE: u8 = 0x20;
    pub(in super::super) const NEVER: u8 = 0x10;
    pub(in super::super) const PLAIN: u8 = 0;
}

/// The bit before the length of a string that is Huffman-coded.
pub(super) const HUFFMAN: u8 = 0x80;

/// Encodes a number in the last `bits` bits of `first` and further bytes (RFC 7541, section 5.1).
pub(super) fn integer(first: u8, bits: u32, value: usize) -> Vec<u8> {
    let most = (1_usize << bits) - 1;
    if value < most {
        return vec![first | low_byte(value)];
    }
    let (mut bytes, mut rest) = (vec![first | low_byte(most)], value - most);
    while rest >= 128 {
        bytes.push(low_byte(rest % 128) | 0x80);
        rest /= 128;
    }
    bytes.push(low_byte(rest));
    bytes
}

fn low_byte(value: usize) -> u8 {
    value.to_le_bytes()[0]
}

/// A string that is not Huffman-coded (RFC 7541, section 5.2).
pub(super) fn string(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&integer(0, 7, bytes.len())[..], bytes].concat()
}

/// A field that is an entry of a table.
pub(super) fn indexed(index: u8) -> Vec<u8> {
    integer(form::INDEXED, 7, usize::from(index))
}

/// A field whose name is an entry of a table, and whose value is literal.
pub(super) fn named(form: u8, index: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let bits = if form == form::INCREMENTAL { 6 } else { 4 };
    [integer(form, bits, usize::from(index)), string(value)].concat()
}

/// A field whose name and value are literal.
pub(super) fn literal(form: u8, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Vec<u8> {
    [vec![form], string(name), string(value)].concat()
}

/// A literal field that is not added to the dynamic table.
pub(super) fn field(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Vec<u8> {
    literal(form::PLAIN, name, value)
}

/// Several literal fields that are not added to the dynamic table.
pub(super) fn fields<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// A new size of the dynamic table (RFC 7541, section 6.3).
pub(super) fn size_update(size: usize) -> Vec<u8> {
    integer(form::SIZE_UPDATE, 5, size)
}

/// A name and its value, as they were sent.
pub(super) type HeaderField = (Vec<u8>, Vec<u8>);

/// Reads the field blocks of a connection's answers.
pub(super) struct Decoder(httlib_hpack::Decoder<'static>);

impl Decoder {
    pub(super) fn with_table(size: u32) -> Self {
        Self(httlib_hpack::Decoder::with_dynamic_size(size))
    }

    /// The fields of a block, names and values as they were sent.
    pub(super) fn decode(&mut self, block: &[u8]) -> Result<Vec<HeaderField>, String> {
        // The library reads only whole blocks.
        if !is_whole(block) {
            return Err("cut off, or an integer that is too large".into());
        }
        let (mut rest, mut fields) = (block.to_vec(), Vec::new());
        self.0.decode(&mut rest, &mut fields).map_err(|error| format!("{error:?}"))?;
        Ok(fields.into_iter().map(|(name, value, _)| (name, value)).collect())
    }
}

/// Whether a block ends with the end of a field, and none of its integers is too large.
fn is_whole(mut block: &[u8]) -> bool {
    while let Some(first) = block.first() {
        let (bits, strings) = match first {
            0x80.. => (7, 0),
            0x40.. => (6, 1),
            0x20.. => (5, 0),
            _ => (4, 1),
        };
        let Some((index, rest)) = split_integer(block, bits) else { return false };
        block = rest;
        // A literal name comes before the value.
        let strings = if strings == 1 && index == 0 { 2 } else { strings };
        for _ in 0..strings {
            let Some((length, rest)) = split_integer(block, 7) else { return false };
            let Some(rest) = rest.get(length..) else { return false };
            block = rest;
        }
    }
    true
}

/// Decodes the number in the last `bits` bits of the first byte and the bytes after it. Returns it
/// and the rest; `None` when it is cut off or too large.
pub(super) fn split_integer(bytes: &[u8], bits: u32) -> Option<(usize, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let most = (1_usize << bits) - 1;
    let mut value = usize::from(*first) & most;
    if value == most {
        // At most four further bytes are read.
        for shift in [0, 7, 14, 21] {
            let (byte, after) = rest.split_first()?;
            rest = after;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((value, rest));
            }
        }
        return None;
    }
    Some((value, rest))
}
