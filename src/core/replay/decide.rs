//! Which step's turn it is, and what becomes of it.
//!
//! The one who runs a job looks at the first ready step in the plan's order, then at the next, until no more may begin.
//! A history does not say whether all steps were run or one alone, nor how many at a time; so a step that has begun
//! before may also go on out of order, and fewer may begin than could.

use std::rc::Rc;

use serde_json::Value;

use super::{Refused, Replay, because, event::Recorded};
use crate::core::{
    admission::{Then, step_may_begin, waits_for_answer, within_step_limit},
    job::{PauseReason, Steps},
    logic::{Expr, MAX_STEPS, truthy},
    outcome::{Code, Refusal},
    plan::{MAX_ITEMS, Wait, Work},
    step::{StepIndex, StepStatus},
    written::Members,
};

/// What becomes of a step that is looked at.
enum Look {
    /// Nothing, until this moment or until something happens.
    Pass(Option<f64>),
    Skip,
    Fail(Refusal),
    Ask,
    Pause(PauseReason, Option<Refusal>),
    /// An attempt begins, in another round or not.
    Begin(bool),
    FanOut(Value, u32),
    Wait(Wait),
    Finish(Value),
}

/// What an event says that the core can't know, where it asks for it.
#[derive(Default)]
struct Hints<'a> {
    unknown_agent: bool,
    message: &'a str,
}

impl Replay {
    /// What the core decides about a step, or about another one whose turn it is.
    pub(super) fn decide(&mut self, step: StepIndex, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let step = self.turn_of(step)?;
        let hints =
            Hints { unknown_agent: recorded.code() == Some(Code::UnknownAgent), message: recorded.message() };
        self.evaluated.clear();
        let look = self.look(step, &hints);
        let given = recorded.get("input").cloned();
        self.act(step, look, given);
        Ok(())
    }

    /// The step whose turn it is, where an event says that it is this one's.
    fn turn_of(&mut self, step: StepIndex) -> Result<StepIndex, Refused> {
        if !self.job.is_running() {
            return Err(because("another event: the job is not running"));
        }
        if self.is_full() {
            return Err(because("another event: as many attempts are under way as may be"));
        }
        self.offer_if_suspended(step);
        let run = self.job.run_mut();
        let whole = run.schedule.rank(step);
        if run.states[whole].started_at.is_some() {
            let places = run.places_of(whole);
            if self.first_of(places) == Some(step) {
                return Ok(step);
            }
        }
        self.first_ready().ok_or_else(|| because("another event: the step is not ready"))
    }

    /// Are as many agents at work as may be? Child jobs are not counted: one whose store failed is left as it is while
    /// others go on.
    fn is_full(&mut self) -> bool {
        let run = self.job.run_mut();
        let most = match &run.steps {
            Steps::Planned(plan) => plan.concurrency,
            Steps::Routed(_) => 1,
        };
        let at_work = self.attempts.iter().filter(|&&step| run.step(step).agent().is_some());
        at_work.count() >= most.max(1)
    }

    /// Whoever runs the job next may go on with a step whose child job could not.
    fn offer_if_suspended(&mut self, step: StepIndex) {
        let run = self.job.run_mut();
        let state = &run.states[step];
        if state.status == StepStatus::Waiting
            && state.interrupted
            && matches!(run.step(step).work, Work::Job(_))
        {
            run.schedule.offer(step);
        }
    }

    /// The first ready step in the plan's order of which anything becomes.
    fn first_ready(&mut self) -> Option<StepIndex> {
        let now = self.job.now;
        loop {
            let step = self.job.run_mut().schedule.first_ready(now)?;
            if !self.passes(step) {
                return Some(step);
            }
        }
    }

    fn first_of(&mut self, mut places: impl Iterator<Item = StepIndex>) -> Option<StepIndex> {
        let now = self.job.now;
        places.find(|&place| self.job.run_mut().schedule.is_ready(place, now) && !self.passes(place))
    }

    /// Puts a step off of which nothing becomes for now.
    fn passes(&mut self, step: StepIndex) -> bool {
        match self.look(step, &Hints::default()) {
            Look::Pass(until) => {
                self.job.run_mut().schedule.put_off(step, until);
                true
            }
            _ => false,
        }
    }

