//! The steps an evaluation may take, and copying within them.

use super::{EvalError, MAX_VALUE_DEPTH};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub(super) struct Budget {
    left: u32,
    limit: u32,
}

impl Budget {
    pub(super) fn new(limit: u32) -> Self {
        Budget { left: limit, limit }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), EvalError> {
        match u32::try_from(steps)
            .ok()
            .and_then(|steps| self.left.checked_sub(steps))
        {
            Some(left) => self.left = left,
            None => return Err(EvalError::TooManySteps { limit: self.limit }),
        }
        Ok(())
    }

    /// A step for each 64 bytes.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), EvalError> {
        self.spend(bytes / 64)
    }

    /// A copy, each value in it a step; also what keeps recursion over values bounded.
    pub(super) fn copy(&mut self, value: &Value, depth: u32) -> Result<Value, EvalError> {
        self.spend(1)?;
        Ok(match value {
            Value::Array(items) => {
                let depth = deeper(depth)?;
                let mut copy = Vec::with_capacity(items.len().min(1024));
                for item in items {
                    copy.push(self.copy(item, depth)?);
                }
                Value::Array(copy)
            }
            Value::Object(members) => {
                let depth = deeper(depth)?;
                let mut copy = Map::new();
                for (key, member) in members {
                    self.spend_text(key.len())?;
                    copy.insert(key.clone(), self.copy(member, depth)?);
                }
                Value::Object(copy)
            }
            Value::String(text) => {
                self.spend_text(text.len())?;
                Value::String(text.clone())
            }
            other => other.clone(),
        })
    }

    pub(super) fn own(&mut self, value: Cow<'_, Value>) -> Result<Value, EvalError> {
        match value {
            Cow::Owned(value) => Ok(value),
            Cow::Borrowed(value) => self.copy(value, 0),
        }
    }
}

/// One level further into a value.
pub(super) fn deeper(depth: u32) -> Result<u32, EvalError> {
    if depth < MAX_VALUE_DEPTH {
        Ok(depth + 1)
    } else {
        Err(EvalError::TooDeep {
            limit: MAX_VALUE_DEPTH,
        })
    }
}
