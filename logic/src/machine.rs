//! The state of one evaluation: the steps left, and the values made on the way.

use super::{EvalError, MAX_VALUE_DEPTH};
use serde_json::{Map, Value};
use std::cell::OnceCell;

/// Boxed, because it is passed up through everything and seldom there.
pub(super) type Fault = Box<EvalError>;

pub(super) fn fault(error: EvalError) -> Fault {
    Box::new(error)
}

/// A value that was made, or one that stood somewhere.
pub(super) enum Made<'a> {
    Own(Value),
    Ref(&'a Value),
}

/// Keeps what an evaluation makes until its end, so that values are passed as plain references:
/// code that drops values at every turn would be most of the module. A linked list, as safe Rust
/// can hand out references to what no longer moves.
#[derive(Default)]
pub(super) struct Arena(OnceCell<Box<Kept>>);

struct Kept {
    value: Value,
    next: OnceCell<Box<Kept>>,
}

impl Drop for Arena {
    /// One after the other: dropping them each in the last would overflow the stack.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut kept) = next {
            next = kept.next.take();
        }
    }
}

pub(super) struct Machine<'a> {
    pub(super) budget: Budget,
    free: &'a OnceCell<Box<Kept>>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(arena: &'a Arena, steps: u32) -> Self {
        Machine { budget: Budget::new(steps), free: &arena.0 }
    }

    pub(super) fn keep(&mut self, value: Value) -> &'a Value {
        static NULL: Value = Value::Null;
        static TRUE: Value = Value::Bool(true);
        static FALSE: Value = Value::Bool(false);
        match value {
            Value::Null => &NULL,
            Value::Bool(true) => &TRUE,
            Value::Bool(false) => &FALSE,
            value => {
                let kept = self.free.get_or_init(|| Box::new(Kept { value, next: OnceCell::new() }));
                self.free = &kept.next;
                &kept.value
            }
        }
    }
}

pub(super) struct Budget {
    left: u32,
    limit: u32,
}

impl Budget {
    pub(super) fn new(limit: u32) -> Self {
        Budget { left: limit, limit }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        if steps > self.left as usize {
            return Err(fault(EvalError::TooManySteps { limit: self.limit }));
        }
        self.left -= steps as u32;
        Ok(())
    }

    /// A step for each 64 bytes.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / 64)
    }

    /// A copy, each value in it a step; also what keeps recursion over values bounded.
    pub(super) fn copy(&mut self, value: &Value, depth: u32) -> Result<Value, Fault> {
        self.spend(1)?;
        Ok(match value {
            Value::Array(items) => Value::Array(self.copies(items, deeper(depth)?)?),
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
            Value::Number(number) => Value::Number(*number),
            Value::Bool(value) => Value::Bool(*value),
            Value::Null => Value::Null,
        })
    }

    pub(super) fn copies(&mut self, items: &[Value], depth: u32) -> Result<Vec<Value>, Fault> {
        let mut copies = Vec::new();
        for item in items {
            copies.push(self.copy(item, depth)?);
        }
        Ok(copies)
    }
}

/// One level further into a value.
pub(super) fn deeper(depth: u32) -> Result<u32, Fault> {
    if depth < MAX_VALUE_DEPTH {
        return Ok(depth + 1);
    }
    Err(fault(EvalError::TooDeep { limit: MAX_VALUE_DEPTH }))
}
