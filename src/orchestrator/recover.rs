use crate::{
    core::{job::Job, outcome::Code, status::JobStatus},
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop},
};

impl<H: Host> Orchestrator<H> {
    /// Takes over the running jobs that this orchestrator is not running: attempts that were cut off
    /// become ready again, with the same attempt number and idempotency key. Doesn't run them. What jobs left unsettled
    /// that ended in a crash is settled with the budget manager.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn recover(&self) -> Outcome<H, Vec<JobKey>> {
        if self.closed.get() {
            return Err(Code::Closed.into());
        }
        self.close_accounts().await?;
        let mut resumed = Vec::new();
        for key in self.host.jobs(JobStatus::Running).await.map_err(Stop::Failed)? {
            let mut running = false;
            let take = &mut |job: &mut Job<H::Value>| {
                let driven = self.live.get(key).is_some_and(|live| live.is_driven());
                running = job.is_running() && !driven;
                if running {
                    job.recover_steps();
                }
                Ok(())
            };
            match self.change_job(key, take).await {
                Ok(()) if running => resumed.push(key),
                Ok(()) => {}
                Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(resumed)
    }
}
