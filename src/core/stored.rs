//! From the stored form of a job's run state to a [`Run`].
//!
//! A store's answer is hostile until checked: whatever is not as written by this engine is refused
//! with a sentence, never guessed at.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::core::{
    job::{Approval, Failure, Pause, PauseReason, Run, Signal, Steps},
    outcome::{Code, Refusal},
    permissions::{PermissionPatch, Permissions},
    plan::{self, MAX_ITEMS, Plan, RoutedStep, Step},
    step::{StepIndex, StepState, StepStatus, halves, read_item_id},
};

/// The version of the stored form that this engine writes and reads.
pub const SCHEMA: u64 = 1;

/// Reads a stored run state (`run` of a job), whose plan may be given already parsed; then it need not be there.
///
/// # Errors
/// What is wrong with it.
pub fn read_run(run: &Map<String, Value>, plan: Option<Rc<Plan>>) -> Result<Run, String> {
    match run.get("schema").and_then(Value::as_u64) {
        Some(SCHEMA) => {}
        _ => {
            let found = run.get("schema").unwrap_or(&Value::Null);
            return Err(format!("run.schema is {found}; this version of jobwright reads schema {SCHEMA}"));
        }
    }
    let mut result = match (plan, run.get("plan")) {
        (Some(plan), _) => Run::planned(plan),
        (None, None) => read_routed(run)?,
        (None, Some(plan)) => Run::planned(Rc::new(plan::parse(plan).map_err(|problems| {
            let first = &problems[0];
            format!("run.plan.{}: {}", first.path, first.message)
        })?)),
    };
    read_states(run, &mut result)?;
    result.approvals = read_approvals(run, &result)?;
    for signal in read_signals(run)? {
        // It may have come while nobody ran the job.
        result.look_again(&signal.name);
        result.signals.push(signal);
    }
    result.breakpoints = read_breakpoints(run, &result)?;
    result.pause = run.get("pause").map(|pause| read_pause(pause, &result)).transpose()?;
    result.failure = run.get("failure").map(|failure| read_failure(failure, &result)).transpose()?;
    result.slow_play_ms = run.get("slowPlayMs").and_then(Value::as_f64);
    result.pace_ms = run.get("paceMs").and_then(Value::as_f64).unwrap_or_default();
    Ok(result)
}

/// The steps a router asked for carry what it answered, and their number behind the last `#` of their id.
fn read_routed(run: &Map<String, Value>) -> Result<Run, String> {
    let mut result = Run::routed();
    let mut found: Vec<(usize, Step)> = Vec::new();
    for (id, state) in steps_of(run)? {
        let number = halves(id, b'#').and_then(|(_, number)| number.parse::<usize>().ok());
        let routed = state.get("routed").and_then(Value::as_object);
        let (Some(number), Some(routed)) = (number, routed) else {
            return Err(format!("run.steps holds \"{id}\", which neither a plan nor a router names"));
        };
        found.push((number, Step::routed(number, read_routed_step(routed))));
    }
    found.sort_unstable_by_key(|(number, _)| *number);
    for (expected, (number, step)) in (1..).zip(found) {
        if number != expected {
            return Err(format!("run.steps has no step number {expected}"));
        }
        result.schedule.push_ready();
        result.states.push(StepState::default());
        if let Steps::Routed(steps) = &mut result.steps {
            steps.push(step);
        }
    }
    Ok(result)
}

/// A router's answer, as it is stored.
pub fn read_routed_step(routed: &Map<String, Value>) -> RoutedStep {
    let tools = routed.get("tools").and_then(Value::as_array).into_iter().flatten();
    RoutedStep {
        agent: routed.get("agent").and_then(Value::as_str).unwrap_or_default().to_owned(),
        tools: tools.filter_map(Value::as_str).map(Box::from).collect(),
        cost: routed.get("cost").and_then(Value::as_f64),
    }
}

/// The permissions of a job; what is not given takes its default.
pub fn read_permissions(stored: &Value) -> Permissions {
    read_permission_patch(stored).over(Permissions::default())
}

