//! Comparisons.

use super::evaluate::{Scope, unlisted};
use super::expr::Call;
use super::machine::{Fault, Machine};
use super::operators::Comparison;
use super::{number, value};
use serde_json::Value;
use std::cmp::Ordering;

impl<'a> Machine<'a> {
    /// Each neighbouring pair, up to the first that does not hold.
    pub(super) fn compare(
        &mut self,
        call: &'a Call,
        comparison: Comparison,
        scope: &Scope<'a, '_>,
    ) -> Result<bool, Fault> {
        if !call.listed || call.args.len() < 2 {
            return Err(unlisted(call, "a list of two values or more to compare"));
        }
        let mut previous = None;
        for argument in &call.args {
            let current = self.value(argument, scope)?;
            if let Some(previous) = previous
                && !self.holds(call, comparison, previous, current)?
            {
                return Ok(false);
            }
            previous = Some(current);
        }
        Ok(true)
    }

    fn holds(&mut self, call: &Call, comparison: Comparison, a: &Value, b: &Value) -> Result<bool, Fault> {
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let order = match (comparison, a, b) {
            (Comparison::Same, ..) => return value::same(a, b, &mut self.budget, 0),
            (Comparison::NotSame, ..) => return Ok(!value::same(a, b, &mut self.budget, 0)?),
            (_, Value::String(a), Value::String(b)) => {
                self.budget.spend_text(a.len().min(b.len()))?;
                Some(a.encode_utf16().cmp(b.encode_utf16()))
            }
            // Text and null never equal each other, but order as numbers.
            (_, Value::String(_), Value::Null) | (_, Value::Null, Value::String(_)) if equality => None,
            (_, Value::String(_), Value::Null) | (_, Value::Null, Value::String(_)) => {
                self.spend_on(a)?;
                self.spend_on(b)?;
                number::of(a).partial_cmp(&number::of(b))
            }
            _ => self.number(call, a)?.partial_cmp(&self.number(call, b)?),
        };
        Ok(match comparison {
            Comparison::Equal | Comparison::Same => order == Some(Ordering::Equal),
            Comparison::NotEqual | Comparison::NotSame => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        })
    }
}
