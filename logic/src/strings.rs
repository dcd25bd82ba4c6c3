//! Text as JavaScript makes, cuts and searches it.

use super::machine::{Budget, Fault, deeper};
use super::number;
use serde_json::Value;
use std::borrow::Cow;

/// `String(value)`.
pub(super) fn text<'v>(value: &'v Value, budget: &mut Budget) -> Result<Cow<'v, str>, Fault> {
    if let Some(text) = scalar(value) {
        budget.spend_text(text.len())?;
        return Ok(text);
    }
    let mut joined = String::new();
    join(value, &mut joined, budget, 0)?;
    Ok(Cow::Owned(joined))
}

/// `String(value)` of what is neither an array nor an object.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => Cow::Borrowed("null"),
        Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Number(value) => Cow::Owned(value.to_string()),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// As arrays join their items, and `cat` its arguments: null is nothing.
fn join(value: &Value, joined: &mut String, budget: &mut Budget, depth: u32) -> Result<(), Fault> {
    budget.spend(1)?;
    match value {
        Value::Null => {}
        Value::Object(_) => joined.push_str("[object Object]"),
        Value::Array(items) => {
            let depth = deeper(depth)?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    joined.push(',');
                }
                join(item, joined, budget, depth)?;
            }
        }
        _ => {
            let text = scalar(value).unwrap_or_default();
            budget.spend_text(text.len())?;
            joined.push_str(&text);
        }
    }
    Ok(())
}

pub(super) fn cat(args: &[&Value], budget: &mut Budget) -> Result<String, Fault> {
    let mut joined = String::new();
    for value in args {
        join(value, &mut joined, budget, 0)?;
    }
    Ok(joined)
}

/// Whether `item` stands in `text`. Compares at each place, where a cleverer search would be larger,
/// and takes steps accordingly.
pub(super) fn contains(text: &str, item: &str, budget: &mut Budget) -> Result<bool, Fault> {
    budget.spend((text.len() / 64 + 1).saturating_mul(item.len() / 64 + 1))?;
    let mut places = text.as_bytes().windows(item.len().max(1));
    Ok(item.is_empty() || places.any(|place| place == item.as_bytes()))
}

/// `substr(text, from, length)`, where a negative length leaves so much off the end.
pub(super) fn substr(args: &[&Value], budget: &mut Budget) -> Result<String, Fault> {
    let text = cat(args.get(..1).unwrap_or_default(), budget)?;
    let units: Vec<u16> = text.encode_utf16().collect();
    let total = units.len() as f64;
    let mut numbers = [None, None];
    for (number, argument) in numbers.iter_mut().zip(args.iter().skip(1)) {
        *number = Some(self::number(argument, budget)?);
    }
    let [from, count] = numbers;
    let from = from.map_or(0.0, whole);
    let start = if from < 0.0 { (total + from).max(0.0) } else { from.min(total) };
    let rest = total - start;
    let count = match count {
        Some(count) if count < 0.0 => (rest + count).trunc().max(0.0),
        Some(count) => whole(count).min(rest),
        None => rest,
    };
    let (start, end) = (start as usize, (start + count) as usize);
    Ok(String::from_utf16_lossy(units.get(start..end).unwrap_or_default()))
}

/// `Number(value)`, which for an array is that of its text.
pub(super) fn number(value: &Value, budget: &mut Budget) -> Result<f64, Fault> {
    Ok(match value {
        Value::Array(_) | Value::String(_) => number::parse(&text(value, budget)?),
        _ => number::of(value),
    })
}

fn whole(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.trunc() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cuts_by_utf_16_units() {
        for (args, expected) in [
            (json!(["a😀b", 1, 2]), "😀"),
            (json!(["a😀b", 3]), "b"),
            (json!(["a😀b", 2]), "\u{fffd}b"),
            (json!(["é", -1]), "é"),
            (json!(["text", "1", "2"]), "ex"),
            (json!(["text", [1], [[2]]]), "ex"),
            (json!(["text", 1.9, -1.5]), "e"),
            (json!(["text", 0, -9]), ""),
            (json!([null, 0]), ""),
            (json!([]), ""),
        ] {
            let args: Vec<_> = args.as_array().unwrap().iter().collect();
            assert_eq!(substr(&args, &mut Budget::new(100)).unwrap(), expected);
        }
    }
}
