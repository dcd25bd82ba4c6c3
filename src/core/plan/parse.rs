//! From JSON to a [`Plan`], or every problem at once.

use serde_json::{Map, Value};

use super::{
    CONCURRENCY, Plan, Problem, Step,
    fields::{check_keys, read_count},
    ids::Ids,
    order::check_order,
    problem::{Report, shown},
    step::read_step,
};

const PLAN_KEYS: [&str; 4] = ["name", "version", "concurrency", "steps"];
const MAX_STEPS: usize = 100_000;

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

pub(super) fn read_plan(value: &Value, report: &mut Report) -> Plan {
    let Some(plan) = value.as_object() else {
        report.say(format!("a plan must be an object with a list of steps; found {}", shown(value)));
        return Plan::default();
    };
    check_keys(plan, &PLAN_KEYS, report);
    if let Some(name) = plan.get("name").filter(|name| !name.is_string()) {
        report.must_be_at("name", "a string", name);
    }
    if let Some(version) = plan.get("version").filter(|v| !v.is_string() && !v.is_number()) {
        report.must_be_at("version", "a string or a number", version);
    }
    let concurrency = read_count(plan, "concurrency", report).map_or(CONCURRENCY, |n| n.get() as usize);
    let steps = report.at("steps", |report| list_of_steps(plan, report));
    let Some(list) = steps else { return Plan::default() };
    let ids = Ids::of(list);
    Plan { steps: read_steps(list, &ids, report), concurrency, places: ids.into_places() }
}

fn list_of_steps<'a>(plan: &'a Map<String, Value>, report: &mut Report) -> Option<&'a [Value]> {
    match plan.get("steps") {
        None => report.say("is missing: a plan needs a list of steps"),
        Some(Value::Array(list)) if list.len() <= MAX_STEPS => return Some(list),
        Some(Value::Array(list)) => {
            report.say(format!("has {} steps; at most {MAX_STEPS} are allowed", list.len()));
        }
        Some(other) => report.must_be("a list of steps", other),
    }
    None
}

