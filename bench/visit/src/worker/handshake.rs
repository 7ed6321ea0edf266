//! Prepares an open connection for its first request: the TLS handshake, and the first frames of
//! HTTP/2.

use std::time::Instant;

use super::Worker;
use crate::connection::State;
use crate::schedule::Schedule;
use crate::tls::{self, Offer};

impl<const PLAIN: bool> Worker<'_, PLAIN> {
    /// Begins the handshake of a connection that has just been opened.
    pub(super) fn greet(&mut self, index: usize, now: Instant, readable: bool, ends: bool) {
        let connection = &mut self.connections[index];
        (connection.state, connection.since) = (State::Handshaking, now);
        let begun = match self.plan.tls.as_ref().map(Offer::session) {
            None => {
                self.begin_session(index);
                Ok(())
            }
            Some(Ok(session)) => connection.secure(session).map_err(|error| error.to_string()),
            Some(Err(error)) => Err(tls::describe(&error)),
        };
        match begun {
            Ok(()) if readable => self.receive(index, ends),
            Ok(()) => {}
            Err(why) => self.handshake_failed(index, why, now),
        }
    }

    /// Completes a TLS handshake, and continues with HTTP/2 or the first batch. Returns false when
    /// the handshake agreed on something that was not offered, or HTTP/2 could not begin.
    pub(super) fn secured(&mut self, index: usize, now: Instant) -> bool {
        let connection = &mut self.connections[index];
        let since = connection.since;
        let (Some(offer), Some(session)) = (&self.plan.tls, connection.tls()) else { return false };
        match offer.agreed(session) {
            Ok(agreed) => self.tally.secured(&agreed, now.saturating_duration_since(since)),
            Err(why) => {
                self.handshake_failed(index, why, now);
                return false;
            }
        }
        if !self.sessions.is_empty() {
            self.begin_session(index);
            return self.connections[index].state != State::Down;
        }
        let connection = &mut self.connections[index];
        (connection.state, connection.since) = (State::Free, now);
        self.first_batch(index, now);
        true
    }

    /// Handles a failed handshake. As after a failed connect, the next tick tries again.
    pub(super) fn handshake_failed(&mut self, index: usize, why: String, now: Instant) {
        self.tally.handshake_failed(why, self.is_measuring, now);
        if let Some(Schedule::Closed(budget)) = &mut self.schedule {
            budget.give_up_one(now);
        }
        self.clear_batch(index);
        self.close(index, now, false);
    }
}
