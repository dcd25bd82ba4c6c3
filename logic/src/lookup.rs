//! Names, paths, and the values they lead to.

use super::expr::Reference;
use super::machine::{Fault, Machine};
use super::{Path, number, strings};
use serde_json::Value;
use std::mem;

/// The keys in a `var`'s name: separated by dots, of which `\.` is none. Only dots give as many
/// empty keys as there are dots, as elsewhere.
pub(super) fn split(name: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut key = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.clone().next()) {
            ('.', _) => keys.push(mem::take(&mut key)),
            ('\\', Some(next @ ('.' | '/' | '\\'))) => {
                letters.next();
                key.push(next);
            }
            _ => key.push(letter),
        }
    }
    if keys.len() != name.len() {
        keys.push(key);
    }
    keys
}

/// Where a `var` of this name points, `scopes` levels in; `None` if it is not plain text.
pub(super) fn var_reference(name: &Value, scopes: u32) -> Option<Reference> {
    if name.is_null() {
        return Some(Reference { climb: 0, path: Path(Vec::new()) });
    }
    let name = strings::scalar(name)?;
    let mut name = &*name;
    let mut climb = 0;
    while scopes > 0
        && climb <= scopes * 2
        && let Some(rest) = name.strip_prefix("../")
    {
        name = rest;
        climb += 1;
    }
    Some(Reference { climb, path: Path::parse(name) })
}

/// How far the first argument of `val` says to climb, if it is one to say so: `[n]`.
pub(super) fn climb(first: &Value) -> Option<u32> {
    levels(first).map(|levels| number::of(levels).abs().ceil() as u32)
}

/// What is in `[n]`; not a number, as in JavaScript, is no climb, and too far is the furthest.
pub(super) fn levels(first: &Value) -> Option<&Value> {
    match first.as_array()?.as_slice() {
        [levels] => Some(levels),
        _ => None,
    }
}

/// The value at the end of a path.
pub(super) fn follow<'a>(
    value: &'a Value,
    keys: &[String],
    machine: &mut Machine<'a>,
) -> Result<Option<&'a Value>, Fault> {
    let mut found = value;
    for key in keys {
        if let Value::String(text) = found {
            machine.budget.spend_text(text.len())?;
        }
        let Some(next) = member(found, key, machine) else { return Ok(None) };
        found = next;
    }
    Ok(Some(found))
}

/// What JavaScript calls an own property.
fn member<'a>(value: &'a Value, key: &str, machine: &mut Machine<'a>) -> Option<&'a Value> {
    let made = match value {
        Value::Object(members) => return members.get(key),
        Value::Array(items) if key == "length" => Value::from(items.len()),
        Value::Array(items) => return items.get(index(key)?),
        Value::String(text) if key == "length" => Value::from(text.encode_utf16().count()),
        Value::String(text) => {
            let unit = text.encode_utf16().nth(index(key)?)?;
            Value::String(String::from_utf16_lossy(&[unit]))
        }
        _ => return None,
    };
    Some(machine.keep(made))
}

/// The position a key names: "1", but not "01".
fn index(key: &str) -> Option<usize> {
    let mut index = 0_usize;
    for byte in key.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        index = index.checked_mul(10)?.checked_add(usize::from(byte - b'0'))?;
    }
    let plain = key == "0" || !key.is_empty() && !key.starts_with('0');
    plain.then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn splits_names() {
        for (name, keys) in [
            ("", &[] as &[&str]),
            ("a", &["a"]),
            ("a.b.c", &["a", "b", "c"]),
            (".", &[""]),
            ("..", &["", ""]),
            (".a", &["", "a"]),
            ("a.", &["a", ""]),
            (r"a\.b.c", &["a.b", "c"]),
            (r"a\\.b", &[r"a\", "b"]),
            (r"a\b\", &[r"a\b\"]),
        ] {
            assert_eq!(split(name), keys, "{name:?}");
        }
    }

    #[test]
    fn follows_own_members() {
        let value = json!({ "list": [1, [2]], "text": "a😀", "": { "": 3 } });
        let find = |name| Path::parse(name).find(&value);
        assert_eq!(find("list.1.0"), Some(json!(2)));
        assert_eq!(find("list.length"), Some(json!(2)));
        assert_eq!(find("list.01"), None);
        assert_eq!(find("text.length"), Some(json!(3)));
        assert_eq!(find("text.0.0"), Some(json!("a")));
        assert_eq!(find(".."), Some(json!(3)));
        assert_eq!(find("constructor"), None);
    }

    #[test]
    fn climbs() {
        assert_eq!(climb(&json!([2])), Some(2));
        assert_eq!(climb(&json!([-1.5])), Some(2));
        assert_eq!(climb(&json!(["x"])), Some(0));
        assert_eq!(climb(&json!([1e300])), Some(u32::MAX));
        assert_eq!(climb(&json!([1, 2])), None);
        let deep = var_reference(&json!("../../../../a"), 1).unwrap();
        assert_eq!((deep.climb, deep.path.0.len()), (3, 3));
    }
}
