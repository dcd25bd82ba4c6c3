//! What this orchestrator is doing with a job right now. Nothing here needs to survive a crash.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use crate::{
    core::{
        job::{JobHead, Run},
        step::Hold,
    },
    host::{Abort, JobKey},
    orchestrator::Cancellation,
};

/// The jobs that are being worked on.
#[derive(Default)]
pub(super) struct LiveJobs {
    /// By key; keys are small numbers, given again when they are free.
    jobs: RefCell<Vec<Option<Rc<Live>>>>,
}

/// One of them.
#[derive(Default)]
pub(super) struct Live {
    /// Somebody runs its steps.
    driven: Cell<bool>,
    /// The run of the whole job was asked to stop when its attempts have finished.
    pub(super) stop_asked: Cell<bool>,
    /// The job has ended: the steps for which something may be held, to be settled by whoever runs it.
    pub(super) to_settle: RefCell<Option<Vec<Hold>>>,
    /// What was read of the job, and when it had which head.
    cached: RefCell<Option<(Stand, Box<Run>)>>,
    attempts: RefCell<Vec<Rc<Control>>>,
    /// The mark at which all attempts were given up last.
    given_up: Cell<Option<u64>>,
    waiting: RefCell<Vec<Waker>>,
    changes: Cell<u64>,
    /// Rings where its monitor has something to look at.
    pub(super) bell: Bell,
    /// It has ended.
    pub(super) ended: Cell<bool>,
    /// Somebody else runs it now: whoever does here stops, and commits nothing more.
    pub(super) lost: Cell<bool>,
    /// Ends its monitor, where it has one.
    pub(super) monitor: RefCell<Option<Cancellation>>,
}

/// A revision of a job; another job, made when this one was deleted, may have its id and reach the same.
type Stand = (u64, u64);

fn stand(head: &JobHead) -> Stand {
    (head.revision, head.created.to_bits())
}

/// Rung often or once, it is heard once.
#[derive(Default)]
pub(super) struct Bell {
    rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Bell {
    /// Whoever listens looks, soon.
    pub(super) fn ring(&self) {
        if self.rung.replace(true) {
            return;
        }
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ready when it was rung since it was heard last.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.rung.replace(false) {
            return Poll::Ready(());
        }
        *self.waker.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

impl LiveJobs {
    /// What is known of a job, made where nothing is.
    pub(super) fn enter(&self, key: JobKey) -> Rc<Live> {
        let mut jobs = self.jobs.borrow_mut();
        let place = key.0 as usize;
        if jobs.len() <= place {
            jobs.resize_with(place + 1, || None);
        }
        Rc::clone(jobs[place].get_or_insert_default())
    }

    /// What is known of a job.
    pub(super) fn get(&self, key: JobKey) -> Option<Rc<Live>> {
        self.jobs.borrow().get(key.0 as usize).cloned().flatten()
    }

    /// The key is no longer the job's.
    pub(super) fn forget(&self, key: JobKey) {
        let forgotten = self.jobs.borrow_mut().get_mut(key.0 as usize).and_then(Option::take);
        drop(forgotten);
    }

    /// Every job that is being worked on.
    pub(super) fn all(&self) -> Vec<Rc<Live>> {
        self.jobs.borrow().iter().flatten().cloned().collect()
    }
}

impl Live {
    /// Takes the seat of the one who runs the job's steps, or `None` where it is taken.
    pub(super) fn take_seat(self: &Rc<Live>) -> Option<Seat> {
        if self.driven.replace(true) {
            return None;
        }
        Some(Seat { live: Rc::clone(self) })
    }

    /// Does somebody run the job's steps?
    pub(super) fn is_driven(&self) -> bool {
        self.driven.get()
    }

    /// What was read of the job, if it still stands as it did.
    pub(super) fn take_cached(&self, head: &JobHead) -> Option<Box<Run>> {
        self.cached.borrow_mut().take().filter(|(read, _)| *read == stand(head)).map(|(_, run)| run)
    }

    /// Keeps what was read of the job.
    pub(super) fn keep(&self, head: &JobHead, run: Box<Run>) {
        *self.cached.borrow_mut() = Some((stand(head), run));
    }

    /// An attempt begins; it is given up when the returned control says so.
    pub(super) fn begin_attempt(self: &Rc<Live>) -> Attempting {
        let control = Rc::new(Control::default());
        self.attempts.borrow_mut().push(Rc::clone(&control));
        Attempting { live: Rc::clone(self), control }
    }

    /// No attempt begins any more; those that have begun go on until they are told.
    pub(super) fn shut(&self) {
        self.given_up.set(Some(self.mark()));
        self.attempts.borrow().iter().for_each(|control| control.shut.set(true));
    }

    /// Were all attempts given up, or are they about to be?
    pub(super) fn is_shut(&self) -> bool {
        self.given_up.get().is_some()
    }

    /// Gives every attempt up.
    pub(super) fn abort_attempts(&self, why: Abort) {
        self.shut();
        let controls: Vec<Rc<Control>> = self.attempts.borrow().clone();
        for control in controls {
            control.abort(why);
        }
    }

    /// Somebody else runs the job now.
    pub(super) fn lose(&self) {
        self.lost.set(true);
        self.abort_attempts(Abort::Lost);
        self.notify();
    }

    /// Were all attempts given up after the mark was taken?
    pub(super) fn given_up_since(&self, mark: u64) -> bool {
        self.given_up.get().is_some_and(|at| at >= mark)
    }

    /// Whoever waits looks at the job again.
    pub(super) fn notify(&self) {
        self.changes.set(self.changes.get() + 1);
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        waiting.into_iter().for_each(Waker::wake);
    }

    /// A mark to give to [`Live::changed_since`].
    pub(super) fn mark(&self) -> u64 {
        self.changes.get()
    }

    /// Ready when something changed after the mark was taken.
    pub(super) fn poll_changed(&self, mark: u64, context: &mut Context<'_>) -> Poll<()> {
        if self.changes.get() != mark {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Waits until something changes after the mark was taken.
    pub(super) async fn changed_since(&self, mark: u64) {
        poll_fn(|context| self.poll_changed(mark, context)).await;
    }
}

/// The right to run a job's steps.
pub(super) struct Seat {
    live: Rc<Live>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.live.driven.set(false);
        self.live.notify();
    }
}

/// Tells an attempt to give up.
#[derive(Default)]
struct Control {
    /// It must not begin, where it has not begun yet.
    shut: Cell<bool>,
    why: Cell<Option<Abort>>,
    waker: RefCell<Option<Waker>>,
}

impl Control {
    fn abort(&self, why: Abort) {
        self.why.set(Some(why));
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// An attempt under way; dropping it takes it off the list.
pub(super) struct Attempting {
    live: Rc<Live>,
    control: Rc<Control>,
}

impl Attempting {
    /// Is the attempt given up, or about to be?
    pub(super) fn is_shut(&self) -> bool {
        self.control.shut.get()
    }

    /// Ready when the attempt is to be given up.
    pub(super) fn poll_aborted(&self, context: &mut Context<'_>) -> Poll<Abort> {
        if let Some(why) = self.control.why.get() {
            return Poll::Ready(why);
        }
        *self.control.waker.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Attempting {
    fn drop(&mut self) {
        self.live.attempts.borrow_mut().retain(|control| !Rc::ptr_eq(control, &self.control));
    }
}
