//! Plans on their way from JavaScript to a job.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::core::plan::{Plan, parse};

#[wasm_bindgen(raw_module = "./plans.js")]
extern "C" {
    /// JSON of the plan in question.
    fn plan_text() -> String;
    fn plan_problem(path: &str, message: &str);
}

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

/// Nobody needs the plan with this number any more.
#[wasm_bindgen]
pub fn drop_plan(number: u32) {
    let dropped = PLANS.with_borrow_mut(|plans| plans.get_mut(number as usize).and_then(Option::take));
    drop(dropped);
}

/// The plan with this number.
pub(super) fn plan(number: i32) -> Option<Rc<Plan>> {
    let index = usize::try_from(number).ok()?;
    PLANS.with_borrow(|plans| plans.get(index).cloned().flatten())
}
