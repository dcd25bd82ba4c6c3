//! What comes next for a job that is loaded: decided here, done by [`super::drive`].

use crate::{
    core::{
        admission::{Denied, Then, job_is_running, step_may_begin, within_step_limit},
        job::{Job, PauseReason},
        outcome::{Code, Refusal},
        step::StepIndex,
    },
    host::{BudgetAnswer, Host, JobKey, Routed},
    orchestrator::{Orchestrator, Outcome, Stop},
};

/// What comes next, once what was decided with it is committed.
pub(super) enum Next<V> {
    /// An attempt, which has this number.
    Call { step: StepIndex, number: u32 },
    /// The wait between two attempts, until this moment.
    Wait { due_at: f64 },
    /// The delay of slow play, before this step.
    Pace { step: StepIndex, ms: f64 },
    /// The router is asked.
    AskRouter,
    /// Nothing: the job has just completed.
    Completed,
    /// Nothing, for this reason.
    Refused(Refusal),
    /// Nothing, in the budget manager's own words.
    BudgetRefused(V),
}

/// What the one who runs a job's steps remembers from one decision to the next.
#[derive(Default)]
pub(super) struct Progress {
    /// The step whose estimate is held, or was granted.
    pub(super) granted: Option<StepIndex>,
    /// The step that slow play has delayed long enough.
    pub(super) paced: Option<StepIndex>,
    /// The step that slow play is delaying, and since when.
    pub(super) pacing: Option<(StepIndex, f64)>,
    /// What the router answered, not yet acted on.
    pub(super) routed: Option<Routed>,
}

impl<H: Host> Orchestrator<H> {
    /// Decides what comes next and notes it in the job.
    pub(super) async fn advance(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        progress: &mut Progress,
    ) -> Outcome<H, Next<H::Value>> {
        if let Err(denied) = job_is_running(job) {
            return Ok(Next::Refused(denied.refusal));
        }
        let step = match self.choose(job, progress) {
            Ok(step) => step,
            Err(next) => return Ok(next),
        };
        let state = &job.run_mut().states[step];
        if let Some(due_at) = state.due_at.filter(|due_at| *due_at > self.host.now()) {
            return Ok(Next::Wait { due_at });
        }
        if let Err(denied) = self.admit(job, step)? {
            return Ok(Next::Refused(self.deny(job, step, denied)));
        }
        if progress.granted != Some(step) {
            match self.host.hold(key, step, self.estimate(job, step)).await.map_err(Stop::Failed)? {
                BudgetAnswer::Granted => progress.granted = Some(step),
                BudgetAnswer::Refused(answer) => {
                    job.stop_for(PauseReason::Budget, Some(step), None);
                    return Ok(Next::BudgetRefused(answer));
                }
            }
        }
        let ms = self.pace_of(job);
        if progress.paced != Some(step) && ms > 0.0 {
            return Ok(Next::Pace { step, ms });
        }
        progress.paced = None;
        Ok(Next::Call { step, number: job.begin_attempt(step, self.host.now()) })
    }

    /// The first ready step; where there is none, what to do instead.
    fn choose(&self, job: &mut Job<H::Value>, progress: &mut Progress) -> Result<StepIndex, Next<H::Value>> {
        let run = job.run_mut();
        let ready = run.schedule.first_ready();
        if ready.is_none() && run.schedule.all_ended() && run.has_plan() {
            return Err(self.finish(job));
        }
        if let Err(denied) = within_step_limit(job, ready) {
            job.stop_for(PauseReason::StepLimit, ready, None);
            return Err(Next::Refused(denied.refusal));
        }
        if let Some(step) = ready {
            return Ok(step);
        }
        match progress.routed.take() {
            _ if job.run_mut().has_plan() => Err(Next::Refused(under_way(job))),
            None => Err(Next::AskRouter),
            Some(Routed::NoRouter) => Err(Next::Refused(Code::NoPlan.into())),
            Some(Routed::Done) => Err(self.finish(job)),
            Some(Routed::Step(asked)) => Ok(job.add_routed(asked)),
        }
    }

    /// The job's last step has ended.
    pub(super) fn finish(&self, job: &mut Job<H::Value>) -> Next<H::Value> {
        let cause = job.latest_cause();
        match job.complete(self.host.now(), cause) {
            Ok(()) => Next::Completed,
            Err(refusal) => Next::Refused(refusal),
        }
    }

    fn admit(&self, job: &mut Job<H::Value>, step: StepIndex) -> Outcome<H, Result<(), Denied>> {
        let agent = &job.run_mut().step(step).agent;
        let exists = self.host.has_agent(agent).map_err(Stop::Failed)?;
        Ok(step_may_begin(job, step, exists, || self.host.known_agents()))
    }

    /// Does to the job what a denial asks for; gives what the caller is told.
    fn deny(&self, job: &mut Job<H::Value>, step: StepIndex, denied: Denied) -> Refusal {
        match denied.then {
            Then::Unchanged => {}
            Then::Pause(reason) => job.stop_for(reason, Some(step), Some(&denied.refusal.message)),
            Then::Ask => {
                let asked = job.run_mut().approvals.iter().any(|approval| approval.step == step);
                if !asked {
                    job.request_approval(step, None);
                }
                job.stop_for(PauseReason::Approval, Some(step), None);
            }
            Then::Fail => job.fail_step(step, denied.refusal.clone(), self.host.now()),
        }
        denied.refusal
    }

    /// What a step is expected to cost: as the plan says, else the agent, else nothing.
    pub(super) fn estimate(&self, job: &mut Job<H::Value>, step: StepIndex) -> f64 {
        let step = job.run_mut().step(step);
        step.cost.or_else(|| self.host.estimate(&step.agent)).unwrap_or(0.0)
    }

    /// How long slow play delays a step of this job.
    pub(super) fn pace_of(&self, job: &Job<H::Value>) -> f64 {
        let own = job.run.as_ref().and_then(|run| run.slow_play_ms);
        own.unwrap_or_else(|| self.slow_play_ms.get())
    }
}

/// No step is ready and none has ended last: one is under way that this runner did not begin.
fn under_way<V>(job: &mut Job<V>) -> Refusal {
    let run = job.run_mut();
    let id = run.running_step().map_or("", |step| &*run.step(step).id);
    Refusal::new(Code::Conflict, format!("Step \"{id}\" is already running"))
}
