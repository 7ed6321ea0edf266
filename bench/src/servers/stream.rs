//! The bytes of a client's connection, plain or within TLS. Reads and writes block, at most for the
//! socket's timeouts.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, recv, send};
use rustls::ClientConnection;

use crate::store::record::Protocol;

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;

/// A connection to a server.
pub(crate) struct Stream {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Starts a connection for a protocol. With TLS, sends the client's hello, and does not wait
    /// for the answer: what is written later is sent once [`Stream::establish`] or a read completes
    /// the handshake.
    pub(crate) fn start(tcp: TcpStream, protocol: Protocol) -> io::Result<Self> {
        let tls = wire(protocol).tls_client().map_err(io::Error::other)?;
        let mut stream = Self { tcp, tls: tls.map(Box::new) };
        if let Some(tls) = &mut stream.tls {
            while tls.wants_write() {
                tls.write_tls(&mut stream.tcp)?;
            }
        }
        Ok(stream)
    }

    /// Completes the TLS handshake, if there is one. Fails when the server does not agree on the
    /// protocol.
    pub(crate) fn establish(&mut self, protocol: Protocol) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.is_handshaking() {
            tls.complete_io(&mut self.tcp)?;
        }
        self.flush()?;
        let agreed = self.tls.as_ref().and_then(|tls| tls.alpn_protocol());
        // A server that speaks only HTTP/1.1 may have no ALPN.
        if protocol.is_http_2() && agreed != Some(b"h2") {
            return Err(io::Error::other("the server does not agree on h2 by ALPN"));
        }
        Ok(())
    }

    /// Its socket.
    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Sends as many bytes as there is room for at once, and returns their number.
    pub(crate) fn send_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return at_once(AtOnce(&self.tcp).write(bytes)) };
        // Bytes that were buffered before come first.
        while tls.wants_write() {
            if at_once(tls.write_tls(&mut AtOnce(&self.tcp)))? == 0 {
                return Ok(0);
            }
        }
        let written = tls.writer().write(bytes)?;
        at_once(tls.write_tls(&mut AtOnce(&self.tcp)))?;
        Ok(written)
    }

    /// Appends the bytes that have arrived. Returns false at the end of the stream.
    pub(crate) fn receive_now(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let mut buffer = [0; READ_BYTES];
        loop {
            let read = match &mut self.tls {
                None => AtOnce(&self.tcp).read(&mut buffer),
                Some(tls) => rustls::Stream::new(&mut **tls, &mut AtOnce(&self.tcp)).read(&mut buffer),
            };
            match read {
                Ok(0) => return Ok(false),
                Ok(read) => bytes.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.tcp.read(buffer),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.tcp).read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.tcp.write(bytes),
            Some(tls) if tls.is_handshaking() => tls.writer().write(bytes),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.tcp).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while !tls.is_handshaking() && tls.wants_write() {
            tls.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }
}

/// The protocol as the conformance cases name it.
pub(crate) fn wire(protocol: Protocol) -> conformance::Protocol {
    match protocol {
        Protocol::Http1 => conformance::Protocol::Http1,
        Protocol::Https => conformance::Protocol::Https,
        Protocol::H2c => conformance::Protocol::H2c,
        Protocol::H2 => conformance::Protocol::H2,
    }
}

/// Returns 0 bytes instead of an error if the operation would block or was interrupted.
fn at_once(moved: io::Result<usize>) -> io::Result<usize> {
    match moved {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
        other => other,
    }
}

/// Reads and writes without waiting, although the socket blocks.
struct AtOnce<'a>(&'a TcpStream);

impl Read for AtOnce<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?)
    }
}

impl Write for AtOnce<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
