//! A thread of the server's host that watches a load: it counts the server's connections from time
//! to time, and reads the frequencies of cores once.

use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{frequency, sockets};

/// The time from the start of a load to the first count of the server's connections. Each further
/// count is at twice the time of the one before, so that a load of any length is counted a few
/// times and never often.
const FIRST_LOOK: Duration = Duration::from_millis(50);

/// A thread that counts the connections of an address until this value is dropped.
pub struct LocalWatch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Seen>>,
}

/// What a watch has read during a load. `None` if there was no look, or the kernel does not report
/// the value.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Seen {
    /// The largest number of connections of the server.
    pub connections: Option<u64>,
    /// The clock frequency of each watched core at the first look, in hertz.
    pub hertz: Option<Vec<u64>>,
}

impl LocalWatch {
    /// Starts to count the connections of the server that listens on `address`. Reads the
    /// frequencies of `cores` once.
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
