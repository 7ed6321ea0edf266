//! Generated exchanges of HTTP/2: requests as streams of one connection, whose frames are interleaved.

use bench::store::record::Protocol;
use conformance::FrameClient;
use httlib_hpack::Encoder;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::message::{self, Message, Piece};
use super::model;

/// The size of the table that a server must have before its settings are known (RFC 9113, section
/// 6.5.2).
const TABLE: u32 = 4096;

/// Requests on one connection.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    messages: Vec<Message>,
    /// The choices of the next stream, repeated cyclically.
    order: Vec<Index>,
    /// The positions at which the bytes are cut into writes.
    cuts: Vec<Index>,
    /// The parts after which the client waits for the answers that are due.
    waits: Vec<Index>,
}

/// Bytes that are sent without a break, and the stream that ends with them, if any.
struct Part {
    bytes: Vec<u8>,
    ended: Option<u32>,
}

/// Generates exchanges.
pub(crate) fn streams() -> impl Strategy<Value = Streams> {
    let indices = |most| vec(any::<Index>(), 0..most);
    (vec(message::messages(), 1..7), vec(any::<Index>(), 1..12), indices(6), indices(4))
        .prop_map(|(messages, order, cuts, waits)| Streams { messages, order, cuts, waits })
}

impl Streams {
    /// Plays the client, and compares the answers with the model.
    pub(crate) fn play(&self, client: &mut FrameClient, protocol: Protocol) -> Result<(), String> {
        let scheme = if protocol.is_encrypted() { "https" } else { "http" };
        let parts = self.parts(scheme);
        let waits: Vec<usize> = self.waits.iter().map(|wait| wait.index(parts.len())).collect();
        let sent: usize = parts.iter().map(|part| part.bytes.len()).sum();
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut.index(sent)).collect();
        cuts.sort_unstable();
        let (mut bytes, mut begin, mut due) = (Vec::new(), 0, Vec::new());
        for (number, part) in parts.iter().enumerate() {
            bytes.extend_from_slice(&part.bytes);
            due.extend(part.ended);
            if waits.contains(&number) || number + 1 == parts.len() {
                let cuts = cuts.iter().filter_map(|cut| cut.checked_sub(begin));
                write(client, &bytes, cuts.filter(|cut| *cut < bytes.len()));
                begin += bytes.len();
                bytes.clear();
                due.drain(..).try_for_each(|stream| self.check(client, stream))?;
            }
        }
        // The frames that the server sends after the last answer are checked, too.
        client.settle()
    }

    /// The frames in the order in which they are sent.
    fn parts(&self, scheme: &str) -> Vec<Part> {
        let mut encoder = Encoder::with_dynamic_size(TABLE);
        let mut waiting = self.messages.iter().zip((1..).step_by(2)).peekable();
        let mut open: Vec<(u32, std::vec::IntoIter<Piece>)> = Vec::new();
        let mut parts = Vec::new();
        for index in self.order.iter().cycle() {
            // Streams are opened in the order of their numbers (RFC 9113, section 5.1.1).
            let choices = open.len() + usize::from(waiting.peek().is_some());
            if choices == 0 {
                break;
            }
            let at = index.index(choices);
            if at == open.len() {
                let (message, stream) = waiting.next().unwrap();
                open.push((stream, message.pieces(scheme).into_iter()));
            }
            let (stream, pieces) = &mut open[at];
            let piece = pieces.next().unwrap();
            let ends = pieces.as_slice().is_empty();
            parts.push(Part {
                bytes: piece.sent(*stream, ends, &mut encoder),
                ended: ends.then_some(*stream),
            });
            if ends {
                open.remove(at);
            }
        }
        parts
    }

    fn check(&self, client: &mut FrameClient, stream: u32) -> Result<(), String> {
        let message = &self.messages[stream as usize / 2];
        let answer = client.answer(stream).map_err(|wrong| format!("{message:?}: {wrong}"))?;
        match model::mismatch(&message.method, &message.path, &answer) {
            Some(wrong) => Err(format!("{message:?}: {wrong}")),
            None => Ok(()),
        }
    }
}

/// Sends `bytes` in writes that end at `cuts`.
fn write(client: &mut FrameClient, bytes: &[u8], cuts: impl Iterator<Item = usize>) {
    let mut begin = 0;
    for cut in cuts.chain([bytes.len()]) {
        client.send(&bytes[begin..cut]);
        begin = cut;
    }
}
