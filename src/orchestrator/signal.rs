use crate::{
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome},
};

impl<H: Host> Orchestrator<H> {
    /// Sends a signal to a job. It is kept until a step waits for it, and consumed once.
    ///
    /// # Errors
    /// `not_found`; `invalid_transition` where the job has ended.
    pub async fn signal(&self, key: JobKey, name: &str, payload: H::Value) -> Outcome<H> {
        self.change_job(key, &mut |job| Ok(job.signal(name, payload.clone())?)).await
    }
}
