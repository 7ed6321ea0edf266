//! The threads that make the load. All receive the same orders, and their counts are added up.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Instant;

use anyhow::Context;

use super::plan::Plan;
use super::report;
use super::tally::Tally;
use super::worker::{LoadSlice, Order, Worker};

const PANICKED: &str = "a thread panicked";

pub(super) struct Threads<'scope> {
    plan: &'scope Plan,
    threads: Vec<Thread<'scope>>,
}

struct Thread<'scope> {
    orders: Sender<Order>,
    handle: ScopedJoinHandle<'scope, Tally>,
}

impl<'scope> Threads<'scope> {
    pub(super) fn start<const PLAIN: bool>(
        scope: &'scope Scope<'scope, '_>,
        plan: &'scope Plan,
        workers: Vec<Worker<'scope, PLAIN>>,
    ) -> Self {
        let start = |worker: Worker<'scope, PLAIN>| {
            let (orders, received) = channel();
            Thread { orders, handle: scope.spawn(move || worker.run(&received)) }
        };
        Self { plan, threads: workers.into_iter().map(start).collect() }
    }

    /// Tries once to open each connection that is not open. Returns how many are open.
    pub(super) fn open(&self) -> anyhow::Result<u64> {
        let (opened, answers) = channel();
        self.order(&Order::Open { opened });
        self.answers(answers).sum()
    }

    /// Makes load on all connections, and waits for the missing answers. Returns the counts since
    /// the last load, including connections that were opened in between.
    pub(super) fn load(&self, slice: LoadSlice) -> anyhow::Result<Tally> {
        let (counted, answers) = channel();
        let began = Arc::new(OnceLock::new());
        self.order(&Order::Load { slice, began: Arc::clone(&began), counted });
        let mut tally = add_up(self.answers(answers))?;
        let began: Instant = *began.get().context("the clock was not started")?;
        let measured = began + slice.warm_up;
        tally.elapsed = report::elapsed(slice.amount, self.plan.rate, measured, &tally);
        tally.began =
            Some(measured).filter(|measured| tally.stopped.is_none_or(|stopped| stopped >= *measured));
        Ok(tally)
    }

    /// Ends the threads. Returns their counts since the last load.
    pub(super) fn finish(self) -> anyhow::Result<Tally> {
        // This ends the orders of all threads before the first thread is joined.
        let handles: Vec<_> = self.threads.into_iter().map(|thread| thread.handle).collect();
        add_up(handles.into_iter().map(|handle| handle.join().ok().context(PANICKED)))
    }

    fn order(&self, order: &Order) {
        for thread in &self.threads {
            // A thread that has panicked does not answer.
            let _ = thread.orders.send(order.clone());
        }
    }

    /// One answer of each thread, or an error.
    fn answers<T>(&self, answers: Receiver<anyhow::Result<T>>) -> impl Iterator<Item = anyhow::Result<T>> {
        self.threads.iter().map(move |_| answers.recv().context(PANICKED)?)
    }
}

fn add_up(mut tallies: impl Iterator<Item = anyhow::Result<Tally>>) -> anyhow::Result<Tally> {
    let mut total = tallies.next().context("there is no thread")??;
    for tally in tallies {
        let tally = tally?;
        total.open += tally.open;
        total.add(tally)?;
    }
    Ok(total)
}
