//! Evaluation: one function per kind of node, and the operators that don't evaluate all they are given.

use super::budget::Budget;
use super::expr::{Call, Node, Reference};
use super::operators::{Comparison, Op};
use super::{EvalError, eager, iterate, lookup, number, truthy, value};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A context, what iteration it stands in, and the contexts outside.
pub(super) struct Scope<'a> {
    pub(super) context: &'a Value,
    /// The list an iteration goes through, and where in it.
    iteration: Option<(&'a [Value], usize)>,
    outer: Option<&'a Scope<'a>>,
    pub(super) depth: u32,
}

pub(super) type Evaluated<'a> = Result<Cow<'a, Value>, EvalError>;

impl<'a> Scope<'a> {
    pub(super) fn outermost(context: &'a Value) -> Self {
        Scope {
            context,
            iteration: None,
            outer: None,
            depth: 0,
        }
    }

    pub(super) fn inner(
        &'a self,
        context: &'a Value,
        iteration: Option<(&'a [Value], usize)>,
    ) -> Self {
        Scope {
            context,
            iteration,
            outer: Some(self),
            depth: self.depth + 1,
        }
    }

    /// The value a reference leads to, if there is one.
    pub(super) fn find(
        &'a self,
        reference: &Reference,
        budget: &mut Budget,
    ) -> Result<Option<Cow<'a, Value>>, EvalError> {
        budget.spend(reference.path.keys().len())?;
        let mut scope = self;
        let mut climb = reference.climb;
        while climb > 1 {
            match scope.outer {
                Some(outer) => scope = outer,
                None => return Ok(None),
            }
            climb -= 2;
        }
        if climb == 0 {
            return Ok(lookup::follow(scope.context, reference.path.keys()));
        }
        let Some((list, index)) = scope.iteration else {
            return Ok(None);
        };
        let (first, rest) = match reference.path.keys() {
            [first, rest @ ..] => (first.as_str(), rest),
            [] => {
                let list = list
                    .iter()
                    .map(|item| budget.copy(item, 0))
                    .collect::<Result<_, _>>()?;
                return Ok(Some(Cow::Owned(
                    json!({ "iterator": Value::Array(list), "index": index }),
                )));
            }
        };
        let found = match first {
            "index" => Value::from(index),
            "iterator" => Value::Array(
                list.iter()
                    .map(|item| budget.copy(item, 0))
                    .collect::<Result<_, _>>()?,
            ),
            _ => return Ok(None),
        };
        Ok(lookup::follow(&found, rest).map(|found| Cow::Owned(found.into_owned())))
    }
}

pub(super) fn node<'a>(node: &'a Node, scope: &'a Scope<'a>, budget: &mut Budget) -> Evaluated<'a> {
    budget.spend(1)?;
    match node {
        Node::Literal(value) => Ok(Cow::Borrowed(value)),
        Node::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(owned(item, scope, budget)?);
            }
            Ok(Cow::Owned(Value::Array(list)))
        }
        Node::Template(members) => {
            let mut object = Map::new();
            for (key, member) in members {
                object.insert(key.clone(), owned(member, scope, budget)?);
            }
            Ok(Cow::Owned(Value::Object(object)))
        }
        Node::Var(reference, default) => {
            // A default is evaluated in any case, as an argument is.
            let default = match default {
                Some(default) => self::node(default, scope, budget)?,
                None => Cow::Owned(Value::Null),
            };
            Ok(scope.find(reference, budget)?.unwrap_or(default))
        }
        Node::Exists(reference) => Ok(boolean(scope.find(reference, budget)?.is_some())),
        Node::Missing(names) => {
            let mut missing = Vec::new();
            for (name, path) in names {
                budget.spend(1 + path.keys().len())?;
                if lookup::follow(scope.context, path.keys()).is_none() {
                    missing.push(budget.copy(name, 0)?);
                }
            }
            Ok(Cow::Owned(Value::Array(missing)))
        }
        Node::Call(call) => match call.op {
            Op::If => branch(call, scope, budget),
            Op::And | Op::Or | Op::Coalesce => first_that(call, scope, budget),
            Op::Try => attempt(call, scope, budget),
            Op::Compare(comparison) => compare(call, comparison, scope, budget),
            Op::Reduce => iterate::reduce(call, scope, budget),
            Op::Map | Op::Filter | Op::All | Op::None | Op::Some => {
                iterate::each(call, scope, budget)
            }
            _ => {
                let args = arguments(call, scope, budget)?;
                eager::apply(call, args, scope, budget)
            }
        },
    }
}

pub(super) fn owned<'a>(
    node: &'a Node,
    scope: &'a Scope<'a>,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let value = self::node(node, scope, budget)?;
    budget.own(value)
}

pub(super) fn boolean<'a>(value: bool) -> Cow<'a, Value> {
    Cow::Owned(Value::Bool(value))
}

/// All arguments, evaluated. What a single one gives is the list of them, where it is one.
fn arguments<'a>(
    call: &'a Call,
    scope: &'a Scope<'a>,
    budget: &mut Budget,
) -> Result<Vec<Cow<'a, Value>>, EvalError> {
    let mut args = Vec::with_capacity(call.args.len());
    for argument in &call.args {
        args.push(node(argument, scope, budget)?);
    }
    if call.listed {
        return Ok(args);
    }
    if let Some(Value::Array(items)) = args.first().map(|only| &**only) {
        budget.spend(items.len())?;
    }
    Ok(match args.pop() {
        Some(Cow::Borrowed(Value::Array(items))) => items.iter().map(Cow::Borrowed).collect(),
        Some(Cow::Owned(Value::Array(items))) => items.into_iter().map(Cow::Owned).collect(),
        only => only.into_iter().collect(),
    })
}

