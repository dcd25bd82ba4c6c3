use crate::{
    core::{job::Failure, outcome::Code, status::Move},
    host::{Abort, Host, JobKey},
    orchestrator::{
        Orchestrator, Outcome, Stop,
        section::{Committed, Conflicts},
    },
};

/// What became of one job of a tree that was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelResult {
    /// It was cancelled.
    Cancelled,
    /// It had already ended.
    AlreadyEnded,
}

/// How a job was found that is to be cancelled.
enum Found {
    /// It had not ended, and has been cancelled.
    Open,
    /// It was cancelled at this time.
    Cancelled(f64),
    /// It has ended in another way.
    Ended,
}

impl<H: Host> Orchestrator<H> {
    /// A job that has not ended ends as cancelled, and so do its descendants. First nothing new may start in all of
    /// the tree: each job is stored as cancelled before its children, and each child with all that is below it before
    /// the next. Only then what runs is aborted, in the same order.
    ///
    /// Of a job that was cancelled before, the descendants are cancelled that have not ended, as after a crash.
    ///
    /// # Errors
    /// `not_found`; `invalid_transition` where the job has already ended, and no descendant was left to cancel; what the
    /// store failed with first: all that it allowed is cancelled then.
    pub async fn cancel_job(
        &self,
        key: JobKey,
        reason: Option<String>,
    ) -> Outcome<H, Vec<(JobKey, CancelResult)>> {
        let since = self.host.now();
        let mut results = Vec::new();
        let (mut cancelled, mut failed) = (false, None);
        let mut open = vec![key];
        while let Some(job) = open.pop() {
            match self.cancel_one(job, reason.as_deref()).await {
                Ok(Found::Ended) if job == key => break,
                Ok(found) => {
                    cancelled |= matches!(found, Found::Open);
                    let result = match found {
                        Found::Open => CancelResult::Cancelled,
                        // Whoever ran a child for its parent, or made it, was quicker.
                        Found::Cancelled(at) if job != key && at >= since => CancelResult::Cancelled,
                        Found::Cancelled(_) | Found::Ended => CancelResult::AlreadyEnded,
                    };
                    results.push((job, result));
                }
                Err(stop) if job == key => return Err(stop),
                // Deleted meanwhile: nothing is left to cancel.
                Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => {}
                Err(stop) => failed = failed.or(Some(stop)),
            }
            match self.host.children(job).await {
                Ok(children) => open.extend(children.into_iter().rev()),
                Err(error) => failed = failed.or(Some(Stop::Failed(error))),
            }
        }
        for live in results.iter().filter_map(|(job, _)| self.live.get(*job)) {
            live.abort_attempts(Abort::Cancelled);
        }
        match failed {
            Some(stop) => Err(stop),
            None if cancelled => Ok(results),
            None => Err(Code::InvalidTransition.into()),
        }
    }

    async fn cancel_one(&self, key: JobKey, reason: Option<&str>) -> Outcome<H, Found> {
        let mut conflicts = Conflicts::default();
        loop {
            let mut section = self.section(key).await?;
            let mut job = section.load().await?;
            if job.head.status.has_ended() {
                let at = job.head.completed.filter(|_| job.head.was_cancelled);
                return Ok(at.map_or(Found::Ended, Found::Cancelled));
            }
            let message = reason.unwrap_or(Code::Cancelled.sentence()).into();
            let failure = Failure { code: Code::Cancelled, message, step: None };
            job.end_by_caller(Move::Cancel, Some(failure), job.now)?;
            section.tells_later = true;
            if section.commit(job).await? == Committed::Yes {
                return Ok(Found::Open);
            }
            conflicts.again::<H>()?;
        }
    }
}
