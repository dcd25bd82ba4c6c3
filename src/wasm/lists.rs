use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{calls::call, executor};
use crate::{core::status::JobStatus, host::JobKey};

/// What asking for a list answers where it was read.
const LISTED: i32 = 0;

#[wasm_bindgen(raw_module = "./lists.js")]
extern "C" {
    /// The jobs listed keep their keys until the task ends.
    fn list_children(parent: u32, task: u32, call: u32) -> i32;
    fn list_jobs(engine: u32, status: u32, task: u32, call: u32) -> i32;
    fn list_unsettled(engine: u32, task: u32, call: u32) -> i32;
    /// The next key of the list that this task asked for last, or -1.
    fn list_next(task: u32) -> i32;
    fn list_error(task: u32) -> JsValue;
}

pub(super) async fn children(parent: JobKey) -> Result<Vec<JobKey>, JsValue> {
    list(|task, number| list_children(parent.0, task, number)).await
}

pub(super) async fn jobs(engine: u32, status: JobStatus) -> Result<Vec<JobKey>, JsValue> {
    list(|task, number| list_jobs(engine, status as u32, task, number)).await
}

pub(super) async fn unsettled(engine: u32) -> Result<Vec<JobKey>, JsValue> {
    list(|task, number| list_unsettled(engine, task, number)).await
}

async fn list(ask: impl FnOnce(u32, u32) -> i32) -> Result<Vec<JobKey>, JsValue> {
    let task = executor::current();
    if call(|number| ask(task, number)).await != LISTED {
        return Err(list_error(task));
    }
    Ok(std::iter::from_fn(|| u32::try_from(list_next(task)).ok().map(JobKey)).collect())
}
