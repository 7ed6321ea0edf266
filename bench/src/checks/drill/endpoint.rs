//! Where a drilled server listens and what it speaks: the one place where a drill's connections are
//! made.

use std::net::{SocketAddr, TcpStream};

use anyhow::Context;
use socket2::Socket;

use super::connection::{Connection, WINDOW};
use crate::servers::client::{Client, TIMEOUT};
use crate::servers::stream::wire;
use crate::store::record::Protocol;

/// Where a server listens, and what clients speak with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
}

impl Endpoint {
    /// A connection on which a client can ask. Fails when the server does not accept it, make a
    /// handshake or send its SETTINGS in time.
    pub(super) fn connect(self) -> anyhow::Result<Connection> {
        self.connect_with_window(WINDOW, |_| Ok(()))
    }

    /// The same over a socket whose options `prepare` has set, and with a window for answers of HTTP/2.
    pub(super) fn connect_with_window(
        self,
        window: u32,
        prepare: impl FnOnce(&Socket) -> std::io::Result<()>,
    ) -> anyhow::Result<Connection> {
        let client = Client::start(self.address, self.protocol, prepare)?;
        established(Connection::new(client, self.protocol, window)?)
    }

    /// The same as client number `number` of many, which together use several source addresses.
    pub(super) fn connect_from(self, number: usize) -> anyhow::Result<Connection> {
        established(self.start_from(number)?)
    }

    /// A connection for which the client has sent what it can without the server's part, and waits for
    /// nothing. What it asks is sent as soon as the server lets it.
    pub(super) fn start_from(self, number: usize) -> anyhow::Result<Connection> {
        Connection::new(Client::start_from(number, self.address, self.protocol)?, self.protocol, WINDOW)
    }

    /// A connection of which only TCP is made: any bytes may follow.
    pub(super) fn connect_tcp(self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, TIMEOUT).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(stream)
    }

    /// The first bytes of a client of TLS; none where there is no TLS.
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
