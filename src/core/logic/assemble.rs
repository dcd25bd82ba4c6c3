//! A context made of the values that crossed.

use super::Path;
use serde_json::{Map, Value};

/// Puts values where their paths say, in nested objects. An expression evaluated over the values of
/// the paths it reads gives what it gives over the whole context; paths at which there is nothing
/// are to be left out, since a null there is something else.
///
/// ```
/// use jobwright::core::logic::{Path, assemble};
/// let context = assemble([(Path::parse("a.b"), 1.into()), (Path::parse("a.c"), 2.into())]);
/// assert_eq!(context, serde_json::json!({ "a": { "b": 1, "c": 2 } }));
/// ```
pub fn assemble(values: impl IntoIterator<Item = (Path, Value)>) -> Value {
    let mut context = Value::Object(Map::new());
    for (path, value) in values {
        let mut place = &mut context;
        for key in path.0 {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(members) = place else { break };
            place = members.entry(key).or_insert(Value::Null);
        }
        *place = value;
    }
    context
}
