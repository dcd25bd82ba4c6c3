//! A step or an item that is ready, in the reference: its checks, in their order.

use serde_json::{Map, Value, json};

use crate::{
    case::{End, Play, Told},
    interpreter::{Call, Reference},
    job::{AGENT, Job},
    plan::Kind,
    rule::{Uncomputable, evaluate, evaluate_template, is_true},
    run::{AtWork, Finish, Held, Next, Tried},
    state::{Decision, Reason, Spot, StepStatus, What},
};

/// What keeps a step from beginning.
enum Denied {
    Pause(Reason),
    Fail(&'static str),
    Ask,
}

impl Job {
    fn is_true(&self, rule: &Value) -> Result<bool, Uncomputable> {
        evaluate(rule, &Value::Object(self.state.context.clone())).map(|value| is_true(&value))
    }

    pub fn item(&self, spot: Spot) -> Value {
        let items = self.state.steps[spot.step].items.as_ref().expect("items");
        items[spot.item.expect("an item")].0.clone()
    }

    /// What rules see: the context, and within a `forEach`, the item and its number before it.
    pub fn context_for(&self, spot: Spot) -> Value {
        let mut context = self.state.context.clone();
        if let Some(index) = spot.item {
            context.insert("item".to_owned(), self.item(spot));
            context.insert("index".to_owned(), index.into());
        }
        Value::Object(context)
    }

    /// What an agent is given.
    fn input_of(&self, spot: Spot) -> Result<Value, Uncomputable> {
        let step = &self.plan.steps[spot.step];
        let output_of = |step: usize| self.state.steps[step].output.clone();
        let input = step.work().and_then(|work| work.input.as_ref());
        match (input, spot.item, &self.state.at(spot).given, &step.after[..]) {
            (Some(input), ..) => evaluate_template(input, &self.context_for(spot)),
            (None, Some(_), ..) => Ok(self.item(spot)),
            (None, None, Some(given), _) => Ok(given.clone()),
            (None, None, None, []) => Ok(Value::Null),
            (None, None, None, [one]) => Ok(output_of(*one)),
            (None, None, None, several) => {
                let outputs = several.iter().map(|&step| (self.plan.steps[step].id.clone(), output_of(step)));
                Ok(Value::Object(outputs.collect::<Map<String, Value>>()))
            }
        }
    }

    fn check(&self, spot: Spot) -> Result<(), Denied> {
        let (step, state) = (&self.plan.steps[spot.step], self.state.at(spot));
        let has_breakpoint = step.breakpoint || self.state.breakpoints.contains(&spot.step);
        if has_breakpoint && !state.breakpoint_passed && spot.item.is_none() {
            return Err(Denied::Pause(Reason::Breakpoint));
        }
        if self.lacks_tools(spot) {
            return Err(Denied::Fail("tools_denied"));
        }
        if step.work().is_some_and(|work| work.agent != AGENT) {
            return Err(Denied::Fail("unknown_agent"));
        }
        if self.needs_approval(spot) { Err(Denied::Ask) } else { Ok(()) }
    }

    fn deny(&mut self, spot: Spot, denied: Denied) -> Tried {
        match denied {
            Denied::Pause(reason) => {
                self.decide(Decision::JobPaused(Some(reason), Some(spot.step)));
                Tried::Stop(Next::End(Told::Refused(reason.code())))
            }
            Denied::Ask => {
                self.decide_step(spot, What::Asked { tool: None });
                Tried::Passed
            }
            Denied::Fail(code) => {
                self.fail_step(spot, code);
                if self.is_running() { Tried::Passed } else { Tried::Stop(Next::End(Told::Refused(code))) }
            }
        }
    }

    /// Is the step to be done at all? Asked before anything else is.
    fn when(&mut self, spot: Spot) -> Option<Tried> {
        let when = self.plan.steps[spot.step].when.clone()?;
        let state = &self.state.steps[spot.step];
        if state.begun || state.approved.is_some() || state.status == StepStatus::Waiting {
            return None;
        }
        if !self.context_is_committed() {
            return Some(Tried::Stop(Next::Again));
        }
        match self.is_true(&when) {
            Ok(true) => None,
            Ok(false) => {
                self.decide_step(spot, What::Skipped);
                Some(Tried::Passed)
            }
            Err(Uncomputable) => {
                self.fail_step(spot, "agent_failed");
                Some(Tried::Ended)
            }
        }
    }

