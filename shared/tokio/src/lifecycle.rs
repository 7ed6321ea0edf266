//! The stages in which a server ends.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use shared::http::Pace;
use shared::http::limits::DRAIN_GRACE;
use shared::process::DeadlineThread;
use tokio::sync::Notify;

use crate::timer::{TaskTimer, TimerWaker};

/// How far a server's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// It serves.
    Serving,
    /// Answers close their connections.
    Draining,
    /// No connection is accepted any more, and those that have waited for a request are closed.
    Ending,
    /// What is still open is cut.
    Over,
}

/// The life of a server, which all its connections share.
pub struct Lifecycle {
    stage: AtomicU8,
    changed: Notify,
    open: AtomicUsize,
    keeper: Arc<DeadlineThread<TimerWaker>>,
}

impl Lifecycle {
    /// A server that serves, with a thread that keeps time for it.
    pub fn start() -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            stage: AtomicU8::new(Stage::Serving as u8),
            changed: Notify::new(),
            open: AtomicUsize::new(0),
            keeper: DeadlineThread::start()?,
        }))
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            2 => Stage::Ending,
            _ => Stage::Over,
        }
    }

    /// Begins a stage, and wakes who waits for it.
    pub fn begin(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
        self.changed.notify_waiters();
        self.keeper.wake_everybody();
    }

    /// Has answers close their connections, and blocks as long as connections are still accepted. Returns when everything
    /// has to have ended, `limit` after it began.
    pub fn drain(&self, limit: Duration) -> Instant {
        let deadline = Instant::now() + limit;
        self.begin(Stage::Draining);
        std::thread::sleep(DRAIN_GRACE.min(limit));
        deadline
    }

    /// Waits for a stage.
    pub async fn reached(&self, stage: Stage) {
        loop {
            let changed = self.changed.notified();
            // A change after this line is heard by `changed`.
            if self.stage.load(Ordering::Acquire) >= stage as u8 {
                return;
            }
            changed.await;
        }
    }

    /// Lets some time pass, by the keeper and not by a timer of tokio's.
    pub async fn pause(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut alarm = TaskTimer::default();
        poll_fn(|context| alarm.poll(self, context, deadline)).await;
    }

    pub(crate) fn keeper(&self) -> &DeadlineThread<TimerWaker> {
        &self.keeper
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pace for Lifecycle {
    /// A thread has other connections: none may keep it for as long as its client has something to send.
    fn others_wait(&self) -> bool {
        true
    }

    fn is_draining(&self) -> bool {
        self.stage() >= Stage::Draining
    }

    fn is_ending(&self) -> bool {
        self.stage() >= Stage::Ending
    }
}
