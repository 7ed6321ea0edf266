//! A socket that is registered with tokio only when it has to wait.

use std::io::{ErrorKind, IoSlice, Read, Result, Write};
use std::mem::{MaybeUninit, replace};
use std::net::{Shutdown, TcpStream as StdStream};
use std::pin::Pin;
use std::task::{Context, Poll};

use shared::http::NonBlocking;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of a connection's first read. A request's head is usually shorter.
const FIRST_BYTES: usize = 1024;

/// A connection's socket. Registering it with tokio takes two system calls and a wait, so a socket
/// that was just accepted is read first: its first request has usually arrived, and when it is the
/// only one, it is answered without registering the socket.
#[derive(Debug)]
pub struct Socket {
    state: State,
}

#[derive(Debug)]
enum State {
    /// No task has waited for the socket, and there was no second read.
    Fresh {
        stream: StdStream,
        was_read: bool,
    },
    Registered(TcpStream),
    /// tokio could not register the socket.
    Lost,
}

impl From<StdStream> for Socket {
    /// Wraps a socket that was just accepted.
    fn from(stream: StdStream) -> Self {
        Self { state: State::Fresh { stream, was_read: false } }
    }
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self { state: State::Registered(stream) }
    }
}

impl Socket {
    /// Reads bytes. When there are none, the task is woken once there are some. After a read that
    /// returns less than it had room for, tokio waits for the next event.
    pub fn poll_read(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        match &mut self.state {
            State::Registered(stream) => Pin::new(stream).poll_read(context, buffer),
            _ => self.poll_first_read(context, buffer),
        }
    }

    /// Writes `bytes`. When the socket takes no more, the task is woken once it does.
    pub fn poll_write(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        match &mut self.state {
            State::Registered(stream) => Pin::new(stream).poll_write(context, bytes),
            _ => self.poll_first_write(context, &[IoSlice::new(bytes)]),
        }
    }

    /// Writes several pieces in one write.
    pub fn poll_write_vectored(&mut self, context: &mut Context, pieces: &[IoSlice]) -> Poll<Result<usize>> {
        match &mut self.state {
            State::Registered(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
            _ => self.poll_first_write(context, pieces),
        }
    }

    /// Whether no task has read from the socket or waited for it.
    pub(crate) fn is_fresh(&self) -> bool {
        matches!(self.state, State::Fresh { was_read: false, .. })
    }

    /// Ready when there is something to read.
    pub(crate) fn poll_read_ready(&mut self, context: &mut Context) -> Poll<Result<()>> {
        self.registered()?.poll_read_ready(context)
    }

    /// Ends the sending side. Fails when the connection is already closed.
    pub fn shut_down_writing(&self) -> Result<()> {
        self.bare().ok_or(ErrorKind::NotConnected)?.shutdown(Shutdown::Write)
    }

    /// Reads input even if tokio, which asks the kernel only now and then, has not reported it.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> Result<usize> {
        (&*SockRef::from(&*self.registered()?)).read(buffer)
    }

    /// Whether there is something to read, even if tokio has not reported it.
    pub(crate) fn has_input(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        self.bare().is_some_and(|socket| socket.peek(&mut byte).is_ok_and(|bytes| bytes > 0))
    }

    fn bare(&self) -> Option<SockRef<'_>> {
        match &self.state {
            State::Fresh { stream, .. } => Some(SockRef::from(stream)),
            State::Registered(stream) => Some(SockRef::from(stream)),
            State::Lost => None,
        }
    }

    #[cold]
    fn poll_first_read(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        if let State::Fresh { stream, was_read: was_read @ false } = &mut self.state {
            *was_read = true;
            let space = buffer.initialize_unfilled_to(FIRST_BYTES.min(buffer.remaining()));
            if let Some(read) = unless_it_blocks(NonBlocking::new(&*stream).read(space)) {
                return Poll::Ready(read.map(|bytes| buffer.advance(bytes)));
            }
        }
        Pin::new(self.registered()?).poll_read(context, buffer)
    }

    #[cold]
    fn poll_first_write(&mut self, context: &mut Context, pieces: &[IoSlice]) -> Poll<Result<usize>> {
        if let State::Fresh { stream, .. } = &self.state
            && let Some(written) = unless_it_blocks(NonBlocking::new(stream).write_vectored(pieces))
        {
            return Poll::Ready(written);
        }
        Pin::new(self.registered()?).poll_write_vectored(context, pieces)
    }

    /// Registers the socket if it is not yet registered, and returns it.
    fn registered(&mut self) -> Result<&mut TcpStream> {
        if let State::Fresh { .. } = self.state
            && let State::Fresh { stream, .. } = replace(&mut self.state, State::Lost)
        {
            stream.set_nonblocking(true)?;
            self.state = State::Registered(TcpStream::from_std(stream)?);
        }
        match &mut self.state {
            State::Registered(stream) => Ok(stream),
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// Returns the result of a call that did not have to wait, and `None` for one that did.
fn unless_it_blocks<T>(result: Result<T>) -> Option<Result<T>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
        result => Some(result),
    }
}
