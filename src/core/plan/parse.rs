//! From JSON to a [`Plan`], or every problem at once.

use std::num::NonZeroU32;

use serde_json::{Map, Value};

use super::{
    Plan, Problem, Step, places_by_id,
    problem::{Report, shown},
};
use crate::core::{
    logic::{Expr, nearest},
    outcome::listed,
    retry::Retry,
};

const PLAN_KEYS: [&str; 3] = ["name", "version", "steps"];
const STEP_KEYS: [&str; 10] =
    ["id", "agent", "input", "tools", "cost", "approval", "retry", "timeoutMs", "into", "breakpoint"];
const RETRY_KEYS: [&str; 4] = ["maxAttempts", "backoffMs", "factor", "maxBackoffMs"];

/// Part of the plan language, and refused by this release rather than ignored.
const PLAN_KEYS_TO_COME: [&str; 1] = ["concurrency"];
const STEP_KEYS_TO_COME: [&str; 8] =
    ["job", "wait", "approve", "after", "when", "forEach", "repeat", "onError"];

/// Names that mean something to JavaScript objects themselves.
const RESERVED: [&str; 3] = ["__proto__", "constructor", "prototype"];

const MAX_STEPS: usize = 100_000;
const MAX_NAME: usize = 10_000;

/// Reads a plan.
///
/// ```
/// use jobwright::core::plan::parse;
/// let plan = parse(&serde_json::json!({ "steps": [{ "id": "draft", "agent": "writer" }] })).unwrap();
/// assert_eq!(plan.index_of("draft"), Some(0));
/// let problems = parse(&serde_json::json!({ "steps": [{ "id": "draft", "agnet": "writer" }] })).unwrap_err();
/// assert_eq!(problems[0].path, "steps[0].agnet");
/// ```
///
/// # Errors
/// Every problem of the plan, in the plan's order.
pub fn parse(value: &Value) -> Result<Plan, Vec<Problem>> {
    let mut report = Report::default();
    let steps = read_plan(value, &mut report);
    if report.problems.is_empty() { Ok(Plan::new(steps)) } else { Err(report.problems) }
}

fn read_plan(value: &Value, report: &mut Report) -> Vec<Step> {
    let Some(plan) = value.as_object() else {
        report.say(format!("a plan must be an object with a list of steps; found {}", shown(value)));
        return Vec::new();
    };
    check_keys(plan, &PLAN_KEYS, &PLAN_KEYS_TO_COME, report);
    if let Some(name) = plan.get("name").filter(|name| !name.is_string()) {
        report.at("name", |report| report.say(format!("must be a string; found {}", shown(name))));
    }
    if let Some(version) = plan.get("version").filter(|v| !v.is_string() && !v.is_number()) {
        report.at("version", |report| {
            report.say(format!("must be a string or a number; found {}", shown(version)))
        });
    }
    let Some(list) = plan.get("steps") else {
        report.at("steps", |report| report.say("is missing: a plan needs a list of steps"));
        return Vec::new();
    };
    match list.as_array() {
        Some(list) if list.len() <= MAX_STEPS => read_steps(list, report),
        Some(list) => {
            let count = list.len();
            report.at("steps", |report| {
                report.say(format!("has {count} steps; at most {MAX_STEPS} are allowed"))
            });
            Vec::new()
        }
        None => {
            report
                .at("steps", |report| report.say(format!("must be a list of steps; found {}", shown(list))));
            Vec::new()
        }
    }
}

fn read_steps(list: &[Value], report: &mut Report) -> Vec<Step> {
    let same = first_of_same_id(list);
    let mut steps = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let step = report.at_item("steps", index, |report| {
            let Some(object) = value.as_object() else {
                report.say(format!("a step must be an object; found {}", shown(value)));
                return None;
            };
            if same[index] != index {
                let (id, first) = (shown(&object["id"]), same[index]);
                report.at("id", |report| report.say(format!("{id} is already the id of steps[{first}]")));
            }
            Some(read_step(object, index, report))
        });
        steps.extend(step);
    }
    steps
}

/// For each step, the first one that has its id.
fn first_of_same_id(list: &[Value]) -> Vec<usize> {
    let id = |place: usize| list[place].get("id").and_then(Value::as_str);
    let mut first: Vec<usize> = (0..list.len()).collect();
    let by_id =
        places_by_id(list.iter().map(|step| step.get("id").and_then(Value::as_str).unwrap_or_default()));
    for pair in by_id.windows(2) {
        if let [before, place] = *pair
            && id(place).is_some()
            && id(before) == id(place)
        {
            first[place] = first[before];
        }
    }
    first
}

