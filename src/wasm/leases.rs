use wasm_bindgen::prelude::wasm_bindgen;

use super::{JsHost, JsValue, api::engine, calls::call, store::store_error};
use crate::host::{JobKey, LeaseState, Leases};

#[wasm_bindgen(raw_module = "./leases.js")]
extern "C" {
    fn lease_acquire(job: u32, call: u32) -> i32;
    fn lease_state(job: u32, call: u32) -> i32;
    fn lease_release(job: u32, call: u32) -> i32;
    fn lease_lapses(job: u32);
}

/// What `lease_acquire` and `lease_state` answer; anything else: the store failed.
const ELSEWHERE: i32 = 0;
const HELD: i32 = 1;

impl Leases for JsHost {
    async fn acquire_lease(&self, job: JobKey) -> Result<bool, JsValue> {
        match call(|number| lease_acquire(job.0, number)).await {
            HELD => Ok(true),
            ELSEWHERE => Ok(false),
            _ => Err(store_error(job.0)),
        }
    }

    async fn lease_state(&self, job: JobKey) -> LeaseState {
        match call(|number| lease_state(job.0, number)).await {
            HELD => LeaseState::Held,
            ELSEWHERE => LeaseState::Lost,
            _ => LeaseState::Unknown,
        }
    }

    async fn release_lease(&self, job: JobKey) {
        call(|number| lease_release(job.0, number)).await;
    }

    fn let_lease_lapse(&self, job: JobKey) {
        lease_lapses(job.0);
    }
}

/// See `Orchestrator::lease_lost`.
#[wasm_bindgen]
pub fn lease_lost(number: u32, job: u32) {
    if let Some(engine) = engine(number) {
        engine.lease_lost(JobKey(job));
    }
}
