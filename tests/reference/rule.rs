//! The few expressions that the generator writes, evaluated the long way.

use serde_json::{Value, json};

/// It can't be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncomputable;

/// What a rule gives over a context.
pub fn evaluate(rule: &Value, context: &Value) -> Result<Value, Uncomputable> {
    let Some((operator, given)) = rule.as_object().and_then(|rule| rule.iter().next()) else {
        return Ok(rule.clone());
    };
    match operator.as_str() {
        "var" => Ok(at(context, given.as_str().expect("the name of a key"))),
        "!" => Ok(json!(!is_true(&evaluate(&given[0], context)?))),
        "===" => Ok(json!(evaluate(&given[0], context)? == evaluate(&given[1], context)?)),
        ">" => Ok(json!(number(&evaluate(&given[0], context)?) > number(&evaluate(&given[1], context)?))),
        "+" => Err(Uncomputable),
        other => panic!("the generator writes no \"{other}\""),
    }
}

/// A rule, or an object whose values are rules.
pub fn evaluate_template(template: &Value, context: &Value) -> Result<Value, Uncomputable> {
    match template.as_object() {
        Some(members) if members.keys().all(|key| key.starts_with("the ")) => {
            members.iter().map(|(key, rule)| Ok((key.clone(), evaluate(rule, context)?))).collect()
        }
        _ => evaluate(template, context),
    }
}

pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(_) => true,
    }
}

fn at(context: &Value, name: &str) -> Value {
    // A dot in a key is written with a backslash before it.
    let keys = name.replace("\\.", "\0").split('.').map(|key| key.replace('\0', ".")).collect::<Vec<_>>();
    keys.iter().fold(context.clone(), |value, key| value.get(key).cloned().unwrap_or_default())
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        value => value.as_f64().expect("the generator compares numbers and nulls only"),
    }
}
