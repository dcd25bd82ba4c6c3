use serde_json::Value;

use super::Refused;
use crate::core::{outcome::Code, trace::span_id};

/// An event as it is recorded, without what is large.
pub(super) struct Recorded<'a, V> {
    pub(super) name: &'a str,
    payload: &'a Value,
    /// What it carries.
    pub(super) value: V,
    /// The number of the event that caused it.
    pub(super) cause: Option<u64>,
    /// When.
    pub(super) at: f64,
}

impl<'a, V> Recorded<'a, V> {
    pub(super) fn read(event: &'a Value, value: V, trace: &str) -> Result<Self, Refused> {
        let at = event.get("meta").and_then(|meta| meta.get("timestamp")).and_then(Value::as_f64);
        let parent = event.get("trace").and_then(|trace| trace.get("parentId")).and_then(Value::as_str);
        let number = parent.and_then(|span| u64::from_str_radix(span.get(8..)?, 16).ok());
        Ok(Recorded {
            name: event.get("type").and_then(Value::as_str).ok_or("an event, which has a type")?,
            payload: event.get("payload").unwrap_or(&Value::Null),
            value,
            cause: number.filter(|number| parent == Some(&*span_id(trace, *number))),
            at: at.ok_or("an event, which has a meta.timestamp")?,
        })
    }

    /// What the caller gave to the step that it says has begun.
    pub(super) fn given(&self) -> Option<V>
    where
        V: Clone,
    {
        self.get("input").map(|_| self.value.clone())
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.payload.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Value::as_f64)
    }

    /// A whole number that is not large.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        self.get(key).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok())
    }

    /// The code of its error.
    pub(super) fn code(&self) -> Option<Code> {
        Code::from_name(self.get("error")?.get("code")?.as_str()?)
    }

    /// What its error says.
    pub(super) fn message(&self) -> &'a str {
        self.get("error").and_then(|error| error.get("message")).and_then(Value::as_str).unwrap_or_default()
    }
}
