//! From JSON to one step of a plan.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{
    ChildJob, OnError, Repeat, Step, Wait, Work,
    fields::{
        check_keys, read_bool, read_count, read_expression, read_name, read_names, read_number, read_share,
        read_whole,
    },
    ids::Ids,
    parse::read_plan,
    problem::Report,
};
use crate::core::{
    logic::Expr, outcome::listed, permissions::PermissionPatch, retry::Retry, step::StepIndex,
};

/// What a step can do; it does one of them.
pub(super) const KINDS: [&str; 4] = ["agent", "job", "wait", "approve"];
pub(super) const STEP_KEYS: [&str; 18] = [
    "id",
    "agent",
    "job",
    "wait",
    "approve",
    "after",
    "when",
    "input",
    "tools",
    "cost",
    "approval",
    "retry",
    "repeat",
    "forEach",
    "timeoutMs",
    "into",
    "breakpoint",
    "onError",
];
/// What only makes sense where somebody does the work; the first of them, where it is an agent.
const WORK_KEYS: [&str; 7] = ["input", "tools", "cost", "retry", "repeat", "timeoutMs", "forEach"];
const AGENT_KEYS: usize = 4;
const JOB_KEYS: [&str; 4] = ["plan", "permissions", "budget", "context"];
const PERMISSION_KEYS: [&str; 3] = ["allowTools", "requireApproval", "maxSteps"];
/// How many plans may stand one within the other.
const MAX_DEPTH: usize = 16;
const APPROVE_KEYS: [&str; 1] = ["message"];
pub(super) const WAIT_KEYS: [&str; 3] = ["ms", "signal", "timeoutMs"];
const REPEAT_KEYS: [&str; 2] = ["until", "max"];
pub(super) const RETRY_KEYS: [&str; 5] = ["maxAttempts", "backoffMs", "factor", "maxBackoffMs", "jitter"];

/// Reads a step; `index` is its place in the plan.
pub(super) fn read_step(step: &Map<String, Value>, index: usize, ids: &Ids, report: &mut Report) -> Step {
    check_keys(step, &STEP_KEYS, report);
    let id = read_name(step, "id", report).unwrap_or_default();
    if let Some(whole) = ids.step_of_item(&id) {
        let problem = format!("\"{id}\" is what an item of step \"{whole}\" is called");
        report.at("id", |report| report.say(problem));
    } else if let Some(owner) = ids.step_of_key(&id) {
        let problem = format!("\"{id}\" is what step \"{owner}\" calls something of its own");
        report.at("id", |report| report.say(problem));
    }
    Step {
        work: read_work(step, report),
        after: read_after(step, index, ids, report),
        when: step.get("when").and_then(|value| read_expression("when", Expr::compile(value), report)),
        input: step
            .get("input")
            .and_then(|value| read_expression("input", Expr::compile_template(value), report)),
        tools: read_names(step, "tools", "tool names", report),
        cost: read_number(step, "cost", 0, report),
        approval: read_bool(step, "approval", report).unwrap_or(false),
        retry: read_retry(step, report),
        repeat: step.get("repeat").and_then(|value| report.at("repeat", |report| read_repeat(value, report))),
        for_each: read_for_each(step, report),
        timeout_ms: read_number(step, "timeoutMs", 1, report),
        into: read_name(step, "into", report).unwrap_or_else(|| id.clone()),
        breakpoint: read_bool(step, "breakpoint", report).unwrap_or(false),
        on_error: read_on_error(step, report),
        id,
    }
}

/// What the step does: exactly one of the kinds, and nothing that only another kind has.
fn read_work(step: &Map<String, Value>, report: &mut Report) -> Work {
    let mut kinds = KINDS.iter().copied().filter(|kind| step.contains_key(kind));
    match (kinds.next(), kinds.next()) {
        (None, _) => report.say(format!("a step needs one of {}", listed(&mut KINDS.into_iter()))),
        (Some(one), Some(other)) => {
            report.say(format!("a step does one thing; this one has both \"{one}\" and \"{other}\""));
        }
        (Some("agent"), None) => {
            return Work::Agent(read_name(step, "agent", report).unwrap_or_default());
        }
        (Some(kind), None) => {
            let without = if kind == "job" { &WORK_KEYS[..AGENT_KEYS] } else { &WORK_KEYS };
            for key in without.iter().filter(|key| step.contains_key(key)) {
                report.at(key, |report| report.say(format!("a step with \"{kind}\" has no \"{key}\"")));
            }
            if let Some(value) = step.get("job") {
                let child = report.at("job", |report| read_child_job(value, report));
                return child.map_or(Work::Approve, |child| Work::Job(Rc::new(child)));
            }
            if let Some(value) = step.get("approve") {
                report.at("approve", |report| check_approve(value, report));
            }
            if let Some(value) = step.get("wait") {
                return report
                    .at("wait", |report| read_wait(value, report))
                    .map_or(Work::Approve, Work::Wait);
            }
        }
    }
    Work::Approve
}

