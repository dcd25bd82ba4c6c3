//! Operators that get all their arguments evaluated.

use super::budget::Budget;
use super::evaluate::{Evaluated, Scope, boolean};
use super::expr::{Call, Reference};
use super::operators::Op;
use super::{EvalError, Path, lookup, number, strings, truthy, value};
use serde_json::{Value, json};
use std::borrow::Cow;

type Args<'a> = Vec<Cow<'a, Value>>;

pub(super) fn apply<'a>(
    call: &'a Call,
    mut args: Args<'a>,
    scope: &'a Scope<'a>,
    budget: &mut Budget,
) -> Evaluated<'a> {
    let first = |args: Args<'a>| args.into_iter().next().unwrap_or(Cow::Owned(Value::Null));
    Ok(match call.op {
        Op::Var => {
            let reference = named(
                args.first().map_or(&Value::Null, |name| name),
                scope,
                budget,
            )?;
            let default = if args.len() > 1 {
                args.swap_remove(1)
            } else {
                Cow::Owned(Value::Null)
            };
            scope.find(&reference, budget)?.unwrap_or(default)
        }
        Op::Val => scope
            .find(&keyed(&args, budget)?, budget)?
            .unwrap_or(Cow::Owned(Value::Null)),
        Op::Exists => boolean(scope.find(&keyed(&args, budget)?, budget)?.is_some()),
        Op::Missing => Cow::Owned(missing(&args, scope, budget)?.into()),
        Op::MissingSome => Cow::Owned(missing_some(call, &args, scope, budget)?),
        Op::Throw => return Err(thrown(budget.own(first(args))?)),
        Op::Not => boolean(!truthy(&first(args))),
        Op::Truthy => boolean(truthy(&first(args))),
        Op::Cat => Cow::Owned(strings::cat(&args, budget)?.into()),
        Op::Substr => Cow::Owned(strings::substr(&args, budget)?.into()),
        Op::In => boolean(within(call, &args, budget)?),
        Op::Merge => Cow::Owned(merge(args, budget)?.into()),
        Op::Max | Op::Min => Cow::Owned(extreme(call, &args)?),
        Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder => {
            Cow::Owned(arithmetic(call, &args, budget)?)
        }
        // `log`, and those that are evaluated elsewhere.
        _ => first(args),
    })
}

/// Where a computed `var` points.
fn named(name: &Value, scope: &Scope<'_>, budget: &mut Budget) -> Result<Reference, EvalError> {
    if let Some(reference) = lookup::var_reference(name, scope.depth) {
        return Ok(reference);
    }
    let name = Value::String(strings::text(name, budget)?.into_owned());
    let whole = Reference {
        climb: 0,
        path: Path(Vec::new()),
    };
    Ok(lookup::var_reference(&name, scope.depth).unwrap_or(whole))
}

