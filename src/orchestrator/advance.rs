//! What comes next for a job that is loaded: decided here, done by [`super::drive`].

use std::rc::Rc;

use serde_json::json;

use crate::{
    core::{
        admission::{Denied, Then, step_may_begin, within_step_limit},
        job::{Job, PauseReason, Steps},
        logic::{MAX_STEPS, truthy},
        outcome::{Code, Refusal},
        plan::{Wait, Work},
        step::{StepIndex, StepStatus},
    },
    host::{BudgetAnswer, Host, JobKey, Routed},
    orchestrator::{Orchestrator, Outcome, Stop, drive::Driven},
};

/// What comes next, once what was decided with it is committed.
pub(super) struct Decision<H: Host> {
    /// The attempts that begin.
    pub(super) begin: Vec<Begin>,
    /// What to do beside them.
    pub(super) then: Next<H>,
}

/// An attempt that begins.
pub(super) struct Begin {
    pub(super) step: StepIndex,
    pub(super) number: u32,
    pub(super) given_input: bool,
}

/// What to do beside what runs.
pub(super) enum Next<H: Host> {
    /// Wait for what runs, for a change, or until this moment.
    Wait { until: Option<f64> },
    /// Decide again on the context as it will be then.
    DecideAgain,
    /// Ask the router.
    AskRouter,
    /// Nothing: the one step that is run has ended without an attempt.
    Ended(StepIndex),
    /// Nothing: the run is over.
    End(Outcome<H, Driven<H::Value>>),
}

impl<H: Host> Next<H> {
    fn refused(refusal: impl Into<Refusal>) -> Self {
        Next::End(Err(Stop::Refused(refusal.into())))
    }
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
    /// The steps whose estimates are held, or were granted.
    pub(super) granted: Vec<Granted>,
    /// The step that slow play is delaying, and since when.
    pub(super) pacing: Option<(StepIndex, f64)>,
    /// What the router answered, not yet acted on.
    pub(super) routed: Option<Routed>,
    /// Only one step is run.
    pub(super) single: bool,
    /// Which one, once it has begun.
    pub(super) only: Option<StepIndex>,
}

impl<V> Progress<V> {
    pub(super) fn new(input: Option<V>, single: bool) -> Self {
        Progress { input, granted: Vec::new(), pacing: None, routed: None, single, only: None }
    }

    /// What was decided is committed: what it was decided with is used up, by the first step that begins or
    /// by the router's.
    pub(super) fn committed(&mut self, begun: &[Begin]) {
        self.routed = None;
        if !begun.is_empty() {
            self.input = None;
        }
    }
}

/// What became of a step that was to begin.
enum Tried<H: Host> {
    Begun(Begin),
    /// It can't go on for now, or is not to be done: another may.
    Passed,
    /// It ended without an attempt.
    Ended,
    Stop(Next<H>),
}

impl<H: Host> Orchestrator<H> {
    /// Decides what comes next and notes it in the job, of which at most `room` more steps may begin while
    /// `running` are under way.
    pub(super) async fn advance(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        progress: &mut Progress<H::Value>,
        running: usize,
        room: usize,
    ) -> Decision<H> {
        let mut begin = Vec::new();
        let then = loop {
            if begin.len() >= room {
                break Next::Wait { until: None };
            }
            if !job.is_running() {
                break Next::refused(job.why_stopped());
            }
            let Some(step) = self.next_ready(job, progress) else {
                match self.nothing_ready(job, progress, running + begin.len()) {
                    Some(next) => break next,
                    None => continue,
                }
            };
            let given = if begin.is_empty() { progress.input.clone() } else { None };
            match self.try_step(key, job, step, progress, given).await {
                Tried::Begun(begun) => begin.push(begun),
                Tried::Passed => {}
                Tried::Ended if progress.single => break Next::Ended(step),
                Tried::Ended => {}
                Tried::Stop(next) => break next,
            }
        };
        Decision { begin, then }
    }

    fn next_ready(&self, job: &mut Job<H::Value>, progress: &mut Progress<H::Value>) -> Option<StepIndex> {
        let now = self.host.now();
        let run = job.run_mut();
        match progress.only {
            Some(step) => run.schedule.is_ready(step, now).then_some(step),
            None => run.schedule.first_ready(now),
        }
    }