/// The error for an operator that wants its arguments written as an array.
pub(super) fn unlisted(call: &Call, expected: &'static str) -> EvalError {
    EvalError::InvalidArguments {
        operator: call.name,
        expected,
        found: match call.args.first() {
            _ if call.listed => format!("{} arguments", call.args.len()),
            Some(Node::Literal(value)) => value::describe(value),
            _ => "something else".into(),
        },
    }
}

fn branch<'a>(call: &'a Call, scope: &'a Scope<'a>, budget: &mut Budget) -> Evaluated<'a> {
    if !call.listed {
        return Err(unlisted(call, "a list of conditions and results"));
    }
    let mut args = call.args.as_slice();
    loop {
        match args {
            [condition, result, rest @ ..] => {
                if truthy(&*node(condition, scope, budget)?) {
                    return node(result, scope, budget);
                }
                args = rest;
            }
            [otherwise] => return node(otherwise, scope, budget),
            [] => return Ok(Cow::Owned(Value::Null)),
        }
    }
}

/// `and`, `or` and `??`: the first value that settles it, else the last.
fn first_that<'a>(call: &'a Call, scope: &'a Scope<'a>, budget: &mut Budget) -> Evaluated<'a> {
    if !call.listed {
        return Err(unlisted(call, "a list of expressions"));
    }
    let mut last = Cow::Owned(if call.op == Op::Coalesce {
        Value::Null
    } else {
        Value::Bool(false)
    });
    for argument in &call.args {
        last = node(argument, scope, budget)?;
        let settled = match call.op {
            Op::And => !truthy(&last),
            Op::Or => truthy(&last),
            _ => !last.is_null(),
        };
        if settled {
            break;
        }
    }
    Ok(last)
}

/// The first alternative that ends without an error. After the first, the context is
/// `{ type }` of the last error.
fn attempt<'a>(call: &'a Call, scope: &'a Scope<'a>, budget: &mut Budget) -> Evaluated<'a> {
    let Some((first, others)) = call.args.split_first() else {
        return Err(unlisted(call, "something to try"));
    };
    let mut error = match node(first, scope, budget) {
        Err(error) if !error.is_limit() => error,
        settled => return settled,
    };
    for other in others {
        let context = json!({ "type": kind(&error) });
        let inner = scope.inner(&context, None);
        error = match owned(other, &inner, budget) {
            Err(error) if !error.is_limit() => error,
            settled => return settled.map(Cow::Owned),
        };
    }
    Err(error)
}

/// What an error is called to whoever catches it.
fn kind(error: &EvalError) -> Value {
    let thrown = error.value();
    let named = ["type", "error", "message"]
        .iter()
        .filter_map(|key| thrown.get(key));
    // JavaScript's own truth here: an empty array is a name.
    let mut named = named.filter(|name| truthy(name) || name.is_array());
    match (named.next(), &thrown) {
        (Some(name), _) => name.clone(),
        (None, Value::Null) => Value::Null,
        (None, Value::Array(_)) => "Array".into(),
        (None, _) => "Object".into(),
    }
}

/// Each neighbouring pair, up to the first that does not hold.
fn compare<'a>(
    call: &'a Call,
    comparison: Comparison,
    scope: &'a Scope<'a>,
    budget: &mut Budget,
) -> Evaluated<'a> {
    let (first, others) = match call.args.as_slice() {
        [first, others @ ..] if call.listed && !others.is_empty() => (first, others),
        _ => return Err(unlisted(call, "a list of two values or more to compare")),
    };
    let mut previous = node(first, scope, budget)?;
    for other in others {
        let current = node(other, scope, budget)?;
        if !holds(call.name, comparison, &previous, &current, budget)? {
            return Ok(boolean(false));
        }
        previous = current;
    }
    Ok(boolean(true))
}

fn holds(
    operator: &'static str,
    comparison: Comparison,
    a: &Value,
    b: &Value,
    budget: &mut Budget,
) -> Result<bool, EvalError> {
    let order = match (comparison, a, b) {
        (Comparison::Same, ..) => return value::same(a, b, budget, 0),
        (Comparison::NotSame, ..) => return Ok(!value::same(a, b, budget, 0)?),
        (_, Value::String(a), Value::String(b)) => {
            budget.spend_text(a.len().min(b.len()))?;
            Some(a.encode_utf16().cmp(b.encode_utf16()))
        }
        // Text and null never equal each other, but order as numbers.
        (Comparison::Equal | Comparison::NotEqual, Value::String(_), Value::Null)
        | (Comparison::Equal | Comparison::NotEqual, Value::Null, Value::String(_)) => None,
        (_, Value::String(text), Value::Null) => number::parse(text).partial_cmp(&0.0),
        (_, Value::Null, Value::String(text)) => 0.0.partial_cmp(&number::parse(text)),
        _ => {
            eager::operand(operator, a, budget)?.partial_cmp(&eager::operand(operator, b, budget)?)
        }
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
