//! From JSON to one step of a plan.

use serde_json::{Map, Value};

use super::{
    OnError, Repeat, Step, Wait, Work,
    fields::{check_keys, read_bool, read_count, read_expression, read_name, read_names, read_number},
    problem::{Report, shown},
};
use crate::core::{
    logic::{Expr, nearest},
    outcome::listed,
    retry::Retry,
    step::StepIndex,
};

/// What a step can do; it does one of them.
pub(super) const KINDS: [&str; 4] = ["agent", "job", "wait", "approve"];
pub(super) const STEP_KEYS: [&str; 16] = [
    "id",
    "agent",
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
    "timeoutMs",
    "into",
    "breakpoint",
    "onError",
];
/// What only makes sense where an agent does the work.
const AGENT_KEYS: [&str; 6] = ["input", "tools", "cost", "retry", "repeat", "timeoutMs"];
const APPROVE_KEYS: [&str; 1] = ["message"];
pub(super) const WAIT_KEYS: [&str; 3] = ["ms", "signal", "timeoutMs"];
const REPEAT_KEYS: [&str; 2] = ["until", "max"];
pub(super) const RETRY_KEYS: [&str; 4] = ["maxAttempts", "backoffMs", "factor", "maxBackoffMs"];

/// Part of the plan language, and refused by this release rather than ignored.
pub(super) const STEP_KEYS_TO_COME: [&str; 2] = ["job", "forEach"];

/// The places of the steps, by id.
pub(super) struct Ids<'a> {
    sorted: Vec<(&'a str, StepIndex)>,
}

impl<'a> Ids<'a> {
    pub(super) fn of(list: &'a [Value]) -> Ids<'a> {
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

/// Reads a step; `index` is its place in the plan.
pub(super) fn read_step(step: &Map<String, Value>, index: usize, ids: &Ids, report: &mut Report) -> Step {
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
        repeat: step.get("repeat").and_then(|value| report.at("repeat", |report| read_repeat(value, report))),
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
            if let Some(value) = step.get("wait") {
                return report
                    .at("wait", |report| read_wait(value, report))
                    .map_or(Work::Approve, Work::Wait);
            }
        }
    }
    Work::Approve
}

fn read_wait(value: &Value, report: &mut Report) -> Option<Wait> {
    let wait = value.as_object().filter(|wait| wait.contains_key("ms") != wait.contains_key("signal"));
    let Some(wait) = wait else {
        report.say(format!("must be {{ ms }} or {{ signal, timeoutMs }}; found {}", shown(value)));
        return None;
    };
    if wait.contains_key("ms") {
        check_keys(wait, &WAIT_KEYS[..1], &[], report);
        return Some(Wait::Timer { ms: read_number(wait, "ms", 0, report)? });
    }
    check_keys(wait, &WAIT_KEYS[1..], &[], report);
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

fn read_repeat(value: &Value, report: &mut Report) -> Option<Repeat> {
    let Some(repeat) = value.as_object() else {
        report.say(format!("must be an object with until and max; found {}", shown(value)));
        return None;
    };
    check_keys(repeat, &REPEAT_KEYS, &[], report);
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
