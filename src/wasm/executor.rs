//! The executor: polls the operations, each of which is a task with a number that JavaScript gave it.
//!
//! This is the one module of the crate with unsafe code. It relies on this: a waker's data is the task's number
//! and never a pointer, so cloning, waking and dropping touch no memory.
#![allow(unsafe_code)]

use std::{
    arch::wasm32::memory_size,
    cell::{Cell, RefCell},
    future::Future,
    hint::black_box,
    pin::Pin,
    ptr,
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
};

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(raw_module = "./executor.js")]
extern "C" {
    /// Has `resume` called with this task, soon and not from within.
    fn wake(task: u32);
    /// The task is over; its number is free.
    fn task_ended(task: u32);
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static TASKS: RefCell<Vec<Option<Task>>> = const { RefCell::new(Vec::new()) };
    static CURRENT: Cell<u32> = const { Cell::new(0) };
    /// The size of the memory, in pages, when a task began last.
    static PAGES: Cell<usize> = const { Cell::new(0) };
}

/// By so many bytes the memory grows at least, once it grows: a growth costs a JavaScript engine the same whatever its
/// size, more than many operations, and it may collect garbage for each.
const ROOM: usize = 1 << 20;

/// Begins a task and polls it once.
pub(super) fn start(task: u32, future: impl Future<Output = ()> + 'static) {
    make_room();
    poll(task, Box::pin(future));
}

/// Where the memory has grown, by the page or two that were needed, it grows by [`ROOM`] for what comes next, if it can.
fn make_room() {
    let pages = memory_size::<0>();
    if PAGES.replace(pages) == pages {
        return;
    }
    let mut room = Vec::<u8>::new();
    let _ = room.try_reserve_exact(ROOM);
    drop(black_box(room));
    PAGES.set(memory_size::<0>());
}

/// The task that is being polled.
pub(super) fn current() -> u32 {
    CURRENT.get()
}

/// Polls a task again. A number without a waiting task is passed over: a wake may come late.
#[wasm_bindgen]
pub fn resume(task: u32) {
    let waiting = TASKS.with_borrow_mut(|tasks| tasks.get_mut(task as usize).and_then(Option::take));
    if let Some(waiting) = waiting {
        poll(task, waiting);
    }
}

/// The future is out of the table while it is polled, so that what it calls may begin and resume others.
fn poll(task: u32, mut future: Task) {
    let outer = CURRENT.replace(task);
    let waker = waker(task);
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    CURRENT.set(outer);
    match polled {
        Poll::Ready(()) => task_ended(task),
        Poll::Pending => TASKS.with_borrow_mut(|tasks| {
            let index = task as usize;
            if tasks.len() <= index {
                tasks.resize_with(index + 1, || None);
            }
            tasks[index] = Some(future);
        }),
    }
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &VTABLE),
    |data| wake(data.addr() as u32),
    |data| wake(data.addr() as u32),
    |_| {},
);

fn waker(task: u32) -> Waker {
    // SAFETY: the table's functions never look behind the data, and keep nothing.
    unsafe { Waker::from_raw(RawWaker::new(ptr::without_provenance(task as usize), &VTABLE)) }
}
