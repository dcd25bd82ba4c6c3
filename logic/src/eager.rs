//! Operators that get all their arguments evaluated.

use super::evaluate::{Scope, invalid, unlisted};
use super::expr::{Call, Reference};
use super::machine::{Fault, Machine, Made};
use super::operators::Op;
use super::value::object;
use super::{EvalError, Path, lookup, number, strings, truthy, value};
use serde_json::Value;

impl<'a> Machine<'a> {
    pub(super) fn apply(
        &mut self,
        call: &Call,
        args: &[&'a Value],
        scope: &Scope<'a, '_>,
    ) -> Result<Made<'a>, Fault> {
        let null = self.keep(Value::Null);
        let first = args.first().copied().unwrap_or(null);
        let second = args.get(1).copied().unwrap_or(null);
        Ok(Made::Own(match call.op {
            Op::Var => {
                let reference = self.named(first, scope)?;
                return Ok(Made::Ref(self.find(&reference, scope)?.unwrap_or(second)));
            }
            Op::Val | Op::Exists => {
                let reference = self.keyed(args)?;
                let found = self.find(&reference, scope)?;
                match call.op {
                    Op::Val => return Ok(Made::Ref(found.unwrap_or(null))),
                    _ => Value::Bool(found.is_some()),
                }
            }
            Op::Missing => Value::Array(match first {
                Value::Array(names) => self.missing(&names.iter().collect::<Vec<_>>(), scope)?,
                _ => self.missing(args, scope)?,
            }),
            Op::MissingSome => {
                let Value::Array(names) = second else {
                    return Err(invalid(call, "how many are needed and a list of names", second));
                };
                let missing = self.missing(&names.iter().collect::<Vec<_>>(), scope)?;
                let found = (names.len() - missing.len()) as f64;
                let enough = found >= strings::number(first, &mut self.budget)?;
                Value::Array(if enough { Vec::new() } else { missing })
            }
            Op::Throw => {
                let thrown = self.budget.copy(first, 0)?;
                let complete = thrown.is_object() || thrown.is_array();
                let thrown = if complete { thrown } else { object("type", thrown) };
                return Err(Box::new(EvalError::Thrown(thrown)));
            }
            Op::Not => Value::Bool(!truthy(first)),
            Op::Truthy => Value::Bool(truthy(first)),
            Op::Cat => Value::String(strings::cat(args, &mut self.budget)?),
            Op::Substr => Value::String(strings::substr(args, &mut self.budget)?),
            Op::In => Value::Bool(self.within(call, first, second)?),
            Op::Merge => {
                let mut merged = Vec::new();
                for value in args {
                    let items = match value {
                        Value::Array(items) => items.as_slice(),
                        other => std::slice::from_ref(*other),
                    };
                    merged.append(&mut self.budget.copies(items, 0)?);
                }
                Value::Array(merged)
            }
            Op::Max | Op::Min | Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder => {
                let result = self.arithmetic(call, args)?;
                number::value(result).ok_or_else(|| not_a_number(call, "some whose result is none".into()))?
            }
            // `log`, and those that are evaluated elsewhere.
            _ => return Ok(Made::Ref(first)),
        }))
    }

    /// Where a computed `var` points.
    fn named(&mut self, name: &Value, scope: &Scope<'a, '_>) -> Result<Reference, Fault> {
        self.spend_on(name)?;
        if let Some(reference) = lookup::var_reference(name, scope.depth) {
            return Ok(reference);
        }
        let name = Value::String(strings::text(name, &mut self.budget)?.into_owned());
        let whole = Reference { climb: 0, path: Path(Vec::new()) };
        Ok(lookup::var_reference(&name, scope.depth).unwrap_or(whole))
    }