fn read_step(step: &Map<String, Value>, index: usize, report: &mut Report) -> Step {
    check_keys(step, &STEP_KEYS, &STEP_KEYS_TO_COME, report);
    let id = read_name(step, "id", report).unwrap_or_default();
    let kinds_to_come = ["job", "wait", "approve"].iter().any(|kind| step.contains_key(*kind));
    if !step.contains_key("agent") && !kinds_to_come {
        report.say("a step needs an \"agent\": the name of the agent that does it");
    }
    Step {
        agent: read_name(step, "agent", report).unwrap_or_default(),
        after: index.checked_sub(1).into_iter().collect(),
        input: read_input(step, report),
        tools: read_tools(step, report),
        cost: read_number(step, "cost", 0, report),
        approval: read_bool(step, "approval", report),
        retry: read_retry(step, report),
        timeout_ms: read_number(step, "timeoutMs", 1, report),
        into: read_name(step, "into", report).unwrap_or_else(|| id.clone()),
        breakpoint: read_bool(step, "breakpoint", report),
        id,
    }
}

fn check_keys(object: &Map<String, Value>, known: &[&str], to_come: &[&str], report: &mut Report) {
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        report.at(key, |report| {
            if to_come.contains(&key.as_str()) {
                report.say(format!("\"{key}\" is not supported yet"));
            } else if let Some(meant) = nearest(key, known.iter().copied()) {
                report.say(format!("unknown key; did you mean \"{meant}\"?"));
            } else {
                report.say(format!("unknown key; known are {}", listed(&mut known.iter().copied())));
            }
        });
    }
}

fn read_name(step: &Map<String, Value>, key: &str, report: &mut Report) -> Option<Box<str>> {
    let Some(value) = step.get(key) else {
        if key == "id" {
            report.at(key, |report| report.say("is missing: a step needs an id, unique within its plan"));
        }
        return None;
    };
    report.at(key, |report| match value.as_str() {
        None => report.say(format!("must be a string; found {}", shown(value))),
        Some("") => report.say("must not be empty"),
        Some(name) if RESERVED.contains(&name) => report.say(format!("\"{name}\" is reserved by JavaScript")),
        Some(name) if name.len() > MAX_NAME => {
            report.say(format!("is {} bytes long; at most {MAX_NAME} are allowed", name.len()));
        }
        Some(_) => {}
    });
    value.as_str().map(Box::from)
}

fn read_input(step: &Map<String, Value>, report: &mut Report) -> Option<Expr> {
    let value = step.get("input")?;
    match Expr::compile_template(value) {
        Ok(expression) => Some(expression),
        Err(error) => {
            report.at("input", |report| report.say(error.to_string()));
            None
        }
    }
}

fn read_tools(step: &Map<String, Value>, report: &mut Report) -> Vec<Box<str>> {
    let Some(value) = step.get("tools") else {
        return Vec::new();
    };
    let names: Option<Vec<Box<str>>> =
        value.as_array().and_then(|list| list.iter().map(|name| name.as_str().map(Box::from)).collect());
    names.unwrap_or_else(|| {
        report.at("tools", |report| {
            report.say(format!("must be a list of tool names; found {}", shown(value)))
        });
        Vec::new()
    })
}

fn read_bool(object: &Map<String, Value>, key: &str, report: &mut Report) -> bool {
    match object.get(key) {
        None => false,
        Some(Value::Bool(value)) => *value,
        Some(other) => {
            report.at(key, |report| report.say(format!("must be true or false; found {}", shown(other))));
            false
        }
    }
}

fn read_number(object: &Map<String, Value>, key: &str, least: u32, report: &mut Report) -> Option<f64> {
    let value = object.get(key)?;
    let number = value.as_f64().filter(|number| number.is_finite() && *number >= f64::from(least));
    if number.is_none() {
        report.at(key, |report| {
            report.say(format!("must be a number of at least {least}; found {}", shown(value)))
        });
    }
    number
}

