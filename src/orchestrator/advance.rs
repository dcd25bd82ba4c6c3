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
    Call { step: StepIndex, number: u32, given_input: bool },
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

/// A step that the budget manager granted its estimate.
#[derive(Clone, Copy)]
pub(super) struct Granted {
    pub(super) step: StepIndex,
    pub(super) estimate: f64,
}

/// What the one who runs a job's steps remembers from one decision to the next.
pub(super) struct Progress<V> {
    /// What the caller gave, for the first step that begins.
    pub(super) input: Option<V>,
    /// The step whose estimate is held, or was granted.
    pub(super) granted: Option<Granted>,
    /// The step that slow play has delayed long enough.
    pub(super) paced: Option<StepIndex>,
    /// The step that slow play is delaying, and since when.
    pub(super) pacing: Option<(StepIndex, f64)>,
    /// What the router answered, not yet acted on.
    pub(super) routed: Option<Routed>,
}

impl<V> Progress<V> {
    /// What was decided is committed: what it was decided with is used up, by a step that begins or by the router's.
    pub(super) fn committed(&mut self, begun: bool) {
        self.routed = None;
        if begun {
            (self.input, self.paced) = (None, None);
        }
    }
}

impl<H: Host> Orchestrator<H> {
    /// Decides what comes next and notes it in the job.
    pub(super) async fn advance(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        progress: &mut Progress<H::Value>,
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
        let what = job.run_mut().step(step);
        let agent = self.host.find_agent(key, step, &what.agent).map_err(Stop::Failed)?;
        if let Err(denied) = step_may_begin(job, step, agent.is_some(), || self.host.known_agents()) {
            return Ok(Next::Refused(self.deny(job, step, denied)));
        }
        if progress.granted.map(|granted| granted.step) != Some(step) {
            let planned = job.run_mut().step(step).cost;
            let estimate = planned.or_else(|| agent.and_then(|agent| agent.cost)).unwrap_or(0.0);
            match self.host.hold(key, step, estimate).await.map_err(Stop::Failed)? {
                BudgetAnswer::Granted => progress.granted = Some(Granted { step, estimate }),
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
        let first = job.run_mut().states[step].started_at.is_none();
        // For the first step that runs, whether it was begun before or not.
        let given = progress.input.clone().filter(|_| first);
        let number = job.begin_attempt(step, given, self.host.now());
        Ok(Next::Call { step, number, given_input: job.run_mut().states[step].input_given })
    }

    /// The first ready step; where there is none, what to do instead.
    fn choose(
        &self,
        job: &mut Job<H::Value>,
        progress: &Progress<H::Value>,
    ) -> Result<StepIndex, Next<H::Value>> {
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
        match &progress.routed {
            _ if job.run_mut().has_plan() => Err(Next::Refused(under_way(job))),
            None => Err(Next::AskRouter),
            Some(Routed::NoRouter) => Err(Next::Refused(Code::NoPlan.into())),
            Some(Routed::Done) => Err(self.finish(job)),
            Some(Routed::Step(asked)) => Ok(job.add_routed(asked.clone())),
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
