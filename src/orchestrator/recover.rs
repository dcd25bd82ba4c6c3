use crate::{
    core::{job::Job, outcome::Code, status::JobStatus},
    host::{Host, JobKey},
    orchestrator::{
        CancelResult, Orchestrator, Outcome, Stop, control_all::is_gone, side_by_side::side_by_side,
    },
};

/// What became of a job that was found running.
enum Taken {
    Over,
    Cancelled(Vec<(JobKey, CancelResult)>),
    /// Or run by somebody.
    NotRunning,
}

/// How a job was left that nobody runs.
enum Left {
    ToBeRun,
    /// The job whose step it was has ended.
    Orphaned,
    /// It is not running any more.
    Elsewise,
}

impl<H: Host> Orchestrator<H> {
    /// Takes over the running jobs that nobody runs, here or elsewhere: attempts that were cut off become ready
    /// again, with the same attempt number and idempotency key. Doesn't run them. Those that a step of a job waited for
    /// which has ended are cancelled: the end of a process, or a store that failed, kept that from being done.
    /// What jobs left unsettled that ended in a crash is settled with the budget manager.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn recover(&self) -> Outcome<H, Vec<JobKey>> {
        if self.closed.get() {
            return Err(Code::Closed.into());
        }
        self.close_accounts().await?;
        let running = self.host.jobs(JobStatus::Running).await.map_err(Stop::Failed)?;
        let (mut resumed, mut cancelled) = (Vec::new(), Vec::new());
        for (key, taken) in side_by_side(running, |key| self.take_over(key)).await {
            match taken {
                Ok(Taken::Over) => resumed.push(key),
                Ok(Taken::Cancelled(tree)) => cancelled.extend(tree.into_iter().map(|(job, _)| job)),
                Ok(Taken::NotRunning) => {}
                Err(Stop::Refused(refusal)) if is_gone(refusal.code) => {}
                Err(stop) => return Err(stop),
            }
        }
        cancelled.sort_unstable();
        resumed.retain(|job| cancelled.binary_search(job).is_err());
        Ok(resumed)
    }

    async fn take_over(&self, key: JobKey) -> Outcome<H, Taken> {
        let live = self.live(key);
        let monitored = live.monitor.borrow().is_some();
        let Some(seat) = live.take_seat().filter(|_| !monitored) else { return Ok(Taken::NotRunning) };
        if !self.host.acquire_lease(key).await.map_err(Stop::Failed)? {
            return Ok(Taken::NotRunning);
        }
        let left = self.make_ready(key).await;
        if let Ok(Left::ToBeRun) = left {
            self.host.let_lease_lapse(key);
            return Ok(Taken::Over);
        }
        self.host.release_lease(key).await;
        drop(seat);
        match left? {
            Left::Orphaned => Ok(Taken::Cancelled(self.cancel_job(key, None).await?)),
            Left::ToBeRun | Left::Elsewise => Ok(Taken::NotRunning),
        }
    }

    async fn make_ready(&self, key: JobKey) -> Outcome<H, Left> {
        let (mut running, mut made_by_step) = (false, false);
        let take = &mut |job: &mut Job<H::Value>| {
            running = job.is_running();
            made_by_step = job.head.has_parent && self.host.is_made_by_step(key);
            if running {
                job.recover_steps();
            }
            Ok(())
        };
        self.change_job_as(key, true, take).await?;
        Ok(match running {
            true if made_by_step && self.lost_its_parent(key).await? => Left::Orphaned,
            true => Left::ToBeRun,
            false => Left::Elsewise,
        })
    }

    async fn lost_its_parent(&self, key: JobKey) -> Outcome<H, bool> {
        let section = self.section(key).await?;
        let head = section.load_head().await?;
        match self.parent_of(key, &head).await? {
            Some(parent) if parent.was_cancelled => Ok(true),
            Some(parent) if parent.status.has_ended() => {
                self.host.is_given_up(key).await.map_err(Stop::Failed)
            }
            _ => Ok(false),
        }
    }
}