    /// A round has ended: is the step done, or are there no more?
    fn after_round(&mut self, spot: Spot) -> Option<Tried> {
        if !self.state.at(spot).between_rounds {
            return None;
        }
        if !self.context_is_committed() {
            return Some(Tried::Stop(Next::Again));
        }
        let repeat = self.plan.steps[spot.step].repeat.as_ref().expect("rounds");
        let (until, max) = (self.is_true(&repeat.until), repeat.max);
        match until {
            Ok(true) => {
                let output = self.state.at(spot).output.clone();
                self.decide_step(spot, What::Completed { output, cost: None });
                Some(Tried::Ended)
            }
            Ok(false) if self.state.at(spot).rounds_ended < max => None,
            Ok(false) | Err(Uncomputable) => {
                self.fail_step(spot, "agent_failed");
                Some(Tried::Ended)
            }
        }
    }

    /// The items of a step begin.
    fn fan_out(&mut self, spot: Spot, list: &Value) -> Tried {
        if !self.context_is_committed() {
            return Tried::Stop(Next::Again);
        }
        match evaluate(list, &Value::Object(self.state.context.clone())) {
            Ok(Value::Array(items)) => {
                self.decide_step(spot, What::FannedOut { items });
                if self.runner().single {
                    self.runner().only = Some(spot.step);
                }
                Tried::Stop(Next::Again)
            }
            Ok(_) | Err(Uncomputable) => {
                self.fail_step(spot, "agent_failed");
                Tried::Ended
            }
        }
    }

    /// The items of a step have all ended.
    fn fan_in(&mut self, spot: Spot) -> Tried {
        if !self.context_is_committed() {
            return Tried::Stop(Next::Again);
        }
        let outputs = self.items_of(spot.step).into_iter().map(|item| self.state.at(item).output.clone());
        let output = outputs.collect();
        self.decide_step(spot, What::Completed { output, cost: None });
        Tried::Ended
    }

    fn try_approve(&mut self, spot: Spot) -> Tried {
        match self.check(spot) {
            Err(denied) => self.deny(spot, denied),
            Ok(()) => {
                let by = self.state.at(spot).approved.clone();
                self.decide_step(spot, What::Completed { output: json!({ "by": by }), cost: None });
                Tried::Ended
            }
        }
    }

    fn try_wait(&mut self, spot: Spot, now: f64) -> Tried {
        // Who waits already is not asked about again.
        if !self.state.at(spot).begun
            && let Err(denied) = self.check(spot)
        {
            return self.deny(spot, denied);
        }
        if self.runner().single {
            self.runner().only = Some(spot.step);
        }
        let (is_timer, most) = match self.plan.steps[spot.step].kind {
            Kind::Timer { ms } => (true, Some(ms)),
            Kind::Signal { timeout_ms, .. } => (false, timeout_ms),
            Kind::Agent(_) | Kind::Job(_) | Kind::Approve => (false, None),
        };
        if !self.state.at(spot).begun {
            self.decide_step(spot, What::Waits { due_at: most.map(|ms| now + ms) });
        }
        let is_due = self.state.at(spot).due_at.is_some_and(|due_at| due_at <= now);
        let output = match self.signal_for(spot.step) {
            Some((signal, payload)) => json!({ "signal": signal, "payload": payload }),
            None if is_due && is_timer => Value::Null,
            None if is_due => {
                self.fail_step(spot, "timeout");
                return Tried::Ended;
            }
            None => return Tried::Passed,
        };
        self.decide_step(spot, What::Completed { output, cost: None });
        Tried::Ended
    }
}

impl Reference {
    pub fn try_spot(&mut self, number: usize, spot: Spot, is_first: bool) -> Tried {
        let now = self.now;
        let job = &mut self.jobs[number];
        if let Some(tried) = job.when(spot) {
            return tried;
        }
        match job.plan.steps[spot.step].kind {
            Kind::Agent(_) | Kind::Job(_) => self.try_work(number, spot, is_first),
            Kind::Approve => job.try_approve(spot),
            Kind::Timer { .. } | Kind::Signal { .. } => job.try_wait(spot, now),
        }
    }

