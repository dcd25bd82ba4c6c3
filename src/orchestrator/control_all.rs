//! Everything at once: every job of the store, whoever runs it.

use crate::{
    core::{
        job::{Job, PauseReason, Run},
        outcome::Code,
        status::JobStatus,
        step::StepStatus,
    },
    host::{Host, JobKey},
    orchestrator::{CancelResult, Orchestrator, Outcome, Stop, side_by_side::side_by_side},
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
    /// What the store failed with first; jobs that were not reached then pause with their next step.
    pub async fn pause_all(&self) -> Outcome<H, Vec<(JobKey, PausePoint)>> {
        self.open()?;
        self.host.set_all_paused(true).await.map_err(Stop::Failed)?;
        let (mut paused, mut failed) = (Vec::new(), FirstFailure::<H>(None));
        let running = self.host.jobs(JobStatus::Running).await.map_err(Stop::Failed)?;
        for (key, point) in side_by_side(running, |key| self.pause_for_all(key)).await {
            match point {
                Ok(point) => paused.extend(point.map(|point| (key, point))),
                Err(stop) => failed.note(stop),
            }
        }
        failed.or(paused)
    }

    async fn pause_for_all(&self, key: JobKey) -> Outcome<H, Option<PausePoint>> {
        let mut point = None;
        let pause = &mut |job: &mut Job<H::Value>| {
            job.stop_for(PauseReason::Global, None, None);
            let by_all = job.pause_reason() == Some(PauseReason::Global);
            let at_work = |run: &Run| run.states.iter().any(|state| state.status == StepStatus::Running);
            let pending = job.run.as_deref().is_some_and(at_work);
            point = by_all.then_some(if pending { PausePoint::Pending } else { PausePoint::Reached });
            Ok(())
        };
        self.change_job(key, pause).await?;
        Ok(point)
    }

    /// Pauses a job that has just become running, where all were paused meanwhile: [`Orchestrator::pause_all`] may have
    /// asked for the running jobs before. Where the store fails, the job pauses with its next step.
    pub(super) async fn pause_with_all(&self, key: JobKey) {
        if let Ok(true) = self.host.all_paused(key).await {
            let pause = &mut |job: &mut Job<H::Value>| {
                job.stop_for(PauseReason::Global, None, None);
                Ok(())
            };
            let _ = self.change_job(key, pause).await;
        }
    }

    /// Starts the jobs again that were paused with all others, and those only. Gives why some could not be.
    ///
    /// # Errors
    /// What the store failed with first; the jobs that could be started are.
    pub async fn start_all(&self) -> Outcome<H, Vec<(JobKey, Outcome<H>)>> {
        self.open()?;
        self.host.set_all_paused(false).await.map_err(Stop::Failed)?;
        let (mut started, mut failed) = (Vec::new(), FirstFailure::<H>(None));
        let paused = self.host.jobs(JobStatus::Paused).await.map_err(Stop::Failed)?;
        let is_meant = &|job: &Job<H::Value>| job.pause_reason() == Some(PauseReason::Global);
        for (key, start) in side_by_side(paused, |key| self.start_if(key, is_meant)).await {
            match start {
                Ok(false) => {}
                Ok(true) => started.push((key, Ok(()))),
                Err(Stop::Refused(refusal)) if is_gone(refusal.code) => {}
                Err(stop @ Stop::Failed(_)) => failed.note(stop),
                Err(stop) => started.push((key, Err(stop))),
            }
        }
        failed.or(started)
    }

    /// Cancels every job that has not ended.
    ///
    /// # Errors
    /// What the store failed with first; all that it allowed is cancelled then.
    pub async fn stop_all(&self, reason: Option<String>) -> Outcome<H, Vec<JobKey>> {
        self.open()?;
        let (mut stopped, mut failed) = (Vec::new(), FirstFailure::<H>(None));
        // Those that wait first: what runs can't start them any more then.
        for status in [JobStatus::Created, JobStatus::Paused, JobStatus::Running] {
            let jobs = self.host.jobs(status).await.map_err(Stop::Failed);
            for key in jobs.unwrap_or_else(|stop| {
                failed.note(stop);
                Vec::new()
            }) {
                match self.cancel_job(key, reason.clone()).await {
                    Ok(tree) => stopped.extend(cancelled_of(&tree)),
                    Err(stop) => failed.note(stop),
                }
            }
        }
        stopped.sort_unstable();
        stopped.dedup();
        failed.or(stopped)
    }

    fn open(&self) -> Outcome<H> {
        if self.closed.get() { Err(Code::Closed.into()) } else { Ok(()) }
    }
}

/// What an operation on many jobs failed with first; it goes on with the others all the same.
struct FirstFailure<H: Host>(Option<Stop<H::Value, H::Error>>);

impl<H: Host> FirstFailure<H> {
    /// A job that is gone meanwhile is no failure.
    fn note(&mut self, stop: Stop<H::Value, H::Error>) {
        match stop {
            Stop::Refused(refusal) if is_gone(refusal.code) => {}
            stop => self.0 = self.0.take().or(Some(stop)),
        }
    }

    fn or<T>(self, done: T) -> Outcome<H, T> {
        self.0.map_or(Ok(done), Err)
    }
}

/// It was deleted, or it has ended: there is nothing to do any more.
pub(super) fn is_gone(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::InvalidTransition)
}

fn cancelled_of(tree: &[(JobKey, CancelResult)]) -> impl Iterator<Item = JobKey> {
    tree.iter().filter(|(_, result)| *result == CancelResult::Cancelled).map(|(key, _)| *key)
}