    fn act(&mut self, step: StepIndex, look: Look, given: Option<Value>) {
        let now = self.job.now;
        let job = &mut self.job;
        match look {
            Look::Pass(until) => job.run_mut().schedule.put_off(step, until),
            Look::Skip => job.skip_step(step, now),
            Look::Fail(why) => job.fail_step(step, why, now),
            Look::Ask => {
                job.request_approval(step, None);
                job.run_mut().schedule.put_off(step, None);
            }
            Look::Pause(reason, why) => {
                job.stop_for(reason, Some(step), why.as_ref().map(|why| &*why.message));
            }
            Look::Begin(another_round) => {
                if another_round {
                    job.begin_round(step);
                }
                let first = job.run_mut().states[step].started_at.is_none();
                job.begin_attempt(step, given.filter(|_| first), now);
            }
            Look::FanOut(items, count) => job.fan_out(step, items, count, now),
            Look::Wait(wait) => {
                job.begin_wait(step, wait.due_at(now), now);
                let look = self.waited(step, &wait);
                self.act(step, look, None);
            }
            Look::Finish(output) => {
                if let Work::Wait(Wait::Signal { names, .. }) = &job.run_mut().step(step).work.clone()
                    && let Some(signal) = job.take_signal(names)
                {
                    self.signals.remove(&signal.seq);
                }
                self.job.finish_step(step, output, None, now);
            }
        }
    }

    /// What becomes of a step that is ready: asked in the order in which whoever runs the job asks.
    fn look(&mut self, step: StepIndex, hints: &Hints<'_>) -> Look {
        let run = self.job.run_mut();
        let (plan, routed);
        let what = match &run.steps {
            Steps::Planned(planned) => {
                plan = Rc::clone(planned);
                &plan.steps[run.schedule.rank(step)]
            }
            Steps::Routed(steps) => {
                routed = steps[step].clone();
                &routed
            }
        };
        let whole = &run.states[run.schedule.rank(step)];
        let asked =
            whole.started_at.is_some() || whole.approved_by.is_some() || whole.status == StepStatus::Waiting;
        if let Some(when) = what.when.as_ref().filter(|_| !asked) {
            match self.is_true("when", step, when, hints) {
                Ok(true) => {}
                Ok(false) => return Look::Skip,
                Err(look) => return look,
            }
        }
        if waits_for_answer(&self.job, step) {
            return Look::Pass(None);
        }
        if let (Work::Wait(wait), true) = (&what.work, self.job.run_mut().states[step].started_at.is_some()) {
            return self.waited(step, wait);
        }
        let works = matches!(what.work, Work::Agent(_) | Work::Job(_));
        let mut another_round = false;
        let state = &self.job.run_mut().states[step];
        let round = state.round;
        if let Some(repeat) = what.repeat.as_ref().filter(|_| works && state.round_ended) {
            match self.is_true("until", step, &repeat.until, hints) {
                Ok(true) => return Look::Finish(self.output_of(step)),
                Ok(false) if round >= repeat.max.get() => {
                    let rounds = repeat.max.to_string();
                    let message = ["Step \"", &what.id, "\" is not done after ", &rounds, " rounds"].concat();
                    return Look::Fail(Refusal::new(Code::AgentFailed, message));
                }
                Ok(false) => another_round = true,
                Err(look) => return look,
            }
        }
        if works && within_step_limit(&self.job, Some(step)).is_err() {
            return Look::Pause(PauseReason::StepLimit, None);
        }
        let known = || hints.message.rsplit_once("known agents: ").map_or("", |(_, known)| known).to_owned();
        if let Err(denied) = step_may_begin(&self.job, step, !hints.unknown_agent, &known) {
            return match denied.then {
                Then::Unchanged => Look::Pass(None),
                Then::Pause(reason) => Look::Pause(reason, Some(denied.refusal)),
                Then::Ask => Look::Ask,
                Then::Fail => Look::Fail(denied.refusal),
            };
        }
        match &what.work {
            Work::Agent(_) | Work::Job(_) => {
                let of_item = self.job.run_mut().step_of_item(step).is_some();
                match what.for_each.as_ref().filter(|_| !of_item) {
                    Some(list) => self.fan_out(step, list, hints),
                    None => Look::Begin(another_round),
                }
            }
            Work::Approve => {
                let mut output = Members::default();
                if let Some(by) = &self.job.run_mut().states[step].approved_by {
                    output.text("by", by);
                }
                Look::Finish(output.done())
            }
            Work::Wait(wait) => Look::Wait(wait.clone()),
        }
    }