    fn try_work(&mut self, number: usize, spot: Spot, is_first: bool) -> Tried {
        let job = &mut self.jobs[number];
        if job.state.at(spot).items.is_some() {
            return job.fan_in(spot);
        }
        if let Some(tried) = job.after_round(spot) {
            return tried;
        }
        let counts = !job.state.at(spot).begun && spot.item.is_none();
        if counts && job.state.steps_taken >= job.state.permissions.max_steps {
            return job.deny(spot, Denied::Pause(Reason::StepLimit));
        }
        if let Err(denied) = job.check(spot) {
            return job.deny(spot, denied);
        }
        let for_each = job.plan.steps[spot.step].for_each.clone();
        if let Some(list) = for_each.filter(|_| spot.item.is_none()) {
            return job.fan_out(spot, &list);
        }
        if job.plan.steps[spot.step].work().is_some() && !self.hold(number, spot) {
            let job = &mut self.jobs[number];
            job.decide(Decision::JobPaused(Some(Reason::Budget), Some(spot.step)));
            return Tried::Stop(Next::End(Told::BudgetRefused));
        }
        let job = &mut self.jobs[number];
        let takes_input = is_first && counts && job.plan.steps[spot.step].work().is_some();
        let given = job.runner().input.clone().filter(|_| takes_input);
        job.decide_step(spot, What::Started { given });
        Tried::Begun
    }

    /// Holds the estimate, where nothing is held yet.
    fn hold(&mut self, number: usize, spot: Spot) -> bool {
        let job = &mut self.jobs[number];
        if job.runner().held.iter().any(|held| held.spot == spot) {
            return true;
        }
        let own = job.plan.steps[spot.step].work().and_then(|work| work.cost);
        let estimate = own.or(self.case.estimate).unwrap_or(0.0);
        if self.budget.is_some_and(|left| left < estimate) {
            return false;
        }
        self.budget = self.budget.map(|left| left - estimate);
        job.runner().held.push(Held { spot, estimate, spent: 0.0 });
        true
    }

    /// What an attempt costs more than was estimated; of one that failed, all, since others may follow it.
    pub fn excess_of(&self, call: &Call) -> f64 {
        let named = |job: &&Job| call.key.starts_with(&format!("{}:{}", job.id, call.attempt.step));
        // Of several whose id it begins with, it is the innermost's.
        let plan = self.jobs.iter().rfind(named).map(|job| &job.plan);
        let step = plan.and_then(|plan| Some(&plan.steps[plan.place_of(&call.attempt.step)?]));
        let own = step.and_then(|step| step.work()?.cost);
        let estimate = own.or(self.case.estimate).unwrap_or(0.0);
        match self.case.play(&call.attempt).end {
            End::Gives { cost, .. } => cost.map_or(0.0, |cost| (cost - estimate).max(0.0)),
            End::Fails { cost, .. } => cost.unwrap_or(0.0),
        }
    }

    /// The agent, or the child, of a step that is committed as running is to be called.
    pub fn call(&mut self, number: usize, spot: Spot) {
        let child = self.child_at_work(number, spot);
        let job = &self.jobs[number];
        let deadline = job.plan.steps[spot.step].timeout_ms.map(|ms| self.now + ms);
        let mut attempt =
            AtWork { spot, deadline, to_call: None, child, ends: None, is_being_given_up: false };
        if attempt.child.is_none() {
            match job.input_of(spot) {
                Err(Uncomputable) => {
                    let code = "agent_failed";
                    let fails = Finish::Fails { code, retryable: false, retry_after: None, cost: None };
                    attempt.ends = Some(fails);
                }
                Ok(input) => {
                    let call = Call {
                        key: job.key_of(spot),
                        attempt: job.attempt(spot),
                        input,
                        context: Value::Object(job.state.context.clone()),
                        granted: job.state.at(spot).granted.clone(),
                    };
                    let play = self.case.play(&call.attempt);
                    attempt.ends = play.at_once.then(|| finish_of(&play, &call.granted));
                    attempt.to_call = Some(call);
                }
            }
        }
        let runner = self.jobs[number].runner();
        if runner.single {
            runner.only = Some(spot.step);
        }
        runner.at_work.push(attempt);
    }

    /// An attempt comes to its end.
    pub fn finish(&mut self, number: usize, spot: Spot) {
        let job = &self.jobs[number];
        let play = self.case.play(&job.attempt(spot));
        let finish = finish_of(&play, &job.state.at(spot).granted);
        let mut at_work = self.jobs[number].runner().at_work.iter_mut();
        at_work.find(|attempt| attempt.spot == spot).expect("at work").ends = Some(finish);
    }
}

/// How an attempt ends: with the questions that have no answer yet, if there are any.
fn finish_of(play: &Play, granted: &[String]) -> Finish {
    let asks: Vec<String> = play.asks.iter().filter(|tool| !granted.contains(tool)).cloned().collect();
    if !asks.is_empty() {
        return Finish::Asks(asks);
    }
    match play.end.clone() {
        End::Gives { output, cost } => Finish::Gives { output, cost },
        End::Fails { code, retryable, retry_after, cost } => {
            Finish::Fails { code, retryable, retry_after, cost }
        }
    }
}
