//! What becomes of a step that is ready: its checks, in their order, and its begin.

use std::rc::Rc;

use serde_json::json;

use crate::{
    core::{
        admission::{Denied, Then, step_may_begin, waits_for_answer, within_step_limit},
        job::{Job, PauseReason, Steps},
        logic::{Expr, MAX_STEPS, truthy},
        outcome::{Code, Refusal},
        plan::{Repeat, Wait, Work},
        step::{StepIndex, StepStatus},
    },
    host::{AgentFacts, BudgetAnswer, Host, JobKey},
    orchestrator::{
        Orchestrator, Stop,
        advance::{Begin, Granted, Next, Progress},
        attempt::Limit,
    },
};

/// What became of a step that was to begin.
pub(super) enum Tried<H: Host> {
    Begun(Begin),
    /// It can't go on for now, or is not to be done: another may.
    Passed,
    /// It ended without an attempt.
    Ended,
    /// Slow play delays it, until this moment where it is the next to begin.
    Delayed(Option<f64>),
    Stop(Next<H>),
}

/// What is to be done about the rounds of a step.
enum Round<H: Host> {
    /// Its attempt may begin, in another round or not.
    Another(bool),
    /// No other round.
    Last(Tried<H>),
}

impl<H: Host> Orchestrator<H> {
    /// Begins a step that is ready, or does what its checks ask for.
    pub(super) async fn try_step(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H>,
        given: Option<H::Value>,
    ) -> Tried<H> {
        if let Some(tried) = self.is_wanted(key, job, step) {
            return tried;
        }
        if waits_for_answer(job, step) {
            job.run_mut().schedule.put_off(step, None);
            return Tried::Passed;
        }
        let (agent, given) = match &job.run_mut().step(step).work {
            Work::Agent(name) => match self.host.find_agent(key, step, name) {
                Ok(agent) => (agent, given),
                Err(error) => return Tried::Stop(Next::End(Err(Stop::Failed(error)))),
            },
            Work::Job(_) => (Some(AgentFacts::default()), None),
            Work::Approve => return self.end_approved(job, step),
            Work::Wait(wait) => {
                let wait = wait.clone();
                return self.try_wait(key, job, step, &wait, progress);
            }
        };
        self.try_work(key, job, step, agent, progress, given).await
    }

    /// Ends a step that is an approval and nothing else.
    fn end_approved(&self, job: &mut Job<H::Value>, step: StepIndex) -> Tried<H> {
        if let Err(denied) = step_may_begin(job, step, true, &String::new) {
            return self.deny(job, step, denied);
        }
        let by = job.run_mut().states[step].approved_by.clone();
        let output = self.host.value_of(&json!({ "by": by }));
        job.finish_step(step, output, None, job.now);
        Tried::Ended
    }

    /// Begins an attempt at a step that an agent or a child job does, or at an item of it.
    async fn try_work(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        agent: Option<AgentFacts>,
        progress: &mut Progress<H>,
        given: Option<H::Value>,
    ) -> Tried<H> {
        // Whose items have all ended ends too, and is not asked about again.
        if job.run_mut().states[step].fan_out.is_some() {
            return self.fan_out(key, job, step, progress);
        }
        let another_round = match self.next_round(key, job, step) {
            Ok(Round::Another(another)) => another,
            Ok(Round::Last(tried)) => return tried,
            Err(problem) => return self.fail_uncomputable(job, step, "until", &problem),
        };
        if let Err(denied) = within_step_limit(job, Some(step)) {
            job.stop_for(PauseReason::StepLimit, Some(step), None);
            return Tried::Stop(Next::refused(denied.refusal));
        }
        if let Err(denied) = step_may_begin(job, step, agent.is_some(), &|| self.host.known_agents()) {
            return self.deny(job, step, denied);
        }
        let run = job.run_mut();
        let has_items = run.step(step).for_each.is_some() && run.step_of_item(step).is_none();
        if !has_items && let Some(tried) = self.hold_and_pace(key, job, step, agent, progress).await {
            return tried;
        }
        if let Some(stop) = self.count_in_tree(key, job, step, progress).await {
            return Tried::Stop(stop);
        }
        if has_items {
            return self.fan_out(key, job, step, progress);
        }
        let now = job.now;
        if another_round {
            job.begin_round(step);
        }
        let run = job.run_mut();
        // For the first step that runs, whether it was begun before or not. Items are given themselves.
        let takes = run.states[step].started_at.is_none() && run.step_of_item(step).is_none();
        let number = job.begin_attempt(step, given.filter(|_| takes), now);
        let run = job.run_mut();
        let limit = run.step(step).timeout_ms.map(|ms| Limit { ms, name: run.name_of(step) });
        let (planned, given_input) = (run.schedule.rank(step), run.states[step].input_given);
        Tried::Begun(Begin { step, planned, number, given_input, limit })
    }

    /// What a step costs is held, and it waits where slow play delays it.
    async fn hold_and_pace(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        agent: Option<AgentFacts>,
        progress: &mut Progress<H>,
    ) -> Option<Tried<H>> {
        let is_paced = job.is_paced(step);
        if is_paced && !progress.delayed.is_empty() {
            return Some(Tried::Delayed(None));
        }
        let run = job.run_mut();
        if let Some(AgentFacts { cost }) = agent.filter(|_| run.step(step).agent().is_some())
            && let Some(stop) = self.hold(key, job, step, progress, cost).await
        {
            return Some(Tried::Stop(stop));
        }
        let until = is_paced.then(|| self.paced_until(job, step, progress, job.now)).flatten();
        until.map(|until| Tried::Delayed(Some(until)))
    }

