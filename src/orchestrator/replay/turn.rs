//! Whose turn it is among the steps, and what becomes of it.
//!
//! The one who runs a job looks at the first ready step in the plan's order, then at the next, until no more may begin.
//! A history does not say whether all steps were run or one alone, nor how many at a time; so a step that has begun
//! before may also go on out of order, and fewer may begin than could.

use super::{Refused, Replay, recorded::Recorded};
use crate::{
    core::{
        admission::within_step_limit,
        job::{PauseReason, Steps},
        plan::Work,
        step::StepIndex,
    },
    host::{Host, Routed},
    orchestrator::advance::Progress,
};

const NOT_NOW: Refused = "another event: this can't be decided now";

impl<H: Host> Replay<H> {
    /// Decides on a step whose turn it is said to be, or on whatever comes instead of it.
    pub(super) async fn turn(
        &mut self,
        step: Option<StepIndex>,
        routed: Option<Routed>,
        given: Option<H::Value>,
    ) -> Result<bool, Refused> {
        let Replay { orchestrator, key, job, reached, .. } = self;
        let mut progress = Progress::new(None, false);
        (progress.routed, progress.reached) = (routed, reached.take());
        if let Some(step) = step {
            let run = job.run_mut();
            let whole = run.schedule.rank(step);
            if run.states[whole].started_at.is_some() {
                progress.chosen = Some(whole);
            }
            // Whoever runs the job next may go on with a step whose child job could not.
            if run.is_suspended(step) {
                run.schedule.offer(step);
            }
        }
        let run = job.run_mut();
        let most = match &run.steps {
            Steps::Planned(plan) => plan.concurrency,
            Steps::Routed(_) => 1,
        };
        // Child jobs are not counted: one whose store failed is left as it is while others go on.
        let at_work = self.attempts.iter().filter(|&&step| run.step(step).agent().is_some()).count();
        if !job.is_running() || at_work >= most.max(1) {
            return Err(NOT_NOW);
        }
        while job.change.events.is_empty() {
            if let Some(step) = orchestrator.next_ready(job, &progress) {
                orchestrator.try_step(*key, job, step, &mut progress, given.clone()).await;
            } else if orchestrator.nothing_ready(job, &mut progress, self.attempts.len()).is_some() {
                break;
            }
        }
        if job.change.events.is_empty() { Err(NOT_NOW) } else { Ok(true) }
    }

    /// The last step has ended, or the router has no other.
    pub(super) async fn complete(&mut self) -> Result<bool, Refused> {
        // What a job without a plan may do is not known before its first step.
        if !self.permissions_known {
            self.job.head.permissions.max_steps = u64::MAX;
        }
        self.turn(None, Some(Routed::Done), None).await
    }

    /// The job becomes paused: because a person asked, or because its steps can't go on.
    pub(super) async fn pause(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<bool, Refused> {
        let Some(reason) = recorded.text("reason") else {
            return self.job.pause().map(|()| false).map_err(|refusal| refusal.code.sentence());
        };
        let reason = PauseReason::from_name(reason).ok_or("a reason that is known")?;
        if reason == PauseReason::StepLimit {
            // What others of the job's tree did stands in their histories.
            self.job.head.tree_steps = recorded.count("treeSteps").map_or(0, u64::from);
            self.reached = recorded.text("message").map(str::to_owned);
        }
        let (seq, running) = (self.job.head.seq, self.job.is_running());
        let run = self.job.run_mut();
        let at = recorded.cause.and_then(|cause| run.states.iter().position(|it| it.seq == Some(cause)));
        let is_child = |step: StepIndex| {
            run.states[step].seq == Some(seq) && matches!(run.step(step).work, Work::Job(_))
        };
        let of_child = at.is_some_and(is_child);
        let nothing_left = run.schedule.all_ended() && !run.has_plan() && running;
        match (reason, at) {
            (PauseReason::Parent | PauseReason::Global, _) => self.job.stop_for(reason, None, None),
            (PauseReason::Approval, _) => return self.turn(None, None, None).await,
            // The budget of a child is refused that was just suspended.
            (PauseReason::Budget, _) if of_child => self.job.stop_for(reason, at, None),
            // The budget of a step is refused that a router asked for and that nothing else is said of.
            (PauseReason::Budget, None) if nothing_left && self.limit_allows() => {
                self.job.stop_for(reason, None, None);
            }
            // As is an ancestor's limit, which is asked about the step that the router named.
            (PauseReason::StepLimit, None)
                if nothing_left
                    && (!self.permissions_known || self.reached.is_some() && self.limit_allows()) =>
            {
                self.job.stop_for(reason, None, self.reached.take().as_deref());
            }
            _ => return self.turn(at, None, None).await,
        }
        if self.job.change.events.is_empty() { Err(NOT_NOW) } else { Ok(false) }
    }

    fn limit_allows(&self) -> bool {
        !self.permissions_known || within_step_limit(&self.job, None).is_ok()
    }
}