/// Permissions of which some may be given.
pub fn read_permission_patch(stored: &Value) -> PermissionPatch {
    PermissionPatch {
        allow_tools: stored.get("allowTools").and_then(Value::as_bool),
        require_approval: stored.get("requireApproval").and_then(Value::as_bool),
        max_steps: stored.get("maxSteps").and_then(Value::as_u64),
    }
}

fn steps_of(
    run: &Map<String, Value>,
) -> Result<impl Iterator<Item = (&String, &Map<String, Value>)>, String> {
    let steps = match run.get("steps") {
        None => None,
        Some(Value::Object(steps)) => Some(steps),
        Some(other) => {
            return Err(format!("run.steps must be an object of steps; found {other}"));
        }
    };
    if let Some((id, _)) = steps.into_iter().flatten().find(|(_, state)| !state.is_object()) {
        return Err(format!("run.steps[\"{id}\"] must be an object"));
    }
    Ok(steps.into_iter().flatten().filter_map(|(id, state)| Some((id, state.as_object()?))))
}

fn read_states(run: &Map<String, Value>, result: &mut Run) -> Result<(), String> {
    let mut items = Vec::new();
    let mut fanned_out = Vec::new();
    for (id, stored) in steps_of(run)? {
        let state = read_state(stored).ok_or_else(|| format!("run.steps[\"{id}\"] has no known status"))?;
        match (result.index_of(id), read_item_id(id)) {
            (Some(index), _) => {
                fanned_out.extend(stored.get("fanOut").map(|fan_out| (index, fan_out)));
                result.states[index] = state;
            }
            (None, Some((step, number))) => items.push((id, step, number, state)),
            (None, None) => return Err(unnamed(id)),
        }
    }
    read_fan_outs(fanned_out, result)?;
    for (id, step, number, state) in items {
        let fan_out = result.index_of(step).and_then(|step| result.states[step].fan_out);
        let place = fan_out.and_then(|fan_out| fan_out.places().nth(number as usize));
        result.states[place.ok_or_else(|| unnamed(id))?] = state;
    }
    for (index, state) in result.states.iter().enumerate() {
        if state.status.has_ended() {
            result.schedule.end(index);
        }
    }
    for index in 0..result.states.len() {
        let state = &result.states[index];
        if state.is_attempted() {
            result.schedule.begin(index);
        } else if state.status == StepStatus::Waiting
            && (state.due_at.is_some() || result.signals_awaited(index).is_some())
        {
            result.schedule.put_off(index, state.due_at);
        }
    }
    Ok(())
}

fn unnamed(id: &str) -> String {
    format!("run.steps holds \"{id}\", which the plan does not name")
}

/// Lays out the items of the steps that have begun with some, each behind those of the one before.
fn read_fan_outs(stored: Vec<(StepIndex, &Value)>, result: &mut Run) -> Result<(), String> {
    let number = |fan_out: &Value, key: &str| fan_out.get(key).and_then(Value::as_u64);
    let mut fan_outs: Vec<(Option<u64>, Option<u64>, StepIndex)> = stored
        .into_iter()
        .map(|(step, fan_out)| (number(fan_out, "place"), number(fan_out, "count"), step))
        .collect();
    fan_outs.sort_unstable();
    for (place, count, step) in fan_outs {
        let next = result.states.len() as u64;
        let count = count.and_then(|count| u32::try_from(count).ok()).filter(|count| *count <= MAX_ITEMS);
        let (Some(count), true) = (count, place == Some(next)) else {
            let id = &result.step(step).id;
            return Err(format!("run.steps[\"{id}\"].fanOut is not what this version of jobwright writes"));
        };
        result.fan_out(step, count);
    }
    Ok(())
}

