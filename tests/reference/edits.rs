//! Decisions in histories, edited: what was decided can't have been what stands there then.

use serde_json::{Map, Value};

use crate::random::Random;

const TYPES: [&str; 9] = [
    "job_started",
    "job_completed",
    "job_failed",
    "step_started",
    "step_completed",
    "step_failed",
    "step_skipped",
    "approval_requested",
    "round_completed",
];
const STATUSES: [&str; 6] = ["pending", "waiting", "running", "done", "failed", "skipped"];
const REASONS: [&str; 3] = ["approval", "step_limit", "breakpoint"];
/// What of an event is decided, and not told by somebody.
const DECIDED: [&str; 9] =
    ["status", "attempt", "item", "round", "retryAt", "dueAt", "step", "approval", "reason"];

/// A stored job in whose history one decision is another; says which one, too. `None` where chance changed nothing.
pub fn edited(job: &Map<String, Value>, random: &Random) -> Option<(Map<String, Value>, String)> {
    let ids = job["run"]["plan"]["steps"].as_array()?.iter().map(|step| step["id"].clone());
    let ids: Vec<Value> = ids.chain(["nobody".into()]).collect();
    let place = random.below(job["history"].as_array()?.len());
    let before = &job["history"][place];
    let mut after = before.clone();
    edit(&mut after, &ids, random);
    if after == *before {
        return None;
    }
    let what = format!("entry {}, {before}, became {after}", place + 1);
    let mut job = job.clone();
    job["history"][place] = after;
    Some((job, what))
}

fn edit(event: &mut Value, ids: &[Value], random: &Random) {
    let decided: Vec<&str> = DECIDED.into_iter().filter(|key| event["payload"].get(key).is_some()).collect();
    let place = random.below(decided.len() + 1);
    let Some(key) = decided.get(place) else {
        event["type"] = random.pick(&TYPES).into();
        return;
    };
    let value = &mut event["payload"][*key];
    *value = match (*key, &*value) {
        ("status", _) => random.pick(&STATUSES).into(),
        ("step", _) => random.pick(ids),
        ("reason", Value::String(reason)) if REASONS.contains(&&**reason) => random.pick(&REASONS).into(),
        ("approval", Value::String(id)) => format!("{id}0").into(),
        (_, Value::Number(number)) => (number.as_f64().expect("a number") + 1.0).into(),
        (_, other) => other.clone(),
    };
}
