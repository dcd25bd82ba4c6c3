//! What a step is given, where its plan says: an expression over the context. Only the values that
//! the expression names cross, and one that is handed over as it is never does.

use serde_json::Value;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    core::logic::{Expr, MAX_STEPS, Path, Reads, assemble},
    host::JobKey,
};

#[wasm_bindgen(raw_module = "./context.js")]
extern "C" {
    /// A value from JSON, with values of the context put into it: each a place in the value and a path in the
    /// context, as JSON lists of keys. Where there is nothing at a path, null stays. An item has a name in the
    /// context of its own step; a step of -1 has none.
    fn context_values(job: u32, step: i32, value: &str, places: &str) -> JsValue;
    /// JSON of the values at some paths (a JSON list of lists of keys), each in a list of its own that is
    /// empty where there is nothing; or a sentence that begins with `!` where one can't be JSON.
    fn context_json(job: u32, step: i32, paths: &str) -> String;
    /// A value from JSON.
    fn value_from_json(text: &str) -> JsValue;
}

/// Not for a step.
pub(super) const NO_STEP: i32 = -1;

/// What an expression gives over a job's context, for a step or an item of it.
pub(super) fn evaluate(job: JobKey, step: i32, expression: &Expr) -> Result<JsValue, String> {
    let (rest, vars) = expression.without_plain_vars();
    let context = read_context(job, step, rest.paths())?;
    let value = rest.evaluate(&context, MAX_STEPS).map_err(|error| error.to_string())?;
    if vars.is_empty() {
        return Ok(value_of(&value));
    }
    let vars: Value = vars
        .into_iter()
        .map(|(place, path)| Value::from(vec![Value::from(place), Value::from(path.keys())]))
        .collect();
    Ok(context_values(job.0, step, &value.to_string(), &vars.to_string()))
}

/// A JavaScript value from JSON.
pub(super) fn value_of(value: &Value) -> JsValue {
    value_from_json(&value.to_string())
}

/// What an expression reads of the context.
pub(super) fn read_context(job: JobKey, step: i32, reads: Reads) -> Result<Value, String> {
    let paths = match reads {
        Reads::Paths(paths) => paths,
        Reads::Everything => vec![Path::parse("")],
    };
    let asked: Value = paths.iter().map(|path| Value::from(path.keys())).collect();
    let answer = context_json(job.0, step, &asked.to_string());
    if let Some(problem) = answer.strip_prefix('!') {
        return Err(problem.to_owned());
    }
    let values: Vec<Value> = match serde_json::from_str(&answer) {
        Ok(Value::Array(values)) => values,
        Ok(_) => return Err("The context could not be read".to_owned()),
        Err(error) => return Err(format!("The context could not be read: {error}")),
    };
    let found = paths.into_iter().zip(values).filter_map(|(path, value)| match value {
        Value::Array(mut found) => found.pop().map(|value| (path, value)),
        _ => None,
    });
    Ok(assemble(found))
}
