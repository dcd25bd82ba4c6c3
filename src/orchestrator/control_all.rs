//! Everything at once: every job of the store, whoever runs it.

use crate::{
    core::{
        job::{Job, PauseReason, Run},
        outcome::Code,
        status::JobStatus,
        step::StepStatus,
    },
    host::{Host, JobKey},
    orchestrator::{CancelResult, Orchestrator, Outcome, Stop},
};

/// Where a job stands that was paused with all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausePoint {
    /// Nothing of it runs.
    Reached,
    /// A step that had begun is still at work; it finishes, and is committed.
    Pending,
}

impl<H: Host> Orchestrator<H> {
    /// Pauses every running job, and refuses to start any until [`Orchestrator::start_all`].
    ///
    /// # Errors
    /// What the store fails with; jobs that were not reached then pause with their next step.
    pub async fn pause_all(&self) -> Outcome<H, Vec<(JobKey, PausePoint)>> {
        self.open()?;
        self.host.set_all_paused(true).await.map_err(Stop::Failed)?;
        let mut paused = Vec::new();
        for key in self.host.jobs(JobStatus::Running).await.map_err(Stop::Failed)? {
            let mut point = None;
            let pause = &mut |job: &mut Job<H::Value>| {
                job.stop_for(PauseReason::Global, None, None);
                let by_all = job.pause_reason() == Some(PauseReason::Global);
                let at_work = |run: &Run| run.states.iter().any(|state| state.status == StepStatus::Running);
                let pending = job.run.as_ref().is_some_and(at_work);
                point = by_all.then_some(if pending { PausePoint::Pending } else { PausePoint::Reached });
                Ok(())
            };
            if self.change_one(key, pause).await? {
                paused.extend(point.map(|point| (key, point)));
            }
        }
        Ok(paused)
    }

    /// Starts the jobs again that were paused with all others, and those only. Gives why some could not be.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn start_all(&self) -> Outcome<H, Vec<(JobKey, Outcome<H>)>> {
        self.open()?;
        self.host.set_all_paused(false).await.map_err(Stop::Failed)?;
        let mut started = Vec::new();
        for key in self.host.jobs(JobStatus::Paused).await.map_err(Stop::Failed)? {
            match self.start_if(key, &|job| job.pause_reason() == Some(PauseReason::Global)).await {
                Ok(false) => {}
                Ok(true) => started.push((key, Ok(()))),
                Err(Stop::Refused(refusal)) if is_gone(refusal.code) => {}
                Err(stop @ Stop::Failed(_)) => return Err(stop),
                Err(stop) => started.push((key, Err(stop))),
            }
        }
        Ok(started)
    }

    /// Cancels every job that has not ended.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn stop_all(&self, reason: Option<String>) -> Outcome<H, Vec<JobKey>> {
        self.open()?;
        let mut stopped = Vec::new();
        // Those that wait first: what runs can't start them any more then.
        for status in [JobStatus::Created, JobStatus::Paused, JobStatus::Running] {
            for key in self.host.jobs(status).await.map_err(Stop::Failed)? {
                match self.cancel_job(key, reason.clone()).await {
                    Ok(tree) => stopped.extend(cancelled_of(&tree)),
                    Err(Stop::Refused(refusal)) if is_gone(refusal.code) => {}
                    Err(stop) => return Err(stop),
                }
            }
        }
        stopped.sort_unstable();
        stopped.dedup();
        Ok(stopped)
    }

    fn open(&self) -> Outcome<H> {
        if self.closed.get() { Err(Code::Closed.into()) } else { Ok(()) }
    }

    /// Changes a job that may be gone meanwhile; false where it is.
    async fn change_one(
        &self,
        key: JobKey,
        decide: &mut dyn FnMut(&mut Job<H::Value>) -> Outcome<H>,
    ) -> Outcome<H, bool> {
        match self.change_job(key, decide).await {
            Ok(()) => Ok(true),
            Err(Stop::Refused(refusal)) if is_gone(refusal.code) => Ok(false),
            Err(stop) => Err(stop),
        }
    }
}

/// It was deleted, or it has ended: there is nothing to do any more.
fn is_gone(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::InvalidTransition)
}

fn cancelled_of(tree: &[(JobKey, CancelResult)]) -> impl Iterator<Item = JobKey> {
    tree.iter().filter(|(_, result)| *result == CancelResult::Cancelled).map(|(key, _)| *key)
}
