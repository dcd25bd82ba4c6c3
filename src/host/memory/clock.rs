//! A clock that stands still until it is moved.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

use crate::host::{Clock, memory::MemoryHost};

#[derive(Default)]
pub(super) struct Timers {
    now: Cell<f64>,
    made: Cell<u64>,
    waiting: RefCell<Vec<Timer>>,
}

struct Timer {
    number: u64,
    due: f64,
    waker: Waker,
}

impl MemoryHost {
    /// Moves the clock; whoever slept until then wakes.
    pub fn advance(&self, ms: f64) {
        let clock = &self.world.clock;
        clock.now.set(clock.now.get() + ms);
        let now = clock.now.get();
        let due: Vec<Waker> = {
            let waiting = clock.waiting.borrow();
            waiting.iter().filter(|timer| timer.due <= now).map(|timer| timer.waker.clone()).collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// How long it is until the first timer is due; `None` where nobody sleeps.
    pub fn next_timer(&self) -> Option<f64> {
        let waiting = self.world.clock.waiting.borrow();
        waiting.iter().map(|timer| timer.due).min_by(f64::total_cmp).map(|due| due - self.now())
    }

    /// How many sleep.
    pub fn timers(&self) -> usize {
        self.world.clock.waiting.borrow().len()
    }
}

impl Clock for MemoryHost {
    fn now(&self) -> f64 {
        self.world.clock.now.get()
    }

    async fn sleep(&self, ms: f64) {
        let timers = &self.world.clock;
        let due = self.now() + ms;
        let number = timers.made.get();
        timers.made.set(number + 1);
        let _taken_back = TakenBack { timers, number };
        poll_fn(|context| {
            if timers.now.get() >= due {
                return Poll::Ready(());
            }
            let mut waiting = timers.waiting.borrow_mut();
            match waiting.iter_mut().find(|timer| timer.number == number) {
                Some(timer) => timer.waker.clone_from(context.waker()),
                None => waiting.push(Timer { number, due, waker: context.waker().clone() }),
            }
            Poll::Pending
        })
        .await;
    }
}

/// A timer that nobody waits for any more goes.
struct TakenBack<'a> {
    timers: &'a Timers,
    number: u64,
}

impl Drop for TakenBack<'_> {
    fn drop(&mut self) {
        self.timers.waiting.borrow_mut().retain(|timer| timer.number != self.number);
    }
}
