//! Well-behaved clients that count their requests and answers.
//!
//! A request is *sent* when a client writes it on a connection that the server has neither closed
//! nor announced that it will close: the client checks right before it writes. Every request that
//! is sent has to get the right answer; otherwise it is *lost*. The protocols have one exception:
//! requests pipelined behind an answer with `Connection: close` get no answer (RFC 9112, section
//! 9.6), and neither do streams above the last one that GOAWAY names (RFC 9113, section 6.8). Such
//! requests are subtracted from the count, since the client knows that it has to send them again.
//!
//! A server can close a kept connection while the next request is on its way. This counts as a
//! loss. These clients send the next request within microseconds of an answer, so a server that
//! announces the close, or waits a moment for requests on their way, never loses one of their
//! requests.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::connection::Connection;
use super::endpoint::Endpoint;

/// Requests per write of a pipelining client.
const BURST: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionMode {
    /// The client sends the next request on the same connection.
    KeepAlive,
    /// The client asks for each connection to be closed.
    Close,
    /// The client keeps its connection, and sends several requests before it reads: pipelined, or
    /// on streams.
    Pipelined,
}

pub(super) const CLIENT_MODES: [ConnectionMode; 8] = {
    use ConnectionMode::{Close, KeepAlive, Pipelined};
    [KeepAlive, KeepAlive, KeepAlive, Close, Close, Close, Pipelined, Pipelined]
};

/// The state that the clients share with the drill.
#[derive(Debug, Default)]
pub(super) struct LoadState {
    pub(super) stop: AtomicBool,
    /// Right answers to all clients so far.
    pub(super) answered: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct LoadCount {
    pub(super) sent: u64,
    pub(super) answered: u64,
    /// The error of the first lost request.
    pub(super) first_loss: Option<String>,
}

impl AddAssign for LoadCount {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.first_loss = self.first_loss.take().or(other.first_loss);
    }
}

/// Sends requests until it has to stop or cannot connect. Returns the count, and the error of a
/// failed connect.
pub(super) fn load(
    name: usize,
    endpoint: Endpoint,
    mode: ConnectionMode,
    state: &LoadState,
) -> (LoadCount, anyhow::Result<()>) {
    let mut counted = LoadCount::default();
    while !state.stop.load(Ordering::Relaxed) {
        let mut client = match endpoint.connect() {
            Ok(client) => client,
            Err(error) => return (counted, Err(error)),
        };
        while !state.stop.load(Ordering::Relaxed) && client.is_usable() {
            match ask(&mut client, name, mode, state, &mut counted) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    counted.first_loss.get_or_insert_with(|| format!("{mode:?} client: {error:#}"));
                    break;
                }
            }
        }
    }
    (counted, Ok(()))
}