fn read_retry(step: &Map<String, Value>, report: &mut Report) -> Retry {
    let standard = Retry::default();
    let Some(value) = step.get("retry") else {
        return standard;
    };
    report.at("retry", |report| {
        let Some(object) = value.as_object() else {
            report.say(format!("must be an object with maxAttempts; found {}", shown(value)));
            return standard;
        };
        check_keys(object, &RETRY_KEYS, &[], report);
        Retry {
            max_attempts: read_attempts(object, report).unwrap_or(standard.max_attempts),
            backoff_ms: read_number(object, "backoffMs", 0, report).unwrap_or(standard.backoff_ms),
            factor: read_number(object, "factor", 1, report).unwrap_or(standard.factor),
            max_backoff_ms: read_number(object, "maxBackoffMs", 0, report).unwrap_or(standard.max_backoff_ms),
        }
    })
}

fn read_attempts(retry: &Map<String, Value>, report: &mut Report) -> Option<NonZeroU32> {
    let value = retry.get("maxAttempts");
    let attempts = value
        .and_then(Value::as_f64)
        .filter(|number| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number))
        // In range by the line above.
        .and_then(|number| NonZeroU32::new(number as u32));
    if attempts.is_none() {
        let found = value.map_or_else(|| "nothing".to_owned(), shown);
        report.at("maxAttempts", |report| {
            report.say(format!("must be a whole number of at least 1; found {found}"))
        });
    }
    attempts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn paths(plan: Value) -> Vec<String> {
        parse(&plan).unwrap_err().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn a_whole_plan_is_read() {
        let plan = parse(&json!({
            "name": "write", "version": 2,
            "steps": [
                { "id": "draft", "agent": "writer", "input": { "topic": { "var": "topic" } }, "cost": 3,
                  "tools": ["search"], "retry": { "maxAttempts": 4, "backoffMs": 10 }, "timeoutMs": 500 },
                { "id": "send", "agent": "sender", "approval": true, "into": "receipt", "breakpoint": true },
            ],
        }))
        .unwrap();
        let (draft, send) = (&plan.steps[0], &plan.steps[1]);
        assert_eq!((&*draft.into, draft.cost, draft.timeout_ms), ("draft", Some(3.0), Some(500.0)));
        assert_eq!(
            (draft.retry.max_attempts.get(), draft.retry.backoff_ms, draft.retry.factor),
            (4, 10.0, 2.0)
        );
        assert_eq!(
            (&*send.into, send.approval, send.breakpoint, &send.after[..]),
            ("receipt", true, true, &[0][..])
        );
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let found = paths(json!({
            "nmae": 1,
            "steps": [
                { "id": "a", "agnet": "x" }, { "id": "a", "agent": 5 }, 7,
                { "id": "__proto__", "agent": "x", "retry": { "maxAttempts": 0 }, "cost": -1, "tools": "all" },
            ],
        }));
        assert_eq!(
            found,
            [
                "nmae",
                "steps[0].agnet",
                "steps[0]",
                "steps[1].id",
                "steps[1].agent",
                "steps[2]",
                "steps[3].id",
                "steps[3].tools",
                "steps[3].cost",
                "steps[3].retry.maxAttempts",
            ]
        );
    }

    #[test]
    fn what_is_to_come_is_refused_and_not_ignored() {
        for (key, value) in
            [("when", json!(true)), ("after", json!([])), ("forEach", json!([])), ("wait", json!({}))]
        {
            let mut step = json!({ "id": "a", "agent": "x" });
            step[key] = value;
            let problems = parse(&json!({ "steps": [step] })).unwrap_err();
            assert_eq!(problems[0].path, format!("steps[0].{key}"));
            assert!(problems[0].message.contains("not supported yet"));
        }
    }

    #[test]
    fn ten_thousand_steps_are_read() {
        let steps: Vec<Value> = (0..10_000).map(|n| json!({ "id": format!("s{n}"), "agent": "x" })).collect();
        assert_eq!(parse(&json!({ "steps": steps })).unwrap().index_of("s9999"), Some(9_999));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let key = prop::sample::select(
            STEP_KEYS
                .iter()
                .chain(&STEP_KEYS_TO_COME)
                .chain(&PLAN_KEYS)
                .chain(&RETRY_KEYS)
                .copied()
                .collect::<Vec<_>>(),
        );
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                    pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused_with_a_sentence(plan in any_json()) {
            if let Err(problems) = parse(&plan) {
                prop_assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.message.is_empty()));
            }
        }
    }
}
