//! One after the other: what is done to one job happens in the order of the calls.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};

use crate::host::JobKey;

/// Who has the turn of each job, and who waits for it.
#[derive(Default)]
pub(super) struct Turns {
    lines: RefCell<Vec<Line>>,
}

#[derive(Default)]
struct Line {
    taken: bool,
    waiting: VecDeque<Rc<Ticket>>,
}

#[derive(Default)]
struct Ticket {
    called: Cell<bool>,
    given_up: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// The turn of one job; dropping it calls the next in line.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    key: JobKey,
}

impl Turns {
    /// Waits for the turn. Turns are given in the order in which they were first polled.
    pub(super) async fn take(&self, key: JobKey) -> Turn<'_> {
        if let Some(ticket) = self.join(key) {
            let mut place = Place { turns: self, key, ticket, taken: false };
            poll_fn(|context| {
                if place.ticket.called.get() {
                    return Poll::Ready(());
                }
                *place.ticket.waker.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            })
            .await;
            place.taken = true;
        }
        Turn { turns: self, key }
    }

    fn join(&self, key: JobKey) -> Option<Rc<Ticket>> {
        let mut lines = self.lines.borrow_mut();
        let index = key.0 as usize;
        if lines.len() <= index {
            lines.resize_with(index + 1, Line::default);
        }
        let line = &mut lines[index];
        if !line.taken {
            line.taken = true;
            return None;
        }
        let ticket = Rc::new(Ticket::default());
        line.waiting.push_back(Rc::clone(&ticket));
        Some(ticket)
    }

    fn call_next(&self, key: JobKey) {
        let next = {
            let mut lines = self.lines.borrow_mut();
            let line = &mut lines[key.0 as usize];
            let next = loop {
                match line.waiting.pop_front() {
                    Some(ticket) if ticket.given_up.get() => {}
                    next => break next,
                }
            };
            line.taken = next.is_some();
            next
        };
        if let Some(ticket) = next {
            ticket.called.set(true);
            let waker = ticket.waker.borrow_mut().take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.call_next(self.key);
    }
}

/// A place in line; somebody who stops waiting lets the others pass.
struct Place<'a> {
    turns: &'a Turns,
    key: JobKey,
    ticket: Rc<Ticket>,
    taken: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        self.ticket.given_up.set(true);
        if self.ticket.called.get() {
            self.turns.call_next(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::{Pin, pin},
        task::Context,
    };

    type Waiting<'a> = Pin<Box<dyn Future<Output = Turn<'a>> + 'a>>;

    fn poll<'a>(waiting: &mut Waiting<'a>) -> Option<Turn<'a>> {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn wait(turns: &Turns) -> Waiting<'_> {
        Box::pin(turns.take(JobKey(3)))
    }

    #[test]
    fn turns_are_given_in_order() {
        let turns = Turns::default();
        let (mut first, mut second, mut third) = (wait(&turns), wait(&turns), wait(&turns));
        let held = poll(&mut first);
        assert!(held.is_some() && poll(&mut second).is_none() && poll(&mut third).is_none());
        drop(held);
        assert!(poll(&mut third).is_none(), "the third must not overtake the second");
        let held = poll(&mut second);
        assert!(held.is_some());
        drop(held);
        assert!(poll(&mut third).is_some());
    }

    #[test]
    fn other_jobs_do_not_wait() {
        let turns = Turns::default();
        let _held = poll(&mut wait(&turns));
        let other = pin!(turns.take(JobKey(4)));
        assert!(other.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    #[test]
    fn who_gives_up_lets_the_others_pass() {
        let turns = Turns::default();
        let (mut first, mut second, mut third) = (wait(&turns), wait(&turns), wait(&turns));
        let held = poll(&mut first);
        assert!(poll(&mut second).is_none() && poll(&mut third).is_none());
        drop(held);
        drop(second);
        assert!(poll(&mut third).is_some());
    }
}
