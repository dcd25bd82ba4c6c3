//! Limits of ancestors that hold for their whole tree.
//!
//! A step counts against such a limit before it begins, in a commit of the ancestor's own. Turns are taken upwards,
//! from a job to its ancestors and never back, so nobody waits in a ring.

use crate::{
    core::{
        admission::counts,
        job::{Job, PauseReason},
        outcome::{Code, Refusal},
        step::StepIndex,
    },
    host::{Host, JobKey},
    orchestrator::{
        Orchestrator, Outcome, Stop,
        advance::{Next, Progress},
    },
};

impl<H: Host> Orchestrator<H> {
    /// Counts a step that is about to begin against the limits of the job's ancestors; gives what it comes to where
    /// one of them is reached.
    pub(super) async fn count_in_tree(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H>,
    ) -> Option<Next<H>> {
        if !counts(job, step) {
            return None;
        }
        let reached = match progress.reached.take() {
            None if job.head.shares_steps => self.reached_limit(key, job.head.steps_taken + 1).await,
            reached => Ok(reached),
        };
        match reached {
            Ok(None) => None,
            Ok(Some(message)) => {
                job.stop_for(PauseReason::StepLimit, Some(step), Some(&message));
                Some(Next::refused(Refusal::new(Code::StepLimit, message)))
            }
            Err(stop) => Some(Next::End(Err(stop))),
        }
    }

    /// Counts the step of this number of a job in all its ancestors that share their limits; says which one has no
    /// room for it. What the others have counted then is counted already when the step is tried again.
    async fn reached_limit(&self, key: JobKey, number: u64) -> Outcome<H, Option<String>> {
        let mut place = 0;
        while let Some(sharer) = self.host.sharer(key, place) {
            place += 1;
            self.live(sharer);
            let mut counted = true;
            let count = &mut |of: &mut Job<H::Value>| {
                counted = self.host.is_counted(sharer, key, number) || of.count_in_tree();
                Ok(())
            };
            let outcome = self.change_job(sharer, count).await;
            let reached =
                (!counted).then(|| format!("Step limit of job \"{}\" reached", self.host.id_of(sharer)));
            self.host.leave(sharer);
            match outcome {
                Ok(()) if reached.is_some() => return Ok(reached),
                Ok(()) => {}
                // Deleted: it has no limit any more.
                Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(None)
    }
}
