//! Generated well-formed requests of HTTP/2 (RFC 9113, section 8), and their frames.

use httlib_hpack::Encoder;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::request::{contents, extension_names, methods, paths, queries, values};

/// Types of frames, and their flags (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// The length of the shortest fragment of a field block that is cut. Servers limit the number of
/// CONTINUATION frames, or refuse them if fewer would be enough.
const FRAGMENT: usize = 16;

/// A request, and the properties on which its answer depends.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: String,
    /// The path that the answer has to name.
    pub(crate) path: String,
    /// `:path` and `:authority`.
    target: String,
    authority: String,
    /// The other fields, in order.
    fields: Vec<(String, String)>,
    layout: Layout,
    /// DATA frames, each with the length of its padding.
    content: Vec<(Vec<u8>, Option<u8>)>,
    /// Trailers, and how they are laid out.
    trailers: Option<(Vec<(String, String)>, Layout)>,
}

/// How a field block is encoded and framed.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The encodings of the fields, repeated cyclically.
    forms: Vec<u8>,
    /// The positions at which the block is cut into frames.
    cuts: Vec<Index>,
    padding: Option<u8>,
    /// Whether its frame has a priority, which has no effect.
    has_priority: bool,
}

/// A part of a message that no frame of another stream may interrupt.
pub(crate) enum Piece {
    Block(Vec<(String, String)>, Layout),
    Data(Vec<u8>, Option<u8>),
}

/// Generates requests within the rules and the limits.
pub(crate) fn messages() -> impl Strategy<Value = Message> {
    let authority = select(vec!["h", "a.example:8080", "[::1]:80", "127.0.0.1"]);
    let target = (paths(), option::of(queries()))
        .prop_map(|(path, query)| (format!("{path}{}", query.unwrap_or_default()), path));
    let asked = prop_oneof![
        20 => (methods(), target).prop_map(|(method, (target, path))| (method, target, path)),
        1 => Just(("OPTIONS".to_owned(), "*".to_owned(), String::new())),
    ];
    let content = vec((prop_oneof![6 => contents(), 1 => Just(Vec::new())], padding()), 0..4);
    let content = prop_oneof![2 => Just(Vec::new()), 3 => content];
    let trailer = (extension_names().prop_map(|name| name.to_ascii_lowercase()), values());
    let trailers = option::weighted(0.2, (vec(trailer, 0..3), layout()));
    let says = (any::<bool>(), prop::bool::weighted(0.2), any::<Index>());
    let parts = (asked, authority, vec(field(), 0..8), layout(), content, trailers, says);
    parts.prop_map(|((method, target, path), authority, mut fields, layout, content, trailers, says)| {
        let (has_length, expects, place) = says;
        let length: usize = content.iter().map(|(data, _)| data.len()).sum();
        let length = (has_length && length > 0).then(|| ("content-length".to_owned(), length.to_string()));
        let expectation = expects.then(|| ("expect".to_owned(), "100-continue".to_owned()));
        for field in length.into_iter().chain(expectation) {
            fields.insert(place.index(fields.len() + 1), field);
        }
        let authority = authority.to_owned();
        Message { method, path, target, authority, fields, layout, content, trailers }
    })
}

/// A field that has no effect.
fn field() -> impl Strategy<Value = (String, String)> {
    let known = vec!["accept", "user-agent", "cookie", "content-type", "range"];
    let name = prop_oneof![
        select(known).prop_map(str::to_owned),
        extension_names().prop_map(|name| name.to_ascii_lowercase()),
    ];
    prop_oneof![9 => (name, values()), 1 => Just(("te".to_owned(), "trailers".to_owned()))]
}

fn layout() -> impl Strategy<Value = Layout> {
    let forms = vec(0..=Encoder::BEST_FORMAT * 2 - 1, 1..6);
    let cuts = prop_oneof![3 => Just(Vec::new()), 1 => vec(any::<Index>(), 1..4)];
    (forms, cuts, padding(), prop::bool::weighted(0.1))
        .prop_map(|(forms, cuts, padding, has_priority)| Layout { forms, cuts, padding, has_priority })
}

fn padding() -> impl Strategy<Value = Option<u8>> {
    option::weighted(0.2, any::<u8>())
}

impl Message {
    /// The parts of the message, in order. The last one ends the stream.
    pub(crate) fn pieces(&self, scheme: &str) -> Vec<Piece> {
        let pseudo = [
            (":method", self.method.as_str()),
            (":scheme", scheme),
            (":path", &self.target),
            (":authority", &self.authority),
        ];
        let mut fields: Vec<(String, String)> =
            pseudo.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        fields.extend_from_slice(&self.fields);
        let mut pieces = vec![Piece::Block(fields, self.layout.clone())];
        pieces.extend(self.content.iter().map(|(data, padding)| Piece::Data(data.clone(), *padding)));
        pieces.extend(self.trailers.clone().map(|(fields, layout)| Piece::Block(fields, layout)));
        pieces
    }
}

impl Piece {
    /// The frames of the part. A field block changes the table of the connection, so frames have to
    /// be made in the order in which they are sent.
    pub(crate) fn sent(&self, stream: u32, ends: bool, encoder: &mut Encoder) -> Vec<u8> {
        let end = if ends { END_STREAM } else { 0 };
        match self {
            Self::Data(data, padding) => padded(DATA, end, stream, &[], data, *padding),
            Self::Block(fields, layout) => layout.frames(end, stream, &layout.encode(fields, encoder)),
        }
    }
}

impl Layout {
    fn encode(&self, fields: &[(String, String)], encoder: &mut Encoder) -> Vec<u8> {
        let mut block = Vec::new();
        for ((name, value), form) in fields.iter().zip(self.forms.iter().cycle()) {
            let field = (name.clone().into_bytes(), value.clone().into_bytes(), *form);
            encoder.encode(field, &mut block).unwrap();
        }
        block
    }

    fn frames(&self, end: u8, stream: u32, block: &[u8]) -> Vec<u8> {
        let fragments = block.len() / FRAGMENT;
        let cut = |cut: &Index| FRAGMENT * (1 + cut.index(fragments - 1));
        let mut cuts: Vec<usize> = self.cuts.iter().filter(|_| fragments > 1).map(cut).collect();
        cuts.push(block.len());
        cuts.sort_unstable();
        cuts.dedup();
        let mut begin = 0;
        let mut frames = Vec::new();
        for cut in cuts {
            let ends = if cut == block.len() { END_HEADERS } else { 0 };
            let fragment = &block[begin..cut];
            frames.extend(if begin > 0 {
                frame(CONTINUATION, ends, stream, fragment)
            } else if self.has_priority {
                padded(HEADERS, end | ends | PRIORITY, stream, &[0, 0, 0, 0, 15], fragment, self.padding)
            } else {
                padded(HEADERS, end | ends, stream, &[], fragment, self.padding)
            });
            begin = cut;
        }
        frames
    }
}

/// A frame, whose payload is padded if `padding` is a length.
fn padded(kind: u8, flags: u8, stream: u32, before: &[u8], content: &[u8], padding: Option<u8>) -> Vec<u8> {
    match padding {
        None => frame(kind, flags, stream, &[before, content].concat()),
        Some(length) => {
            let zeros = vec![0; usize::from(length)];
            frame(kind, flags | PADDED, stream, &[&[length], before, content, &zeros].concat())
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}
