//! The threads that make the load. All get the same orders, and their counts are added up.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::plan::{Amount, Plan};
use super::report;
use super::tally::Tally;
use super::worker::{Order, Worker};

pub(super) struct Threads<'scope> {
    plan: &'scope Plan,
    threads: Vec<Thread<'scope>>,
}

struct Thread<'scope> {
    orders: Sender<Order>,
    /// One tally per order. A channel per thread, so that one that panicked is noticed.
    tallies: Receiver<anyhow::Result<Tally>>,
    handle: ScopedJoinHandle<'scope, Tally>,
}

impl<'scope> Threads<'scope> {
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        plan: &'scope Plan,
        workers: Vec<Worker<'scope>>,
    ) -> Self {
        let start = |worker: Worker<'scope>| {
            let (orders, received) = channel();
            let (counted, tallies) = channel();
            let handle = scope.spawn(move || worker.run(&received, &counted));
            Thread { orders, tallies, handle }
        };
        Self { plan, threads: workers.into_iter().map(start).collect() }
    }

    /// Tries once to open each connection that is not open.
    pub(super) fn open(&self) -> anyhow::Result<Tally> {
        self.order(&Order::Open)
    }

    /// Makes load on all connections and waits for the answers that are missing.
    pub(super) fn load(&self, warm_up: Duration, amount: Amount) -> anyhow::Result<Tally> {
        let began = Arc::new(OnceLock::new());
        let mut tally = self.order(&Order::Load { warm_up, amount, began: Arc::clone(&began) })?;
        let began: Instant = *began.get().context("the clock was not started")?;
        tally.elapsed = report::elapsed(amount, self.plan.rate, began + warm_up, &tally);
        Ok(tally)
    }

    /// Ends the threads. Returns what they counted since the last order.
    pub(super) fn finish(self) -> anyhow::Result<Tally> {
        let handles: Vec<_> = self.threads.into_iter().map(|thread| thread.handle).collect();
        add_up(handles.into_iter().map(|handle| handle.join().ok().context(PANICKED)))
    }

    fn order(&self, order: &Order) -> anyhow::Result<Tally> {
        for thread in &self.threads {
            thread.orders.send(order.clone()).ok().context(PANICKED)?;
        }
        add_up(self.threads.iter().map(|thread| thread.tallies.recv().context(PANICKED)?))
    }
}

const PANICKED: &str = "a thread panicked";

fn add_up(tallies: impl Iterator<Item = anyhow::Result<Tally>>) -> anyhow::Result<Tally> {
    let mut total = Tally::default();
    for tally in tallies {
        let tally = tally?;
        total.open += tally.open;
        total.add(tally)?;
    }
    Ok(total)
}
