//! The state that a worker's accept loop and its connections share.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use shared::http::Timeouts;
use shared::lifecycle::Lifecycle;
use shared::tls::Encryption;

use crate::deadline::Deadlines;

/// The maximum number of answer buffers that are kept for reuse: no more connections are served
/// between two checks of the ring. A connection whose client does not take all answers keeps its
/// own.
const OUTPUTS_KEPT: usize = 64;

/// The state of a worker. Workers share nothing but the port and the server's lifecycle.
pub(crate) struct WorkerState {
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) timeouts: Timeouts,
    pub(crate) encryption: Encryption,
    pub(crate) deadlines: Deadlines,
    /// The number of open connections.
    pub(crate) open: Cell<usize>,
    pub(crate) changes: Changes,
    outputs: RefCell<Vec<Vec<u8>>>,
}

/// Wakes the accept loop when a connection closes, and several times per second.
#[derive(Default)]
pub(crate) struct Changes {
    count: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl WorkerState {
    pub(crate) fn new(lifecycle: Arc<Lifecycle>, timeouts: Timeouts, encryption: Encryption) -> Self {
        let (deadlines, changes) = (Deadlines::default(), Changes::default());
        let (open, outputs) = (Cell::new(0), RefCell::default());
        Self { lifecycle, timeouts, encryption, deadlines, open, changes, outputs }
    }

    /// Returns an empty buffer for answers.
    pub(crate) fn output(&self) -> Vec<u8> {
        self.outputs.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes back a buffer, which is empty since all of it is written.
    pub(crate) fn take_back(&self, output: Vec<u8>) {
        let mut outputs = self.outputs.borrow_mut();
        if outputs.len() < OUTPUTS_KEPT {
            outputs.push(output);
        }
    }
}

impl Changes {
    /// Waits for the next change.
    pub(crate) async fn next(&self) {
        let before = self.count.get();
        poll_fn(|context| {
            if self.count.get() != before {
                return Poll::Ready(());
            }
            self.register(context.waker());
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn register(&self, waker: &Waker) {
        *self.waker.borrow_mut() = Some(waker.clone());
    }

    pub(crate) fn notify(&self) {
        self.count.set(self.count.get().wrapping_add(1));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}
