use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, calls::call, executor};
use crate::host::{Control, JobKey};

#[wasm_bindgen(raw_module = "./control.js")]
extern "C" {
    fn control_ask(job: u32, call: u32) -> i32;
    fn control_set(engine: u32, task: u32, call: u32, paused: bool) -> i32;
    fn control_job_error(job: u32) -> JsValue;
    fn control_error(task: u32) -> JsValue;
}

/// What `control_ask` answers; 0 is also what `control_set` does when it is done.
const NO: i32 = 0;
const YES: i32 = 1;

impl Control for JsHost {
    async fn all_paused(&self, job: JobKey) -> Result<bool, JsValue> {
        match call(|number| control_ask(job.0, number)).await {
            NO => Ok(false),
            YES => Ok(true),
            _ => Err(control_job_error(job.0)),
        }
    }

    async fn set_all_paused(&self, paused: bool) -> Result<(), JsValue> {
        let task = executor::current();
        match call(|number| control_set(self.engine, task, number, paused)).await {
            NO => Ok(()),
            _ => Err(control_error(task)),
        }
    }
}
