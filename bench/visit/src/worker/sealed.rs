//! Reads over TLS: the bytes that arrive are decrypted first.

use std::mem;
use std::time::Instant;

use super::Worker;
use crate::check;
use crate::connection::State;
use crate::tally::FailureKind;
use crate::tls::{self, Unsealed};

impl<const PLAIN: bool> Worker<'_, PLAIN> {
    /// Handles bytes that were read from a socket with TLS or HTTP/2. Returns false when they were
    /// wrong, or the last ones.
    pub(super) fn arrived_layered(&mut self, index: usize, bytes: &[u8]) -> bool {
        if self.plan.tls.is_none() {
            return self.arrived_frames(index, bytes);
        }
        let mut plain = mem::take(&mut self.plain);
        plain.clear();
        let goes_on = self.unseal(index, bytes, &mut plain);
        self.plain = plain;
        goes_on
    }

    /// Handles the end of a socket. With TLS, the server has to announce it before
    /// (`close_notify`): otherwise an answer that ends with its connection may have been cut off.
    #[cold]
    pub(super) fn socket_ended(&mut self, index: usize) {
        if self.plan.tls.is_some() {
            self.connections[index].partial.clear();
        }
        self.at_end(index, FailureKind::Closed);
    }

    /// Sends the bytes that wait for room in the socket.
    pub(super) fn flush(&mut self, index: usize) {
        if self.connections[index].flush().is_err() {
            self.at_end(index, FailureKind::Reset);
        } else if !self.sessions.is_empty() {
            self.write_frames(index);
        }
    }

    fn unseal(&mut self, index: usize, bytes: &[u8], plain: &mut Vec<u8>) -> bool {
        let connection = &mut self.connections[index];
        let Some(session) = connection.tls() else { return false };
        let was_handshaking = session.is_handshaking();
        let unsealed = match session.unseal(bytes, plain) {
            Ok(unsealed) => unsealed,
            Err(error) => {
                self.tls_failed(index, &error);
                return false;
            }
        };
        let is_handshaking = session.is_handshaking();
        if was_handshaking && !is_handshaking && !self.secured(index, Instant::now()) {
            return false;
        }
        // Bytes may wait that the server asked for, such as a change of keys, or the end of a
        // handshake that no request follows.
        if self.connections[index].tls().is_some_and(|session| session.is_unsent()) {
            self.flush(index);
        }
        let all_right = match (plain.is_empty(), self.sessions.is_empty()) {
            (true, _) => true,
            (false, true) => self.arrived(index, plain),
            (false, false) => self.arrived_frames(index, plain),
        };
        if !all_right {
            return false;
        }
        match unsealed {
            Unsealed::Open => true,
            Unsealed::Ended => {
                self.at_end(index, FailureKind::Closed);
                false
            }
        }
    }

    /// Handles an error of TLS: the server has sent wrong bytes, or an alert.
    #[cold]
    fn tls_failed(&mut self, index: usize, error: &rustls::Error) {
        // Sends the alert that says why.
        self.flush(index);
        let now = Instant::now();
        match (self.connections[index].state, error) {
            (State::Down, _) => {}
            (State::Handshaking, _) => self.handshake_failed(index, tls::describe(error), now),
            (_, rustls::Error::AlertReceived(_)) => self.at_end(index, FailureKind::Reset),
            _ => {
                let target = self.plan.requests.target(self.connections[index].batch.first);
                let wrong = check::describe(target, &format!("the TLS is wrong: {error}"), &[]);
                self.wrong(index, wrong, now);
            }
        }
    }
}
