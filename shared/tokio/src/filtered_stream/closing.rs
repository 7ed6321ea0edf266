//! Ends a connection so that its last answer arrives.

use std::task::{Context, Poll, ready};

use shared::http::rules::Rejection;
use shared::http::{WaitingFor, limits};
use tokio::io::ReadBuf;

use super::inbound::{Inbound, PIECE_BYTES};
use super::outbound::Outbound;
use crate::timed_socket::TimedSocket;

/// Why a connection is closed. The head of `filtered_stream.rs` says where each is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The last request asked for it, and is answered.
    Requested,
    /// A request broke a rule or took too long, and is answered with this rejection.
    Rejected(Rejection),
    /// No request came in time, or the server ends. There is no answer and no unread input.
    Idle,
    /// The client did not read an answer in time, or the socket failed.
    Failed,
    /// The framework is done: the client has ended its side, or the last answer closes.
    Done,
}

/// The phase of a connection between its start and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The last answer is written, and will be sent.
    Sending {
        reason: CloseReason,
    },
    /// The last answer was sent. Further input is read and dropped: otherwise a reset by the kernel
    /// would overtake the answer.
    Lingering {
        bytes: usize,
    },
    Over,
}

/// The end of one connection.
pub(super) struct Closing {
    phase: Phase,
}

impl Closing {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Open }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Begins the end of an open connection.
    pub(super) fn begin(&mut self, reason: CloseReason, outbound: &mut Outbound) {
        if let CloseReason::Rejected(rejection) = reason {
            outbound.reject(rejection);
        }
        self.phase = match reason {
            CloseReason::Idle | CloseReason::Failed => Phase::Over,
            _ => Phase::Sending { reason },
        };
    }

    /// Sends the last answer, and lingers so that it arrives. Ready when the socket may be dropped.
    pub(super) fn poll(
        &mut self,
        context: &mut Context,
        socket: &mut TimedSocket,
        inbound: &Inbound,
        outbound: &mut Outbound,
    ) -> Poll<()> {
        loop {
            match self.phase {
                Phase::Open | Phase::Over => return Poll::Ready(()),
                Phase::Sending { reason } => {
                    let sent = ready!(outbound.poll_send(socket, context));
                    // The client may have sent, or be sending, input that is not read any more.
                    let may_send = matches!(reason, CloseReason::Rejected(_)) || socket.is_draining();
                    let lingers = !inbound.is_ended() && (may_send || inbound.has_unread());
                    // Dropping the socket ends the sending side as well.
                    socket.notify_end(context);
                    let lingers = sent.is_ok() && lingers && socket.shut_down_writing().is_ok();
                    self.phase = if lingers { Phase::Lingering { bytes: 0 } } else { Phase::Over };
                }
                Phase::Lingering { bytes } => {
                    let mut piece = [0; PIECE_BYTES];
                    let mut piece = ReadBuf::new(&mut piece);
                    let read = socket.poll_discard(context, &mut piece);
                    let dropped = bytes + piece.filled().len();
                    self.phase = match read {
                        Poll::Ready(Ok(())) if dropped > bytes && dropped <= limits::LINGER_BYTES => {
                            Phase::Lingering { bytes: dropped }
                        }
                        Poll::Ready(_) => Phase::Over,
                        Poll::Pending => {
                            ready!(socket.poll_timeout(context, WaitingFor::End));
                            Phase::Over
                        }
                    };
                }
            }
        }
    }
}
