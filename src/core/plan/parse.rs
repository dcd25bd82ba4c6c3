//! From JSON to a [`Plan`], or every problem at once.

use std::num::NonZeroU32;

use serde_json::{Map, Value};

use super::{
    CONCURRENCY, OnError, Plan, Problem, Step, Work,
    order::check_order,
    places_by_id,
    problem::{Report, shown},
};
use crate::core::{
    logic::{CompileError, Expr, nearest},
    outcome::listed,
    retry::Retry,
    step::StepIndex,
};

const PLAN_KEYS: [&str; 4] = ["name", "version", "concurrency", "steps"];
/// What a step can do; it does one of them.
const KINDS: [&str; 4] = ["agent", "job", "wait", "approve"];
const STEP_KEYS: [&str; 14] = [
    "id",
    "agent",
    "approve",
    "after",
    "when",
    "input",
    "tools",
    "cost",
    "approval",
    "retry",
    "timeoutMs",
    "into",
    "breakpoint",
    "onError",
];
/// What only makes sense where an agent does the work.
const AGENT_KEYS: [&str; 5] = ["input", "tools", "cost", "retry", "timeoutMs"];
const APPROVE_KEYS: [&str; 1] = ["message"];
const RETRY_KEYS: [&str; 4] = ["maxAttempts", "backoffMs", "factor", "maxBackoffMs"];

/// Part of the plan language, and refused by this release rather than ignored.
const STEP_KEYS_TO_COME: [&str; 4] = ["job", "wait", "forEach", "repeat"];

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
    let plan = read_plan(value, &mut report);
    if report.problems.is_empty() { Ok(plan) } else { Err(report.problems) }
}

fn read_plan(value: &Value, report: &mut Report) -> Plan {
    let Some(plan) = value.as_object() else {
        report.say(format!("a plan must be an object with a list of steps; found {}", shown(value)));
        return Plan::default();
    };
    check_keys(plan, &PLAN_KEYS, &[], report);
    if let Some(name) = plan.get("name").filter(|name| !name.is_string()) {
        report.at("name", |report| report.say(format!("must be a string; found {}", shown(name))));
    }
    if let Some(version) = plan.get("version").filter(|v| !v.is_string() && !v.is_number()) {
        report.at("version", |report| {
            report.say(format!("must be a string or a number; found {}", shown(version)))
        });
    }
    let concurrency = read_count(plan, "concurrency", report).map_or(CONCURRENCY, |n| n.get() as usize);
    let steps = report.at("steps", |report| list_of_steps(plan, report));
    let Some(list) = steps else { return Plan::default() };
    Plan::new(read_steps(list, report), concurrency)
}

fn list_of_steps<'a>(plan: &'a Map<String, Value>, report: &mut Report) -> Option<&'a [Value]> {
    match plan.get("steps") {
        None => report.say("is missing: a plan needs a list of steps"),
        Some(Value::Array(list)) if list.len() <= MAX_STEPS => return Some(list),
        Some(Value::Array(list)) => {
            report.say(format!("has {} steps; at most {MAX_STEPS} are allowed", list.len()));
        }
        Some(other) => report.say(format!("must be a list of steps; found {}", shown(other))),
    }
    None
}

fn read_steps(list: &[Value], report: &mut Report) -> Vec<Step> {
    let same = first_of_same_id(list);
    let ids = Ids::of(list);
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
            Some(read_step(object, index, &ids, report))
        });
        steps.extend(step);
    }
    // Places are right only where every step could be read.
    if report.problems.is_empty() {
        check_order(&steps, report);
    }
    steps
}

/// The places of the steps, by id.
struct Ids<'a> {
    sorted: Vec<(&'a str, StepIndex)>,
}

