//! The end of a connection, in which its last answer arrives.

use std::future::poll_fn;
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{Next, answer, date, limits};
use tokio::io::ReadBuf;

use super::{FilteredStream, PIECE_BYTES};
use crate::client_timeout::Waiting;
use crate::lifecycle::Stage;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The last answer has been written, and will be sent.
    Closing,
    /// It was sent; input is dropped so that the kernel's reset does not overtake it.
    Lingering {
        bytes: usize,
    },
    Over,
}

impl FilteredStream {
    /// Sends what is left to send, and closes, so that the last answer arrives.
    pub async fn close(mut self) {
        poll_fn(|context| self.poll_close(context)).await;
    }

    /// Answers in the framework's place, and closes.
    pub(super) fn refuse(&mut self, rejection: Rejection) {
        answer::write_rejection(rejection, &date::now(), &mut self.output);
        self.next = Next::Reject(rejection);
        self.phase = Phase::Closing;
    }

    /// Sends the last answer, and sees to it that it arrives.
    pub(super) fn poll_close(&mut self, context: &mut Context) -> Poll<()> {
        loop {
            match self.phase {
                Phase::Open | Phase::Closing => {
                    let sent = ready!(self.poll_send(context));
                    // To close it ends the sending side as well.
                    let lingers =
                        sent.is_ok() && self.lingers() && self.socket.shutdown(Shutdown::Write).is_ok();
                    self.phase = if lingers { Phase::Lingering { bytes: 0 } } else { Phase::Over };
                }
                Phase::Lingering { bytes } => {
                    let mut piece = [0; PIECE_BYTES];
                    let mut piece = ReadBuf::new(&mut piece);
                    let read = self.socket.poll_read(context, &mut piece);
                    let dropped = bytes + piece.filled().len();
                    self.phase = match read {
                        Poll::Ready(Ok(())) if dropped > bytes && dropped <= limits::LINGER_BYTES => {
                            Phase::Lingering { bytes: dropped }
                        }
                        Poll::Ready(_) => Phase::Over,
                        Poll::Pending => {
                            ready!(self.patience.poll(self.counter.lifecycle(), context, Waiting::End));
                            Phase::Over
                        }
                    };
                }
                Phase::Over => return Poll::Ready(()),
            }
        }
    }

    /// Whether there may be input that nobody has read, so that to close now would make the kernel send a reset.
    fn lingers(&self) -> bool {
        let unread = !self.input.is_empty() || self.filter.is_in_body() || self.counter.unanswered() > 0;
        let draining = self.counter.lifecycle().stage() >= Stage::Draining;
        !self.ended && (unread || draining || matches!(self.next, Next::Reject(_)))
    }
}
