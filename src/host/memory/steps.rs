//! What a stored job says of its steps.

use serde_json::{Map, Value};

use super::{ToolCall, form};
use crate::{
    core::{
        logic::{Expr, MAX_STEPS},
        step::StepIndex,
    },
    host::Input,
};

pub(super) fn output_at(stored: &Map<String, Value>, step: StepIndex) -> Value {
    form::output_of(stored, &step_of(stored, step).0, form::planned_at(stored, step).1)
}

/// The same for every attempt at one round, or item, of one step.
pub(super) fn key_of(stored: &Map<String, Value>, step: StepIndex, id: &str) -> String {
    let (step, item) = form::planned_at(stored, step);
    let job = stored.get("id").and_then(Value::as_str).unwrap_or_default();
    let run = stored.get("run").unwrap_or(&Value::Null);
    match (item, run["plan"]["steps"][step].get("repeat")) {
        (Some(item), _) => format!("{job}:{id}:{item}"),
        (None, None) => format!("{job}:{id}"),
        (None, Some(_)) => format!("{job}:{id}:{}", run["steps"][id]["round"].as_u64().unwrap_or(0) + 1),
    }
}

/// The place of the step or item that an event is about.
pub(super) fn place_of(stored: &Map<String, Value>, about: &Value) -> Option<StepIndex> {
    let run = stored.get("run")?;
    let id = about["step"].as_str()?;
    let Some(plan) = run.get("plan") else {
        return id.rsplit_once('#')?.1.parse::<usize>().ok()?.checked_sub(1);
    };
    let step = plan["steps"].as_array()?.iter().position(|step| step["id"] == id)?;
    let Some(item) = about.get("item") else { return Some(step) };
    let first = run["steps"][id]["fanOut"]["place"].as_u64()?;
    usize::try_from(first + item.as_u64()?).ok()
}

/// A step's id and agent, from the plan or from what a router answered.
pub(super) fn step_of(stored: &Map<String, Value>, step: StepIndex) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let run = stored.get("run").unwrap_or(&Value::Null);
    if let Some(plan) = run.get("plan") {
        let (step, _) = form::planned_at(stored, step);
        return (text(&plan["steps"][step]["id"]), text(&plan["steps"][step]["agent"]));
    }
    let ending = format!("#{}", step + 1);
    let steps = run.get("steps").and_then(Value::as_object).into_iter().flatten();
    let found = steps.into_iter().find(|(id, _)| id.ends_with(&ending));
    found.map(|(id, state)| (id.clone(), text(&state["routed"]["agent"]))).unwrap_or_default()
}

pub(super) fn input_of(
    stored: &Map<String, Value>,
    step: StepIndex,
    id: &str,
    input: &Input<'_>,
) -> Result<Value, String> {
    let state = stored.get("run").and_then(|run| run.get("steps")).and_then(|steps| steps.get(id));
    let kept = |key: &str| state.and_then(|state| state.get(key)).cloned();
    let after = |step: StepIndex| output_at(stored, step);
    Ok(match input {
        Input::Expression(expression) => evaluate(expression, stored, Some(step))?,
        Input::Item => item_at(stored, step).map(|(item, _)| item).unwrap_or_default(),
        Input::FromCaller => kept("input").unwrap_or_default(),
        Input::FromRouter => {
            let routed = state.and_then(|state| state.get("routed")).and_then(|routed| routed.get("input"));
            let before = || step.checked_sub(1).map(after).unwrap_or_default();
            routed.cloned().or_else(|| kept("input")).unwrap_or_else(before)
        }
        Input::OutputOf([]) => Value::Null,
        Input::OutputOf([one]) => after(*one),
        Input::OutputOf(several) => {
            several.iter().map(|&step| (step_of(stored, step).0, after(step))).collect()
        }
    })
}

/// The item at a place, and its number.
pub(super) fn item_at(stored: &Map<String, Value>, step: StepIndex) -> Option<(Value, usize)> {
    let (planned, item) = form::planned_at(stored, step);
    let items = form::items_of(stored, &step_of(stored, planned).0);
    Some((items[item?].clone(), item?))
}

/// What an expression gives over the context and, where it is for an item, over that.
pub(super) fn evaluate(
    expression: &Expr,
    stored: &Map<String, Value>,
    step: Option<StepIndex>,
) -> Result<Value, String> {
    let mut context = stored.get("context").cloned().unwrap_or_default();
    if let Some((item, index)) = step.and_then(|step| item_at(stored, step)) {
        (context["item"], context["index"]) = (item, index.into());
    }
    expression.evaluate(&context, MAX_STEPS).map_err(|error| error.to_string())
}

pub(super) fn grants_of(stored: &Map<String, Value>, id: &str) -> Vec<ToolCall> {
    let grants = stored.get("run").and_then(|run| run["steps"][id]["grants"].as_array());
    let call = |grant: &Value| {
        Some(ToolCall { tool: grant["tool"].as_str()?.to_owned(), args: grant["args"].clone() })
    };
    grants.into_iter().flatten().filter_map(call).collect()
}
