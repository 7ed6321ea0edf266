//! A task's alarm, which the keeper of all connections rings.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use shared::process::{Deadline, Wake};

use crate::lifecycle::Lifecycle;

/// Wakes one task at one deadline after another. tokio's timers do the same, but then each wait for a socket is a wait for the
/// time too, and sets a timer of the kernel's.
#[derive(Default)]
pub struct TaskTimer {
    watch: Option<Arc<Deadline<TimerWaker>>>,
    /// The waker that the bell has.
    known: Option<Waker>,
}

/// What the keeper rings.
#[derive(Default)]
pub(crate) struct TimerWaker {
    waker: Mutex<Option<Waker>>,
    rung: AtomicBool,
}

impl TaskTimer {
    /// Has the task be woken when the server's life comes to its next stage, and at the deadline once that is set.
    pub(crate) fn watch(&mut self, lifecycle: &Lifecycle, context: &Context) -> &Deadline<TimerWaker> {
        let watch = self.watch.get_or_insert_with(|| lifecycle.keeper().watch(TimerWaker::default()));
        if !self.known.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
            self.known = Some(context.waker().clone());
            *watch.waker().lock() = Some(context.waker().clone());
        }
        watch
    }

    /// Ready once the deadline has passed. Until then the task is also woken when the server's life comes to its next stage; what is
    /// known of that has to be asked after this.
    pub fn poll(&mut self, lifecycle: &Lifecycle, context: &Context, deadline: Instant) -> Poll<()> {
        let watch = self.watch(lifecycle, context);
        lifecycle.keeper().set_deadline(watch, Some(deadline));
        // Only after a ring is the clock worth a look.
        let rung = watch.waker().rung.load(Ordering::Relaxed);
        if rung && Instant::now() >= deadline {
            return Poll::Ready(());
        }
        if rung {
            watch.waker().rung.store(false, Ordering::Relaxed);
        }
        Poll::Pending
    }

    /// Whether it has rung, so that the deadline may have passed.
    pub fn has_rung(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.waker().rung.load(Ordering::Relaxed))
    }
}

impl TimerWaker {
    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        // It is whole after a panic too.
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for TimerWaker {
    fn wake(&self) {
        self.rung.store(true, Ordering::Relaxed);
        if let Some(waker) = &*self.lock() {
            waker.wake_by_ref();
        }
    }
}
