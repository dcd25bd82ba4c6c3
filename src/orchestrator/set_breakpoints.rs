use crate::{
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome},
};

impl<H: Host> Orchestrator<H> {
    /// The job pauses before the steps of these ids from now on, beside those that its plan names.
    ///
    /// # Errors
    /// `not_found`; `unknown_step`; `invalid_transition` where the job has ended.
    pub async fn set_breakpoints(&self, key: JobKey, steps: &[String]) -> Outcome<H> {
        self.change_job(key, &mut |job| Ok(job.set_breakpoints(steps)?)).await
    }
}
