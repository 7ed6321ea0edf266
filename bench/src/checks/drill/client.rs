//! A client's side of a connection: raw bytes over a real socket, and no wait without a bound.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use nix::sys::socket::{MsgFlags, recv};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use conformance::{Answer, Response, parse};

/// How long to wait for what has to come. Only a server that is wrong takes so long.
pub(super) const BOUND: Duration = Duration::from_secs(10);

/// Addresses of the loopback interface that clients connect from in turn. A port is taken for a while after its
/// connection, and an address has 28,000 of them.
const SOURCES: usize = 16;

/// A connection.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// What came, of answers that have not been read out of it.
    unread: Vec<u8>,
    ended: bool,
}

/// A request for `path` that keeps its connection.
pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

/// A request for `path` that asks for its connection to be closed.
pub(super) fn get_and_close(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
}

/// An error unless the server gives a right answer on a new connection.
pub(super) fn check_answers(address: SocketAddr) -> anyhow::Result<()> {
    let mut client = Client::connect(address)?;
    client.send(get_and_close("/still/here").as_bytes())?;
    client.expect("/still/here")?;
    Ok(())
}

impl Client {
    /// Connects.
    pub(super) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        Self::connect_with(address, |_| Ok(()))
    }

    /// Connects as the client of this number, one of many: each has an address of its own, more or less.
    pub(super) fn connect_from(number: usize, address: SocketAddr) -> anyhow::Result<Self> {
        // From 127.0.0.2, as 127.0.0.1 is everybody's.
        let last = u8::try_from(number % SOURCES)? + 2;
        let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
        Self::connect_with(address, |socket| socket.bind(&source.into()))
    }

    /// Connects a socket that has been made ready by `prepare`.
    pub(super) fn connect_with(
        address: SocketAddr,
        prepare: impl FnOnce(&Socket) -> std::io::Result<()>,
    ) -> anyhow::Result<Self> {
        let open = || {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
            prepare(&socket)?;
            socket.connect_timeout(&address.into(), BOUND)?;
            socket.set_tcp_nodelay(true)?;
            socket.set_read_timeout(Some(BOUND))?;
            socket.set_write_timeout(Some(BOUND))?;
            std::io::Result::Ok(socket.into())
        };
        let stream = open().context("cannot connect")?;
        Ok(Self { stream, unread: Vec::new(), ended: false })
    }

    /// Sends all of `bytes`.
    pub(super) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                anyhow!("the server takes nothing for {} s", BOUND.as_secs())
            }
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => anyhow!("the server has closed"),
            _ => anyhow::Error::new(error).context("cannot send"),
        })
    }

    /// Asks for `path` on a connection that is to be kept.
    pub(super) fn ask(&mut self, path: &str) -> anyhow::Result<()> {
        self.send(get(path).as_bytes())
    }

    /// Reads an answer, which has to be the greeting for `path`. Whether the connection stays open after it.
    pub(super) fn expect(&mut self, path: &str) -> anyhow::Result<bool> {
        let response = self.answer()?;
        match Answer::greeting(path).wrong(&response) {
            Some(wrong) => bail!("a wrong answer for {path}: {wrong}"),
            None => Ok(!response.closes()),
        }
    }

    /// The next answer, whatever it is.
    pub(super) fn answer(&mut self) -> anyhow::Result<Response> {
        loop {
            if let Some((response, length)) =
                parse(&self.unread, false, self.ended).map_err(anyhow::Error::msg)?
            {
                self.unread.drain(..length);
                return Ok(response);
            }
            ensure!(!self.ended, "the server closed without an answer");
            self.read_more()?;
        }
    }

    /// Nothing may come but the end of the stream.
    pub(super) fn expect_end(&mut self) -> anyhow::Result<()> {
        while !self.ended {
            self.read_more().context("waiting for the end")?;
        }
        ensure!(self.unread.is_empty(), "more came than had been asked for");
        Ok(())
    }

    /// Reads to the end or to a reset, whatever comes; an error when the server does not close.
    pub(super) fn read_out(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => bail!("the server did not close within {} s", BOUND.as_secs()),
            }
        }
    }

    /// Whether something has come that is not read yet, or the end has.
    pub(super) fn has_news(&self) -> bool {
        !self.unread.is_empty() || self.peek() != Err(nix::Error::EAGAIN)
    }

    /// Whether the server has closed, and all that it sent is read.
    pub(super) fn is_closed(&self) -> bool {
        self.ended || !matches!(self.peek(), Ok(1..) | Err(nix::Error::EAGAIN))
    }

    /// Says that nothing more will be sent.
    pub(super) fn shut(&self) -> anyhow::Result<()> {
        self.stream.shutdown(Shutdown::Write).context("cannot shut the sending side")
    }

    /// Closes with a reset.
    pub(super) fn reset(self) -> anyhow::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).context("cannot set SO_LINGER")
    }

    fn peek(&self) -> nix::Result<usize> {
        recv(self.stream.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT)
    }

    fn read_more(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(read) => {
                self.ended = read == 0;
                self.unread.extend_from_slice(&buffer[..read]);
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(()),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    bail!("nothing came from the server for {} s", BOUND.as_secs())
                }
                ErrorKind::ConnectionReset => bail!("the server reset the connection"),
                _ => Err(error).context("cannot receive"),
            },
        }
    }
}