    /// No step is ready: why, and what to wait for; `None` where the router has just named one.
    fn nothing_ready(
        &self,
        job: &mut Job<H::Value>,
        progress: &Progress<H::Value>,
        running: usize,
    ) -> Option<Next<H>> {
        let run = job.run_mut();
        if run.schedule.all_ended() && run.has_plan() {
            return Some(self.finish(job));
        }
        let until = match progress.only {
            Some(step) => run.schedule.due_at(step),
            None => run.schedule.first_due(),
        };
        let waits = running > 0 || until.is_some() || job.waits_for_signal();
        let run = job.run_mut();
        if waits {
            return Some(Next::Wait { until });
        }
        if let Some(approval) = run.approvals.first() {
            let step = approval.step;
            // Where only one step was run, others may be ready.
            if run.schedule.first_ready(self.host.now()).is_none() && run.schedule.first_due().is_none() {
                job.stop_for(PauseReason::Approval, Some(step), None);
            }
            return Some(Next::refused(Code::ApprovalRequired));
        }
        if run.has_plan() {
            return Some(Next::refused(under_way(job)));
        }
        if let Err(denied) = within_step_limit(job, None) {
            job.stop_for(PauseReason::StepLimit, None, None);
            return Some(Next::refused(denied.refusal));
        }
        match &progress.routed {
            None => Some(Next::AskRouter),
            Some(Routed::NoRouter) => Some(Next::refused(Code::NoPlan)),
            Some(Routed::Done) => Some(self.finish(job)),
            Some(Routed::Step(asked)) => {
                job.add_routed(asked.clone());
                None
            }
        }
    }

    /// Begins a step that is ready, or does what its checks ask for.
    async fn try_step(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H::Value>,
        given: Option<H::Value>,
    ) -> Tried<H> {
        match self.is_wanted(key, job, step) {
            Ok(true) => {}
            Ok(false) if job.run_mut().states[step].status == StepStatus::Failed => return Tried::Ended,
            Ok(false) => return Tried::Passed,
            Err(next) => return Tried::Stop(next),
        }
        match job.run_mut().step(step).work.clone() {
            Work::Agent(name) => self.try_agent(key, job, step, &name, progress, given).await,
            Work::Approve => match step_may_begin(job, step, true, String::new) {
                Err(denied) => self.deny(job, step, denied),
                Ok(()) => {
                    let by = job.run_mut().states[step].approved_by.clone();
                    let output = self.host.value_of(&json!({ "by": by }));
                    job.finish_step(step, output, None, self.host.now());
                    Tried::Ended
                }
            },
            Work::Wait(wait) => match step_may_begin(job, step, true, String::new) {
                Err(denied) => self.deny(job, step, denied),
                Ok(()) => self.try_wait(key, job, step, &wait, progress),
            },
        }
    }

    /// Begins an agent's step.
    async fn try_agent(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        name: &str,
        progress: &mut Progress<H::Value>,
        given: Option<H::Value>,
    ) -> Tried<H> {
        if let Err(denied) = within_step_limit(job, Some(step)) {
            job.stop_for(PauseReason::StepLimit, Some(step), None);
            return Tried::Stop(Next::refused(denied.refusal));
        }
        let agent = match self.host.find_agent(key, step, name) {
            Ok(agent) => agent,
            Err(error) => return Tried::Stop(Next::End(Err(Stop::Failed(error)))),
        };
        if let Err(denied) = step_may_begin(job, step, agent.is_some(), || self.host.known_agents()) {
            return self.deny(job, step, denied);
        }
        if let Some(stop) = self.hold(key, job, step, progress, agent.and_then(|agent| agent.cost)).await {
            return Tried::Stop(stop);
        }
        let now = self.host.now();
        if let Some(until) = self.paced_until(job, step, progress, now) {
            return Tried::Stop(Next::Wait { until: Some(until) });
        }
        let first = job.run_mut().states[step].started_at.is_none();
        // For the first step that runs, whether it was begun before or not.
        let number = job.begin_attempt(step, given.filter(|_| first), now);
        Tried::Begun(Begin { step, number, given_input: job.run_mut().states[step].input_given })
    }

    /// Begins a step that waits, or ends it where it has waited long enough.
    fn try_wait(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        wait: &Wait,
        progress: &mut Progress<H::Value>,
    ) -> Tried<H> {
        let now = self.host.now();
        if progress.single {
            progress.only = Some(step);
        }
        if job.run_mut().states[step].started_at.is_none() {
            job.begin_wait(step, wait.due_at(now), now);
        }
        let due_at = job.run_mut().states[step].due_at;
        let is_due = due_at.is_some_and(|due_at| due_at <= now);
        match wait {
            Wait::Signal { names, timeout_ms } => {
                if let Some(signal) = job.take_signal(names) {
                    let output = self.host.signal_value(key, &signal);
                    job.finish_step(step, output, None, now);
                    return Tried::Ended;
                }
                if is_due {
                    let id = job.run_mut().step(step).id.clone();
                    let ms = timeout_ms.unwrap_or_default().ceil() as u64;
                    let message = format!("Step \"{id}\" timed out after {ms} ms");
                    job.fail_step(step, Refusal::new(Code::Timeout, message), now);
                    return Tried::Ended;
                }
            }
            Wait::Timer { .. } if is_due => {
                job.finish_step(step, self.host.value_of(&json!(null)), None, now);
                return Tried::Ended;
            }
            Wait::Timer { .. } => {}
        }
        job.run_mut().schedule.put_off(step, due_at);
        Tried::Passed
    }

