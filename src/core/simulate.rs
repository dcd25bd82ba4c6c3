//! What a plan can take and ask for, said before it runs.

use serde_json::Value;

use crate::core::{
    admission::{needs_approval, tools_denied},
    logic::{Expr, number_text, truthy},
    outcome::{Code, Refusal},
    permissions::Permissions,
    plan::{MAX_ITEMS, OnError, Plan, Step, Work},
};

/// The least and the most of something.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// No less than this.
    pub min: f64,
    /// No more than this.
    pub max: f64,
}

/// What a plan can take and ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simulation {
    /// How many steps count against `maxSteps`.
    pub steps: Bounds,
    /// What the job and its children cost.
    pub cost: Bounds,
    /// The steps that a person will or may be asked about; one of a child job stands behind its parent's, as in
    /// `pack:label`.
    pub approvals: Vec<String>,
    /// The steps that can't be done, and why.
    pub refused: Vec<(String, Refusal)>,
}

/// Simulates a plan: bounds for runs that complete, in which each attempt costs its step's `cost`.
///
/// What is refused counts in the bounds as if it weren't, so that they say what would be enough; a step that
/// may fail without ending the job, and would, does not.
///
/// ```
/// use jobwright::core::{permissions::Permissions, plan::parse, simulate::simulate};
/// let step = serde_json::json!({ "id": "draft", "agent": "writer", "cost": 2, "retry": { "maxAttempts": 3 } });
/// let plan = parse(&serde_json::json!({ "steps": [step] })).unwrap();
/// let found = simulate(&plan, Permissions::default(), Some(1.0));
/// assert_eq!((found.cost.min, found.cost.max), (2.0, 6.0));
/// assert_eq!(found.approvals, ["draft"]);
/// assert_eq!(found.refused[0].1.code.name(), "budget_exceeded");
/// ```
pub fn simulate(plan: &Plan, permissions: Permissions, budget: Option<f64>) -> Simulation {
    let mut found = Simulation::default();
    let bounds = Walk::new(&mut found, String::new(), permissions, budget).over(plan);
    (found.steps, found.cost) = (bounds.steps, bounds.cost);
    found
}

impl Bounds {
    fn exactly(number: f64) -> Bounds {
        Bounds { min: number, max: number }
    }

    fn plus(self, other: Bounds) -> Bounds {
        Bounds { min: self.min + other.min, max: self.max + other.max }.finite()
    }

    fn times(self, other: Bounds) -> Bounds {
        Bounds { min: self.min * other.min, max: self.max * other.max }.finite()
    }

    /// JSON knows no infinity.
    fn finite(self) -> Bounds {
        Bounds { min: self.min.min(f64::MAX), max: self.max.min(f64::MAX) }
    }

    /// Of something that may not happen.
    fn perhaps(self, surely: bool) -> Bounds {
        if surely { self } else { Bounds { min: 0.0, ..self } }
    }
}

/// What one step, or all of a plan's, come to.
#[derive(Clone, Copy, Default)]
struct Taken {
    steps: Bounds,
    cost: Bounds,
    /// What it certainly spends of the job's budget.
    spent: f64,
    /// What certainly has to be left before it, at one time: children set aside more than they spend.
    needed: f64,
}

/// Goes through one plan's steps in an order in which they can run.
struct Walk<'a> {
    found: &'a mut Simulation,
    /// What stands before the ids of the steps.
    within: String,
    permissions: Permissions,
    /// How many more steps may run; none where that no longer matters.
    room: Option<u64>,
    /// What is left of the budget when what is certain was spent; none where that no longer matters.
    left: Option<f64>,
    /// The job has yet to start, which takes a budget that isn't spent.
    starts: bool,
}

