//! Histories on their way from JavaScript to a [`Replay`], as JSON: this is not done often.

use std::cell::RefCell;

use serde_json::{Value, from_str};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::core::{
    logic::Path,
    replay::{Decisive, Replay},
    written::Members,
};

#[wasm_bindgen(raw_module = "./replay.js")]
extern "C" {
    /// What is asked about: an id, or JSON.
    fn replay_text() -> String;
    /// The answer, as JSON.
    fn replay_told(answer: &str);
}

thread_local! {
    static REPLAYS: RefCell<Vec<Option<Replay>>> = const { RefCell::new(Vec::new()) };
}

/// Begins to decide the history of the job with the id `replay_text` again; answers its number.
#[wasm_bindgen]
pub fn replay_new(redacted: bool) -> u32 {
    let replay = Replay::new(&replay_text(), redacted);
    REPLAYS.with_borrow_mut(|replays| {
        let free = replays.iter().position(Option::is_none).unwrap_or_else(|| {
            replays.push(None);
            replays.len() - 1
        });
        replays[free] = Some(replay);
        free as u32
    })
}

/// Nobody needs the replay with this number any more.
#[wasm_bindgen]
pub fn replay_drop(number: u32) {
    REPLAYS.with_borrow_mut(|replays| replays[number as usize] = None);
}

const MEET: u32 = 0;
const END: u32 = 1;
const END_OF_LINES: u32 = 2;
const READS: u32 = 3;

/// Asks a replay something, with `replay_text` where there is something to say, and tells the answer: whether the
/// event is met (what the expressions gave, or the difference), whether this is the end (how many decisions, or the
/// difference), what decisions read, or what was decided so far. False where there is a difference.
#[wasm_bindgen]
pub fn replay_ask(number: u32, what: u32) -> bool {
    let answer = REPLAYS.with_borrow_mut(|replays| {
        let replay = replays.get_mut(number as usize).and_then(Option::as_mut)?;
        Some(match what {
            MEET => replay.meet(&read()).map(|()| Value::Object(replay.evaluated().clone())),
            END | END_OF_LINES => replay.end(&read(), what == END).map(|()| Value::from(replay.decisions())),
            READS => Ok(write_reads(&replay.reads())),
            _ => Ok(replay.run_state()),
        })
    });
    let (met, told) = match answer {
        Some(Ok(told)) => (true, told),
        Some(Err(difference)) => (false, difference.to_json()),
        None => (false, Value::Null),
    };
    replay_told(&told.to_string());
    met
}

fn read() -> Value {
    from_str(&replay_text()).unwrap_or_default()
}

fn write_reads(reads: &Decisive) -> Value {
    let paths = |paths: &[Path]| Value::Array(paths.iter().map(|path| path.keys().into()).collect());
    let mut written = Members::default();
    written.put("paths", paths(&reads.paths));
    written.put("lists", paths(&reads.lists));
    written.put("all", reads.all.into());
    written.done()
}
