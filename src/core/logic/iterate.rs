//! Operators that evaluate an expression for each item of a list.

use super::budget::Budget;
use super::evaluate::{self, Evaluated, Scope, boolean};
use super::expr::{Call, Node};
use super::operators::Op;
use super::{EvalError, truthy, value};
use serde_json::{Map, Value};
use std::borrow::Cow;

const EXPECTED: &str = "a list and an expression for its items";

/// `map`, `filter`, `all`, `none` and `some`.
pub(super) fn each<'a>(call: &'a Call, scope: &'a Scope<'a>, budget: &mut Budget) -> Evaluated<'a> {
    let (source, body) = parts(call)?;
    let builds = matches!(call.op, Op::Map | Op::Filter);
    let body = match body {
        None | Some(Node::Literal(Value::Null)) if builds => return Err(wrong(call, &Value::Null)),
        None => &Node::Literal(Value::Null),
        Some(body) => body,
    };
    let source = evaluate::node(source, scope, budget)?;
    let items = list(call, &source, builds)?;
    let mut results = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let inner = scope.inner(item, Some((items, index)));
        let result = evaluate::node(body, &inner, budget)?;
        if call.op == Op::Map {
            results.push(budget.own(result)?);
            continue;
        }
        match (call.op, truthy(&result)) {
            (Op::Filter, true) => results.push(budget.copy(item, 0)?),
            (Op::All, false) | (Op::None, true) => return Ok(boolean(false)),
            (Op::Some, true) => return Ok(boolean(true)),
            _ => {}
        }
    }
    Ok(match call.op {
        Op::All => boolean(!items.is_empty()),
        Op::None => boolean(true),
        Op::Some => boolean(false),
        _ => Cow::Owned(Value::Array(results)),
    })
}

/// `reduce`: its context is `{ accumulator, current }`.
pub(super) fn reduce<'a>(
    call: &'a Call,
    scope: &'a Scope<'a>,
    budget: &mut Budget,
) -> Evaluated<'a> {
    let (source, Some(body)) = parts(call)? else {
        return Err(wrong(call, &Value::Null));
    };
    let mut accumulator = match call.args.get(2) {
        Some(start) => Some(evaluate::owned(start, scope, budget)?),
        None => None,
    };
    let source = evaluate::node(source, scope, budget)?;
    let items = list(call, &source, true)?;
    for (index, item) in items.iter().enumerate() {
        let current = budget.copy(item, 0)?;
        accumulator = Some(match accumulator {
            None => current,
            Some(accumulator) => {
                let mut context = Map::new();
                context.insert("accumulator".into(), accumulator);
                context.insert("current".into(), current);
                let context = Value::Object(context);
                evaluate::owned(body, &scope.inner(&context, Some((items, index))), budget)?
            }
        });
    }
    accumulator
        .map(Cow::Owned)
        .ok_or_else(|| EvalError::InvalidArguments {
            operator: call.name,
            expected: "a start, or a list of one item or more",
            found: "neither".into(),
        })
}

/// The list's expression, which may not be a literal null, and the items'.
fn parts(call: &Call) -> Result<(&Node, Option<&Node>), EvalError> {
    match call.args.as_slice() {
        _ if !call.listed => Err(evaluate::unlisted(call, EXPECTED)),
        [] | [Node::Literal(Value::Null), ..] => Err(wrong(call, &Value::Null)),
        [source, rest @ ..] => Ok((source, rest.first())),
    }
}

/// The items. Where a list is made, nothing gives an empty one.
fn list<'v>(call: &Call, source: &'v Value, lenient: bool) -> Result<&'v [Value], EvalError> {
    match source {
        Value::Array(items) => Ok(items),
        nothing if lenient && !truthy(nothing) => Ok(&[]),
        other => Err(wrong(call, other)),
    }
}

fn wrong(call: &Call, found: &Value) -> EvalError {
    EvalError::InvalidArguments {
        operator: call.name,
        expected: EXPECTED,
        found: value::describe(found),
    }
}
