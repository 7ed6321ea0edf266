//! An HTTP/2 client for requests outside the cases. Its caller makes the frames.

use std::net::SocketAddr;
use std::time::Duration;

use answers::Response;

use super::connection::Connection;
use super::frame::{code, code_name, ping};
use super::script::{Event, TABLE};
use super::site::opened;
use crate::socket::{Client, Transport};

/// An HTTP/2 connection whose answers are read as strictly as those of the cases. It acknowledges
/// SETTINGS and PING by itself whenever it waits, so no frame may be half sent at that time.
pub struct FrameClient(Connection);

impl FrameClient {
    /// Connects within TLS, or by prior knowledge without TLS, and sends the preface. Fails when no
    /// connection can be made. `timeout` applies to each wait.
    pub fn connect(address: SocketAddr, is_encrypted: bool, timeout: Duration) -> Result<Self, String> {
        let transport = if is_encrypted { Transport::Tls("h2") } else { Transport::Plain };
        let connection = Connection::open(address, transport, timeout, TABLE);
        let mut client = Self(connection.map_err(|error| error.to_string())?);
        client.send(&opened(&[]));
        client.checked()?;
        Ok(client)
    }

    /// Sends these bytes in one write. If the connection has ended, the next wait reports it.
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes);
    }

    /// Waits for the whole answer on a stream. Fails when the server sends something malformed,
    /// resets the stream with an error, or sends no more.
    pub fn answer(&mut self, stream: u32) -> Result<Response, String> {
        self.wait_for(Event::End(stream))?;
        let got = self.0.got.streams.get(&stream);
        let reset = got.and_then(|stream| stream.reset).filter(|code| *code != code::NO_ERROR);
        match (got.and_then(|stream| stream.response.clone()), reset) {
            (_, Some(code)) => Err(format!("RST_STREAM {} of stream {stream}", code_name(code))),
            (None, None) => Err(format!("no answer on stream {stream}")),
            (Some(response), None) => Ok(response),
        }
    }

    /// Waits for the answer to a PING, and so for everything that the server has sent before it.
    pub fn settle(&mut self) -> Result<(), String> {
        self.send(&ping(0));
        self.wait_for(Event::Pong(0))
    }

    fn wait_for(&mut self, event: Event) -> Result<(), String> {
        self.0.wait_for(event);
        self.checked()?;
        if self.0.got.has(event) {
            Ok(())
        } else {
            Err(format!("expected {event}; got {}", self.0.got.describe()))
        }
    }

    fn checked(&self) -> Result<(), String> {
        let got = &self.0.got;
        match &got.malformed {
            Some(wrong) => Err(format!("{wrong}; got {}", got.describe())),
            None => Ok(()),
        }
    }
}
