//! A socket that tokio watches once somebody has to wait for it.

use std::io::{ErrorKind, Read, Result, Write};
use std::mem::{MaybeUninit, replace};
use std::net::{Shutdown, TcpStream as StdStream};
use std::pin::Pin;
use std::task::{Context, Poll};

use shared::process::NonBlocking;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of a connection's first read. A request's head is mostly shorter.
const FIRST_BYTES: usize = 1024;

/// A connection's socket. To have tokio watch it takes two system calls and a wait, so one that was just accepted is first
/// looked at: mostly its first request is there, and when that is the only one it is answered without them.
#[derive(Debug)]
pub struct Socket {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody has waited for it, and there was no second read.
    Fresh {
        stream: StdStream,
        was_read: bool,
    },
    Watched(TcpStream),
    /// tokio could not watch it.
    Lost,
}

impl From<StdStream> for Socket {
    /// A socket that was just accepted.
    fn from(stream: StdStream) -> Self {
        Self { state: State::Fresh { stream, was_read: false } }
    }
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self { state: State::Watched(stream) }
    }
}

impl Socket {
    /// Reads; without anything to read the task is woken once there is something. After a read that got less than it had room for, tokio
    /// asks the kernel no more before the next event.
    pub fn poll_read(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        match &mut self.state {
            State::Watched(stream) => Pin::new(stream).poll_read(context, buffer),
            _ => self.poll_first_read(context, buffer),
        }
    }

    /// Writes; where no more is taken the task is woken once there is room.
    pub fn poll_write(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        match &mut self.state {
            State::Watched(stream) => Pin::new(stream).poll_write(context, bytes),
            _ => self.poll_first_write(context, bytes),
        }
    }

    /// Whether nobody has read from it or waited for it.
    pub(crate) fn is_fresh(&self) -> bool {
        matches!(self.state, State::Fresh { was_read: false, .. })
    }

    /// Ready when there is something to read.
    pub(crate) fn poll_read_ready(&mut self, context: &mut Context) -> Poll<Result<()>> {
        self.watched()?.poll_read_ready(context)
    }

    /// Ends one direction, or both.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.bare().ok_or(ErrorKind::NotConnected)?.shutdown(how)
    }

    /// Reads what is there, whatever tokio has said of it: tokio looks only now and then.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> Result<usize> {
        (&*SockRef::from(&*self.watched()?)).read(buffer)
    }

    /// Whether there is something to read, whatever tokio has said of it.
    pub(crate) fn has_input(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        self.bare().is_some_and(|socket| socket.peek(&mut byte).is_ok_and(|bytes| bytes > 0))
    }

    fn bare(&self) -> Option<SockRef<'_>> {
        match &self.state {
            State::Fresh { stream, .. } => Some(SockRef::from(stream)),
            State::Watched(stream) => Some(SockRef::from(stream)),
            State::Lost => None,
        }
    }

    #[cold]
    fn poll_first_read(&mut self, context: &mut Context, buffer: &mut ReadBuf) -> Poll<Result<()>> {
        if let State::Fresh { stream, was_read: was_read @ false } = &mut self.state {
            *was_read = true;
            let space = buffer.initialize_unfilled_to(FIRST_BYTES.min(buffer.remaining()));
            if let Some(read) = unless_it_blocks(NonBlocking::new(stream).read(space)) {
                return Poll::Ready(read.map(|bytes| buffer.advance(bytes)));
            }
        }
        Pin::new(self.watched()?).poll_read(context, buffer)
    }

    #[cold]
    fn poll_first_write(&mut self, context: &mut Context, bytes: &[u8]) -> Poll<Result<usize>> {
        if let State::Fresh { stream, .. } = &self.state
            && let Some(written) = unless_it_blocks(NonBlocking::new(stream).write(bytes))
        {
            return Poll::Ready(written);
        }
        Pin::new(self.watched()?).poll_write(context, bytes)
    }

    /// The socket, watched from now on.
    fn watched(&mut self) -> Result<&mut TcpStream> {
        if let State::Fresh { .. } = self.state
            && let State::Fresh { stream, .. } = replace(&mut self.state, State::Lost)
        {
            stream.set_nonblocking(true)?;
            self.state = State::Watched(TcpStream::from_std(stream)?);
        }
        match &mut self.state {
            State::Watched(stream) => Ok(stream),
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// What a call came to that did not have to wait.
fn unless_it_blocks<T>(outcome: Result<T>) -> Option<Result<T>> {
    match outcome {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
        outcome => Some(outcome),
    }
}
