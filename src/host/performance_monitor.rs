use crate::{
    core::{
        status::JobStatus,
        step::{StepIndex, StepStatus},
    },
    host::JobKey,
};

/// Where durations go. Never fails: what a monitor throws is the host's to log.
pub trait PerformanceMonitor {
    /// A job ended, `duration_ms` after it was started.
    fn job_ended(&self, job: JobKey, duration_ms: f64, status: JobStatus);

    /// A step ended, `duration_ms` after its first attempt began.
    fn step_ended(&self, job: JobKey, step: StepIndex, duration_ms: f64, status: StepStatus);
}