    /// Is the step to be done? Asked before anything else is asked about it, and noted where it is not.
    fn is_wanted(&self, key: JobKey, job: &mut Job<H::Value>, step: StepIndex) -> Result<bool, Next<H>> {
        let run = job.run_mut();
        let Steps::Planned(plan) = &run.steps else { return Ok(true) };
        let plan = Rc::clone(plan);
        let Some(when) = &plan.steps[step].when else { return Ok(true) };
        let state = &run.states[step];
        if state.started_at.is_some() || state.approved_by.is_some() || state.status == StepStatus::Waiting {
            return Ok(true);
        }
        if !job.change.context.is_empty() {
            return Err(Next::DecideAgain);
        }
        let value = self
            .host
            .read_context(key, when.paths())
            .and_then(|context| when.evaluate(&context, MAX_STEPS).map_err(|error| error.to_string()));
        match value {
            Ok(value) if truthy(&value) => return Ok(true),
            Ok(_) => job.skip_step(step, self.host.now()),
            Err(problem) => {
                let id = &plan.steps[step].id;
                let message = format!("The condition of step \"{id}\" can't be computed: {problem}");
                job.fail_step(step, Refusal::new(Code::AgentFailed, message), self.host.now());
            }
        }
        Ok(false)
    }

    /// The budget manager is asked once a step; gives what it comes to where it is not granted.
    async fn hold(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H::Value>,
        usual_cost: Option<f64>,
    ) -> Option<Next<H>> {
        if progress.granted.iter().any(|granted| granted.step == step) {
            return None;
        }
        let estimate = job.run_mut().step(step).cost.or(usual_cost).unwrap_or(0.0);
        match self.host.hold(key, step, estimate).await {
            Ok(BudgetAnswer::Granted) => {
                progress.granted.push(Granted { step, estimate });
                None
            }
            Ok(BudgetAnswer::Refused(answer)) => {
                job.stop_for(PauseReason::Budget, Some(step), None);
                Some(Next::End(Err(Stop::BudgetRefused(answer))))
            }
            Err(error) => Some(Next::End(Err(Stop::Failed(error)))),
        }
    }

    /// Until when slow play delays the step, if it still does.
    fn paced_until(
        &self,
        job: &Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H::Value>,
        now: f64,
    ) -> Option<f64> {
        let own = job.run.as_ref().and_then(|run| run.slow_play_ms);
        let ms = own.unwrap_or_else(|| self.slow_play_ms.get());
        if ms <= 0.0 {
            return None;
        }
        let since = match progress.pacing {
            Some((paced, since)) if paced == step => since,
            _ => now,
        };
        progress.pacing = Some((step, since));
        Some(since + ms).filter(|until| *until > now)
    }

    /// The job's last step has ended.
    pub(super) fn finish(&self, job: &mut Job<H::Value>) -> Next<H> {
        let cause = job.latest_cause();
        match job.complete(self.host.now(), cause) {
            Ok(()) => Next::End(Ok(Driven::Completed)),
            Err(refusal) => Next::refused(refusal),
        }
    }

    /// Does to the job what a denial asks for.
    fn deny(&self, job: &mut Job<H::Value>, step: StepIndex, denied: Denied) -> Tried<H> {
        match denied.then {
            Then::Unchanged => {}
            Then::Pause(reason) => job.stop_for(reason, Some(step), Some(&denied.refusal.message)),
            Then::Ask => {
                let asked = job.run_mut().approvals.iter().any(|approval| approval.step == step);
                if !asked {
                    job.request_approval(step, None);
                }
                job.run_mut().schedule.put_off(step, None);
                return Tried::Passed;
            }
            Then::Fail => {
                job.fail_step(step, denied.refusal.clone(), self.host.now());
                if job.is_running() {
                    return Tried::Passed;
                }
            }
        }
        Tried::Stop(Next::refused(denied.refusal))
    }
}

/// No step is ready and none has ended last: one is under way that this runner did not begin.
fn under_way<V>(job: &mut Job<V>) -> Refusal {
    let run = job.run_mut();
    let id = run.running_step().map_or("", |step| &*run.step(step).id);
    Refusal::new(Code::Conflict, format!("Step \"{id}\" is already running"))
}
