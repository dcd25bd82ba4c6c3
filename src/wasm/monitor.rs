//! The monitoring of parent jobs, as JavaScript asks for it.

use wasm_bindgen::prelude::wasm_bindgen;

use super::api::{begin, engine, op_text};
use crate::{
    core::children::Patience,
    host::JobKey,
    orchestrator::{Cancellation, MonitorOptions, ParentJob},
};

#[wasm_bindgen(raw_module = "./operations.js")]
extern "C" {
    #[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
    fn op_stats(
        task: u32,
        pending: u32,
        running: u32,
        completed: u32,
        failed: u32,
        cancelled: u32,
        text: &str,
        overall: u32,
    );
}

/// See [`crate::orchestrator::Orchestrator::start_monitoring`]; the operation's texts are the job's type and `source_type`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
pub fn start_monitoring(
    engine: u32,
    task: u32,
    job: u32,
    poll_ms: f64,
    timeout_ms: f64,
    no_children_ms: f64,
    max_failed: u32,
    aborted: bool,
) {
    let parent = ParentJob { key: JobKey(job), job_type: op_text(task, 0), source_type: op_text(task, 1) };
    let options = MonitorOptions { poll_ms, patience: Patience { timeout_ms, no_children_ms, max_failed } };
    let cancellation = Cancellation::default();
    if aborted {
        cancellation.cancel();
    }
    begin(engine, task, move |o| async move { o.start_monitoring(parent, options, cancellation).await });
}

/// See [`crate::orchestrator::Orchestrator::stop_monitoring`].
#[wasm_bindgen]
pub fn stop_monitoring(number: u32, job: u32) {
    if let Some(engine) = engine(number) {
        engine.stop_monitoring(JobKey(job));
    }
}

/// See [`crate::orchestrator::Orchestrator::heard_of_child`].
#[wasm_bindgen]
pub fn heard_of_child(number: u32, parent: u32) {
    if let Some(engine) = engine(number) {
        engine.heard_of_child(JobKey(parent));
    }
}

/// See [`crate::orchestrator::Orchestrator::child_stats`].
#[wasm_bindgen]
pub fn child_stats(engine: u32, task: u32, job: u32) {
    begin(engine, task, move |o| async move {
        let stats = o.child_stats(JobKey(job)).await?;
        op_stats(
            task,
            stats.pending,
            stats.running,
            stats.completed,
            stats.failed,
            stats.cancelled,
            &stats.progress_text(),
            stats.overall_status() as u32,
        );
        Ok(())
    });
}
