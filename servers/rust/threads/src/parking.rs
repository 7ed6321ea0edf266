//! Parks connections that have nothing to do. One thread watches all of them with `poll`, so an
//! idle connection costs no thread, and with an empty buffer some hundred bytes.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use shared::http::{Turn, limits};
use shared::lifecycle::Lifecycle;
use shared::process;

use crate::client::Client;
use crate::pool::Pool;

/// A handle for parking connections.
#[derive(Clone)]
pub(crate) struct Parking {
    arrivals: Arc<Mutex<Vec<Client>>>,
    /// Readable when the thread has to check its arrivals or the server's stage.
    wakeups: Arc<EventFd>,
}

/// The parked connections, with the state of the thread that watches them.
struct ParkedConnections {
    parking: Parking,
    clients: Vec<Client>,
    pool: Arc<Pool>,
    lifecycle: Arc<Lifecycle>,
}

impl Parking {
    /// Starts the thread that watches the parked connections, and gives them back to `pool`. Fails
    /// when there is no descriptor or no thread for it.
    pub(crate) fn start(pool: &Arc<Pool>, lifecycle: &Arc<Lifecycle>) -> anyhow::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wakeups = Arc::new(EventFd::from_flags(flags).context("cannot make an eventfd")?);
        let parking = Self { arrivals: Arc::default(), wakeups };
        let woken = parking.clone();
        lifecycle.on_change(move || woken.wake());
        let (clients, pool, lifecycle) = (Vec::new(), Arc::clone(pool), Arc::clone(lifecycle));
        let mut parked = ParkedConnections { parking: parking.clone(), clients, pool, lifecycle };
        process::start_thread("parking", move || parked.watch())?;
        Ok(parking)
    }

    /// Hands over a connection to be watched.
    pub(crate) fn park(&self, client: Client) {
        lock(&self.arrivals).push(client);
        self.wake();
    }

    fn wake(&self) {
        // It cannot fail: the thread reads the number long before it is full.
        let _ = self.wakeups.write(1);
    }
}

impl ParkedConnections {
    fn watch(&mut self) {
        loop {
            self.clients.append(&mut lock(&self.parking.arrivals));
            self.wait();
            // The read fails when nothing has woken the thread.
            let _ = self.parking.wakeups.read();
            self.release();
        }
    }

    /// Waits until a connection is ready, one arrives, or a deadline passes. Marks the ready ones.
    fn wait(&mut self) {
        let events = |client: &Client| match client.turn {
            Turn::Writable => PollFlags::POLLOUT,
            _ => PollFlags::POLLIN,
        };
        let mut watched = vec![PollFd::new(self.parking.wakeups.as_fd(), PollFlags::POLLIN)];
        watched.extend(self.clients.iter().map(|client| PollFd::new(client.as_fd(), events(client))));
        let timeout = self.clients.iter().filter_map(|client| client.session.deadline()).min().map(until);
        // An error is a signal or a lack of memory: check all connections and try again.
        let _ = poll(&mut watched, timeout.unwrap_or(PollTimeout::NONE));
        let ready: Vec<bool> = watched.iter().skip(1).map(|fd| fd.any().unwrap_or(true)).collect();
        for (client, ready) in self.clients.iter_mut().zip(ready) {
            if ready {
                client.turn = Turn::Yield;
            }
        }
    }

    /// Gives back connections that are ready or past their deadline, and when ending, idle ones.
    fn release(&mut self) {
        let now = Instant::now();
        let latest = self.lifecycle.is_ending().then(|| now + limits::DRAIN_GRACE);
        let is_due = |client: &mut Client| {
            let deadline = client.session.deadline();
            client.turn == Turn::Yield
                || deadline.is_some_and(|deadline| deadline <= now)
                || client.session.is_idle() && latest.is_some_and(|latest| deadline > Some(latest))
        };
        for client in self.clients.extract_if(.., is_due) {
            self.pool.push(client);
        }
    }
}

fn lock(arrivals: &Mutex<Vec<Client>>) -> MutexGuard<'_, Vec<Client>> {
    // Poisoning is ignored: each change to the list is one call.
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the time until `deadline` plus a millisecond, so that the deadline has then passed.
fn until(deadline: Instant) -> PollTimeout {
    let time = deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
    PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)
}
