//! One thread wakes all connections whose deadline has passed, so that no wait needs a timer.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::threads::start_thread;
use crate::lifecycle::{Lifecycle, lock};

/// The longest time until the thread notices a passed deadline.
const INTERVAL: Duration = Duration::from_millis(100);

/// The time by which a task may postpone its deadline without telling the thread, since a busy task
/// postpones it with each request. The thread wakes a task up to this much too early.
const SLACK: Duration = Duration::from_millis(50);

/// The thread that wakes connections at their deadlines, as connections see it.
pub struct DeadlineThread {
    began: Instant,
    calls: Mutex<Calls>,
    called: Condvar,
}

/// The calls of connections that the thread has yet to handle.
#[derive(Default)]
struct Calls {
    added: Vec<Weak<Deadline>>,
    yielding: Vec<Arc<Deadline>>,
    wake_all: bool,
}

/// The deadline of one connection. The thread forgets it when the connection drops it.
pub struct Deadline {
    waker: Mutex<Option<Waker>>,
    /// Whether the thread has woken the connection: for its deadline, a stage, or `wake_soon`.
    fired: AtomicBool,
    /// The deadline, in milliseconds since the thread began.
    time: AtomicU64,
}

/// A task's deadline. With a timer of the runtime, each wait for a socket would also wait for that
/// timer, and set a timer in the kernel.
#[derive(Default)]
pub struct TaskTimer {
    deadline: Option<Arc<Deadline>>,
    /// A copy of the deadline's waker.
    registered: Option<Waker>,
    /// The deadlines for which the thread need not be told a new time.
    told: Option<Range<Instant>>,
}

impl DeadlineThread {
    /// Starts the thread, which also wakes all connections at each new stage. Fails when the thread
    /// cannot be started.
    pub fn start(lifecycle: &Lifecycle) -> anyhow::Result<Arc<Self>> {
        let this = Arc::new(Self { began: Instant::now(), calls: Mutex::default(), called: Condvar::new() });
        let running = Arc::clone(&this);
        start_thread("deadlines", move || running.run())?;
        let woken = Arc::clone(&this);
        lifecycle.on_change(move || {
            lock(&woken.calls).wake_all = true;
            woken.called.notify_one();
        });
        Ok(this)
    }

    /// Adds a connection's deadline, not yet set. Its waker is called at each new stage already.
    pub fn add(&self, waker: Option<Waker>) -> Arc<Deadline> {
        let (waker, time) = (Mutex::new(waker), AtomicU64::new(u64::MAX));
        let deadline = Arc::new(Deadline { waker, fired: AtomicBool::new(false), time });
        lock(&self.calls).added.push(Arc::downgrade(&deadline));
        deadline
    }

    /// Sets the time at which the connection is woken. With `None`, no time wakes it.
    pub fn set(&self, deadline: &Deadline, time: Option<Instant>) {
        let time = time.map_or(u64::MAX, |time| self.milliseconds(time));
        deadline.time.store(time, Ordering::Relaxed);
    }

    /// Wakes a connection that has more to do, once other connections have had their turn.
    pub fn wake_soon(&self, deadline: &Arc<Deadline>) {
        lock(&self.calls).yielding.push(Arc::clone(deadline));
        self.called.notify_one();
    }

    fn run(&self) {
        let mut deadlines = Vec::new();
        let mut next = Instant::now() + INTERVAL;
        loop {
            let calls = self.wait(next);
            deadlines.extend(calls.added);
            calls.yielding.iter().for_each(|deadline| deadline.wake());
            let now = Instant::now();
            if now >= next || calls.wake_all {
                next = now + INTERVAL;
                let due = if calls.wake_all { u64::MAX } else { self.milliseconds(now) };
                deadlines.retain(|deadline: &Weak<Deadline>| {
                    let Some(deadline) = deadline.upgrade() else { return false };
                    if deadline.time.load(Ordering::Relaxed) <= due {
                        deadline.wake();
                    }
                    true
                });
            }
        }
    }

