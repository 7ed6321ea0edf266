//! The end of a connection, in which its last answer arrives.

use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{WaitingFor, limits};
use tokio::io::ReadBuf;

use super::{FilteredStream, PIECE_BYTES};

/// Why a connection is closed. The head of `filtered_stream.rs` says where each is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The last request asked for it, and is answered.
    Requested,
    /// A request broke a rule or took too long, and is answered with that.
    Rejected(Rejection),
    /// No request came in time, or the server ends. There is nothing to say, and nothing unread.
    Idle,
    /// The client did not read an answer in time, or the socket failed.
    Failed,
    /// The framework is done: the client has ended its side, or the last answer closes.
    Done,
}

/// How far a connection is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The last answer is written, and will be sent.
    Sending {
        reason: CloseReason,
    },
    /// It was sent. Input is dropped: a reset by the kernel would overtake the answer.
    Lingering {
        bytes: usize,
    },
    Over,
}

impl FilteredStream {
    /// Begins the end of an open connection.
    pub(super) fn close_for(&mut self, reason: CloseReason) {
        if let CloseReason::Rejected(rejection) = reason {
            self.outbound.reject(rejection);
        }
        self.phase = match reason {
            CloseReason::Idle | CloseReason::Failed => Phase::Over,
            _ => Phase::Sending { reason },
        };
    }

    /// Sends the last answer, and sees to it that it arrives. Ready when the socket may be dropped.
    pub(super) fn poll_close(&mut self, context: &mut Context) -> Poll<()> {
        loop {
            match self.phase {
                Phase::Open => self.close_for(CloseReason::Done),
                Phase::Sending { reason } => {
                    let sent = ready!(self.outbound.poll_send(&mut self.socket, context));
                    // The drop of the socket ends the sending side as well.
                    let lingers = sent.is_ok() && self.lingers(reason);
                    self.phase = if lingers && self.socket.shut_down_writing().is_ok() {
                        Phase::Lingering { bytes: 0 }
                    } else {
                        Phase::Over
                    };
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
                            ready!(self.socket.poll_timeout(context, WaitingFor::End));
                            Phase::Over
                        }
                    };
                }
                Phase::Over => return Poll::Ready(()),
            }
        }
    }

    /// Whether the client may have sent, or be sending, what no one will read.
    fn lingers(&self, reason: CloseReason) -> bool {
        let may_send = matches!(reason, CloseReason::Rejected(_)) || self.permit.lifecycle().is_draining();
        !self.inbound.is_ended() && (may_send || self.inbound.has_unread())
    }
}
