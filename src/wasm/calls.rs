//! Calls of host methods that may answer now or later.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use wasm_bindgen::prelude::wasm_bindgen;

use super::executor;

/// What an import answers when its answer comes later, through [`settle`].
pub(super) const LATER: i32 = i32::MIN;

thread_local! {
    static CALLS: RefCell<Calls> = const { RefCell::new(Calls { states: Vec::new(), free: Vec::new() }) };
}

struct Calls {
    states: Vec<State>,
    free: Vec<u32>,
}

#[derive(Clone, Copy)]
enum State {
    /// The task that waits for it.
    Waiting(u32),
    Answered(i32),
    /// Nobody waits any more; free when the answer comes.
    Dropped,
    Free,
}

/// Makes a call: `make` gets its number, and answers at once or with [`LATER`].
pub(super) async fn call(make: impl FnOnce(u32) -> i32) -> i32 {
    let number = CALLS.with_borrow_mut(|calls| calls.take(executor::current()));
    let answer = make(number);
    if answer != LATER {
        CALLS.with_borrow_mut(|calls| calls.release(number));
        return answer;
    }
    Pending { number }.await
}

/// The answer to a call has come.
#[wasm_bindgen]
pub fn settle(call: u32, answer: i32) {
    let waiting = CALLS.with_borrow_mut(|calls| match calls.states.get(call as usize) {
        Some(State::Waiting(task)) => {
            let task = *task;
            calls.states[call as usize] = State::Answered(answer);
            Some(task)
        }
        Some(State::Dropped) => {
            calls.release(call);
            None
        }
        Some(State::Answered(_) | State::Free) | None => None,
    });
    if let Some(task) = waiting {
        executor::resume(task);
    }
}

/// Is there an answer to come, even where nobody waits for it any more?
#[wasm_bindgen]
pub fn awaits_answers() -> bool {
    CALLS.with_borrow(|calls| calls.free.len() < calls.states.len())
}

impl Calls {
    fn take(&mut self, task: u32) -> u32 {
        let state = State::Waiting(task);
        match self.free.pop() {
            Some(number) => {
                self.states[number as usize] = state;
                number
            }
            None => {
                self.states.push(state);
                self.states.len() as u32 - 1
            }
        }
    }

    fn release(&mut self, number: u32) {
        self.states[number as usize] = State::Free;
        self.free.push(number);
    }
}

struct Pending {
    number: u32,
}

impl Future for Pending {
    type Output = i32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<i32> {
        CALLS.with_borrow(|calls| match calls.states[self.number as usize] {
            State::Answered(answer) => Poll::Ready(answer),
            State::Waiting(_) | State::Dropped | State::Free => Poll::Pending,
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        CALLS.with_borrow_mut(|calls| match calls.states[self.number as usize] {
            State::Answered(_) => calls.release(self.number),
            State::Waiting(_) => calls.states[self.number as usize] = State::Dropped,
            State::Dropped | State::Free => {}
        });
    }
}