/// Where a computed `val` or `exists` points.
fn keyed(args: &[Cow<'_, Value>], budget: &mut Budget) -> Result<Reference, EvalError> {
    let climb = args.first().and_then(|first| lookup::climb(first));
    let mut path = Vec::with_capacity(args.len());
    for key in args.iter().skip(usize::from(climb.is_some())) {
        path.push(strings::text(key, budget)?.into_owned());
    }
    Ok(Reference {
        climb: climb.unwrap_or(0),
        path: Path(path),
    })
}

fn missing(
    names: &[Cow<'_, Value>],
    scope: &Scope<'_>,
    budget: &mut Budget,
) -> Result<Vec<Value>, EvalError> {
    if let Some(Value::Array(inner)) = names.first().map(|first| &**first) {
        budget.spend(inner.len())?;
        return absent(inner.iter(), scope, budget);
    }
    absent(names.iter().map(|name| &**name), scope, budget)
}

fn absent<'n>(
    names: impl Iterator<Item = &'n Value>,
    scope: &Scope<'_>,
    budget: &mut Budget,
) -> Result<Vec<Value>, EvalError> {
    let mut absent = Vec::new();
    for name in names {
        let keys = lookup::split(&strings::text(name, budget)?);
        budget.spend(1 + keys.len())?;
        if lookup::follow(scope.context, &keys).is_none() {
            absent.push(budget.copy(name, 0)?);
        }
    }
    Ok(absent)
}

fn missing_some(
    call: &Call,
    args: &[Cow<'_, Value>],
    scope: &Scope<'_>,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let (needed, names) = match args {
        [needed, names, ..] => (number::of(needed), &**names),
        _ => (f64::NAN, &Value::Null),
    };
    let Value::Array(names) = names else {
        return Err(invalid(
            call,
            "how many are needed and a list of names",
            names,
        ));
    };
    let absent = absent(names.iter(), scope, budget)?;
    let enough = (names.len() - absent.len()) as f64 >= needed;
    Ok(if enough { json!([]) } else { absent.into() })
}

fn thrown(value: Value) -> EvalError {
    EvalError::Thrown(match value {
        Value::Null | Value::Array(_) | Value::Object(_) => value,
        plain => json!({ "type": plain }),
    })
}

fn invalid(call: &Call, expected: &'static str, found: &Value) -> EvalError {
    EvalError::InvalidArguments {
        operator: call.name,
        expected,
        found: value::describe(found),
    }
}

fn within(call: &Call, args: &[Cow<'_, Value>], budget: &mut Budget) -> Result<bool, EvalError> {
    let [item, all, ..] = args else {
        return Ok(false);
    };
    match &**all {
        Value::String(text) if !text.is_empty() => {
            let item = strings::text(item, budget)?;
            budget.spend_text(text.len())?;
            Ok(text.contains(&*item))
        }
        Value::Array(items) => {
            for candidate in items {
                if value::same(item, candidate, budget, 0)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        nothing if !truthy(nothing) => Ok(false),
        other => Err(invalid(call, "an array or a text to look in", other)),
    }
}

fn merge(args: Args<'_>, budget: &mut Budget) -> Result<Vec<Value>, EvalError> {
    let mut merged = Vec::new();
    for value in args {
        match value {
            Cow::Owned(Value::Array(mut items)) => {
                budget.spend(items.len())?;
                merged.append(&mut items);
            }
            Cow::Borrowed(Value::Array(items)) => {
                for item in items {
                    merged.push(budget.copy(item, 0)?);
                }
            }
            other => merged.push(budget.own(other)?),
        }
    }
    Ok(merged)
}

fn extreme(call: &Call, args: &[Cow<'_, Value>]) -> Result<Value, EvalError> {
    let expected = "one number or more";
    let mut best: Option<f64> = None;
    for value in args {
        let Value::Number(candidate) = &**value else {
            return Err(invalid(call, expected, value));
        };
        let candidate = number::float(candidate);
        let better = |best| {
            if call.op == Op::Max {
                candidate > best
            } else {
                candidate < best
            }
        };
        if best.is_none_or(better) {
            best = Some(candidate);
        }
    }
    best.and_then(number::value)
        .ok_or_else(|| invalid(call, expected, &Value::Null))
}

/// A value as a number: text that reads as one is, arrays and objects are not.
pub(super) fn operand(
    operator: &'static str,
    value: &Value,
    budget: &mut Budget,
) -> Result<f64, EvalError> {
    if let Value::String(text) = value {
        budget.spend_text(text.len())?;
    }
    let number = number::of(value);
    if number.is_nan() {
        return Err(EvalError::NotANumber {
            operator,
            found: value::describe(value),
        });
    }
    Ok(number)
}

fn arithmetic(
    call: &Call,
    args: &[Cow<'_, Value>],
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let expected = match (call.op, args.len()) {
        (Op::Subtract | Op::Divide, 0) => "one number or more",
        (Op::Remainder, 0 | 1) => "two numbers or more",
        _ => "",
    };
    if !expected.is_empty() {
        let found = format!("{} arguments", args.len());
        return Err(EvalError::InvalidArguments {
            operator: call.name,
            expected,
            found,
        });
    }
    // What a single argument is combined with: 0 - x, 1 / x.
    let mut result = match call.op {
        Op::Multiply | Op::Divide => 1.0,
        _ => 0.0,
    };
    for (index, argument) in args.iter().enumerate() {
        let number = operand(call.name, argument, budget)?;
        result = match call.op {
            Op::Add => result + number,
            Op::Multiply => result * number,
            _ if index == 0 && args.len() > 1 => number,
            Op::Subtract => result - number,
            Op::Divide if number == 0.0 => {
                return Err(EvalError::NotANumber {
                    operator: call.name,
                    found: "0 to divide by".into(),
                });
            }
            Op::Divide => result / number,
            _ => result % number,
        };
    }
    number::value(result).ok_or_else(|| EvalError::NotANumber {
        operator: call.name,
        found: "some whose result is none".into(),
    })
}
