//! The only place that knows wasm-bindgen: JavaScript objects as hosts, the executor, the exports.
//!
//! Objects stay in JavaScript; what crosses is integers, and strings and values where an operation
//! is seldom or needs them. Each import block stands in a file named after the host trait it serves,
//! beside `pkg-template/engine/` files of the same names that hold its other half. An import never
//! throws: its JavaScript catches and answers with a code.

mod agents;
mod api;
mod budget_manager;
mod calls;
mod change;
mod child_jobs;
mod children;
mod clock;
mod control;
mod event_bus;
mod events;
mod executor;
mod histogram;
mod input;
mod leases;
mod lists;
mod monitor;
mod performance_monitor;
mod plans;
mod replay;
mod store;

use jobwright_allocator::SmallBlocks;
use rlsf::SmallGlobalTlsf;
use wasm_bindgen::JsValue;

use crate::host::Values;

#[global_allocator]
static ALLOCATOR: SmallBlocks<SmallGlobalTlsf> = SmallBlocks::before(SmallGlobalTlsf::new());

/// The parts that one `createOrchestrator` was given; JavaScript keeps them under this number.
pub(crate) struct JsHost {
    engine: u32,
    /// It is asked about each step: where there is none, not even JavaScript is.
    has_budget: bool,
    /// The same.
    has_monitor: bool,
}

impl Values for JsHost {
    type Value = JsValue;
    type Error = JsValue;

    fn value_of(&self, json: &serde_json::Value) -> JsValue {
        input::value_of(json)
    }
}
