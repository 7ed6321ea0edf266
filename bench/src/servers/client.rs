//! A client's side of one connection: sends raw bytes over a real socket, plain or within TLS, and
//! reads HTTP/1.1 answers strictly.
//!
//! Every wait is bounded by [`TIMEOUT`], so that a server that hangs becomes an error with a cause.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use nix::sys::socket::{MsgFlags, recv};
use socket2::{Domain, SockRef, Socket, Type};

use conformance::{Expected, Response, parse};

use crate::servers::stream::Stream;
use crate::store::record::Protocol;

/// How long a client waits for an answer, for room to send, or for the end. Only a faulty server
/// takes this long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server that already runs may take to accept a connection.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of IPv4 loopback addresses from which clients connect in turn. A port stays in use
/// for a while after its connection, and an address has 28,000 ports.
const SOURCES: usize = 16;

/// A connection to a server.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// Bytes of answers that have not been parsed.
    unread: Vec<u8>,
    ended: bool,
}

/// Fails unless a server that already runs accepts a connection.
pub(crate) fn check_accepts(address: SocketAddr) -> anyhow::Result<()> {
    let connected = TcpStream::connect_timeout(&address, ACCEPT_TIMEOUT).map(drop);
    connected.with_context(|| format!("cannot connect to {address}: does the server run?"))
}

/// Returns the first address of a name that accepts a connection, or else the first one:
/// `localhost` may resolve to IPv6 while the server listens on IPv4 alone.
pub(crate) fn accepting(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let accepts = |address: &&SocketAddr| check_accepts(**address).is_ok();
    let tried = if addresses.len() > 1 { addresses.iter().find(accepts) } else { None };
    tried.or(addresses.first()).copied()
}

impl Client {
    /// Does what [`Client::start`] does as client number `number`. Clients of a server on an IPv4
    /// loopback address connect from several source addresses in turn.
    pub(crate) fn start_from(number: usize, address: SocketAddr, protocol: Protocol) -> anyhow::Result<Self> {
        if !matches!(address, SocketAddr::V4(address) if address.ip().is_loopback()) {
            return Self::start(address, protocol, |_| Ok(()));
        }
        // Sources begin at 127.0.0.2: 127.0.0.1 is left to all other clients.
        let last = u8::try_from(number % SOURCES)? + 2;
        let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
        Self::start(address, protocol, |socket| socket.bind(&source.into()))
    }

    /// Connects a socket whose options `prepare` has set, to speak a protocol. Does not wait for
    /// anything that comes before the first request, such as the server's part of a handshake.
    /// Fails when the server does not accept in time.
    pub(crate) fn start(
        address: SocketAddr,
        protocol: Protocol,
        prepare: impl FnOnce(&Socket) -> std::io::Result<()>,
    ) -> anyhow::Result<Self> {
        let open = || {
            let tcp = Some(socket2::Protocol::TCP);
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, tcp)?;
            prepare(&socket)?;
            socket.connect_timeout(&address.into(), TIMEOUT)?;
            socket.set_tcp_nodelay(true)?;
            socket.set_read_timeout(Some(TIMEOUT))?;
            socket.set_write_timeout(Some(TIMEOUT))?;
            Stream::start(socket.into(), protocol)
        };
        let stream = open().context("cannot connect")?;
        Ok(Self { stream, unread: Vec::new(), ended: false })
    }

    /// Connects, asks for `path`, and reads the answer to its last byte. Dropping the connection
    /// resets it, so that its port is free at once. Fails when the answer is not a 200 with `body`.
    pub(crate) fn connect_and_ask(address: SocketAddr, path: &str, body: &str) -> anyhow::Result<Self> {
        let mut client =
            Self::start(address, Protocol::Http1, |socket| socket.set_linger(Some(Duration::ZERO)))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let asked = client.send(request.as_bytes()).and_then(|()| client.answer());
        let response = asked.with_context(|| format!("GET {path}"))?;
        match Expected::body(body.to_owned()).mismatch(&response) {
            Some(wrong) => bail!("GET {path}: {wrong}"),
            None => Ok(client),
        }
    }

    /// Sends all of `bytes`. Fails when the server takes none for [`TIMEOUT`], or has closed.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let sent = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
        sent.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                anyhow!("the server reads nothing for {} s", TIMEOUT.as_secs())
            }
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => anyhow!("the server has closed"),
            _ => anyhow::Error::new(error).context("cannot send"),
        })
    }

    /// Reads the next answer that is not an interim one, whatever its status. Fails when none
    /// arrives, or it is malformed.
    pub(crate) fn answer(&mut self) -> anyhow::Result<Response> {
        loop {
            let parsed = parse(&self.unread, false, self.ended).map_err(anyhow::Error::msg)?;
            if let Some((response, length)) = parsed {
                self.unread.drain(..length);
                // A server may send any number of interim answers (RFC 9110, section 15.2).
                if response.is_interim() && response.status != 101 {
                    continue;
                }
                return Ok(response);
            }
            ensure!(!self.ended, "the server closed without an answer");
            self.receive()?;
        }
    }

    /// Completes the TLS handshake, if the protocol has one.
    pub(crate) fn establish(&mut self, protocol: Protocol) -> anyhow::Result<()> {
        self.stream.establish(protocol).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                anyhow!("the server does not make a handshake within {} s", TIMEOUT.as_secs())
            }
            _ => anyhow::Error::new(error).context("no TLS handshake"),
        })
    }

    /// Whether unread bytes or the end of the stream have arrived.
    pub(crate) fn is_readable(&self) -> bool {
        let arrived =
            recv(self.stream.tcp().as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT);
        !self.unread.is_empty() || arrived != Err(nix::Error::EAGAIN)
    }

    /// Reads the bytes that have arrived, without waiting. An error counts as the end of the
    /// stream.
    pub(crate) fn receive_now(&mut self) {
        self.ended |= !self.stream.receive_now(&mut self.unread).unwrap_or(false);
    }

    /// Whether the server has closed.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The bytes that have arrived and were not parsed.
    pub(crate) fn unread(&mut self) -> &mut Vec<u8> {
        &mut self.unread
    }

    /// Shuts down the sending side of the socket.
    pub(crate) fn half_close(&self) -> anyhow::Result<()> {
        self.stream.tcp().shutdown(Shutdown::Write).context("cannot shut down the sending side")
    }

    /// Closes with a reset.
    pub(crate) fn reset(self) -> anyhow::Result<()> {
        SockRef::from(self.stream.tcp()).set_linger(Some(Duration::ZERO)).context("cannot set SO_LINGER")
    }

    /// Waits for bytes, or the end of the stream.
    pub(crate) fn receive(&mut self) -> anyhow::Result<()> {
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
                    bail!("the server sent nothing for {} s", TIMEOUT.as_secs())
                }
                ErrorKind::ConnectionReset => bail!("the server reset the connection"),
                ErrorKind::UnexpectedEof => bail!("the server closed without close_notify"),
                _ => Err(error).context("cannot receive"),
            },
        }
    }
}
