//! From a case that fails to a small one that fails.

use serde_json::{Map, Value, json};

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
    for list in lists_of_steps(&case.plan, "/steps") {
        for place in 0..steps_at(&case.plan, &list).len() {
            with(&|case| remove_step(&mut case.plan, &list, place));
        }
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
    for list in lists_of_steps(&case.plan, "/steps") {
        for (place, step) in steps_at(&case.plan, &list).iter().enumerate() {
            let at = format!("{list}/{place}");
            let members = step.as_object().expect("a step");
            for key in members.keys() {
                with(&|case| drop(object_at(&mut case.plan, &at).remove(key)));
            }
            for (key, member) in members.iter().filter_map(|(key, it)| Some((key, it.as_object()?))) {
                for inner in member.keys() {
                    with(&|case| drop(object_at(&mut case.plan, &format!("{at}/{key}")).remove(inner)));
                }
            }
            if step.get("after").is_some() {
                with(&|case| drop(object_at(&mut case.plan, &at).insert("after".to_owned(), json!([]))));
            }
            for before in 0..step["after"].as_array().map_or(0, Vec::len) {
                with(&|case| {
                    let after = object_at(&mut case.plan, &at)["after"].as_array_mut();
                    after.expect("ids").remove(before);
                });
            }
        }
    }
    found
}

/// Where the lists of steps are: of the plan, and of the plans within it.
fn lists_of_steps(plan: &Value, list: &str) -> Vec<String> {
    let mut lists = vec![list.to_owned()];
    for (place, step) in steps_at(plan, list).iter().enumerate() {
        if step.get("job").is_some() {
            lists.extend(lists_of_steps(plan, &format!("{list}/{place}/job/plan/steps")));
        }
    }
    lists
}

/// What stands at a place as `/steps/0/job/plan`.
fn value_at<'a>(plan: &'a Value, path: &str) -> &'a Value {
    path.split('/').skip(1).fold(plan, |value, key| match key.parse::<usize>() {
        Ok(place) => &value[place],
        Err(_) => &value[key],
    })
}

fn value_at_mut<'a>(plan: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('/').skip(1).fold(plan, |value, key| match key.parse::<usize>() {
        Ok(place) => &mut value[place],
        Err(_) => &mut value[key],
    })
}

fn steps_at<'a>(plan: &'a Value, list: &str) -> &'a Vec<Value> {
    value_at(plan, list).as_array().expect("steps")
}

fn object_at<'a>(plan: &'a mut Value, at: &str) -> &'a mut Map<String, Value> {
    value_at_mut(plan, at).as_object_mut().expect("an object")
}

fn remove_step(plan: &mut Value, list: &str, place: usize) {
    let steps = value_at_mut(plan, list).as_array_mut().expect("steps");
    let removed = steps.remove(place);
    for step in steps {
        if let Some(Value::Array(after)) = step.get_mut("after") {
            after.retain(|id| *id != removed["id"]);
        }
    }
}