impl<'a> Ids<'a> {
    fn of(list: &'a [Value]) -> Ids<'a> {
        let ids = list.iter().zip(0..).filter_map(|(step, place)| Some((step.get("id")?.as_str()?, place)));
        let mut sorted: Vec<(&str, StepIndex)> = ids.collect();
        sorted.sort_unstable();
        Ids { sorted }
    }

    fn place_of(&self, id: &str) -> Option<StepIndex> {
        let found = self.sorted.binary_search_by(|(known, _)| (*known).cmp(id)).ok()?;
        Some(self.sorted[found].1)
    }

    /// A sentence about an id that no step has.
    fn unknown(&self, id: &str) -> String {
        match nearest(id, self.sorted.iter().map(|(known, _)| *known)) {
            Some(meant) => format!("unknown step \"{id}\"; did you mean \"{meant}\"?"),
            None => format!("unknown step \"{id}\""),
        }
    }
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

fn read_step(step: &Map<String, Value>, index: usize, ids: &Ids, report: &mut Report) -> Step {
    check_keys(step, &STEP_KEYS, &STEP_KEYS_TO_COME, report);
    let id = read_name(step, "id", report).unwrap_or_default();
    Step {
        work: read_work(step, report),
        after: read_after(step, index, ids, report),
        when: step.get("when").and_then(|value| read_expression("when", Expr::compile(value), report)),
        input: step
            .get("input")
            .and_then(|value| read_expression("input", Expr::compile_template(value), report)),
        tools: read_names(step, "tools", "tool names", report),
        cost: read_number(step, "cost", 0, report),
        approval: read_bool(step, "approval", report),
        retry: read_retry(step, report),
        timeout_ms: read_number(step, "timeoutMs", 1, report),
        into: read_name(step, "into", report).unwrap_or_else(|| id.clone()),
        breakpoint: read_bool(step, "breakpoint", report),
        on_error: read_on_error(step, report),
        id,
    }
}

/// What the step does: exactly one of the kinds, and nothing that only another kind has.
fn read_work(step: &Map<String, Value>, report: &mut Report) -> Work {
    let mut kinds = KINDS.iter().copied().filter(|kind| step.contains_key(*kind));
    match (kinds.next(), kinds.next()) {
        (None, _) => report.say(format!("a step needs one of {}", listed(&mut KINDS.into_iter()))),
        (Some(one), Some(other)) => {
            report.say(format!("a step does one thing; this one has both \"{one}\" and \"{other}\""));
        }
        (Some("agent"), None) => {
            return Work::Agent(read_name(step, "agent", report).unwrap_or_default());
        }
        (Some(kind), None) => {
            for key in AGENT_KEYS.iter().filter(|key| step.contains_key(**key)) {
                report.at(key, |report| report.say(format!("a step with \"{kind}\" has no \"{key}\"")));
            }
            if let Some(value) = step.get("approve") {
                report.at("approve", |report| check_approve(value, report));
            }
        }
    }
    Work::Approve
}

fn check_approve(value: &Value, report: &mut Report) {
    let Some(approve) = value.as_object() else {
        report.say(format!("must be an object, which may have a message; found {}", shown(value)));
        return;
    };
    check_keys(approve, &APPROVE_KEYS, &[], report);
    if let Some(message) = approve.get("message").filter(|message| !message.is_string()) {
        report.at("message", |report| report.say(format!("must be a string; found {}", shown(message))));
    }
}

/// The steps it comes after: the one before it in the list, where it doesn't say.
fn read_after(step: &Map<String, Value>, index: usize, ids: &Ids, report: &mut Report) -> Vec<StepIndex> {
    if !step.contains_key("after") {
        return index.checked_sub(1).into_iter().collect();
    }
    let names = read_names(step, "after", "step ids", report);
    let mut after = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        let problem = match ids.place_of(name) {
            Some(found) if found == index => "a step can't come after itself".to_owned(),
            Some(found) if after.contains(&found) => format!("\"{name}\" is named twice"),
            Some(found) => {
                after.push(found);
                continue;
            }
            None => ids.unknown(name),
        };
        report.at_item("after", place, |report| report.say(problem));
    }
    after
}

fn read_on_error(step: &Map<String, Value>, report: &mut Report) -> OnError {
    match step.get("onError").map(|value| (value, value.as_str())) {
        None | Some((_, Some("fail"))) => OnError::Fail,
        Some((_, Some("continue"))) => OnError::Continue,
        Some((other, _)) => {
            report.at("onError", |report| {
                report.say(format!("must be \"fail\" or \"continue\"; found {}", shown(other)))
            });
            OnError::Fail
        }
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

fn read_expression(key: &str, compiled: Result<Expr, CompileError>, report: &mut Report) -> Option<Expr> {
    match compiled {
        Ok(expression) => Some(expression),
        Err(error) => {
            report.at(key, |report| report.say(error.to_string()));
            None
        }
    }
}

fn read_names(step: &Map<String, Value>, key: &str, what: &str, report: &mut Report) -> Vec<Box<str>> {
    let Some(value) = step.get(key) else {
        return Vec::new();
    };
    let names: Option<Vec<Box<str>>> =
        value.as_array().and_then(|list| list.iter().map(|name| name.as_str().map(Box::from)).collect());
    names.unwrap_or_else(|| {
        report.at(key, |report| report.say(format!("must be a list of {what}; found {}", shown(value))));
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
        if !object.contains_key("maxAttempts") {
            report.at("maxAttempts", |report| report.say("is missing: how many attempts there are in all"));
        }
        Retry {
            max_attempts: read_count(object, "maxAttempts", report).unwrap_or(standard.max_attempts),
            backoff_ms: read_number(object, "backoffMs", 0, report).unwrap_or(standard.backoff_ms),
            factor: read_number(object, "factor", 1, report).unwrap_or(standard.factor),
            max_backoff_ms: read_number(object, "maxBackoffMs", 0, report).unwrap_or(standard.max_backoff_ms),
        }
    })
}

/// A whole number of at least 1.
fn read_count(object: &Map<String, Value>, key: &str, report: &mut Report) -> Option<NonZeroU32> {
    let value = object.get(key)?;
    let count = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number))
        // In range by the line above.
        .and_then(|number| NonZeroU32::new(number as u32));
    if count.is_none() {
        report.at(key, |report| {
            report.say(format!("must be a whole number of at least 1; found {}", shown(value)))
        });
    }
    count
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
        for (key, value) in [("forEach", json!([])), ("repeat", json!({}))] {
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
                .chain(&KINDS)
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
