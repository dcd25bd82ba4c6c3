//! Evaluation: what each kind of node gives, and the operators that don't evaluate all they are given.

use super::expr::{Call, Node, Reference};
use super::machine::{Fault, Machine, Made};
use super::operators::Op;
use super::value::{object, with};
use super::{EvalError, lookup, truthy, value};
use serde_json::{Map, Value};

/// A context, what iteration it stands in, and the contexts outside.
pub(super) struct Scope<'a, 's> {
    pub(super) context: &'a Value,
    /// The list an iteration goes through, and where in it.
    pub(super) iteration: Option<(&'a [Value], usize)>,
    pub(super) outer: Option<&'s Scope<'a, 's>>,
    pub(super) depth: u32,
}

impl<'a, 's> Scope<'a, 's> {
    pub(super) fn inner(
        &'s self,
        context: &'a Value,
        iteration: Option<(&'a [Value], usize)>,
    ) -> Scope<'a, 's> {
        Scope { context, iteration, outer: Some(self), depth: self.depth + 1 }
    }
}

impl<'a> Machine<'a> {
    /// What a node gives, as a reference.
    pub(super) fn value(&mut self, node: &'a Node, scope: &Scope<'a, '_>) -> Result<&'a Value, Fault> {
        Ok(match self.make(node, scope)? {
            Made::Ref(value) => value,
            Made::Own(value) => self.keep(value),
        })
    }

    /// What a node gives, to become part of another value.
    pub(super) fn own(&mut self, node: &'a Node, scope: &Scope<'a, '_>) -> Result<Value, Fault> {
        match self.make(node, scope)? {
            Made::Own(value) => Ok(value),
            Made::Ref(value) => self.budget.copy(value, 0),
        }
    }

    fn make(&mut self, node: &'a Node, scope: &Scope<'a, '_>) -> Result<Made<'a>, Fault> {
        self.budget.spend(1)?;
        Ok(match node {
            Node::Literal(value) => Made::Ref(value),
            Node::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    list.push(self.own(item, scope)?);
                }
                Made::Own(Value::Array(list))
            }
            Node::Template(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    object.insert(key.clone(), self.own(member, scope)?);
                }
                Made::Own(Value::Object(object))
            }
            Node::Var(reference, default) => {
                // A default is evaluated in any case, as an argument is.
                let default = match default {
                    Some(default) => self.value(default, scope)?,
                    None => self.keep(Value::Null),
                };
                Made::Ref(self.find(reference, scope)?.unwrap_or(default))
            }
            Node::Exists(reference) => Made::Own(Value::Bool(self.find(reference, scope)?.is_some())),
            Node::Missing(names) => {
                let mut missing = Vec::new();
                for (name, path) in names {
                    self.note_missing(name, path.keys(), scope, &mut missing)?;
                }
                Made::Own(Value::Array(missing))
            }
            Node::Call(call) => match call.op {
                Op::If => return self.branch(call, scope),
                Op::And | Op::Or | Op::Coalesce => Made::Ref(self.first_that(call, scope)?),
                Op::Try => Made::Ref(self.attempt(call, scope)?),
                Op::Compare(comparison) => Made::Own(Value::Bool(self.compare(call, comparison, scope)?)),
                Op::Reduce => Made::Ref(self.reduce(call, scope)?),
                Op::Map | Op::Filter | Op::All | Op::None | Op::Some => Made::Own(self.each(call, scope)?),
                _ => {
                    let args = self.arguments(call, scope)?;
                    return self.apply(call, &args, scope);
                }
            },
        })
    }

