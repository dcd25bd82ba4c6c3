use crate::{
    core::{
        job::{Failure, Job},
        outcome::Code,
        status::Move,
    },
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop},
};

/// What became of one job of a tree that was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelResult {
    /// It was cancelled.
    Cancelled,
    /// It had already ended.
    AlreadyEnded,
}

impl<H: Host> Orchestrator<H> {
    /// A job that has not ended ends as cancelled, and so do its descendants: first nothing new
    /// may start, then running agents are aborted, then the children, depth first.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition` where the job has already ended.
    pub async fn cancel_job(
        &self,
        key: JobKey,
        reason: Option<String>,
    ) -> Outcome<H, Vec<(JobKey, CancelResult)>> {
        let since = self.host.now();
        self.cancel_one(key, reason.as_deref()).await?;
        let mut results = vec![(key, CancelResult::Cancelled)];
        let mut parents = vec![key];
        while let Some(parent) = parents.pop() {
            for child in self.host.children(parent).await.map_err(Stop::Failed)? {
                match self.cancel_one(child, reason.as_deref()).await {
                    Ok(()) => results.push((child, CancelResult::Cancelled)),
                    Err(Stop::Refused(refusal)) if refusal.code == Code::InvalidTransition => {
                        let cancelled = self.was_cancelled(child, since).await?;
                        let result =
                            if cancelled { CancelResult::Cancelled } else { CancelResult::AlreadyEnded };
                        results.push((child, result));
                    }
                    // Deleted meanwhile: nothing is left to cancel.
                    Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => continue,
                    Err(stop) => return Err(stop),
                }
                parents.push(child);
            }
        }
        Ok(results)
    }

    /// Whoever ran a child for its parent may have cancelled it first.
    async fn was_cancelled(&self, key: JobKey, since: f64) -> Outcome<H, bool> {
        let mut cancelled = false;
        let look = &mut |job: &mut Job<H::Value>| {
            let failure = job.run.as_ref().and_then(|run| run.failure.as_ref());
            cancelled = failure.is_some_and(|failure| failure.code == Code::Cancelled)
                && job.head.completed.is_some_and(|completed| completed >= since);
            Ok(())
        };
        self.change_job(key, look).await?;
        Ok(cancelled)
    }

    async fn cancel_one(&self, key: JobKey, reason: Option<&str>) -> Outcome<H> {
        self.change_job(key, &mut |job| {
            let message = reason.unwrap_or(Code::Cancelled.sentence()).into();
            let failure = Failure { code: Code::Cancelled, message, step: None };
            Ok(job.end_by_caller(Move::Cancel, Some(failure), job.now)?)
        })
        .await
    }
}
