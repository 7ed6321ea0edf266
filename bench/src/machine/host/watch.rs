//! What is looked at during a load by a thread of the server's host: how many connections the server has
//! at most, and once how fast cores run.

use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{frequency, sockets};

/// When the server's connections are first counted during a load. Each look comes twice as late as
/// the one before, so that a load of any length is looked at a few times and never often.
const FIRST_LOOK: Duration = Duration::from_millis(50);

/// A thread that counts the connections of an address until this value is dropped.
pub struct LocalWatch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Seen>>,
}

/// What was seen during a load. `None` where there was no look, or the kernel does not say.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Seen {
    /// The most connections of the server.
    pub connections: Option<u64>,
    /// The clock frequency of each core that was asked about, at the first look, in hertz.
    pub hertz: Option<Vec<u64>>,
}

impl LocalWatch {
    /// Begins to count the connections of the server that listens on `address`. Looks once how fast
    /// `cores` run.
    pub(super) fn start(address: SocketAddr, cores: Vec<usize>) -> Self {
        let (stop, stopped) = channel();
        let look = move || {
            let (began, mut next, mut seen) = (Instant::now(), FIRST_LOOK, Seen::default());
            let pause = |next: Duration| next.saturating_sub(began.elapsed());
            while stopped.recv_timeout(pause(next)) == Err(RecvTimeoutError::Timeout) {
                seen.connections = seen.connections.max(sockets::established(address));
                if next == FIRST_LOOK {
                    seen.hertz = frequency::frequencies(&cores);
                }
                next *= 2;
            }
            seen
        };
        Self { stop: Some(stop), thread: Some(std::thread::spawn(look)) }
    }

    pub(super) fn end(mut self) -> Seen {
        self.stop = None;
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}
