use wasm_bindgen::prelude::wasm_bindgen;

use super::{JsHost, calls::call};
use crate::host::Clock;

#[wasm_bindgen(raw_module = "./clock.js")]
extern "C" {
    fn clock_now(engine: u32) -> f64;
    fn clock_sleep(engine: u32, call: u32, ms: f64) -> i32;
    fn clock_wake(engine: u32, call: u32);
}

impl Clock for JsHost {
    fn now(&self) -> f64 {
        clock_now(self.engine)
    }

    async fn sleep(&self, ms: f64) {
        let mut timer = Timer { engine: self.engine, call: None };
        call(|number| {
            timer.call = Some(number);
            clock_sleep(self.engine, number, ms)
        })
        .await;
        timer.call = None;
    }
}

/// A timer that nobody waits for any more is taken back.
struct Timer {
    engine: u32,
    call: Option<u32>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            clock_wake(self.engine, call);
        }
    }
}
