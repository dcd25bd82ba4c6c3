//! Histories on their way from JavaScript to a [`Replay`], as JSON: this is not done often.

use std::{
    cell::RefCell,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use serde_json::{Map, Value, from_str};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, api::engine, plans::plan};
use crate::{core::logic::Path, host::JobKey, orchestrator::Replay};

#[wasm_bindgen(raw_module = "./replay.js")]
extern "C" {
    /// JSON of an event, without what it carries.
    fn replay_event() -> String;
    /// What the event carries.
    fn replay_value() -> JsValue;
    fn replay_told(answer: &str);
}

thread_local! {
    static REPLAYS: RefCell<Vec<Option<Replay<JsHost>>>> = const { RefCell::new(Vec::new()) };
}

/// Begins to decide a job's history again, over an engine of JavaScript's that has nothing but that, with the plan of
/// this number if there is one. Answers a number for it.
#[wasm_bindgen]
pub fn replay_new(engine_number: u32, job: u32, plan_number: i32) -> u32 {
    let replay =
        engine(engine_number).map(|engine| Replay::over(Rc::clone(&engine), JobKey(job), plan(plan_number)));
    REPLAYS.with_borrow_mut(|replays| {
        let free = replays.iter().position(Option::is_none).unwrap_or(replays.len());
        replays.resize_with(replays.len().max(free + 1), || None);
        replays[free] = replay;
        free as u32
    })
}

fn take(number: u32) -> Option<Replay<JsHost>> {
    REPLAYS.with_borrow_mut(|replays| replays.get_mut(number as usize).and_then(Option::take))
}

/// Nobody needs the replay with this number any more.
#[wasm_bindgen]
pub fn replay_drop(number: u32) {
    drop(take(number));
}

/// Meets the next event. Answers 1 where the core decided on it, 0 where it came from outside, and -1 where it can't
/// have come, which is told in a sentence.
#[wasm_bindgen]
pub fn replay_meet(number: u32) -> i32 {
    let Some(mut replay) = take(number) else { return -1 };
    let event: Value = from_str(&replay_event()).unwrap_or_default();
    // Nothing of this host is waited for.
    let met = match pin!(replay.meet(&event, replay_value())).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(met) => met,
        Poll::Pending => Err("internal"),
    };
    REPLAYS.with_borrow_mut(|replays| replays[number as usize] = Some(replay));
    met.map(i32::from).unwrap_or_else(|refused| {
        replay_told(refused);
        -1
    })
}

/// Tells what decisions read, as JSON.
#[wasm_bindgen]
pub fn replay_reads(number: u32) {
    let Some(reads) = REPLAYS.with_borrow(|replays| Some(replays.get(number as usize)?.as_ref()?.reads()))
    else {
        return;
    };
    let mut lists = Map::new();
    for (step, path) in &reads.lists {
        lists.insert(step.to_string(), path.keys().into());
    }
    let mut told = Map::new();
    told.insert("paths".to_owned(), reads.paths.iter().map(Path::keys).map(Value::from).collect());
    told.insert("lists".to_owned(), lists.into());
    told.insert("all".to_owned(), reads.all.into());
    replay_told(&Value::Object(told).to_string());
}
