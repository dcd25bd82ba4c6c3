use crate::{
    core::{outcome::Code, status::JobStatus},
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop},
};

impl<H: Host> Orchestrator<H> {
    /// Takes over the running jobs that this orchestrator is not running: attempts that were cut off
    /// become ready again, with the same attempt number and idempotency key. Doesn't run them.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn recover(&self) -> Outcome<H, Vec<JobKey>> {
        if self.closed.get() {
            return Err(Code::Closed.into());
        }
        let mut resumed = Vec::new();
        for key in self.host.running().await.map_err(Stop::Failed)? {
            if self.live.get(key).is_some_and(|live| live.is_driven()) {
                continue;
            }
            let taken = self.change_job(key, |job| {
                let running = job.head.status == JobStatus::Running;
                if running {
                    job.recover_steps();
                }
                Ok(running)
            });
            match taken.await {
                Ok(true) => resumed.push(key),
                Ok(false) => {}
                Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(resumed)
    }
}
