use wasm_bindgen::prelude::wasm_bindgen;

use super::JsHost;
use crate::{
    core::{
        status::JobStatus,
        step::{StepIndex, StepStatus},
    },
    host::{JobKey, PerformanceMonitor},
};

#[wasm_bindgen(raw_module = "./performance-monitor.js")]
extern "C" {
    fn monitor_job(job: u32, duration_ms: f64, status: u32);
    fn monitor_step(job: u32, step: u32, duration_ms: f64, status: u32);
}

impl PerformanceMonitor for JsHost {
    fn job_ended(&self, job: JobKey, duration_ms: f64, status: JobStatus) {
        if self.has_monitor {
            monitor_job(job.0, duration_ms, status as u32);
        }
    }

    fn step_ended(&self, job: JobKey, step: StepIndex, duration_ms: f64, status: StepStatus) {
        if self.has_monitor {
            monitor_step(job.0, step as u32, duration_ms, status as u32);
        }
    }
}
