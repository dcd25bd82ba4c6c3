//! Operators that evaluate an expression for each item of a list.

use super::evaluate::{Scope, invalid, unlisted};
use super::expr::{Call, Node};
use super::machine::{Fault, Machine};
use super::operators::Op;
use super::truthy;
use super::value::{object, with};
use serde_json::Value;

const EXPECTED: &str = "a list and an expression for its items";

impl<'a> Machine<'a> {
    /// `map`, `filter`, `all`, `none` and `some`.
    pub(super) fn each(&mut self, call: &'a Call, scope: &Scope<'a, '_>) -> Result<Value, Fault> {
        let builds = matches!(call.op, Op::Map | Op::Filter);
        let items = self.items(call, scope, builds)?;
        static NOTHING: Node = Node::Literal(Value::Null);
        let body = call.args.get(1).unwrap_or(&NOTHING);
        if builds && matches!(body, Node::Literal(Value::Null)) {
            return Err(invalid(call, EXPECTED, &Value::Null));
        }
        let mut results = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let inner = scope.inner(item, Some((items, index)));
            if call.op == Op::Map {
                results.push(self.own(body, &inner)?);
                continue;
            }
            match (call.op, truthy(self.value(body, &inner)?)) {
                (Op::Filter, true) => results.push(self.budget.copy(item, 0)?),
                (Op::All, false) | (Op::None, true) => return Ok(Value::Bool(false)),
                (Op::Some, true) => return Ok(Value::Bool(true)),
                _ => {}
            }
        }
        Ok(match call.op {
            Op::All => Value::Bool(!items.is_empty()),
            Op::None => Value::Bool(true),
            Op::Some => Value::Bool(false),
            _ => Value::Array(results),
        })
    }

    /// `reduce`: its context is `{ accumulator, current }`.
    pub(super) fn reduce(&mut self, call: &'a Call, scope: &Scope<'a, '_>) -> Result<&'a Value, Fault> {
        let mut accumulator = match call.args.get(2) {
            Some(start) => Some(self.own(start, scope)?),
            None => None,
        };
        let items = self.items(call, scope, true)?;
        let Some(body) = call.args.get(1) else { return Err(invalid(call, EXPECTED, &Value::Null)) };
        for (index, item) in items.iter().enumerate() {
            let current = self.budget.copy(item, 0)?;
            accumulator = Some(match accumulator {
                None => current,
                Some(accumulator) => {
                    let context = with(object("accumulator", accumulator), "current", current);
                    let context = self.keep(context);
                    self.own(body, &scope.inner(context, Some((items, index))))?
                }
            });
        }
        match accumulator {
            Some(accumulator) => Ok(self.keep(accumulator)),
            None => Err(invalid(call, "a start, or a list of one item or more", &Value::Null)),
        }
    }

    /// The list to go through. Where another is made of it, nothing counts as an empty one, but not
    /// a null written there.
    fn items(&mut self, call: &'a Call, scope: &Scope<'a, '_>, lenient: bool) -> Result<&'a [Value], Fault> {
        let source = match call.args.first() {
            Some(source) if call.listed => source,
            _ => return Err(unlisted(call, EXPECTED)),
        };
        match self.value(source, scope)? {
            Value::Array(items) => Ok(items),
            nothing if lenient && !truthy(nothing) && !matches!(source, Node::Literal(Value::Null)) => {
                Ok(&[])
            }
            other => Err(invalid(call, EXPECTED, other)),
        }
    }
}
