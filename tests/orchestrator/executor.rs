//! Polls operations on one thread: in order, or interleaved as a seed says.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Flag>,
}

/// Operations that have not ended.
#[derive(Default)]
pub struct Pool {
    tasks: Vec<Task>,
}

/// Where an operation leaves what it gives.
pub struct Handle<T>(Rc<RefCell<Option<T>>>);

impl<T> Handle<T> {
    pub fn has_ended(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// What it gave; an operation gives it once.
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().take()
    }
}

impl Pool {
    /// Takes an operation on; nothing of it has happened yet.
    pub fn spawn<T: 'static>(&mut self, operation: impl Future<Output = T> + 'static) -> Handle<T> {
        let end = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&end);
        let future = Box::pin(async move {
            let value = operation.await;
            *slot.borrow_mut() = Some(value);
        });
        self.tasks.push(Task { future, woken: Arc::new(Flag(AtomicBool::new(true))) });
        Handle(end)
    }

    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Polls who was woken, in the order of the calls, until nobody is.
    pub fn settle(&mut self) {
        while self.poll_one(|_| 0) {}
    }

    /// Polls one of those who were woken; false where nobody was.
    pub fn poll_one(&mut self, choose: impl FnOnce(usize) -> usize) -> bool {
        let woken = |task: &&mut Task| task.woken.0.load(Ordering::Relaxed);
        let count = self.tasks.iter_mut().filter(woken).count();
        if count == 0 {
            return false;
        }
        let which = choose(count);
        let place = (0..self.tasks.len())
            .filter(|&place| self.tasks[place].woken.0.load(Ordering::Relaxed))
            .nth(which)
            .expect("chosen among those who are woken");
        let task = &mut self.tasks[place];
        task.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.woken));
        if let Poll::Ready(()) = task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            drop(self.tasks.remove(place));
        }
        true
    }
}
