//! Serves a connection by the rules of `shared`; the kernel completes reads and writes later.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::ops::Deref;
use std::rc::Rc;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::driver::BufferRef;
use compio::io::{AsyncRead, AsyncReadManaged, AsyncWrite};
use shared::http::limits::LINGER_BYTES;
use shared::http::{Connection, WaitingFor, Wants};
use shared::tls::Tls;

use crate::deadline::Deadline;
use crate::ring::BUFFER_BYTES;
use crate::state::WorkerState;

/// A client that is connected.
pub(crate) struct Client<'a> {
    stream: compio::net::TcpStream,
    /// `None` when the connection is not encrypted.
    tls: Option<Box<Tls>>,
    state: &'a WorkerState,
    deadline: Rc<Deadline>,
    connection: Connection,
    /// The part of a request that has been read. Empty, without memory, while no part has arrived.
    rest: Vec<u8>,
    /// Whether the last read filled its buffer, so that there may be more to read.
    has_more: bool,
}

/// The input that has to be answered.
enum Input {
    Bytes(Bytes),
    /// The rest of a request has not arrived before its timeout.
    TooSlow,
}

/// The bytes that were read.
enum Bytes {
    /// In a buffer of the ring, which gets it back when this is dropped.
    Lent(BufferRef),
    Own(Vec<u8>),
}

/// The reason why there are no more bytes.
enum End {
    Gone,
    Timeout,
}

impl<'a> Client<'a> {
    pub(crate) fn new(stream: TcpStream, state: &'a WorkerState) -> std::io::Result<Self> {
        Ok(Self {
            stream: compio::net::TcpStream::from_std(stream)?,
            tls: state.encryption.tls()?.map(Box::new),
            state,
            deadline: state.deadlines.add(),
            connection: Connection::default(),
            rest: Vec::new(),
            has_more: false,
        })
    }

    /// Serves the connection until it is over, and closes it.
    pub(crate) async fn serve(mut self) {
        self.answer().await;
        // Nothing can be done when the close fails.
        let _ = self.stream.close().await;
    }

    /// Reads, answers and writes. Returns `None` when the client has disconnected or timed out.
    ///
    /// Other connections have their turn between two reads, so no client can occupy the thread.
    async fn answer(&mut self) -> Option<()> {
        loop {
            let input = self.read().await?;
            let mut output = self.state.output();
            let mut wants = match input {
                Input::Bytes(bytes) => self.advance(&bytes, &mut output),
                Input::TooSlow => {
                    self.connection.time_out(&mut output);
                    Wants::Close
                }
            };
            loop {
                output = self.write(output).await?;
                if wants != Wants::Flush {
                    break;
                }
                wants = self.advance(&[], &mut output);
            }
            self.state.take_back(output);
            if wants == Wants::Close {
                return self.close().await;
            }
        }
    }

    /// Reads input. Returns `None` when that has ended, or when no request has arrived in time.
    async fn read(&mut self) -> Option<Input> {
        let waiting = WaitingFor::input(self.connection.is_in_body(), !self.rest.is_empty());
        self.deadline.begin(waiting);
        match self.receive().await {
            Ok(bytes) => Some(Input::Bytes(bytes)),
            Err(End::Timeout) if waiting != WaitingFor::Request => Some(Input::TooSlow),
            Err(_) => {
                self.notify_end().await;
                None
            }
        }
    }

    /// Returns the next bytes of requests, decrypted if the connection is encrypted.
    async fn receive(&mut self) -> Result<Bytes, End> {
        loop {
            let bytes = self.receive_as_sent().await?;
            self.has_more = bytes.len() == BUFFER_BYTES;
            let Some(tls) = &mut self.tls else { return Ok(bytes) };
            let (decrypted, is_ended) = decrypt(tls, &bytes);
            drop(bytes);
            // A handshake may have an answer to send.
            self.send_kept().await.ok_or(End::Gone)?;
            match decrypted {
                bytes if !bytes.is_empty() => return Ok(Bytes::Own(bytes)),
                _ if is_ended => return Err(End::Gone),
                _ if self.tls.as_ref().is_some_and(|tls| tls.has_part()) => {
                    self.deadline.begin(WaitingFor::Head);
                }
                _ => self.deadline.begin(WaitingFor::Request),
            }
        }
    }

