//! What an attempt came to, noted in its job.

use crate::{
    core::{
        job::Job,
        step::{StepIndex, StepStatus},
    },
    host::{AgentResult, Host},
    orchestrator::drive::Drive,
};

/// An attempt that has ended and is not committed yet.
pub(super) struct Finished<V> {
    step: StepIndex,
    result: AgentResult<V>,
    /// What it cost has been said to the budget manager.
    accounted: bool,
}

impl<V: Clone> Finished<V> {
    pub(super) fn new(step: StepIndex, result: AgentResult<V>) -> Self {
        Finished { step, result, accounted: false }
    }

    /// What the agent gave.
    pub(super) fn output(&self) -> Option<V> {
        match &self.result {
            AgentResult::Done { output, .. } => Some(output.clone()),
            AgentResult::Failed { .. } | AgentResult::NeedsApproval { .. } => None,
        }
    }
}

impl<H: Host> Drive<'_, H> {
    /// Notes in the job what the attempt that has just ended came to. Gives its step where that ended too.
    pub(super) async fn settle(&mut self, job: &mut Job<H::Value>) -> Option<StepIndex> {
        let step = self.finished.as_ref()?.step;
        if job.run_mut().states[step].status == StepStatus::Running {
            self.note_result(job, step);
        } else {
            job.drop_late_result(step);
        }
        self.account(job, step).await;
        job.run_mut().states[step].status.has_ended().then_some(step)
    }

    fn note_result(&self, job: &mut Job<H::Value>, step: StepIndex) {
        let now = self.orchestrator.host().now();
        match self.finished.as_ref().map(|finished| &finished.result) {
            None => {}
            Some(AgentResult::Done { output, cost }) => job.finish_step(step, output.clone(), *cost, now),
            Some(AgentResult::NeedsApproval { calls }) => {
                (0..*calls).for_each(|call| job.request_approval(step, Some(call)));
            }
            Some(AgentResult::Failed { why, retryable, retry_after, .. }) => {
                let attempts = job.run_mut().states[step].attempts;
                let wait = job.run_mut().step(step).retry.wait_after(attempts).filter(|_| *retryable);
                match wait {
                    Some(wait) => {
                        job.retry_step(step, why.clone(), now + wait.max(retry_after.unwrap_or(0.0)))
                    }
                    None => job.fail_step(step, why.clone(), now),
                }
            }
        }
    }

    /// Says to the budget manager what the attempt cost, once.
    async fn account(&mut self, job: &mut Job<H::Value>, step: StepIndex) {
        let waits = job.run_mut().states[step].status == StepStatus::Waiting;
        let estimate = self.progress.granted.map_or(0.0, |granted| granted.estimate);
        let Some(finished) = self.finished.as_mut().filter(|finished| !finished.accounted) else {
            return;
        };
        finished.accounted = true;
        let cost = match &finished.result {
            AgentResult::Done { cost, .. } => Some(cost.unwrap_or(estimate)),
            // What is tried again stays held: the budget is asked once a step.
            AgentResult::Failed { .. } if waits => return,
            AgentResult::Failed { cost, .. } => *cost,
            AgentResult::NeedsApproval { .. } => None,
        };
        self.progress.granted = None;
        let host = self.orchestrator.host();
        match cost {
            Some(cost) => host.spent(self.key, step, cost).await,
            None => host.free(self.key, step).await,
        }
    }
}