fn read_child_job(value: &Value, report: &mut Report) -> Option<ChildJob> {
    let Some(job) = value.as_object() else {
        report.must_be("an object with a plan", value);
        return None;
    };
    check_keys(job, &JOB_KEYS, report);
    let budget = read_number(job, "budget", 0, report);
    let context = job
        .get("context")
        .and_then(|value| read_expression("context", Expr::compile_template(value), report));
    let permissions = read_permissions(job, report);
    let Some(plan) = job.get("plan") else {
        report.at("plan", |report| report.say("is missing: what the job does"));
        return None;
    };
    if report.depth >= MAX_DEPTH {
        report.at("plan", |report| {
            report.say(format!("stands in {MAX_DEPTH} other plans; no more are allowed"));
        });
        return None;
    }
    report.depth += 1;
    let plan = report.at("plan", |report| read_plan(plan, report));
    report.depth -= 1;
    Some(ChildJob { plan: Rc::new(plan), permissions, context, budget })
}

fn read_permissions(job: &Map<String, Value>, report: &mut Report) -> PermissionPatch {
    let Some(value) = job.get("permissions") else { return PermissionPatch::default() };
    report.at("permissions", |report| {
        let Some(given) = value.as_object() else {
            report.must_be("an object", value);
            return PermissionPatch::default();
        };
        check_keys(given, &PERMISSION_KEYS, report);
        PermissionPatch {
            allow_tools: read_bool(given, "allowTools", report),
            require_approval: read_bool(given, "requireApproval", report),
            max_steps: read_whole(given, "maxSteps", report),
        }
    })
}

fn read_for_each(step: &Map<String, Value>, report: &mut Report) -> Option<Expr> {
    let value = step.get("forEach")?;
    if step.contains_key("repeat") {
        report.at("forEach", |report| {
            report.say("can't stand beside \"repeat\"; repeat within a \"job\" to have both");
        });
    }
    read_expression("forEach", Expr::compile(value), report)
}

fn read_wait(value: &Value, report: &mut Report) -> Option<Wait> {
    let wait = value.as_object().filter(|wait| wait.contains_key("ms") != wait.contains_key("signal"));
    let Some(wait) = wait else {
        report.must_be("{ ms } or { signal, timeoutMs }", value);
        return None;
    };
    if wait.contains_key("ms") {
        check_keys(wait, &WAIT_KEYS[..1], report);
        return Some(Wait::Timer { ms: read_number(wait, "ms", 0, report)? });
    }
    check_keys(wait, &WAIT_KEYS[1..], report);
    let names = match wait.get("signal") {
        Some(Value::String(name)) => vec![name.as_str().into()],
        _ => read_names(wait, "signal", "names of signals", report),
    };
    if names.iter().any(|name| name.is_empty()) || names.is_empty() {
        report.at("signal", |report| report.say("must name a signal, or a list of at least one"));
    }
    Some(Wait::Signal { names, timeout_ms: read_number(wait, "timeoutMs", 1, report) })
}

fn check_approve(value: &Value, report: &mut Report) {
    let Some(approve) = value.as_object() else {
        report.must_be("an object, which may have a message", value);
        return;
    };
    check_keys(approve, &APPROVE_KEYS, report);
    if let Some(message) = approve.get("message").filter(|message| !message.is_string()) {
        report.must_be_at("message", "a string", message);
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
            report.must_be_at("onError", "\"fail\" or \"continue\"", other);
            OnError::Fail
        }
    }
}

fn read_repeat(value: &Value, report: &mut Report) -> Option<Repeat> {
    let Some(repeat) = value.as_object() else {
        report.must_be("an object with until and max", value);
        return None;
    };
    check_keys(repeat, &REPEAT_KEYS, report);
    for (key, what) in
        [("until", "an expression: when it is done"), ("max", "how many rounds there are at most")]
    {
        if !repeat.contains_key(key) {
            report.at(key, |report| report.say(format!("is missing: {what}")));
        }
    }
    let until = repeat.get("until").and_then(|value| read_expression("until", Expr::compile(value), report));
    let max = read_count(repeat, "max", report);
    Some(Repeat { until: until?, max: max? })
}

fn read_retry(step: &Map<String, Value>, report: &mut Report) -> Retry {
    let standard = Retry::default();
    let Some(value) = step.get("retry") else {
        return standard;
    };
    report.at("retry", |report| {
        let Some(object) = value.as_object() else {
            report.must_be("an object with maxAttempts", value);
            return standard;
        };
        check_keys(object, &RETRY_KEYS, report);
        if !object.contains_key("maxAttempts") {
            report.at("maxAttempts", |report| report.say("is missing: how many attempts there are in all"));
        }
        Retry {
            max_attempts: read_count(object, "maxAttempts", report).unwrap_or(standard.max_attempts),
            backoff_ms: read_number(object, "backoffMs", 0, report).unwrap_or(standard.backoff_ms),
            factor: read_number(object, "factor", 1, report).unwrap_or(standard.factor),
            max_backoff_ms: read_number(object, "maxBackoffMs", 0, report).unwrap_or(standard.max_backoff_ms),
            jitter: read_share(object, "jitter", report).unwrap_or(standard.jitter),
        }
    })
}