    /// Returns the next bytes, in a buffer of the ring that is taken when they arrive. When all of
    /// them are taken, the read uses its own: if it retried, other reads might always be faster.
    async fn receive_as_sent(&self) -> Result<Bytes, End> {
        loop {
            let mut stream = &self.stream;
            match self.deadline.limit(stream.read_managed(0)).await.ok_or(End::Timeout)? {
                Ok(bytes) => return bytes.map(Bytes::Lent).ok_or(End::Gone),
                Err(error) if error.kind() == ErrorKind::ResourceBusy => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(End::Gone),
            }
        }
        let mut own = Vec::with_capacity(BUFFER_BYTES);
        loop {
            let mut stream = &self.stream;
            let BufResult(result, bytes) = self.deadline.limit(stream.read(own)).await.ok_or(End::Timeout)?;
            match result {
                Ok(0) => return Err(End::Gone),
                Ok(_) => return Ok(Bytes::Own(bytes)),
                Err(error) if error.kind() == ErrorKind::Interrupted => own = bytes,
                Err(_) => return Err(End::Gone),
            }
        }
    }

    /// Answers the requests that have arrived. `bytes` are then consumed or copied.
    fn advance(&mut self, bytes: &[u8], output: &mut Vec<u8>) -> Wants {
        // If there may be more to read, there may be more to answer before the connection closes.
        let draining = self.state.lifecycle.is_draining() && !self.has_more;
        let progress;
        if self.rest.is_empty() {
            progress = self.connection.advance(bytes, output, draining);
            self.rest.extend_from_slice(bytes.get(progress.consumed..).unwrap_or_default());
        } else {
            self.rest.extend_from_slice(bytes);
            progress = self.connection.advance(&self.rest, output, draining);
            self.rest.drain(..progress.consumed);
            if self.rest.is_empty() {
                self.rest = Vec::new();
            }
        }
        progress.wants
    }

    /// Writes the output, and empties it.
    async fn write(&mut self, mut output: Vec<u8>) -> Option<Vec<u8>> {
        let Some(tls) = &mut self.tls else { return self.write_as_is(output).await };
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            rest = rest.get(tls.write(rest).ok()?..)?;
        }
        output.clear();
        self.send_kept().await?;
        Some(output)
    }

    /// Sends the bytes that TLS has encrypted, and its own messages.
    async fn send_kept(&mut self) -> Option<()> {
        let Some(tls) = self.tls.as_mut().filter(|tls| tls.has_kept()) else { return Some(()) };
        let mut encrypted = self.state.output();
        while tls.has_kept() {
            tls.send(&mut encrypted).ok()?;
        }
        let encrypted = self.write_as_is(encrypted).await?;
        self.state.take_back(encrypted);
        Some(())
    }

    /// Tells the client of an encrypted connection that no more data follows.
    async fn notify_end(&mut self) -> Option<()> {
        if let Some(tls) = &mut self.tls {
            tls.end();
        }
        self.send_kept().await
    }

    /// Writes bytes, and empties their buffer.
    async fn write_as_is(&self, mut output: Vec<u8>) -> Option<Vec<u8>> {
        let mut written = 0;
        while written < output.len() {
            self.deadline.begin(WaitingFor::Reader);
            let mut stream = &self.stream;
            let BufResult(result, rest) = self.deadline.limit(stream.write(output.slice(written..))).await?;
            output = rest.into_inner();
            match result {
                Ok(0) => return None,
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        output.clear();
        Some(output)
    }

    /// Closes at once after an answer that the client knows to be the last. Otherwise input may be
    /// unread or on its way, for which the kernel would send a reset that overtakes the answer: so
    /// input is read and dropped for a moment.
    async fn close(&mut self) -> Option<()> {
        self.notify_end().await?;
        let has_more = self.has_more || !self.rest.is_empty();
        if !has_more && !self.connection.has_rejected() && !self.state.lifecycle.is_draining() {
            return Some(());
        }
        let mut stream = &self.stream;
        stream.shutdown().await.ok()?;
        self.deadline.begin(WaitingFor::End);
        let mut dropped = 0;
        while dropped <= LINGER_BYTES
            && let Ok(bytes) = self.receive_as_sent().await
        {
            dropped += bytes.len();
        }
        Some(())
    }
}

/// Decrypts `bytes`, and returns whether no more can follow, since the client has ended its side or
/// broken a rule of TLS.
fn decrypt(tls: &mut Tls, mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut decrypted = Vec::new();
    while !bytes.is_empty() {
        if tls.receive(&mut bytes).is_err() {
            return (decrypted, true);
        }
        let before = decrypted.len();
        decrypted.resize(before + tls.decrypted(), 0);
        if tls.decrypted() > 0 && tls.read(decrypted.get_mut(before..).unwrap_or_default()).is_err() {
            return (decrypted, true);
        }
    }
    let is_ended = decrypted.is_empty() && tls.read(&mut [0]).is_ok();
    (decrypted, is_ended || tls.has_failed())
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }
}