fn read_steps(list: &[Value], ids: &Ids, report: &mut Report) -> Vec<Step> {
    let same = ids.first_of_same();
    let mut steps = Vec::with_capacity(list.len());
    let before = report.problems.len();
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
            Some(read_step(object, index, ids, report))
        });
        steps.extend(step);
    }
    // Places are right only where every step could be read.
    if report.problems.len() == before {
        check_order(&steps, report);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::step::{KINDS, RETRY_KEYS, STEP_KEYS, WAIT_KEYS};
    use crate::core::plan::{OnError, Wait, Work};
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

    fn problems(steps: Value) -> Vec<(String, String)> {
        let found = parse(&json!({ "steps": steps })).unwrap_err();
        found.into_iter().map(|problem| (problem.path, problem.message)).collect()
    }

    #[test]
    fn steps_come_after_the_one_before_or_after_those_they_name() {
        let plan = parse(&json!({ "concurrency": 3, "steps": [
            { "id": "a", "agent": "x" }, { "id": "b", "approve": {}, "onError": "continue" },
            { "id": "c", "agent": "x", "after": [], "when": { "var": "a" } },
            { "id": "d", "wait": { "ms": 5 }, "after": ["c", "a"] },
            { "id": "e", "wait": { "signal": ["go", "stop"], "timeoutMs": 7 } },
        ] }))
        .unwrap();
        let after: Vec<&[usize]> = plan.steps.iter().map(|step| &step.after[..]).collect();
        assert_eq!(after, [&[][..], &[0], &[], &[2, 0], &[3]]);
        assert_eq!((plan.concurrency, plan.steps[1].on_error), (3, OnError::Continue));
        assert!(matches!(plan.steps[1].work, Work::Approve));
        assert!(matches!(plan.steps[3].work, Work::Wait(Wait::Timer { ms: 5.0 })));
        let Work::Wait(Wait::Signal { names, timeout_ms: Some(7.0) }) = &plan.steps[4].work else { panic!() };
        assert_eq!(names[..], ["go".into(), "stop".into()]);
        assert!(plan.steps[2].when.is_some());
    }

    #[test]
    fn steps_that_wait_for_each_other_are_named_in_order() {
        let step = |id: &str, after: &[&str]| json!({ "id": id, "agent": "x", "after": after });
        let found = problems(json!([
            step("free", &[]),
            step("a", &["free", "c"]),
            step("b", &["a"]),
            step("c", &["b"]),
            step("end", &["c"]),
        ]));
        let [(path, message)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(path, "steps");
        assert_eq!(message, "these steps wait for each other: \"b\" → \"c\" → \"a\" → \"b\"");
    }

    #[test]
    fn what_a_step_comes_after_must_be_there() {
        let found = problems(json!([
            { "id": "draft", "agent": "x" },
            { "id": "b", "agent": "x", "after": ["darft", "b", "draft", "draft"] },
        ]));
        let messages: Vec<&str> = found.iter().map(|(_, message)| &**message).collect();
        assert_eq!(found[0].0, "steps[1].after[0]");
        assert_eq!(
            messages,
            [
                "unknown step \"darft\"; did you mean \"draft\"?",
                "a step can't come after itself",
                "\"draft\" is named twice",
            ]
        );
    }

    #[test]
    fn two_steps_that_may_run_side_by_side_write_to_different_places() {
        let step =
            |id: &str, after: &[&str]| json!({ "id": id, "agent": "x", "after": after, "into": "out" });
        let found = problems(json!([step("a", &[]), step("b", &[]), step("c", &["a", "b"])]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "steps[1]");
        assert!(found[0].1.starts_with("writes to \"out\" as steps[0] does"), "{}", found[0].1);
        assert!(parse(&json!({ "steps": [step("a", &[]), step("b", &["a"]), step("c", &["b"])] })).is_ok());
    }

    #[test]
    fn a_step_does_one_thing_and_has_nothing_of_another() {
        let found = problems(json!([
            { "id": "a" },
            { "id": "b", "agent": "x", "approve": {} },
            { "id": "c", "approve": { "msg": 1 }, "tools": ["t"] },
            { "id": "d", "wait": { "ms": 1, "signal": "s" } },
            { "id": "e", "wait": { "signal": [] } },
            { "id": "f", "wait": { "ms": -1 } },
            { "id": "g", "agent": "x", "onError": "retry" },
            { "id": "h", "agent": "x", "repeat": { "until": { "nope": 1 } } },
        ]));
        let paths: Vec<&str> = found.iter().map(|(path, _)| &**path).collect();
        assert_eq!(
            paths,
            [
                "steps[0]",
                "steps[1]",
                "steps[2].tools",
                "steps[2].approve.msg",
                "steps[3].wait",
                "steps[4].wait.signal",
                "steps[5].wait.ms",
                "steps[6].onError",
                "steps[7].repeat.max",
                "steps[7].repeat.until",
            ]
        );
    }

    #[test]
    fn a_child_job_is_read_with_its_plan() {
        let inner = json!({ "steps": [{ "id": "pack", "agent": "packer" }] });
        let step = json!({ "id": "ship", "forEach": { "var": "orders" }, "timeoutMs": 5, "job": {
            "plan": inner, "permissions": { "maxSteps": 3, "allowTools": false }, "budget": 7,
            "context": { "order": { "var": "item" } },
        } });
        let plan = parse(&json!({ "steps": [step] })).unwrap();
        let Work::Job(child) = &plan.steps[0].work else { panic!() };
        assert_eq!(child.plan.index_of("pack"), Some(0));
        assert_eq!((child.permissions.max_steps, child.permissions.require_approval), (Some(3), None));
        assert!(child.context.is_some() && plan.steps[0].for_each.is_some());
    }

    #[test]
    fn what_is_wrong_with_a_child_job_is_named_with_its_path() {
        let child = json!({
            "plan": { "steps": [{ "id": "a", "agent": "x" }, { "id": "b", "agent": "x", "after": ["c"] }] },
            "permissions": { "maxSteps": 1.5, "allowTools": 1, "tools": 2 }, "budget": -1, "context": { "nope": 1 },
        });
        let found = problems(json!([
            { "id": "a", "job": child, "input": 1 },
            { "id": "b", "job": {} },
            { "id": "c", "agent": "x", "forEach": 1, "repeat": { "until": true, "max": 2 } },
            { "id": "d", "agent": "x", "retry": { "maxAttempts": 2, "jitter": 2 } },
        ]));
        let paths: Vec<&str> = found.iter().map(|(path, _)| &**path).collect();
        assert_eq!(
            paths,
            [
                "steps[0].input",
                "steps[0].job.budget",
                "steps[0].job.permissions.tools",
                "steps[0].job.permissions.allowTools",
                "steps[0].job.permissions.maxSteps",
                "steps[0].job.plan.steps[1].after[0]",
                "steps[1].job.plan",
                "steps[2].forEach",
                "steps[3].retry.jitter",
            ]
        );
    }

    #[test]
    fn plans_do_not_stand_in_each_other_without_end() {
        let within = |plan: Value| json!({ "steps": [{ "id": "a", "job": { "plan": plan } }] });
        let nested = |depth: usize| (0..depth).fold(json!({ "steps": [] }), |plan, _| within(plan));
        assert!(parse(&nested(16)).is_ok());
        assert!(parse(&nested(17)).unwrap_err()[0].message.contains("no more are allowed"));
    }

    #[test]
    fn no_step_is_called_like_an_item_of_another() {
        let step = |id: &str| json!({ "id": id, "agent": "x" });
        let each = json!({ "id": "work", "agent": "x", "forEach": [1] });
        let found = problems(json!([step("work[1]"), each, step("work[x]"), step("job[1]")]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "steps[0].id");
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
                .chain(&PLAN_KEYS)
                .chain(&KINDS)
                .chain(&WAIT_KEYS)
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
