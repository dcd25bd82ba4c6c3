use crate::{
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome},
};

impl<H: Host> Orchestrator<H> {
    /// A running job becomes paused: agents that run finish and are committed, nothing new starts.
    ///
    /// # Errors
    /// `not_found`, or `invalid_transition` "Only running jobs can be paused".
    pub async fn pause_job(&self, key: JobKey) -> Outcome<H> {
        self.change_job(key, &mut |job| Ok(job.pause()?)).await
    }
}