/// Sends a request or a burst, and reads the answers. Returns whether the connection is usable.
fn ask(
    client: &mut Connection,
    name: usize,
    mode: ConnectionMode,
    state: &LoadState,
    counted: &mut LoadCount,
) -> anyhow::Result<bool> {
    let count = if mode == ConnectionMode::Pipelined { BURST } else { 1 };
    // Paths are unique, so that an answer to another request is noticed.
    let paths: Vec<String> =
        (0..count).map(|place| format!("/client/{name}/{}/{place}", counted.sent)).collect();
    counted.sent += u64::try_from(count)?;
    match (mode, paths.as_slice()) {
        (ConnectionMode::Close, [path]) => client.ask_last(path)?,
        (_, paths) => client.ask_all(paths.iter().map(String::as_str))?,
    }
    for path in &paths {
        if client.is_answered(path)? {
            counted.answered += 1;
            state.answered.fetch_add(1, Ordering::Relaxed);
        } else {
            counted.sent -= 1;
        }
    }
    Ok(mode != ConnectionMode::Close)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};

    use super::ConnectionMode::{Close, KeepAlive, Pipelined};
    use super::*;
    use crate::store::record::Protocol;

    /// Accepts a connection, answers `requests` requests (the last with `last`), and closes.
    fn server(requests: usize, last: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(listener);
            let mut asked = String::new();
            for number in 1..=requests.max(1) {
                while !asked.contains("\r\n\r\n") {
                    let mut buffer = [0; 4096];
                    let read = stream.read(&mut buffer).unwrap();
                    asked += std::str::from_utf8(&buffer[..read]).unwrap();
                }
                if number > requests {
                    return;
                }
                let (head, rest) = asked.split_once("\r\n\r\n").unwrap();
                let path = head.split(' ').nth(1).unwrap();
                let body = format!("Hello, visitor! You've requested: {path}\n");
                let extra = if number == requests { last } else { "" };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
                     Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n{extra}\r\n{body}",
                    body.len()
                );
                asked = rest.to_owned();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    /// How the HTTP/2 server ends a connection.
    #[derive(Clone, Copy)]
    enum End {
        /// It sends GOAWAY with the last stream that it has answered.
        GoAway,
        /// It sends GOAWAY without a limit before its last answer, and then the same as `GoAway`.
        GoAwayEarly,
        None,
    }

    /// Accepts an HTTP/2 connection, answers `requests` requests, and ends it.
    fn http2_server(requests: usize, end: End) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(listener);
            stream.read_exact(&mut [0; 24]).unwrap();
            stream.write_all(&frame(4, 0, 0, &[])).unwrap();
            let (mut answered, mut last) = (0, 0);
            while answered < requests {
                let (kind, flags, id, block) = read_frame(&mut stream);
                match (kind, flags) {
                    (4, 0) => stream.write_all(&frame(4, 1, 0, &[])).unwrap(),
                    (1, _) => {
                        (answered, last) = (answered + 1, id);
                        if matches!(end, End::GoAwayEarly) && answered == requests {
                            stream.write_all(&goaway(u32::MAX >> 1)).unwrap();
                        }
                        // The block is `:method` and `:scheme` in one byte each, then `:path` as
                        // plain text.
                        let path = std::str::from_utf8(&block[4..][..usize::from(block[3])]).unwrap();
                        let body = format!("Hello, visitor! You've requested: {path}\n");
                        // `:status: 200` of the static table.
                        let answer = [frame(1, 4, id, &[0x88]), frame(0, 1, id, body.as_bytes())].concat();
                        stream.write_all(&answer).unwrap();
                    }
                    _ => {}
                }
            }
            if !matches!(end, End::None) {
                stream.write_all(&goaway(last)).unwrap();
            }
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            // A close with unread requests would reset what was sent.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        address
    }

    fn goaway(last: u32) -> Vec<u8> {
        frame(7, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    fn read_frame(stream: &mut impl Read) -> (u8, u8, u32, Vec<u8>) {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let mut payload = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        stream.read_exact(&mut payload).unwrap();
        (head[3], head[4], u32::from_be_bytes(head[5..].try_into().unwrap()), payload)
    }

    #[test]
    fn requests_without_an_answer_are_lost() {
        let close = "Connection: close\r\n";
        let cases = [
            ("all answered, and the close announced", KeepAlive, server(5, close), (5, 5), false),
            ("a burst cut by an announced close", Pipelined, server(11, close), (11, 11), false),
            ("a burst cut by a close without notice", Pipelined, server(11, ""), (16, 11), true),
            ("one answer, then the end", Close, server(1, close), (1, 1), false),
            ("no answer", Close, server(0, ""), (1, 0), true),
        ];
        check(Protocol::Http1, cases);
    }

    #[test]
    fn streams_above_the_last_of_a_goaway_are_not_lost() {
        let cases = [
            ("all answered, and the end announced", KeepAlive, http2_server(5, End::GoAway), (5, 5), false),
            ("announced before the last answer", KeepAlive, http2_server(5, End::GoAwayEarly), (5, 5), false),
            ("streams cut by the end", Pipelined, http2_server(11, End::GoAway), (11, 11), false),
            (
                "the same, announced in two steps",
                Pipelined,
                http2_server(11, End::GoAwayEarly),
                (11, 11),
                false,
            ),
            ("streams cut without notice", Pipelined, http2_server(11, End::None), (16, 11), true),
            ("one answer, then the end", Close, http2_server(1, End::GoAway), (1, 1), false),
            ("the next request unanswered", KeepAlive, http2_server(1, End::GoAway), (1, 1), false),
        ];
        check(Protocol::H2c, cases);
    }

    /// A server's behaviour, the client's mode, the requests that are sent and answered, and whether one
    /// is lost.
    type LoadCase = (&'static str, ConnectionMode, SocketAddr, (u64, u64), bool);

    fn check(protocol: Protocol, cases: impl IntoIterator<Item = LoadCase>) {
        for (name, mode, address, expected, loses) in cases {
            let (counted, end) = load(7, Endpoint { address, protocol }, mode, &LoadState::default());
            assert!(end.is_err(), "{name}: the client cannot connect in the end");
            assert_eq!((counted.sent, counted.answered), expected, "{name}: {counted:?}");
            assert_eq!(counted.first_loss.is_some(), loses, "{name}: {counted:?}");
        }
    }
}
