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
    /// What it certainly takes of the job's budget: what it costs, or sets aside for children.
    budget: f64,
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
                budget: all.budget + taken.budget,
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
        let Taken { cost, budget, .. } = self.work(step, items, surely);
        if surely {
            self.room = self.room.and_then(|room| room.checked_sub(1));
        }
        let steps = Bounds::exactly(1.0).perhaps(surely);
        Taken { steps, cost: cost.perhaps(surely), budget: if surely { budget } else { 0.0 } }
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
            self.spend(step, cost.min, surely);
            return Taken { cost, budget: cost.min, ..Taken::default() };
        };
        self.check_input(step, "context", child.context.as_ref());
        if let Some(budget) = child.budget {
            self.spend(step, budget * times.min, surely);
        }
        let permissions = child.permissions.over(self.permissions).meet(self.permissions);
        let (within, left) = (self.name_of(step) + ":", child.budget.or(self.left));
        let refused = self.found.refused.len();
        let once = Walk::new(self.found, within, permissions, left).over(&child.plan);
        let is_poor = self.found.refused[refused..].iter().any(|(_, why)| why.code == Code::BudgetExceeded);
        let completes = step.on_error == OnError::Fail;
        let budget = child.budget.unwrap_or(if completes { once.budget } else { 0.0 }) * times.min;
        match child.budget {
            Some(_) => {}
            None if is_poor => self.left = self.left.filter(|_| !surely || times.min == 0.0),
            None => self.spend(step, budget, surely),
        }
        Taken { cost: once.cost.perhaps(completes).times(times), budget, ..Taken::default() }
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

    /// The step takes at least so much of the budget.
    fn spend(&mut self, step: &Step, amount: f64, surely: bool) {
        let is_left = self.is_left(step, amount);
        if surely {
            self.left = self.left.filter(|_| is_left).map(|left| left - amount);
        }
    }

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
mod tests {
    use super::*;
    use crate::core::plan::parse;
    use proptest::prelude::*;
    use serde_json::json;

    const FREE: Permissions = Permissions { allow_tools: true, require_approval: false, max_steps: 1_000 };

    fn simulated(steps: Value, permissions: Permissions, budget: Option<f64>) -> Simulation {
        simulate(&parse(&json!({ "steps": steps })).unwrap(), permissions, budget)
    }

    /// The bounds of a plan that may do everything: steps, then cost.
    fn bounds(steps: Value) -> [f64; 4] {
        let Simulation { steps, cost, .. } = simulated(steps, FREE, None);
        [steps.min, steps.max, cost.min, cost.max]
    }

    fn refused(found: &Simulation) -> Vec<(&str, &str, &str)> {
        found.refused.iter().map(|(step, why)| (&**step, why.code.name(), &*why.message)).collect()
    }

    /// What is refused in a plan of one agent's step that may do everything.
    fn refused_with(more: Value) -> Vec<(&'static str, String)> {
        let mut step = json!({ "id": "a", "agent": "x" });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = simulated(json!([step]), FREE, None);
        found.refused.into_iter().map(|(_, why)| (why.code.name(), why.message.into_owned())).collect()
    }

    #[test]
    fn without_freedom_the_least_is_the_most() {
        let steps = json!([
            { "id": "a", "agent": "x", "cost": 2 },
            { "id": "b", "agent": "x", "cost": 3, "forEach": [1, 2, 3] },
            { "id": "c", "agent": "x", "forEach": [{ "var": "a" }, { "var": "b" }], "cost": 10 },
            { "id": "d", "agent": "x", "cost": 5, "repeat": { "until": true, "max": 9 } },
            { "id": "e", "agent": "x", "cost": 7, "when": { "==": [1, 1] } },
            { "id": "f", "wait": { "ms": 5 } },
            { "id": "g", "approve": {} },
            { "id": "h", "job": { "plan": { "steps": [
                { "id": "i", "agent": "x", "cost": 100 }, { "id": "j", "agent": "x", "cost": 100 },
            ] } } },
        ]);
        assert_eq!(bounds(steps), [6.0, 6.0, 243.0, 243.0]);
        assert_eq!(bounds(json!([])), [0.0; 4]);
    }

    #[test]
    fn what_may_be_skipped_counts_from_nothing() {
        assert_eq!(
            bounds(json!([{ "id": "a", "agent": "x", "cost": 2, "when": { "var": "b" } }])),
            [0.0, 1.0, 0.0, 2.0]
        );
        assert_eq!(bounds(json!([{ "id": "a", "agent": "x", "cost": 2, "when": 0 }])), [0.0; 4]);
    }

