//! From a stored job to what decisions need of it.

use serde_json::{Map, Value};

use crate::core::{
    job::{JobHead, Run},
    permissions::Permissions,
    status::JobStatus,
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
        permissions: read_permissions(job.get("permissions")),
        revision: count("revision"),
        seq: count("seq"),
        steps_taken: count("stepsTaken"),
        created: time("created").unwrap_or(f64::NAN),
        started: time("started"),
        completed: time("completed"),
        has_run: run.is_some_and(has_more),
    })
}

fn read_permissions(stored: Option<&Value>) -> Permissions {
    let standard = Permissions::default();
    let flag = |key: &str| stored.and_then(|stored| stored.get(key)).and_then(Value::as_bool);
    let most = stored.and_then(|stored| stored.get("maxSteps")).and_then(Value::as_u64);
    Permissions {
        allow_tools: flag("allowTools").unwrap_or(standard.allow_tools),
        require_approval: flag("requireApproval").unwrap_or(standard.require_approval),
        max_steps: most.unwrap_or(standard.max_steps),
    }
}

/// Is there more to a job than its head?
fn has_more(run: &Map<String, Value>) -> bool {
    ["stepsTaken", "plan", "pause", "failure", "slowPlayMs", "signals"]
        .iter()
        .any(|key| run.contains_key(*key))
}

/// The rest of a stored job.
pub(super) fn read_rest(job: &Map<String, Value>) -> Result<Run, String> {
    let stored = job.get("run").and_then(Value::as_object);
    let mut run = match stored {
        Some(stored) => stored::read_run(stored)?,
        None => Run::routed(),
    };
    run.started_seq = last_start(job);
    run.has_beginning =
        stored.is_some_and(|run| run.contains_key("plan") || run.contains_key("stepsTaken"));
    Ok(run)
}

fn last_start(job: &Map<String, Value>) -> Option<u64> {
    let history = job.get("history").and_then(Value::as_array)?;
    history.iter().rev().find(|event| event["type"] == "job_started")?.get("seq")?.as_u64()
}

/// What a step, or its last round, gave, as its event recorded it; null where it failed.
pub(super) fn output_of(job: &Map<String, Value>, step: &str) -> Value {
    let history = job.get("history").and_then(Value::as_array).into_iter().flatten();
    let gave = |event: &&Value| match event["type"].as_str() {
        Some("step_completed" | "round_completed") => true,
        Some("step_failed") => event["payload"].get("retryAt").is_none(),
        _ => false,
    };
    let ended = history.rev().filter(gave).find(|event| event["payload"]["step"] == step);
    ended.and_then(|event| event["payload"].get("output").cloned()).unwrap_or_default()
}
