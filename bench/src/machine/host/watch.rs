//! How many connections a server has at most during a load: they are counted at times by a thread of
//! the server's host.

use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::sockets;

/// When the server's connections are first counted during a load. Each look comes twice as late as
/// the one before, so that a load of any length is looked at a few times and never often.
const FIRST_LOOK: Duration = Duration::from_millis(50);

/// A thread that counts the connections of an address until this value is dropped.
pub struct LocalWatch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Option<u64>>>,
}

impl LocalWatch {
    /// Begins to count the connections of the server that listens on `address`.
    pub(super) fn start(address: SocketAddr) -> Self {
        let (stop, stopped) = channel();
        let look = move || {
            let (began, mut next, mut most) = (Instant::now(), FIRST_LOOK, None);
            let pause = |next: Duration| next.saturating_sub(began.elapsed());
            while stopped.recv_timeout(pause(next)) == Err(RecvTimeoutError::Timeout) {
                most = most.max(sockets::established(address));
                next *= 2;
            }
            most
        };
        Self { stop: Some(stop), thread: Some(std::thread::spawn(look)) }
    }

    pub(super) fn most(mut self) -> Option<u64> {
        self.stop = None;
        self.thread.take()?.join().ok()?
    }
}
