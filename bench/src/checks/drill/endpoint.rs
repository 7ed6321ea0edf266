//! The address and the protocol of a drilled server. All connections of drills are made here.

use std::net::{SocketAddr, TcpStream};

use anyhow::Context;
use socket2::Socket;

use super::connection::{Connection, WINDOW};
use crate::servers::client::{Client, TIMEOUT};
use crate::servers::stream::wire;
use crate::store::record::Protocol;

/// The address of a server, and the protocol that its clients speak.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
}

impl Endpoint {
    /// Opens a connection that is ready for requests. Fails when the server does not accept it,
    /// complete the handshake or send its SETTINGS in time.
    pub(super) fn connect(self) -> anyhow::Result<Connection> {
        self.connect_with_window(WINDOW, |_| Ok(()))
    }

    /// Does what [`Endpoint::connect`] does, over a socket whose options `prepare` has set, and
    /// with this window for answers over HTTP/2.
    pub(super) fn connect_with_window(
        self,
        window: u32,
        prepare: impl FnOnce(&Socket) -> std::io::Result<()>,
    ) -> anyhow::Result<Connection> {
        let client = Client::start(self.address, self.protocol, prepare)?;
        established(Connection::new(client, self.protocol, window)?)
    }

    /// Does what [`Endpoint::connect`] does, from the source address of client number `number`.
    pub(super) fn connect_from(self, number: usize) -> anyhow::Result<Connection> {
        established(self.start_from(number)?)
    }

    /// Starts a connection from the source address of client number `number`, and does not wait for
    /// the server's part of a handshake. Requests are sent as soon as the handshake allows it.
    pub(super) fn start_from(self, number: usize) -> anyhow::Result<Connection> {
        Connection::new(Client::start_from(number, self.address, self.protocol)?, self.protocol, WINDOW)
    }

    /// Opens a TCP connection, over which any bytes can be sent.
    pub(super) fn connect_tcp(self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, TIMEOUT).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(stream)
    }

    /// The first bytes of a TLS client; empty if the protocol has no TLS.
    pub(super) fn hello(self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let tls = wire(self.protocol).tls_client().map_err(anyhow::Error::msg)?;
        if let Some(mut tls) = tls {
            tls.write_tls(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Fails unless the server gives a right answer on a new connection.
    pub(super) fn check_answers(self) -> anyhow::Result<()> {
        let mut connection = self.connect()?;
        connection.ask_last("/still/here")?;
        connection.expect("/still/here")
    }
}

fn established(mut connection: Connection) -> anyhow::Result<Connection> {
    connection.establish()?;
    Ok(connection)
}
