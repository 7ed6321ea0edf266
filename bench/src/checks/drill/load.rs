//! Clients that do nothing wrong, and keep count.
//!
//! What counts as a loss. A request is *sent* when a client writes it on a connection that the server has neither closed
//! nor announced to close: the client looks right before it writes. Every request that is sent has to be answered, and
//! rightly. There is one exception, of the protocol: what was pipelined behind a request whose answer says
//! `Connection: close` gets no answer (RFC 9112, section 9.6), and is taken from the count, as the client knows to ask
//! again elsewhere.
//!
//! A server can close a kept connection just as the next request is on its way. That is counted as a loss: these clients
//! ask again within microseconds of an answer, so a server that says it closes, or waits a moment for what is on its way,
//! never does it to them.

use std::net::SocketAddr;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::client::{Client, get, get_and_close};

/// Requests that a pipelining client sends in one go.
const BURST: usize = 8;

/// What a client does with its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// It asks again on the same connection.
    Keeps,
    /// It asks for each connection to be closed.
    Closes,
    /// It keeps its connection, and asks several times before it reads.
    Pipelines,
}

/// Clients of every habit.
pub(super) const HABITS: [Habit; 8] = {
    use Habit::{Closes, Keeps, Pipelines};
    [Keeps, Keeps, Keeps, Closes, Closes, Closes, Pipelines, Pipelines]
};

/// What clients and whoever watches them share.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The clients are to stop.
    pub(super) stop: AtomicBool,
    /// Right answers so far, of all clients.
    pub(super) answered: AtomicU64,
}

/// What a client has counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) answered: u64,
    /// Why the first request that was lost is thought lost.
    pub(super) first_loss: Option<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.first_loss = self.first_loss.take().or(other.first_loss);
    }
}

/// Asks as often as it can, until it is told to stop or gets no connection. The latter is an error beside the count.
pub(super) fn load(
    name: usize,
    address: SocketAddr,
    habit: Habit,
    watch: &Watch,
) -> (Tally, anyhow::Result<()>) {
    let mut tally = Tally::default();
    while !watch.stop.load(Ordering::Relaxed) {
        let mut client = match Client::connect(address) {
            Ok(client) => client,
            Err(error) => return (tally, Err(error)),
        };
        while !watch.stop.load(Ordering::Relaxed) && !client.is_closed() {
            match ask(&mut client, name, habit, watch, &mut tally) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tally.first_loss.get_or_insert_with(|| format!("{habit:?}: {error:#}"));
                    break;
                }
            }
        }
    }
    (tally, Ok(()))
}

/// One request or one burst of them, and their answers. Whether the connection can be used again.
fn ask(
    client: &mut Client,
    name: usize,
    habit: Habit,
    watch: &Watch,
    tally: &mut Tally,
) -> anyhow::Result<bool> {
    let count = if habit == Habit::Pipelines { BURST } else { 1 };
    // Each path is asked for once, so that an answer to something else is noticed.
    let paths: Vec<String> =
        (0..count).map(|place| format!("/client/{name}/{}/{place}", tally.sent)).collect();
    let request = if habit == Habit::Closes { get_and_close } else { get };
    let requests: String = paths.iter().map(|path| request(path)).collect();
    tally.sent += u64::try_from(count)?;
    client.send(requests.as_bytes())?;
    for (place, path) in paths.iter().enumerate() {
        let open = client.expect(path)?;
        tally.answered += 1;
        watch.answered.fetch_add(1, Ordering::Relaxed);
        if !open {
            tally.sent -= u64::try_from(count - place - 1)?;
            return Ok(false);
        }
    }
    Ok(habit != Habit::Closes)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// Takes one connection, answers `requests` requests on it, the last with `last` in its head, and closes it. Where that
    /// is none, a request is read all the same.
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

    #[test]
    fn what_is_sent_and_not_answered_is_lost() {
        let close = "Connection: close\r\n";
        let cases = [
            ("all answered, and closed with a word", Habit::Keeps, server(5, close), (5, 5), false),
            ("a burst is cut with a word", Habit::Pipelines, server(11, close), (11, 11), false),
            ("a burst is cut without a word", Habit::Pipelines, server(11, ""), (16, 11), true),
            ("one answer and the end", Habit::Closes, server(1, close), (1, 1), false),
            ("no answer", Habit::Closes, server(0, ""), (1, 0), true),
        ];
        for (name, habit, address, expected, loses) in cases {
            let (tally, end) = load(7, address, habit, &Watch::default());
            assert!(end.is_err(), "{name}: is refused in the end");
            assert_eq!((tally.sent, tally.answered), expected, "{name}: {tally:?}");
            assert_eq!(tally.first_loss.is_some(), loses, "{name}: {tally:?}");
        }
    }
}