fn read_state(stored: &Map<String, Value>) -> Option<StepState> {
    let number = |key: &str| stored.get(key).and_then(Value::as_f64);
    let flag = |key: &str| stored.get(key).and_then(Value::as_bool).unwrap_or(false);
    Some(StepState {
        status: StepStatus::from_name(stored.get("status")?.as_str()?)?,
        attempts: stored.get("attempts").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())?,
        seq: stored.get("seq").and_then(Value::as_u64),
        approved_by: text(stored, "approvedBy"),
        started_at: number("startedAt"),
        finished_at: number("finishedAt"),
        due_at: number("dueAt"),
        input_given: stored.contains_key("input"),
        breakpoint_passed: flag("breakpointPassed"),
        interrupted: flag("interrupted"),
        round: stored.get("round").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        round_ended: flag("roundEnded"),
        fan_out: None,
        error: stored.get("error").and_then(read_refusal).map(Box::new),
    })
}

fn text(object: &Map<String, Value>, key: &str) -> Option<Box<str>> {
    object.get(key).and_then(Value::as_str).map(Box::from)
}

fn read_refusal(stored: &Value) -> Option<Refusal> {
    let code = Code::from_name(stored.get("code")?.as_str()?)?;
    Some(Refusal::new(code, stored.get("message")?.as_str()?.to_owned()))
}

fn read_approvals(run: &Map<String, Value>, result: &Run) -> Result<Vec<Approval>, String> {
    let list = run.get("approvals").and_then(Value::as_array).into_iter().flatten();
    list.map(|stored| {
        let stored = stored.as_object()?;
        Some(Approval {
            id: text(stored, "id")?,
            step: place_of(stored, result)?,
            tool_call: stored.contains_key("tool").then_some(0),
        })
    })
    .collect::<Option<Vec<Approval>>>()
    .ok_or_else(|| "run.approvals holds something that is not an approval of a step of this job".to_owned())
}

/// The place of a step, or of an item of it.
fn place_of(stored: &Map<String, Value>, result: &Run) -> Option<StepIndex> {
    let step = result.index_of(stored.get("step")?.as_str()?)?;
    let Some(item) = stored.get("item") else { return Some(step) };
    result.states[step].fan_out?.places().nth(usize::try_from(item.as_u64()?).ok()?)
}

fn read_signals(run: &Map<String, Value>) -> Result<Vec<Signal>, String> {
    let list = run.get("signals").and_then(Value::as_array).into_iter().flatten();
    list.map(|stored| {
        Some(Signal { name: stored.get("name")?.as_str()?.into(), seq: stored.get("seq")?.as_u64()? })
    })
    .collect::<Option<Vec<Signal>>>()
    .ok_or_else(|| "run.signals holds something that is not a signal".to_owned())
}

fn read_breakpoints(run: &Map<String, Value>, result: &Run) -> Result<Vec<StepIndex>, String> {
    let list = run.get("breakpoints").and_then(Value::as_array).into_iter().flatten();
    list.map(|stored| result.index_of(stored.as_str()?))
        .collect::<Option<Vec<StepIndex>>>()
        .ok_or_else(|| "run.breakpoints holds something that is not a step of this job".to_owned())
}

fn read_pause(stored: &Value, result: &Run) -> Result<Pause, String> {
    let reason = stored.get("reason").and_then(Value::as_str);
    Ok(Pause {
        reason: reason.and_then(PauseReason::from_name).ok_or("run.pause has no known reason")?,
        step: stored.get("step").and_then(Value::as_str).and_then(|id| result.index_of(id)),
        message: stored.get("message").and_then(Value::as_str).map(Box::from),
    })
}

fn read_failure(stored: &Value, result: &Run) -> Result<Failure, String> {
    let refusal = read_refusal(stored).ok_or("run.failure has no known code and message")?;
    Ok(Failure {
        code: refusal.code,
        message: refusal.message.into(),
        step: stored.get("step").and_then(Value::as_str).and_then(|id| result.index_of(id)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_ended_stays_so_whatever_the_order_of_its_keys() {
        let step = |id: &str| json!({ "id": id, "agent": "worker" });
        let stored = json!({
            "schema": SCHEMA,
            "plan": { "name": "three", "steps": [step("b"), step("a"), step("c")] },
            "steps": { "a": { "status": "done", "attempts": 1 }, "b": { "status": "done", "attempts": 1 } },
        });
        let mut run = read_run(stored.as_object().unwrap(), None).unwrap();
        assert_eq!(run.schedule.first_ready(0.0), run.index_of("c"));
    }
}