impl<'a> Walk<'a> {
    fn new(
        found: &'a mut Simulation,
        within: String,
        permissions: Permissions,
        budget: Option<f64>,
    ) -> Walk<'a> {
        Walk { found, within, permissions, room: Some(permissions.max_steps), left: budget, starts: true }
    }

    fn over(mut self, plan: &Plan) -> Taken {
        let mut schedule = plan.schedule();
        let mut all = Taken::default();
        while let Some(place) = schedule.first_ready(0.0) {
            schedule.end(place);
            let taken = self.step(&plan.steps[place]);
            all = Taken {
                steps: all.steps.plus(taken.steps),
                cost: all.cost.plus(taken.cost),
                spent: all.spent + taken.spent,
                needed: all.needed.max(all.spent + taken.needed),
            };
        }
        all
    }

    /// In the order of a run's own checks.
    fn step(&mut self, step: &Step) -> Taken {
        if std::mem::replace(&mut self.starts, false) && !self.is_left(step, 1.0) {
            self.left = None;
        }
        let Some(mut surely) = self.may_run(step) else { return Taken::default() };
        let works = matches!(step.work, Work::Agent(_) | Work::Job(_));
        if works && self.room == Some(0) {
            let message = number_text(self.permissions.max_steps as f64);
            let message =
                format!("Step limit reached: maxSteps is {message}, and as many steps come before it");
            self.refuse(step, Refusal::new(Code::StepLimit, message));
        }
        let goes_on = step.on_error == OnError::Continue;
        if let Some(refusal) = tools_denied(step, self.permissions) {
            self.refuse(step, refusal);
            if goes_on {
                return Taken::default();
            }
        } else if needs_approval(step, self.permissions) {
            self.found.approvals.push(self.name_of(step));
            // A person may say no.
            surely &= !goes_on;
        }
        if !works {
            return Taken::default();
        }
        let Some((items, known)) = self.items(step) else { return Taken::default() };
        surely &= known || !goes_on;
        let Taken { cost, spent, needed, .. } = self.work(step, items, surely);
        let steps = Bounds::exactly(1.0).perhaps(surely);
        let cost = cost.perhaps(surely);
        if !surely {
            return Taken { steps, cost, ..Taken::default() };
        }
        self.room = self.room.and_then(|room| room.checked_sub(1));
        Taken { steps, cost, spent, needed }
    }

    /// What the step takes where it runs.
    fn work(&mut self, step: &Step, items: Bounds, surely: bool) -> Taken {
        if items.max == 0.0 {
            return Taken::default();
        }
        let times = items.times(self.rounds(step));
        let Work::Job(child) = &step.work else {
            self.check_input(step, "input", step.input.as_ref());
            let attempts = Bounds { min: 1.0, max: f64::from(step.retry.max_attempts.get()) };
            let cost = Bounds::exactly(step.cost.unwrap_or(0.0)).times(attempts).times(times);
            let is_left = self.is_left(step, cost.min);
            if surely {
                self.left = self.left.filter(|_| is_left).map(|left| left - cost.min);
            }
            return Taken { cost, spent: cost.min, needed: cost.min, ..Taken::default() };
        };
        self.check_input(step, "context", child.context.as_ref());
        let is_certain = items.min > 0.0;
        let mut enough = child.budget.is_none_or(|budget| !is_certain || self.is_left(step, budget));
        let permissions = child.permissions.over(self.permissions).meet(self.permissions);
        let (within, left) = (self.name_of(step) + ":", child.budget.or(self.left));
        let refused = self.found.refused.len();
        let once = Walk::new(self.found, within, permissions, left).over(&child.plan);
        let is_poor = self.found.refused[refused..].iter().any(|(_, why)| why.code == Code::BudgetExceeded);
        let completes = step.on_error == OnError::Fail;
        let spent_once = if completes { once.spent } else { 0.0 };
        let needed_once = child.budget.unwrap_or(if completes { once.needed } else { 0.0 });
        // One after the other, each leaves to the next what it does not spend.
        let spent = spent_once * times.min;
        let needed = if is_certain { spent - spent_once + needed_once } else { 0.0 };
        enough &= child.budget.is_some() || !is_poor;
        if enough && times.min > 1.0 {
            enough = self.is_left(step, needed);
        }
        if surely && is_certain {
            self.left = self.left.filter(|_| enough).map(|left| left - spent);
        }
        Taken { cost: once.cost.perhaps(completes).times(times), spent, needed, ..Taken::default() }
    }

    /// Does the step run for certain? None where it never does.
    fn may_run(&mut self, step: &Step) -> Option<bool> {
        let Some(when) = &step.when else { return Some(true) };
        match when.constant() {
            None => Some(false),
            Some(Ok(value)) if truthy(&value) => Some(true),
            Some(Ok(_)) => {
                let message = format!("Step \"{}\" never runs: its \"when\" is always false", step.id);
                self.refuse(step, Refusal::new(Code::InvalidPlan, message));
                None
            }
            Some(Err(error)) => {
                self.cannot_compute(step, "when", &error.to_string());
                None
            }
        }
    }

    /// How many items the step is done for, and whether that is known; none where it can't begin.
    fn items(&mut self, step: &Step) -> Option<(Bounds, bool)> {
        let Some(list) = &step.for_each else { return Some((Bounds::exactly(1.0), true)) };
        let problem = match list.constant() {
            None => {
                let count = list.item_count().map(|count| count as f64);
                let bounds = count.map_or(Bounds { min: 0.0, max: f64::from(MAX_ITEMS) }, Bounds::exactly);
                return Some((bounds, false));
            }
            Some(Ok(Value::Array(items))) => return Some((Bounds::exactly(items.len() as f64), true)),
            Some(Ok(_)) => "it gives no list".to_owned(),
            Some(Err(error)) => error.to_string(),
        };
        self.cannot_compute(step, "forEach", &problem);
        None
    }

    fn rounds(&mut self, step: &Step) -> Bounds {
        let Some(repeat) = &step.repeat else { return Bounds::exactly(1.0) };
        let most = Bounds { min: 1.0, max: f64::from(repeat.max.get()) };
        match repeat.until.constant() {
            None => most,
            Some(Ok(value)) if truthy(&value) => Bounds::exactly(1.0),
            Some(Ok(_)) => {
                let message = format!("Step \"{}\" is not done after {} rounds", step.id, repeat.max);
                self.refuse(step, Refusal::new(Code::AgentFailed, message));
                most
            }
            Some(Err(error)) => {
                self.cannot_compute(step, "until", &error.to_string());
                Bounds::exactly(1.0)
            }
        }
    }

    fn check_input(&mut self, step: &Step, which: &str, expression: Option<&Expr>) {
        if let Some(Err(error)) = expression.and_then(Expr::constant) {
            self.cannot_compute(step, which, &error.to_string());
        }
    }

    /// Is there at least so much of the budget for the step?
    fn is_left(&mut self, step: &Step, amount: f64) -> bool {
        let Some(left) = self.left.filter(|left| *left < amount) else { return true };
        let [needed, left] = [amount, left].map(number_text);
        let message = format!("Budget exceeded: at least {needed} is needed, and {left} is left");
        self.refuse(step, Refusal::new(Code::BudgetExceeded, message));
        false
    }

    fn cannot_compute(&mut self, step: &Step, which: &str, problem: &str) {
        let message = format!("The \"{which}\" of step \"{}\" can't be computed: {problem}", step.id);
        self.refuse(step, Refusal::new(Code::AgentFailed, message));
    }

    fn refuse(&mut self, step: &Step, why: Refusal) {
        self.found.refused.push((self.name_of(step), why));
    }

    fn name_of(&self, step: &Step) -> String {
        self.within.clone() + &step.id
    }
}

#[cfg(test)]
mod tests;