    /// Where a round of the step has ended: is it done, is there to be another round, or were there too many?
    /// Asked each time that the step is looked at, until the other round begins.
    fn next_round(&self, key: JobKey, job: &mut Job<H::Value>, step: StepIndex) -> Result<Round<H>, String> {
        if !job.run_mut().states[step].round_ended {
            return Ok(Round::Another(false));
        }
        let Some(Repeat { until, max }) = job.run_mut().step(step).repeat.clone() else {
            return Ok(Round::Another(false));
        };
        if !job.change.context.is_empty() {
            return Ok(Round::Last(Tried::Stop(Next::DecideAgain)));
        }
        let now = job.now;
        if self.is_true(key, "until", &until)? {
            let output = self.host.output_of(key, step);
            job.finish_step(step, output, None, now);
            return Ok(Round::Last(Tried::Ended));
        }
        if job.run_mut().states[step].round >= max.get() {
            let message = format!("Step \"{}\" is not done after {max} rounds", job.run_mut().step(step).id);
            job.fail_step(step, Refusal::new(Code::AgentFailed, message), now);
            return Ok(Round::Last(Tried::Ended));
        }
        Ok(Round::Another(true))
    }

    /// What an expression gives over the context of the job that is loaded, as a yes or no.
    fn is_true(&self, key: JobKey, which: &'static str, expression: &Expr) -> Result<bool, String> {
        let context = self.host.read_context(key, expression.paths())?;
        let value = expression.evaluate(&context, MAX_STEPS).map_err(|error| error.to_string())?;
        let gives = truthy(&value);
        self.host.evaluated(key, which, gives.into());
        Ok(gives)
    }

    pub(super) fn fail_uncomputable(
        &self,
        job: &mut Job<H::Value>,
        step: StepIndex,
        which: &str,
        problem: &str,
    ) -> Tried<H> {
        let id = &job.run_mut().step(step).id;
        let message = format!("The \"{which}\" of step \"{id}\" can't be computed: {problem}");
        job.fail_step(step, Refusal::new(Code::AgentFailed, message), job.now);
        Tried::Ended
    }

    /// Begins a step that waits, or ends it where it has waited long enough.
    fn try_wait(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        wait: &Wait,
        progress: &mut Progress<H>,
    ) -> Tried<H> {
        let now = job.now;
        let begins = job.run_mut().states[step].started_at.is_none();
        if begins && let Err(denied) = step_may_begin(job, step, true, &String::new) {
            return self.deny(job, step, denied);
        }
        if progress.single {
            progress.chosen = Some(step);
        }
        if begins {
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
    fn is_wanted(&self, key: JobKey, job: &mut Job<H::Value>, step: StepIndex) -> Option<Tried<H>> {
        let run = job.run_mut();
        let Steps::Planned(plan) = &run.steps else { return None };
        let plan = Rc::clone(plan);
        let when = plan.steps[run.schedule.rank(step)].when.as_ref()?;
        let state = &run.states[run.schedule.rank(step)];
        if state.started_at.is_some() || state.approved_by.is_some() || state.status == StepStatus::Waiting {
            return None;
        }
        if !job.change.context.is_empty() {
            return Some(Tried::Stop(Next::DecideAgain));
        }
        match self.is_true(key, "when", when) {
            Ok(true) => None,
            Ok(false) => {
                job.skip_step(step, job.now);
                Some(Tried::Passed)
            }
            Err(problem) => Some(self.fail_uncomputable(job, step, "when", &problem)),
        }
    }

    /// The budget manager is asked once a step; gives what it comes to where it is not granted.
    async fn hold(
        &self,
        key: JobKey,
        job: &mut Job<H::Value>,
        step: StepIndex,
        progress: &mut Progress<H>,
        usual_cost: Option<f64>,
    ) -> Option<Next<H>> {
        if progress.granted.iter().any(|granted| granted.hold.step == step) {
            return None;
        }
        // What is owed may be all that stands in the step's way.
        if job.head.owes {
            self.settle_owed(key, job).await;
        }
        let estimate = job.run_mut().step(step).cost.or(usual_cost).unwrap_or(0.0);
        let hold = job.run_mut().hold_for(step);
        match self.host.hold(key, hold, estimate).await {
            Ok(BudgetAnswer::Granted) => {
                progress.granted.push(Granted { hold, estimate, spent: 0.0 });
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
        progress: &mut Progress<H>,
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

    /// Does to the job what a denial asks for.
    fn deny(&self, job: &mut Job<H::Value>, step: StepIndex, denied: Denied) -> Tried<H> {
        match denied.then {
            Then::Unchanged => {}
            Then::Pause(reason) => job.stop_for(reason, Some(step), Some(&denied.refusal.message)),
            Then::Ask => {
                job.request_approval(step, None);
                job.run_mut().schedule.put_off(step, None);
                return Tried::Passed;
            }
            Then::Fail => {
                job.fail_step(step, denied.refusal.clone(), job.now);
                if job.is_running() {
                    return Tried::Passed;
                }
            }
        }
        Tried::Stop(Next::refused(denied.refusal))
    }
}
