//! Plans on their way from JavaScript to a job.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::prelude::wasm_bindgen;

use super::{api::patch, store::known};
use crate::{
    core::{
        permissions::Permissions,
        plan::{Plan, parse},
        simulate::{Simulation, simulate},
    },
    host::JobKey,
};

#[wasm_bindgen(raw_module = "./plans.js")]
extern "C" {
    /// JSON of the plan in question.
    fn plan_text() -> String;
    fn plan_problem(path: &str, message: &str);
    /// The number of a loaded job's plan, which is then not needed any more; [`NO_PLAN`] where it has none, and -2 where
    /// that can't be read, for which the store's answer is to blame.
    fn plan_of_job(job: u32) -> i32;
    /// What a simulation found: first the bounds.
    fn simulated_bounds(min_steps: f64, max_steps: f64, min_cost: f64, max_cost: f64);
    fn simulated_approval(step: &str);
    fn simulated_refusal(step: &str, code: u32, message: &str);
}

/// A job without one.
const NO_PLAN: i32 = -1;

thread_local! {
    static PLANS: RefCell<Vec<Option<Rc<Plan>>>> = const { RefCell::new(Vec::new()) };
}

/// Reads the plan that `plan_text` gives and tells every problem. A plan without problems is kept for a
/// job until [`drop_plan`]; answers its number, or -1.
#[wasm_bindgen]
pub fn parse_plan() -> i32 {
    let parsed = match serde_json::from_str(&plan_text()) {
        Ok(value) => parse(&value),
        Err(error) => {
            plan_problem("", &error.to_string());
            return -1;
        }
    };
    match parsed {
        Ok(plan) => keep(Rc::new(plan)),
        Err(problems) => {
            for problem in problems {
                plan_problem(&problem.path, &problem.message);
            }
            -1
        }
    }
}

/// Simulates the plan with this number and tells what was found. What isn't given is as for `create_job`.
#[wasm_bindgen]
pub fn simulate_plan(number: i32, allow_tools: i32, require_approval: i32, max_steps: f64, budget: f64) {
    let Some(plan) = plan(number) else { return };
    let permissions = patch(allow_tools, require_approval, max_steps).over(Permissions::default());
    let Simulation { steps, cost, approvals, refused } = simulate(&plan, permissions, known(budget));
    simulated_bounds(steps.min, steps.max, cost.min, cost.max);
    approvals.iter().for_each(|step| simulated_approval(step));
    refused.iter().for_each(|(step, why)| simulated_refusal(step, why.code as u32, &why.message));
}

fn keep(plan: Rc<Plan>) -> i32 {
    PLANS.with_borrow_mut(|plans| {
        let free = plans.iter().position(Option::is_none).unwrap_or_else(|| {
            plans.push(None);
            plans.len() - 1
        });
        plans[free] = Some(plan);
        free as i32
    })
}

/// The plan with this number, under another one.
#[wasm_bindgen]
pub fn share_plan(number: i32) -> i32 {
    plan(number).map_or(NO_PLAN, keep)
}

/// Nobody needs the plan with this number any more.
#[wasm_bindgen]
pub fn drop_plan(number: u32) {
    drop(take(number as i32));
}

fn take(number: i32) -> Option<Rc<Plan>> {
    let index = usize::try_from(number).ok()?;
    PLANS.with_borrow_mut(|plans| plans.get_mut(index).and_then(Option::take))
}

/// The plan of a job that is loaded.
pub(super) fn of_job(job: JobKey) -> Result<Option<Rc<Plan>>, ()> {
    match plan_of_job(job.0) {
        NO_PLAN => Ok(None),
        number => take(number).map(Some).ok_or(()),
    }
}

/// The plan with this number.
pub(super) fn plan(number: i32) -> Option<Rc<Plan>> {
    let index = usize::try_from(number).ok()?;
    PLANS.with_borrow(|plans| plans.get(index).cloned().flatten())
}
