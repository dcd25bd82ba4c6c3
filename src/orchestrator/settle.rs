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

    pub(super) fn step(&self) -> StepIndex {
        self.step
    }
}

impl<H: Host> Drive<'_, H> {
    /// Notes in the job what the attempts that have just ended came to. Gives the last step that ended too.
    pub(super) async fn settle(&mut self, job: &mut Job<H::Value>) -> Option<StepIndex> {
        let mut ended = None;
        for place in 0..self.finished.len() {
            let finished = &self.finished[place];
            let step = finished.step;
            if job.run_mut().states[step].status == StepStatus::Running {
                self.note_result(job, finished);
            } else {
                job.drop_late_result(step);
            }
            self.account(job, place).await;
            if job.run_mut().states[step].status.has_ended() {
                ended = Some(step);
            }
        }
        ended
    }

    fn note_result(&self, job: &mut Job<H::Value>, Finished { step, result, .. }: &Finished<H::Value>) {
        let step = *step;
        let now = job.now;
        match result {
            AgentResult::Done { output, cost } if job.run_mut().step(step).repeat.is_some() => {
                job.end_round(step, output.clone(), *cost);
            }
            AgentResult::Done { output, cost } => job.finish_step(step, output.clone(), *cost, now),
            AgentResult::NeedsApproval { calls } => {
                (0..*calls).for_each(|call| job.request_approval(step, Some(call)));
            }
            AgentResult::Failed { why, retryable, retry_after, .. } => {
                job.fail_attempt(step, why.clone(), *retryable, *retry_after, now);
            }
        }
    }

    /// Says to the budget manager what the attempt cost, once.
    async fn account(&mut self, job: &mut Job<H::Value>, place: usize) {
        let finished = &mut self.finished[place];
        if std::mem::replace(&mut finished.accounted, true) {
            return;
        }
        let step = finished.step;
        let granted = self.progress.granted.iter().position(|granted| granted.step == step);
        let estimate = granted.map_or(0.0, |place| self.progress.granted[place].estimate);
        let waits = job.run_mut().states[step].status == StepStatus::Waiting;
        let cost = match &finished.result {
            AgentResult::Done { cost, .. } => Some(cost.unwrap_or(estimate)),
            // What is tried again stays held: the budget is asked once a step.
            AgentResult::Failed { .. } if waits => return,
            AgentResult::Failed { cost, .. } => *cost,
            AgentResult::NeedsApproval { .. } => None,
        };
        if let Some(place) = granted {
            self.progress.granted.swap_remove(place);
        }
        let host = self.orchestrator.host();
        match cost {
            Some(cost) => host.spent(self.key, step, cost).await,
            None => host.free(self.key, step).await,
        }
    }
}
