//! The pool: a queue of connections that have something to do, and the threads that serve them.

use std::collections::VecDeque;
use std::io::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use shared::http::{Buffers, Driver, Timeouts, Turn};
use shared::lifecycle::Lifecycle;

use crate::client::Client;
use crate::parking::Parking;

/// How long a worker waits for its connection's next request before it parks the connection. A busy
/// client sends it long before; parking costs two hand-overs, so it must be rare.
const READ_TIMEOUT: Duration = Duration::from_millis(100);

/// The same time as [`READ_TIMEOUT`], while other connections wait for a worker.
const READ_TIMEOUT_UNDER_PRESSURE: Duration = Duration::from_millis(2);

/// The stack of a worker. The loop needs a few kilobytes, mostly for a head's fields, and the
/// system's frames need some.
const STACK_BYTES: usize = 128 * 1024;

/// The time between two attempts to start a worker, once the machine has refused one.
const REFUSED: Duration = Duration::from_secs(1);

/// The queue and its workers.
pub(crate) struct Pool {
    max_workers: usize,
    timeouts: Timeouts,
    lifecycle: Arc<Lifecycle>,
    parking: OnceLock<Parking>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// The queue's length, to be read without the lock.
    queued: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    clients: VecDeque<Client>,
    workers: usize,
    idle: usize,
    /// The time before which no worker is started, since the machine has refused one.
    refused_until: Option<Instant>,
}

impl Pool {
    /// Creates a pool with one worker, so that all connections are served whatever the machine
    /// refuses later. Fails when there is no thread for the worker.
    pub(crate) fn start(
        max_workers: usize,
        timeouts: Timeouts,
        lifecycle: Arc<Lifecycle>,
    ) -> anyhow::Result<Arc<Self>> {
        let pool = Arc::new(Self {
            max_workers,
            timeouts,
            lifecycle,
            parking: OnceLock::new(),
            queue: Mutex::default(),
            arrived: Condvar::new(),
            queued: AtomicUsize::new(0),
        });
        pool.start_worker().context("cannot start a worker")?;
        pool.lock().workers = 1;
        Ok(pool)
    }

    /// Sets, once, the parking for connections that have nothing to do.
    pub(crate) fn park_in(&self, parking: Parking) {
        let _ = self.parking.set(parking);
    }

    /// Queues a connection that has something to do, and starts a worker when none is idle.
    pub(crate) fn push(self: &Arc<Self>, client: Client) {
        let mut queue = self.lock();
        queue.clients.push_back(client);
        self.queued.store(queue.clients.len(), Ordering::Relaxed);
        if queue.clients.len() > queue.idle && queue.workers < self.max_workers {
            self.add_worker(&mut queue);
        }
        drop(queue);
        self.arrived.notify_one();
    }

    /// Starts one more worker. If the machine refuses it, the others do its work.
    fn add_worker(self: &Arc<Self>, queue: &mut Queue) {
        if queue.refused_until.is_some_and(|time| Instant::now() < time) {
            return;
        }
        match self.start_worker() {
            Ok(()) => queue.workers += 1,
            Err(error) => {
                if queue.refused_until.is_none() {
                    eprintln!(
                        "warning: {} workers serve, no further one can be started: {error}",
                        queue.workers
                    );
                }
                queue.refused_until = Some(Instant::now() + REFUSED);
            }
        }
    }

    fn start_worker(self: &Arc<Self>) -> Result<()> {
        let pool = Arc::clone(self);
        // A thread's first allocation costs 31 KB. With these buffers, it usually makes none.
        let buffers = Buffers::default();
        let builder = std::thread::Builder::new().name("worker".into()).stack_size(STACK_BYTES);
        builder.spawn(move || pool.work(buffers)).map(drop)
    }

    fn work(self: &Arc<Self>, mut buffers: Buffers) {
        loop {
            let mut client = self.next();
            let timeout = if self.has_queued() { READ_TIMEOUT_UNDER_PRESSURE } else { READ_TIMEOUT };
            if client.socket.set_read_timeout(timeout).is_err() {
                continue;
            }
            client.turn = client.session.turn(Driver {
                stream: &mut client.socket,
                buffers: &mut buffers,
                timeouts: &self.timeouts,
                lifecycle: &self.lifecycle,
                others_wait: || self.has_queued(),
            });
            match client.turn {
                Turn::Over => {}
                Turn::Yield => self.push(client),
                Turn::Readable | Turn::Writable => {
                    if let Some(parking) = self.parking.get() {
                        parking.park(client);
                    }
                }
            }
        }
    }

    fn has_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    fn next(&self) -> Client {
        let mut queue = self.lock();
        loop {
            if let Some(client) = queue.clients.pop_front() {
                self.queued.store(queue.clients.len(), Ordering::Relaxed);
                return client;
            }
            queue.idle += 1;
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Poisoning is ignored: each change to the queue is one call.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