    /// Where a computed `val` or `exists` points.
    fn keyed(&mut self, args: &[&Value]) -> Result<Reference, Fault> {
        let first = args.first();
        if let Some(levels) = first.and_then(|first| lookup::levels(first)) {
            self.spend_on(levels)?;
        }
        let climb = first.and_then(|first| lookup::climb(first));
        let mut path = Vec::new();
        for key in args.iter().skip(usize::from(climb.is_some())) {
            path.push(strings::text(key, &mut self.budget)?.into_owned());
        }
        Ok(Reference { climb: climb.unwrap_or(0), path: Path(path) })
    }

    fn missing(&mut self, names: &[&Value], scope: &Scope<'a, '_>) -> Result<Vec<Value>, Fault> {
        let mut missing = Vec::new();
        for name in names {
            let keys = lookup::split(&strings::text(name, &mut self.budget)?);
            self.note_missing(name, &keys, scope, &mut missing)?;
        }
        Ok(missing)
    }

    pub(super) fn note_missing(
        &mut self,
        name: &Value,
        keys: &[String],
        scope: &Scope<'a, '_>,
        missing: &mut Vec<Value>,
    ) -> Result<(), Fault> {
        self.budget.spend(1 + keys.len())?;
        if lookup::follow(scope.context, keys, self)?.is_none() {
            missing.push(self.budget.copy(name, 0)?);
        }
        Ok(())
    }

    fn within(&mut self, call: &Call, item: &Value, all: &Value) -> Result<bool, Fault> {
        match all {
            Value::String(text) if !text.is_empty() => {
                let item = strings::text(item, &mut self.budget)?;
                strings::contains(text, &item, &mut self.budget)
            }
            Value::Array(items) => {
                for candidate in items {
                    if value::same(item, candidate, &mut self.budget, 0)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            nothing if !truthy(nothing) => Ok(false),
            other => Err(invalid(call, "an array or a text to look in", other)),
        }
    }

    fn arithmetic(&mut self, call: &Call, args: &[&Value]) -> Result<f64, Fault> {
        let (least, expected) = match call.op {
            Op::Add | Op::Multiply => (0, ""),
            Op::Remainder => (2, "two numbers or more"),
            _ => (1, "one number or more"),
        };
        // `max` and `min` take nothing for a number but numbers.
        let selects = matches!(call.op, Op::Max | Op::Min);
        if let Some(first) = args.first()
            && !selects
            && (first.is_array() || first.is_object())
        {
            return Err(not_a_number(call, value::describe(first)));
        }
        if args.len() < least {
            return Err(unlisted(call, expected));
        }
        // What a single argument is combined with: 0 - x, 1 / x.
        let mut result = match call.op {
            Op::Multiply | Op::Divide => 1.0,
            _ => 0.0,
        };
        for (index, argument) in args.iter().enumerate() {
            if selects && !argument.is_number() {
                return Err(invalid(call, expected, argument));
            }
            let number = self.number(call, argument)?;
            let starts = index == 0 && (args.len() > 1 || selects);
            result = match call.op {
                Op::Add => result + number,
                Op::Multiply => result * number,
                _ if starts => number,
                Op::Max => result.max(number),
                Op::Min => result.min(number),
                Op::Subtract => result - number,
                Op::Divide if number == 0.0 => {
                    return Err(not_a_number(call, "0 to divide by".into()));
                }
                Op::Divide => result / number,
                _ => number::remainder(result, number),
            };
        }
        Ok(result)
    }

    /// What it takes to read a text; nothing else is looked through.
    pub(super) fn spend_on(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::String(text) => self.budget.spend_text(text.len()),
            _ => Ok(()),
        }
    }

    /// A value as a number: text that reads as one is, arrays and objects are not.
    pub(super) fn number(&mut self, call: &Call, value: &Value) -> Result<f64, Fault> {
        self.spend_on(value)?;
        let number = number::of(value);
        if number.is_nan() {
            return Err(not_a_number(call, value::describe(value)));
        }
        Ok(number)
    }
}

fn not_a_number(call: &Call, found: String) -> Fault {
    Box::new(EvalError::NotANumber { operator: call.name, found })
}
