//! Truth, sameness and descriptions of values.

use super::machine::{Budget, Fault, deeper};
use super::number;
use serde_json::{Map, Value};

/// JSON Logic's truth: null, false, 0, "" and [] are false; everything else is true, {} too.
///
/// ```
/// use jobwright_logic::truthy;
/// assert!(!truthy(&serde_json::json!([])));
/// assert!(truthy(&serde_json::json!({})));
/// ```
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number::float(number) != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}

/// `===`, with arrays and objects compared by content.
pub(super) fn same(a: &Value, b: &Value, budget: &mut Budget, depth: u32) -> Result<bool, Fault> {
    budget.spend(1)?;
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => number::float(a) == number::float(b),
        (Value::String(a), Value::String(b)) => {
            a.len() == b.len() && {
                budget.spend_text(a.len())?;
                a == b
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            let depth = deeper(depth)?;
            let mut equal = a.len() == b.len();
            let mut pairs = a.iter().zip(b);
            while equal && let Some((a, b)) = pairs.next() {
                equal = same(a, b, budget, depth)?;
            }
            equal
        }
        (Value::Object(a), Value::Object(b)) => {
            let depth = deeper(depth)?;
            let mut equal = a.len() == b.len();
            let mut members = a.iter();
            while equal && let Some((key, a)) = members.next() {
                equal = match b.get(key) {
                    Some(b) => same(a, b, budget, depth)?,
                    None => false,
                };
            }
            equal
        }
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Null, Value::Null) => true,
        _ => false,
    })
}

/// An object with one member.
pub(super) fn object(key: &str, member: Value) -> Value {
    with(Value::Object(Map::new()), key, member)
}

/// An object with one member more.
pub(super) fn with(mut object: Value, key: &str, member: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.into(), member);
    }
    object
}

/// A value in a sentence, shortened.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Array(items) => "an array of ".to_string() + &items.len().to_string(),
        Value::Object(_) => "an object".into(),
        plain => plain.to_string(),
    }
}

/// What was thrown, in a sentence.
pub(super) fn describe_thrown(value: &Value) -> String {
    describe(value.get("type").unwrap_or(value))
}

/// Text in quotes, shortened.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let Some((end, _)) = text.char_indices().nth(LONGEST) else { return Value::from(text).to_string() };
    Value::String(text.get(..end).unwrap_or_default().to_string() + "…").to_string()
}