    /// Waits until `next`, or until a call that cannot wait so long, and takes the calls.
    fn wait(&self, next: Instant) -> Calls {
        let bound = next.saturating_duration_since(Instant::now());
        let is_quiet = |calls: &mut Calls| calls.yielding.is_empty() && !calls.wake_all;
        let waited = self.called.wait_timeout_while(lock(&self.calls), bound, is_quiet);
        let (mut calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Deadline {
    fn wake(&self) {
        self.fired.store(true, Ordering::Relaxed);
        if let Some(waker) = &*lock(&self.waker) {
            waker.wake_by_ref();
        }
    }
}

impl TaskTimer {
    /// Registers the task to be woken at each new stage. Call this before reading the stage:
    /// otherwise the task may miss a stage.
    pub fn register(&mut self, thread: &DeadlineThread, context: &Context) {
        let deadline = self.deadline.get_or_insert_with(|| thread.add(None));
        if !self.registered.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.registered = Some(context.waker().clone());
            lock(&deadline.waker).clone_from(&self.registered);
        }
    }

    /// Ready once `time` has passed. Until then, the task is woken at `time` and at each new stage.
    pub fn poll(&mut self, thread: &DeadlineThread, context: &Context, time: Instant) -> Poll<()> {
        self.register(thread, context);
        self.poll_registered(thread, time)
    }

    /// Does what `poll` does, for a task that has just registered.
    #[inline]
    pub fn poll_registered(&mut self, thread: &DeadlineThread, time: Instant) -> Poll<()> {
        // The clock is read only after the thread has fired.
        let has_fired = self.has_fired();
        if has_fired && Instant::now() >= time {
            return Poll::Ready(());
        }
        if has_fired || self.told.as_ref().is_none_or(|told| !told.contains(&time)) {
            self.tell(thread, time);
        }
        Poll::Pending
    }

    #[cold]
    fn tell(&mut self, thread: &DeadlineThread, time: Instant) {
        let Some(deadline) = &self.deadline else { return };
        deadline.fired.store(false, Ordering::Relaxed);
        thread.set(deadline, Some(time));
        self.told = Some(time..time + SLACK);
    }

    /// Whether the thread has fired, so that the deadline may have passed.
    pub fn has_fired(&self) -> bool {
        self.deadline.as_ref().is_some_and(|deadline| deadline.fired.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_is_told_of_an_earlier_deadline_and_of_one_that_is_put_off_by_much() {
        let lifecycle = Lifecycle::new(1);
        let thread = DeadlineThread::start(&lifecycle).unwrap();
        let mut timer = TaskTimer::default();
        let context = Context::from_waker(Waker::noop());
        let first = thread.began + Duration::from_secs(1000);
        let second = Duration::from_secs(1);
        // The new deadline, and the deadline that the thread then knows, as times after `first`.
        for (later, known) in [
            (Duration::ZERO, Duration::ZERO),
            (SLACK / 2, Duration::ZERO),
            (SLACK, SLACK),
            (SLACK / 2, SLACK / 2),
            (second, second),
        ] {
            assert!(timer.poll(&thread, &context, first + later).is_pending());
            let told = timer.deadline.as_ref().unwrap().time.load(Ordering::Relaxed);
            assert_eq!(told, thread.milliseconds(first + known), "{later:?}");
        }
        // The thread wakes the task before its deadline.
        timer.deadline.as_ref().unwrap().wake();
        assert!(timer.poll(&thread, &context, first + second + SLACK / 2).is_pending());
        assert!(!timer.has_fired());
        let told = timer.deadline.as_ref().unwrap().time.load(Ordering::Relaxed);
        assert_eq!(told, thread.milliseconds(first + second + SLACK / 2));
        timer.deadline.as_ref().unwrap().wake();
        assert!(timer.poll(&thread, &context, thread.began).is_ready());
    }
}
