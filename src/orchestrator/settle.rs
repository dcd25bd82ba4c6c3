//! What an attempt came to, noted in its job.

use crate::{
    core::{
        job::{Job, PauseReason},
        outcome::{Code, Refusal},
        step::{Owed, StepIndex, StepStatus},
        trace::trace_id,
    },
    host::{AgentResult, Host},
    orchestrator::{Stop, advance::Granted, attempt::Ended, drive::Drive},
};

/// An attempt that has ended and is not committed yet.
pub(super) struct Finished<H: Host> {
    order: (StepIndex, StepIndex),
    ended: Ended<H>,
    account: Account,
}

/// Has what it cost been said to the budget manager?
#[derive(Clone, Copy)]
enum Account {
    Open,
    Closed,
    /// It was, and the manager failed.
    Owed(Owed),
}

impl<H: Host> Finished<H> {
    pub(super) fn new(order: (StepIndex, StepIndex), ended: Ended<H>) -> Self {
        Finished { order, ended, account: Account::Open }
    }

    /// The step in the plan, and the place of what ended: the step's own, or an item's.
    pub(super) fn order(&self) -> (StepIndex, StepIndex) {
        self.order
    }
}

impl<H: Host> Drive<'_, H> {
    /// Notes in the job what the attempts that have just ended came to. Gives the last step that ended too.
    pub(super) async fn settle(&mut self, job: &mut Job<H::Value>) -> Option<StepIndex> {
        let mut ended = None;
        for place in 0..self.finished.len() {
            let finished = &self.finished[place];
            let (_, step) = finished.order;
            if job.run_mut().states[step].is_attempted() {
                match &finished.ended {
                    Ended::Answered(result) => {
                        let trace = || trace_id(&self.orchestrator.host().id_of(self.key));
                        note_result(job, step, result, &trace);
                    }
                    Ended::Suspended(stop) => {
                        self.progress.suspended = self.note_suspended(job, step, stop);
                        self.progress.stuck.push(step);
                    }
                    // Its parent may run again already.
                    Ended::PausedWithParent => {
                        job.suspend_step(step, Refusal::new(Code::NotRunning, "Job paused"));
                        job.run_mut().schedule.offer(step);
                    }
                    Ended::GivenUp => {}
                }
            } else if job.run_mut().step(step).agent().is_some() {
                // How a child job ended stands in its own history.
                job.drop_late_result(step);
            }
            self.account(job, place).await;
            let run = job.run_mut();
            let whole = run.schedule.rank(step);
            if run.states[whole].status.has_ended() {
                ended = Some(whole);
            }
        }
        ended
    }

    /// A child job can't go on: what its parent's run comes to, when nothing else can go on either.
    fn note_suspended(
        &self,
        job: &mut Job<H::Value>,
        step: StepIndex,
        stop: &Stop<H::Value, H::Error>,
    ) -> Option<Stop<H::Value, H::Error>> {
        match stop {
            Stop::Refused(refusal) => job.suspend_step(step, refusal.clone()),
            Stop::BudgetRefused(_) => {
                job.suspend_step(step, Code::BudgetExceeded.into());
                job.stop_for(PauseReason::Budget, Some(step), None);
            }
            // As after a crash: the step is taken up again by whoever runs the job next.
            Stop::Failed(_) => {}
        }
        Some(stop.clone())
    }

    /// Says to the budget manager what the attempt cost, once.
    async fn account(&mut self, job: &mut Job<H::Value>, at: usize) {
        let finished = &mut self.finished[at];
        match std::mem::replace(&mut finished.account, Account::Closed) {
            Account::Open => {}
            Account::Closed => return,
            owed @ Account::Owed(what) => {
                // Somebody else committed first: it is noted in the job as it is now.
                finished.account = owed;
                return job.owe(what);
            }
        }
        let (_, step) = finished.order;
        // A child job spends its own budget: nothing is held for its step.
        let Some(place) = self.progress.granted.iter().position(|granted| granted.hold.step == step) else {
            return;
        };
        let granted = &mut self.progress.granted[place];
        let waits = job.run_mut().states[step].status == StepStatus::Waiting;
        let cost = match &finished.ended {
            Ended::Answered(AgentResult::Done { cost, .. }) => Some(cost.unwrap_or(granted.estimate)),
            // What is tried again stays held: the budget is asked once a step.
            Ended::Answered(AgentResult::Failed { cost, .. }) if waits => {
                granted.spent += cost.unwrap_or(0.0);
                return;
            }
            Ended::Answered(AgentResult::Failed { cost, .. }) => {
                cost.or((granted.spent > 0.0).then_some(0.0))
            }
            Ended::Answered(AgentResult::NeedsApproval { .. })
            | Ended::Suspended(_)
            | Ended::PausedWithParent
            | Ended::GivenUp => None,
        };
        let Granted { hold, spent, .. } = *granted;
        self.progress.granted.swap_remove(place);
        let owed = Owed { hold, cost: cost.map(|cost| spent + cost) };
        // What is held for a step that goes on without having cost anything is its own.
        let is_its_own = cost.is_none() && !job.run_mut().states[step].status.has_ended();
        if !self.orchestrator.tell_cost(self.key, owed).await && !is_its_own {
            self.finished[at].account = Account::Owed(owed);
            job.owe(owed);
        }
    }
}

/// Notes in the job how an attempt at a step went. `trace` is the job's trace id.
pub(super) fn note_result<V: Clone>(
    job: &mut Job<V>,
    step: StepIndex,
    result: &AgentResult<V>,
    trace: &dyn Fn() -> String,
) {
    match result {
        AgentResult::Done { output, cost } if job.run_mut().step(step).repeat.is_some() => {
            job.end_round(step, output.clone(), *cost);
        }
        AgentResult::Done { output, cost } => job.finish_step(step, output.clone(), *cost, job.now),
        AgentResult::NeedsApproval { calls } => {
            (0..*calls).for_each(|call| job.request_approval(step, Some(call)));
        }
        AgentResult::Failed { why, retryable, retry_after, .. } => {
            let wait = job.wait_before_retry(step, trace);
            job.fail_attempt(step, why.clone(), wait, *retryable, *retry_after);
        }
    }
}
