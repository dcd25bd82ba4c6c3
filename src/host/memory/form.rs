//! From a stored job to what decisions need of it.

use serde_json::{Map, Value};

use crate::core::{
    job::{JobHead, Run},
    outcome::Code,
    status::JobStatus,
    step::StepIndex,
    stored,
};

/// The head of a stored job.
pub(super) fn read_head(job: &Map<String, Value>) -> Result<JobHead, String> {
    let name = job.get("status").and_then(Value::as_str).unwrap_or_default();
    let status = JobStatus::ALL.into_iter().find(|status| status.name() == name);
    let run = job.get("run").and_then(Value::as_object);
    let count = |key: &str| run.and_then(|run| run.get(key)).and_then(Value::as_u64).unwrap_or(0);
    let time = |key: &str| job.get("timing").and_then(|timing| timing.get(key)).and_then(Value::as_f64);
    Ok(JobHead {
        status: status.ok_or_else(|| format!("its status is \"{name}\""))?,
        permissions: stored::read_permissions(job.get("permissions").unwrap_or(&Value::Null)),
        revision: count("revision"),
        seq: count("seq"),
        steps_taken: count("stepsTaken"),
        tree_steps: 0,
        created: time("created").unwrap_or(f64::NAN),
        started: time("started"),
        completed: time("completed"),
        has_run: run.is_some_and(has_more),
        has_parent: job.contains_key("parentId"),
        was_cancelled: run
            .and_then(|run| run.get("failure"))
            .is_some_and(|failure| failure["code"] == Code::Cancelled.name()),
        shares_steps: false,
        account_open: false,
        owes: false,
    })
}

/// Is there more to a job than its head?
fn has_more(run: &Map<String, Value>) -> bool {
    ["stepsTaken", "plan", "pause", "failure", "slowPlayMs", "signals"]
        .iter()
        .any(|key| run.contains_key(key))
}

/// The rest of a stored job.
pub(super) fn read_rest(job: &Map<String, Value>) -> Result<Run, String> {
    let stored = job.get("run").and_then(Value::as_object);
    let mut run = match stored {
        Some(stored) => stored::read_run(stored, None)?,
        None => Run::routed(),
    };
    run.started_seq = last_start(job);
    run.has_beginning = stored.is_some_and(|run| run.contains_key("plan") || run.contains_key("stepsTaken"));
    Ok(run)
}

fn last_start(job: &Map<String, Value>) -> Option<u64> {
    let history = job.get("history").and_then(Value::as_array)?;
    history.iter().rev().find(|event| event["type"] == "job_started")?.get("seq")?.as_u64()
}

/// The step of the plan at a place, and the number of the item where one stands there.
pub(super) fn planned_at(job: &Map<String, Value>, place: StepIndex) -> (StepIndex, Option<StepIndex>) {
    let run = job.get("run").unwrap_or(&Value::Null);
    let plan = run["plan"]["steps"].as_array().map_or(&[][..], Vec::as_slice);
    if place < plan.len() {
        return (place, None);
    }
    let found = plan.iter().enumerate().find_map(|(index, step)| {
        let fan_out = &run["steps"][step["id"].as_str()?]["fanOut"];
        let number = place.checked_sub(fan_out["place"].as_u64()? as usize)?;
        (number < fan_out["count"].as_u64()? as usize).then_some((index, Some(number)))
    });
    found.unwrap_or((place, None))
}

/// The list that a step was begun with, to be done for each of its items.
pub(super) fn items_of(job: &Map<String, Value>, step: &str) -> Value {
    let history = job.get("history").and_then(Value::as_array).into_iter().flatten();
    let mut lists =
        history.filter(|event| event["type"] == "step_started" && event["payload"]["step"] == step);
    lists.find_map(|event| event["payload"].get("items").cloned()).unwrap_or_default()
}

/// What a step, its last round or one of its items gave, as its event recorded it; null where it failed.
pub(super) fn output_of(job: &Map<String, Value>, step: &str, item: Option<StepIndex>) -> Value {
    let history = job.get("history").and_then(Value::as_array).into_iter().flatten();
    let gave = |event: &&Value| match event["type"].as_str() {
        Some("step_completed" | "round_completed" | "item_completed") => true,
        Some("step_failed" | "item_failed") => event["payload"].get("retryAt").is_none(),
        _ => false,
    };
    let ended = history.rev().filter(gave).find(|event| {
        let payload = &event["payload"];
        payload["step"] == step && payload.get("item").and_then(Value::as_u64) == item.map(|item| item as u64)
    });
    ended.and_then(|event| event["payload"].get("output").cloned()).unwrap_or_default()
}