    #[test]
    fn attempts_rounds_and_items_multiply_the_cost() {
        let retry = json!({ "maxAttempts": 3 });
        let repeat = json!({ "until": { "var": "b" }, "max": 4 });
        let step = |more: Value| {
            let mut step = json!({ "id": "a", "agent": "x", "cost": 2, "retry": retry });
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            bounds(json!([step]))
        };
        assert_eq!(step(json!({})), [1.0, 1.0, 2.0, 6.0]);
        assert_eq!(step(json!({ "repeat": repeat })), [1.0, 1.0, 2.0, 24.0]);
        assert_eq!(step(json!({ "forEach": [1, 2] })), [1.0, 1.0, 4.0, 12.0]);
        assert_eq!(step(json!({ "forEach": { "var": "list" } })), [1.0, 1.0, 0.0, 600_000.0]);
        let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 1, "retry": retry }] } });
        assert_eq!(bounds(json!([{ "id": "a", "job": child, "repeat": repeat }])), [1.0, 1.0, 1.0, 12.0]);
    }

    #[test]
    fn what_may_fail_and_go_on_counts_from_where_it_can_fail() {
        let step = |more: Value, permissions| {
            let mut step = json!({ "id": "a", "agent": "x", "cost": 2, "onError": "continue" });
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let Simulation { steps, cost, .. } = simulated(json!([step]), permissions, None);
            [steps.min, steps.max, cost.min, cost.max]
        };
        assert_eq!(step(json!({}), FREE), [1.0, 1.0, 2.0, 2.0], "an attempt is made");
        assert_eq!(step(json!({ "approval": true }), FREE), [0.0, 1.0, 0.0, 2.0], "a person may say no");
        assert_eq!(step(json!({ "forEach": { "var": "b" } }), FREE), [0.0, 1.0, 0.0, 200_000.0], "no list");
        let denied = Permissions { allow_tools: false, ..FREE };
        assert_eq!(step(json!({ "tools": ["t"] }), denied), [0.0; 4], "it fails for certain");
        let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 1 }] } });
        assert_eq!(
            bounds(json!([{ "id": "a", "job": child, "onError": "continue" }])),
            [1.0, 1.0, 0.0, 1.0],
            "the child may fail at once"
        );
    }

    #[test]
    fn approvals_are_those_of_steps_that_may_come_to_run() {
        let steps = json!([
            { "id": "a", "agent": "x" },
            { "id": "b", "agent": "x", "approval": true, "when": { "var": "a" } },
            { "id": "c", "approve": {}, "when": false },
            { "id": "d", "agent": "x", "tools": ["t"] },
            { "id": "e", "wait": { "ms": 1 } },
            { "id": "f", "wait": { "ms": 1 }, "approval": true },
            { "id": "g", "job": { "plan": { "steps": [{ "id": "h", "approve": {} }, { "id": "i", "agent": "x" }] } } },
        ]);
        assert_eq!(simulated(steps.clone(), FREE, None).approvals, ["b", "f", "g:h"]);
        let careful = Permissions { require_approval: true, allow_tools: false, ..FREE };
        let found = simulated(steps, careful, None);
        assert_eq!(found.approvals, ["a", "b", "f", "g", "g:h", "g:i"]);
    }

    #[test]
    fn a_child_may_no_more_than_its_parent() {
        let steps = json!([{ "id": "a", "job": {
            "permissions": { "allowTools": true, "requireApproval": false, "maxSteps": 1 },
            "plan": { "steps": [
                { "id": "b", "agent": "x", "tools": ["t", "u"] },
                { "id": "c", "agent": "x" },
            ] },
        } }]);
        let found = simulated(steps, Permissions { allow_tools: false, ..FREE }, None);
        let expected = [
            ("a:b", "tools_denied", "Step \"b\" needs tools (t, u), and the job does not allow tools"),
            ("a:c", "step_limit", "Step limit reached: maxSteps is 1, and as many steps come before it"),
        ];
        assert_eq!(refused(&found), expected);
        assert_eq!(found.steps, Bounds::exactly(1.0));
    }

    #[test]
    fn the_step_limit_is_met_by_the_first_step_past_it() {
        let step = |id: &str, more: Value| {
            let mut step = json!({ "id": id, "agent": "x" });
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            step
        };
        let none = json!({});
        let steps = json!([
            step("a", json!({ "when": { "var": "x" } })),
            step("b", none.clone()),
            { "id": "w", "wait": { "ms": 1 } },
            step("c", json!({ "when": { "var": "x" } })),
            step("d", none.clone()),
            step("e", none.clone()),
        ]);
        let found = simulated(steps, Permissions { max_steps: 1, ..FREE }, None);
        let met: Vec<&str> = refused(&found).into_iter().map(|(step, ..)| step).collect();
        assert_eq!(met, ["c", "d"], "whenever c runs, and then for certain");
        assert_eq!(found.steps, Bounds { min: 3.0, max: 5.0 }, "what would be enough");
    }

    #[test]
    fn a_budget_that_cant_suffice_is_refused_where_it_ends() {
        let steps = json!([
            { "id": "a", "agent": "x", "cost": 6, "retry": { "maxAttempts": 9 } },
            { "id": "b", "agent": "x", "cost": 6, "when": { "var": "b" } },
            { "id": "c", "job": { "plan": { "steps": [{ "id": "d", "agent": "x", "cost": 5 }] } } },
            { "id": "e", "agent": "x", "cost": 6 },
        ]);
        let found = simulated(steps.clone(), FREE, Some(10.0));
        let sentence =
            |needed, left| format!("Budget exceeded: at least {needed} is needed, and {left} is left");
        assert_eq!(
            refused(&found),
            [("b", "budget_exceeded", &*sentence(6, 4)), ("c:d", "budget_exceeded", &*sentence(5, 4))]
        );
        assert_eq!(refused(&simulated(steps.clone(), FREE, Some(23.0))), []);
        assert_eq!(
            refused(&simulated(steps, FREE, Some(0.0))),
            [("a", "budget_exceeded", &*sentence(1, 0))],
            "no job starts on nothing"
        );
    }

    #[test]
    fn what_is_done_for_no_item_is_not_looked_at() {
        let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 9, "when": false }] } });
        let found = simulated(json!([{ "id": "a", "forEach": [], "job": child }]), FREE, Some(1.0));
        assert_eq!((refused(&found), found.cost), (vec![], Bounds::default()));
        let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 9 }] } });
        let steps = json!([
            { "id": "a", "forEach": { "var": "list" }, "job": child },
            { "id": "c", "agent": "x", "cost": 5 },
        ]);
        let found = simulated(steps, FREE, Some(4.0));
        let met: Vec<&str> = refused(&found).into_iter().map(|(step, ..)| step).collect();
        assert_eq!(met, ["a:b", "c"], "c is met where the list is empty");
    }

    #[test]
    fn a_childs_own_budget_is_taken_from_its_parents_whole() {
        let steps = json!([
            { "id": "a", "forEach": [1, 2], "job": {
                "budget": 4, "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 1 }] },
            } },
            { "id": "c", "agent": "x", "cost": 3 },
        ]);
        assert_eq!(refused(&simulated(steps.clone(), FREE, Some(11.0))), []);
        let found = simulated(steps.clone(), FREE, Some(10.0));
        assert_eq!(refused(&found)[0].0, "c");
        assert_eq!(refused(&simulated(steps.clone(), FREE, Some(7.0)))[0].0, "a");
        assert_eq!(found.cost, Bounds::exactly(5.0), "what is spent, not what is set aside");
        let within = json!([{ "id": "d", "forEach": [1, 2], "job": { "plan": { "steps": steps } } }]);
        assert_eq!(refused(&simulated(within.clone(), FREE, Some(22.0))), []);
        assert_eq!(refused(&simulated(within, FREE, Some(21.0)))[0].0, "d", "11 each");
        let mut poor = steps;
        poor[0]["job"]["budget"] = json!(0);
        assert_eq!(refused(&simulated(poor, FREE, Some(10.0)))[0].0, "a:b");
    }

    #[test]
    fn what_can_never_be_done_is_refused() {
        let nan = json!({ "+": ["one", 1] });
        let problem = r#"can't be computed: `+` needs numbers, and was given "one""#;
        assert_eq!(
            refused_with(json!({ "when": [] })),
            [("invalid_plan", r#"Step "a" never runs: its "when" is always false"#.to_owned())]
        );
        assert_eq!(
            refused_with(json!({ "repeat": { "until": false, "max": 3 } })),
            [("agent_failed", r#"Step "a" is not done after 3 rounds"#.to_owned())]
        );
        for key in ["when", "input", "forEach"] {
            let message = format!("The \"{key}\" of step \"a\" {problem}");
            assert_eq!(refused_with(json!({ key: nan })), [("agent_failed", message)]);
        }
        let until = refused_with(json!({ "repeat": { "until": nan, "max": 3 } }));
        assert_eq!(until, [("agent_failed", format!("The \"until\" of step \"a\" {problem}"))]);
        let list = refused_with(json!({ "forEach": 5 }));
        assert_eq!(
            list,
            [("agent_failed", r#"The "forEach" of step "a" can't be computed: it gives no list"#.to_owned())]
        );
        assert_eq!(refused_with(json!({ "when": true, "forEach": [], "input": 0 })), []);
    }

    proptest! {
        #[test]
        fn bounds_are_finite_and_in_order(
            cost in 0.0..f64::MAX, attempts in 1u32.., max in 1u32.., depth in 0..4, budget: Option<f64>,
        ) {
            let mut steps = json!([
                { "id": "a", "agent": "x", "cost": cost, "retry": { "maxAttempts": attempts },
                  "repeat": { "until": { "var": "b" }, "max": max } },
                { "id": "b", "agent": "x", "cost": cost },
            ]);
            for _ in 0..depth {
                steps = json!([{ "id": "c", "forEach": { "var": "list" }, "job": { "plan": { "steps": steps } } }]);
            }
            let found = simulated(steps, FREE, budget);
            for Bounds { min, max } in [found.steps, found.cost] {
                prop_assert!(0.0 <= min && min <= max && max < f64::INFINITY);
            }
        }
    }
}
