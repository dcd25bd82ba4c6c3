//! From a case that fails to a small one that fails.

use serde_json::Value;

use crate::case::{Case, End, Permissions};

/// Tries simpler cases for as long as one of them fails too.
pub fn shrink(mut case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut place = 0;
    loop {
        let found = candidates(&case);
        let count = found.len();
        // What was of no use a moment ago is tried last.
        let simpler = (0..count)
            .map(|nth| (place + nth) % count)
            .find(|&nth| is_valid(&found[nth]) && fails(&found[nth]));
        match simpler {
            Some(simpler) => (case, place) = (found[simpler].clone(), simpler),
            None => return case,
        }
    }
}

fn is_valid(case: &Case) -> bool {
    jobwright::core::plan::parse(&case.plan).is_ok()
}

/// Cases that are simpler by one thing, the largest first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Case)| {
        let mut candidate = case.clone();
        change(&mut candidate);
        if candidate != *case {
            found.push(candidate);
        }
    };
    for length in [16, 8, 4, 2, 1] {
        for first in (0..case.turns.len()).step_by(length).rev() {
            with(&|case| drop(case.turns.drain(first..(first + length).min(case.turns.len()))));
        }
    }
    for place in 0..steps_of(&case.plan).len() {
        with(&|case| remove_step(&mut case.plan, place));
    }
    with(&|case| case.script.clear());
    for place in 0..case.script.len() {
        with(&|case| drop(case.script.remove(place)));
        with(&|case| case.script[place].1.asks.clear());
        with(&|case| case.script[place].1.at_once = false);
        with(&|case| match &mut case.script[place].1.end {
            End::Gives { cost, .. } => *cost = None,
            End::Fails { cost, retry_after, .. } => (*cost, *retry_after) = (None, None),
        });
    }
    for place in 0..case.turns.len() {
        with(&|case| case.turns[place].crash = None);
    }
    with(&|case| case.permissions = Permissions { tools: true, approval: false, max_steps: 9 });
    with(&|case| case.permissions.approval = false);
    with(&|case| case.permissions.max_steps = 9);
    with(&|case| (case.budget, case.estimate) = (None, None));
    with(&|case| case.estimate = None);
    with(&|case| drop(case.plan.as_object_mut().expect("a plan").remove("concurrency")));
    for (place, step) in steps_of(&case.plan).iter().enumerate() {
        for key in step.as_object().expect("a step").keys() {
            let without = |case: &mut Case| {
                drop(case.plan["steps"][place].as_object_mut().expect("a step").remove(key));
            };
            with(&without);
        }
        if step.get("after").is_some() {
            with(&|case| case.plan["steps"][place]["after"] = Value::Array(Vec::new()));
        }
        for before in 0..step["after"].as_array().map_or(0, Vec::len) {
            with(&|case| {
                drop(case.plan["steps"][place]["after"].as_array_mut().expect("ids").remove(before));
            });
        }
    }
    found
}

fn steps_of(plan: &Value) -> &Vec<Value> {
    plan["steps"].as_array().expect("steps")
}

fn remove_step(plan: &mut Value, place: usize) {
    let steps = plan["steps"].as_array_mut().expect("steps");
    let removed = steps.remove(place);
    for step in steps {
        if let Some(Value::Array(after)) = step.get_mut("after") {
            after.retain(|id| *id != removed["id"]);
        }
    }
}
