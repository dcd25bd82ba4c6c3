//! What random jobs are made of: plans of every kind of step, and permissions.

use jobwright::core::permissions::PermissionPatch;
use serde_json::{Value, json};

use crate::random::Random;

pub fn any_permissions(random: &Random) -> PermissionPatch {
    PermissionPatch {
        allow_tools: Some(random.percent(85)),
        require_approval: Some(random.percent(25)),
        max_steps: Some(random.pick(&[0, 1, 2, 3, 9, 9, 9])),
    }
}

/// Ids in an order of their own: what is stored by id must not come back in another.
pub const IDS: [&str; 6] = ["m", "c", "x", "10", "9", "a"];

pub fn any_plan(random: &Random) -> Value {
    let first = random.below(IDS.len());
    let id_at = |place: usize| IDS[(first + place) % IDS.len()];
    let in_any_order = random.percent(60);
    let steps = (0..random.below(6)).map(|place| {
        let mut step = any_work(random, id_at(place));
        if in_any_order && random.percent(70) {
            step["after"] = (0..place).filter(|_| random.percent(40)).map(id_at).collect();
        }
        if random.percent(15) {
            step["when"] = random.pick(&[json!(false), json!({ "var": id_at(0) }), json!({ "+": ["x"] })]);
        }
        if random.percent(20) {
            step["onError"] = "continue".into();
        }
        if random.percent(15) {
            step["breakpoint"] = true.into();
        }
        step
    });
    json!({ "steps": steps.collect::<Value>(), "concurrency": 1 + random.below(3) })
}

fn any_work(random: &Random, id: &str) -> Value {
    match random.below(10) {
        0 => json!({ "id": id, "approve": {} }),
        1 => json!({ "id": id, "wait": { "ms": random.below(8) } }),
        2 => json!({ "id": id, "wait": { "signal": random.pick(&SIGNALS), "timeoutMs": 20 } }),
        3 => json!({ "id": id, "wait": { "signal": SIGNALS } }),
        _ => any_agent_step(random, id),
    }
}

/// What steps wait for.
pub const SIGNALS: [&str; 2] = ["go", "stop"];

fn any_agent_step(random: &Random, id: &str) -> Value {
    let mut step = json!({ "id": id, "agent": "worker" });
    if random.percent(30) {
        step["retry"] = json!({ "maxAttempts": 1 + random.below(3), "backoffMs": random.pick(&[0, 5]) });
    }
    if random.percent(15) {
        step["approval"] = true.into();
    }
    if random.percent(15) {
        step["repeat"] =
            json!({ "until": { ">": [{ "var": id }, random.below(3)] }, "max": 1 + random.below(3) });
    }
    if random.percent(20) {
        step["timeoutMs"] = 8.into();
    }
    if random.percent(20) {
        step["cost"] = random.below(4).into();
    }
    if random.percent(30) {
        step["tools"] = json!(["search"]);
    }
    if random.percent(2) {
        step["agent"] = "nobody".into();
    }
    step
}