    /// All arguments. What a single one gives is the list of them, where it is one.
    fn arguments(&mut self, call: &'a Call, scope: &Scope<'a, '_>) -> Result<Vec<&'a Value>, Fault> {
        let mut args = Vec::new();
        for argument in &call.args {
            args.push(self.value(argument, scope)?);
        }
        if let (false, Some(Value::Array(items))) = (call.listed, args.first()) {
            self.budget.spend(items.len())?;
            args = items.iter().collect();
        }
        Ok(args)
    }

    /// The value a reference leads to, if there is one.
    pub(super) fn find(
        &mut self,
        reference: &Reference,
        scope: &Scope<'a, '_>,
    ) -> Result<Option<&'a Value>, Fault> {
        let keys = reference.path.keys();
        self.budget.spend(keys.len())?;
        let mut scope = scope;
        let mut climb = reference.climb;
        while climb > 1 {
            match scope.outer {
                Some(outer) => scope = outer,
                None => return Ok(None),
            }
            climb -= 2;
        }
        if climb == 0 {
            return lookup::follow(scope.context, keys, self);
        }
        let Some((list, index)) = scope.iteration else { return Ok(None) };
        if keys.first().is_some_and(|key| key == "index") {
            let index = self.keep(index.into());
            return lookup::follow(index, keys.get(1..).unwrap_or_default(), self);
        }
        let list = Value::Array(self.budget.copies(list, 1)?);
        let about = with(object("iterator", list), "index", index.into());
        let about = self.keep(about);
        lookup::follow(about, keys, self)
    }

    fn branch(&mut self, call: &'a Call, scope: &Scope<'a, '_>) -> Result<Made<'a>, Fault> {
        if !call.listed {
            return Err(unlisted(call, "a list of conditions and results"));
        }
        let mut args = call.args.as_slice();
        loop {
            match args {
                [condition, result, rest @ ..] => {
                    if truthy(self.value(condition, scope)?) {
                        return self.make(result, scope);
                    }
                    args = rest;
                }
                [otherwise] => return self.make(otherwise, scope),
                [] => return Ok(Made::Own(Value::Null)),
            }
        }
    }

    /// `and`, `or` and `??`: the first value that settles it, else the last.
    fn first_that(&mut self, call: &'a Call, scope: &Scope<'a, '_>) -> Result<&'a Value, Fault> {
        if !call.listed {
            return Err(unlisted(call, "a list of expressions"));
        }
        let nothing = if call.op == Op::Coalesce { Value::Null } else { Value::Bool(false) };
        let mut last = self.keep(nothing);
        for argument in &call.args {
            last = self.value(argument, scope)?;
            let settled = match call.op {
                Op::And => !truthy(last),
                Op::Or => truthy(last),
                _ => !last.is_null(),
            };
            if settled {
                break;
            }
        }
        Ok(last)
    }

    /// The first alternative that ends without an error. After the first, the context is `{ type }`
    /// of the last error.
    fn attempt(&mut self, call: &'a Call, scope: &Scope<'a, '_>) -> Result<&'a Value, Fault> {
        let mut error: Option<Fault> = None;
        for alternative in &call.args {
            let tried = match &error {
                None => self.value(alternative, scope),
                Some(error) => {
                    let context = self.keep(object("type", kind(error)));
                    self.value(alternative, &scope.inner(context, None))
                }
            };
            match tried {
                Err(other) if !other.is_limit() => error = Some(other),
                settled => return settled,
            }
        }
        Err(error.unwrap_or_else(|| unlisted(call, "something to try")))
    }
}

/// The error for an operator that wants other arguments than were written.
pub(super) fn unlisted(call: &Call, expected: &'static str) -> Fault {
    let found = match call.args.first() {
        Some(Node::Literal(value)) if !call.listed => value::describe(value),
        Some(_) if !call.listed => "something else".into(),
        _ => call.args.len().to_string() + " arguments",
    };
    Box::new(EvalError::InvalidArguments { operator: call.name, expected, found })
}

/// The error for an operator given a value it can't work with.
pub(super) fn invalid(call: &Call, expected: &'static str, found: &Value) -> Fault {
    let found = value::describe(found);
    Box::new(EvalError::InvalidArguments { operator: call.name, expected, found })
}

/// What an error is called to whoever catches it.
fn kind(error: &EvalError) -> Value {
    let thrown = error.value();
    for key in ["type", "error", "message"] {
        // JavaScript's own truth here: an empty array is a name.
        if let Some(name) = thrown.get(key).filter(|name| truthy(name) || name.is_array()) {
            return name.clone();
        }
    }
    if thrown.is_array() { "Array" } else { "Object" }.into()
}