    fn is_true(
        &mut self,
        which: &str,
        step: StepIndex,
        expression: &Expr,
        hints: &Hints<'_>,
    ) -> Result<bool, Look> {
        match expression.evaluate(&self.context, MAX_STEPS) {
            Ok(value) => {
                let value = truthy(&value);
                self.evaluated.insert(which.to_owned(), value.into());
                Ok(value)
            }
            Err(error) => Err(self.uncomputable(which, step, &error.to_string(), hints)),
        }
    }

    /// Why an expression can't be computed is said by the host too, whose words are taken as they are.
    fn uncomputable(&mut self, which: &str, step: StepIndex, problem: &str, hints: &Hints<'_>) -> Look {
        self.evaluated.insert(which.to_owned(), Value::Null);
        let id = &self.job.run_mut().step(step).id;
        let message = ["The \"", which, "\" of step \"", id, "\" can't be computed: "].concat();
        let said = hints.message.strip_prefix(&*message).unwrap_or(problem);
        Look::Fail(Refusal::new(Code::AgentFailed, message + said))
    }

    /// The items of a step, or its end where all of them have ended.
    fn fan_out(&mut self, step: StepIndex, list: &Expr, hints: &Hints<'_>) -> Look {
        if let Some(items) = self.job.run_mut().states[step].fan_out {
            return Look::Finish(items.places().map(|item| self.output_of(item)).collect());
        }
        let items = match list.evaluate(&self.context, MAX_STEPS) {
            Ok(items) => items,
            Err(error) => return self.uncomputable("forEach", step, &error.to_string(), hints),
        };
        let Some(count) = items.as_array().map(Vec::len) else {
            return self.uncomputable("forEach", step, "it gives no list", hints);
        };
        self.evaluated.insert("forEach".to_owned(), count.into());
        match u32::try_from(count).ok().filter(|count| *count <= MAX_ITEMS) {
            Some(count) => Look::FanOut(items, count),
            None => {
                let name = self.job.run_mut().name_of(step);
                let (count, most) = (count.to_string(), MAX_ITEMS.to_string());
                let message = [&*name, " has ", &count, " items; at most ", &most, " are allowed"].concat();
                Look::Fail(Refusal::new(Code::AgentFailed, message))
            }
        }
    }

    fn output_of(&self, step: StepIndex) -> Value {
        self.outputs.get(&step).cloned().unwrap_or_default()
    }

    /// What becomes of a step that waits.
    fn waited(&mut self, step: StepIndex, wait: &Wait) -> Look {
        let now = self.job.now;
        let run = self.job.run_mut();
        let due_at = run.states[step].due_at;
        let is_due = due_at.is_some_and(|due_at| due_at <= now);
        match wait {
            Wait::Signal { names, timeout_ms } => {
                if let Some(signal) = run.signals.iter().find(|signal| names.contains(&signal.name)) {
                    let mut output = Members::default();
                    output.text("signal", &signal.name);
                    output.put("payload", self.signals.get(&signal.seq).cloned().unwrap_or_default());
                    return Look::Finish(output.done());
                }
                if is_due {
                    let ms = (timeout_ms.unwrap_or_default().ceil() as u64).to_string();
                    let message = [&*run.name_of(step), " timed out after ", &ms, " ms"].concat();
                    return Look::Fail(Refusal::new(Code::Timeout, message));
                }
            }
            Wait::Timer { .. } if is_due => return Look::Finish(Value::Null),
            Wait::Timer { .. } => {}
        }
        Look::Pass(due_at)
    }

