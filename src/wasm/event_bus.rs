use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::JsHost;
use crate::{
    core::event::Event,
    host::{EventBus, JobKey},
};

#[wasm_bindgen(raw_module = "./event-bus.js")]
extern "C" {
    /// The events are those of the job's latest commit; JavaScript has made them already.
    fn bus_emit(job: u32);
}

impl EventBus for JsHost {
    fn emit(&self, job: JobKey, _events: &[Event<JsValue>]) {
        bus_emit(job.0);
    }
}
