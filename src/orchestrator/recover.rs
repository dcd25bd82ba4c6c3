use crate::{
    core::{job::Job, outcome::Code, status::JobStatus},
    host::{Host, JobKey},
    orchestrator::{CancelResult, Orchestrator, Outcome, Stop, control_all::is_gone},
};

/// What became of a job that was found running.
enum Taken {
    Over,
    Cancelled(Vec<(JobKey, CancelResult)>),
    /// Or run here.
    NotRunning,
}

impl<H: Host> Orchestrator<H> {
    /// Takes over the running jobs that this orchestrator is not running: attempts that were cut off
    /// become ready again, with the same attempt number and idempotency key. Doesn't run them. Those that a
    /// step of a job waited for which was cancelled are cancelled too: the end of a process kept that from being done.
    /// What jobs left unsettled that ended in a crash is settled with the budget manager.
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
            match self.take_over(key).await {
                Ok(Taken::Over) => resumed.push(key),
                Ok(Taken::Cancelled(tree)) => {
                    resumed.retain(|job| tree.iter().all(|(cancelled, _)| cancelled != job));
                }
                Ok(Taken::NotRunning) => {}
                Err(Stop::Refused(refusal)) if is_gone(refusal.code) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(resumed)
    }

    async fn take_over(&self, key: JobKey) -> Outcome<H, Taken> {
        let (mut running, mut made_by_step) = (false, false);
        let take = &mut |job: &mut Job<H::Value>| {
            let live = self.live.get(key);
            let driven = live.is_some_and(|live| live.is_driven() || live.monitor.borrow().is_some());
            running = job.is_running() && !driven;
            made_by_step = job.head.has_parent && self.host.is_made_by_step(key);
            if running {
                job.recover_steps();
            }
            Ok(())
        };
        self.change_job(key, take).await?;
        if !running {
            return Ok(Taken::NotRunning);
        }
        if made_by_step && self.lost_its_parent(key).await? {
            return Ok(Taken::Cancelled(self.cancel_job(key, None).await?));
        }
        Ok(Taken::Over)
    }

    async fn lost_its_parent(&self, key: JobKey) -> Outcome<H, bool> {
        let section = self.section(key).await?;
        let job = section.load().await?;
        Ok(self.parent_of(key, &job).await?.is_some_and(|parent| parent.was_cancelled))
    }
}