    /// The job becomes paused: because a person asked, or at a step.
    pub(super) fn pause(&mut self, recorded: &Recorded<'_>) -> Result<bool, Refused> {
        let Some(reason) = recorded.get("reason") else {
            self.job.pause().map_err(super::refused)?;
            return Ok(false);
        };
        match reason.as_str().and_then(PauseReason::from_name) {
            Some(PauseReason::Parent) => self.job.stop_for(PauseReason::Parent, None, None),
            Some(PauseReason::Approval) => self.pause_for_approval()?,
            Some(reason @ (PauseReason::Budget | PauseReason::StepLimit | PauseReason::Breakpoint)) => {
                self.pause_at_step(reason, recorded)?;
                return Ok(reason != PauseReason::Budget);
            }
            Some(PauseReason::User) | None => return Err(because("a reason that is known")),
        }
        Ok(true)
    }

    /// Nothing else can go on: a person has to approve first.
    fn pause_for_approval(&mut self) -> Result<(), Refused> {
        let waits = self.job.waits_for_signal();
        if !self.job.is_running() || !self.attempts.is_empty() || waits {
            return Err(because("another event: others can go on"));
        }
        if let Some(step) = self.first_ready() {
            let look = self.look(step, &Hints::default());
            self.act(step, look, None);
            return Ok(());
        }
        let run = self.job.run_mut();
        let step = run.approvals.first().map(|approval| approval.step);
        if step.is_none() || run.schedule.first_due().is_some() {
            return Err(because("another event: no approval is all that the job waits for"));
        }
        self.job.stop_for(PauseReason::Approval, step, None);
        Ok(())
    }

    /// A step can't begin: because of a limit, a breakpoint, or its budget.
    fn pause_at_step(&mut self, reason: PauseReason, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let run = self.job.run_mut();
        let cause = recorded.cause;
        let known = cause.and_then(|seq| run.states.iter().position(|state| state.seq == Some(seq)));
        if let Some(step) = known
            && reason == PauseReason::Budget
            && cause == Some(self.met)
            && run.states[step].interrupted
            && matches!(run.step(step).work, Work::Job(_))
        {
            // The budget refused its child.
            self.job.stop_for(reason, Some(step), None);
            return Ok(());
        }
        let step = match known {
            Some(step) => Some(self.turn_of(step)?),
            None if self.is_full() => return Err(because("another event: nothing can begin")),
            None => self.first_ready(),
        };
        let Some(step) = step else { return self.pause_at_routed(reason) };
        self.evaluated.clear();
        match self.look(step, &Hints::default()) {
            Look::Begin(_) if reason == PauseReason::Budget => self.job.stop_for(reason, Some(step), None),
            look => self.act(step, look, None),
        }
        Ok(())
    }

    /// A step can't begin that a router asked for, or would be asked for.
    fn pause_at_routed(&mut self, reason: PauseReason) -> Result<(), Refused> {
        if !self.may_be_routed() {
            return Err(because("another event: no step can begin"));
        }
        let wrong = match (reason, self.at_limit()) {
            (PauseReason::StepLimit, Some(false)) => "another event: the router is asked for a step",
            (PauseReason::Budget, Some(true)) => "a pause: the step limit is reached",
            (PauseReason::StepLimit | PauseReason::Budget, _) => {
                self.job.stop_for(reason, None, None);
                return Ok(());
            }
            _ => "another event: no step can begin",
        };
        Err(because(wrong))
    }

    /// May no other step begin? Unknown where the permissions are: see `permissions_known`.
    fn at_limit(&self) -> Option<bool> {
        self.permissions_known.then(|| within_step_limit(&self.job, None).is_err())
    }

    /// The last step has ended, or the router has no other.
    pub(super) fn complete(&mut self) -> Result<bool, Refused> {
        if let Some(step) = self.first_ready().filter(|_| self.job.is_running()) {
            let look = self.look(step, &Hints::default());
            self.act(step, look, None);
            return Ok(true);
        }
        let run = self.job.run_mut();
        let (waits, planned) = (!run.schedule.all_ended() || !run.approvals.is_empty(), run.has_plan());
        if waits || (!planned && self.at_limit() == Some(true)) {
            return Err(because("another event: the job is not done"));
        }
        let cause = self.job.latest_cause();
        self.job.complete(self.job.now, cause).map_err(super::refused)?;
        Ok(true)
    }
}
