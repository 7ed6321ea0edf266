//! A task's deadline, at which the [`DeadlineThread`](shared::process::DeadlineThread) wakes it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use shared::process::{Deadline, DeadlineThread, Wake};

/// Wakes one task at one deadline after another. A timer of tokio's would do the same, but then each
/// wait for a socket is a wait for the time too, and sets a timer in the kernel.
#[derive(Default)]
pub struct TaskTimer {
    deadline: Option<Arc<Deadline<TimerWaker>>>,
    /// A copy of the waker that the thread has.
    registered: Option<Waker>,
}

/// What the thread for deadlines wakes.
#[derive(Default)]
pub struct TimerWaker {
    waker: Mutex<Option<Waker>>,
    /// The thread has woken the task: its deadline has passed, or a new stage has begun.
    fired: AtomicBool,
}

impl TaskTimer {
    /// Registers the task for each new stage of the server. Register before reading the stage, or a
    /// change in between is lost.
    pub fn register(
        &mut self,
        thread: &DeadlineThread<TimerWaker>,
        context: &Context,
    ) -> &Deadline<TimerWaker> {
        let deadline = self.deadline.get_or_insert_with(|| thread.add(TimerWaker::default()));
        if !self.registered.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.registered = Some(context.waker().clone());
            *deadline.waker().lock() = Some(context.waker().clone());
        }
        deadline
    }

    /// Ready once `time` has passed. Until then the task is woken then, and at each new stage.
    pub fn poll(
        &mut self,
        thread: &DeadlineThread<TimerWaker>,
        context: &Context,
        time: Instant,
    ) -> Poll<()> {
        let deadline = self.register(thread, context);
        thread.set(deadline, Some(time));
        // The clock is read only after the thread has fired.
        let fired = &deadline.waker().fired;
        if fired.load(Ordering::Relaxed) {
            if Instant::now() >= time {
                return Poll::Ready(());
            }
            fired.store(false, Ordering::Relaxed);
        }
        Poll::Pending
    }

    /// Whether the thread has fired, so that the deadline may have passed.
    pub fn has_fired(&self) -> bool {
        self.deadline.as_ref().is_some_and(|deadline| deadline.waker().fired.load(Ordering::Relaxed))
    }
}

/// Waits in a task, without a timer of tokio's.
pub(crate) async fn sleep(thread: &DeadlineThread<TimerWaker>, time: Duration) {
    let end = Instant::now() + time;
    let mut timer = TaskTimer::default();
    poll_fn(|context| timer.poll(thread, context, end)).await;
}

impl TimerWaker {
    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        // Poisoning is ignored: no critical section leaves it inconsistent.
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for TimerWaker {
    fn wake(&self) {
        self.fired.store(true, Ordering::Relaxed);
        if let Some(waker) = &*self.lock() {
            waker.wake_by_ref();
        }
    }
}
