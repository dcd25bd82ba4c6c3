//! From JSON to a tree that needs no further checking.

use super::expr::{Call, Node, Reference};
use super::machine::Budget;
use super::operators::{self, Op};
use super::{
    CompileError, EvalError, MAX_DEPTH, MAX_LENGTH, MAX_VALUE_DEPTH, Path, lookup, nearest, strings, value,
};
use serde_json::{Map, Value};

pub(super) struct Compiler<'v> {
    templates: bool,
    length: Budget,
    path: Vec<Step<'v>>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
}

/// How far in an expression stands.
#[derive(Clone, Copy)]
struct Level {
    depth: u32,
    /// The iterations and `try`s around it.
    scopes: u32,
}

/// What is wrong; where, the path tells.
enum Problem<'v> {
    TooDeep,
    TooLong,
    ValueTooDeep,
    Reserved,
    Unknown(&'v str),
    Several(&'v Map<String, Value>),
}

type Compiled<'v> = Result<Node, Problem<'v>>;

impl<'v> Compiler<'v> {
    pub(super) fn new(templates: bool) -> Self {
        Compiler { templates, length: Budget::new(MAX_LENGTH), path: Vec::new() }
    }

    pub(super) fn root(mut self, value: &'v Value) -> Result<Node, CompileError> {
        match self.node(value, Level { depth: 0, scopes: 0 }) {
            Ok(node) => Ok(node),
            Err(problem) => Err(CompileError { path: self.place(), message: sentence(problem) }),
        }
    }

    fn node(&mut self, value: &'v Value, level: Level) -> Compiled<'v> {
        match value {
            Value::Array(items) => {
                self.count(1)?;
                let items = self.list(items, self.inside(level)?, |_| false)?;
                Ok(fold(items))
            }
            Value::Object(members) if members.is_empty() => self.literal(value),
            Value::Object(members) => {
                self.count(1)?;
                let level = self.inside(level)?;
                let mut keys = members.iter();
                if let (Some((key, argument)), None) = (keys.next(), keys.next()) {
                    if let Some((name, op)) = operators::find(key) {
                        self.path.push(Step::Key(key));
                        let compiled = self.operation(name, op, argument, level);
                        return self.leave(compiled);
                    }
                    if !self.templates {
                        return Err(Problem::Unknown(key));
                    }
                } else if !self.templates {
                    return Err(Problem::Several(members));
                }
                self.template(members, level)
            }
            _ => self.literal(value),
        }
    }

    fn literal(&mut self, value: &Value) -> Compiled<'v> {
        match self.length.copy(value, 0) {
            Ok(copy) => Ok(Node::Literal(copy)),
            Err(fault) if matches!(*fault, EvalError::TooDeep { .. }) => Err(Problem::ValueTooDeep),
            Err(_) => Err(Problem::TooLong),
        }
    }

    fn list(
        &mut self,
        items: &'v [Value],
        level: Level,
        scoped: impl Fn(usize) -> bool,
    ) -> Result<Vec<Node>, Problem<'v>> {
        let mut nodes = Vec::with_capacity(items.len().min(1024));
        for (index, item) in items.iter().enumerate() {
            self.path.push(Step::Index(index));
            let scopes = level.scopes + u32::from(scoped(index));
            let node = self.node(item, Level { scopes, ..level });
            nodes.push(self.leave(node)?);
        }
        Ok(nodes)
    }

    fn template(&mut self, members: &'v Map<String, Value>, level: Level) -> Compiled<'v> {
        let mut nodes = Vec::with_capacity(members.len().min(1024));
        for (key, member) in members {
            self.path.push(Step::Key(key));
            self.count(key.len() / 64)?;
            if key == "__proto__" {
                return Err(Problem::Reserved);
            }
            let node = self.node(member, level);
            nodes.push((key.clone(), self.leave(node)?));
        }
        if !nodes.iter().all(|(_, node)| matches!(node, Node::Literal(_))) {
            return Ok(Node::Template(nodes));
        }
        let mut object = Map::new();
        for (key, node) in nodes {
            if let Node::Literal(value) = node {
                object.insert(key, value);
            }
        }
        Ok(Node::Literal(Value::Object(object)))
    }

    fn operation(&mut self, name: &'static str, op: Op, argument: &'v Value, level: Level) -> Compiled<'v> {
        if op == Op::Preserve {
            return self.literal(argument);
        }
        let listed = argument.is_array();
        let args = match argument {
            Value::Array(items) => self.list(items, level, |index| op.scoped(index))?,
            other => vec![self.node(other, level)?],
        };
        let call = Call { op, name, args, listed };
        let known = match op {
            Op::Var => match known_var(&call.args, listed, level.scopes) {
                Some(reference) => {
                    let default = call.args.into_iter().nth(1);
                    let default = default.filter(|node| !matches!(node, Node::Literal(Value::Null)));
                    return Ok(Node::Var(reference, default.map(Box::new)));
                }
                None => None,
            },
            Op::Val => known_val(&call).map(|reference| Node::Var(reference, None)),
            Op::Exists => known_val(&call).map(Node::Exists),
            Op::Missing => known_names(&call).map(Node::Missing),
            _ => None,
        };
        Ok(known.unwrap_or(Node::Call(call)))
    }

    fn inside(&self, level: Level) -> Result<Level, Problem<'v>> {
        if level.depth == MAX_DEPTH {
            return Err(Problem::TooDeep);
        }
        Ok(Level { depth: level.depth + 1, ..level })
    }

    fn count(&mut self, steps: usize) -> Result<(), Problem<'v>> {
        self.length.spend(steps).or(Err(Problem::TooLong))
    }

    /// The path is left where an error arose, so that the error tells it.
    fn leave(&mut self, node: Compiled<'v>) -> Compiled<'v> {
        if node.is_ok() {
            self.path.pop();
        }
        node
    }

    fn place(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            let plain = |key: &str| {
                let mut bytes = key.bytes();
                bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
                    && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            };
            let (before, key, after) = match *step {
                Step::Index(index) => ("[", index.to_string(), "]"),
                Step::Key(key) if plain(key) => (".", key.to_string(), ""),
                Step::Key(key) => ("[", value::quote(key), "]"),
            };
            for part in [before, &key, after] {
                path.push_str(part);
            }
        }
        path
    }
}

fn sentence(problem: Problem<'_>) -> String {
    match problem {
        Problem::TooDeep => format!("the expression nests deeper than {MAX_DEPTH} levels"),
        Problem::TooLong => format!("the expression is longer than {MAX_LENGTH} values"),
        Problem::ValueTooDeep => format!("a value nests deeper than {MAX_VALUE_DEPTH} levels"),
        Problem::Reserved => "the key \"__proto__\" is reserved".into(),
        Problem::Unknown(key) => {
            let meant = nearest(key, operators::names());
            let hint = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
            format!("unknown operator {}{hint}", value::quote(key))
        }
        Problem::Several(members) => {
            let mut keys = String::new();
            for key in members.keys().take(2) {
                keys.push_str(if keys.is_empty() { "" } else { ", " });
                keys.push_str(&value::quote(key));
            }
            let count = members.len();
            let more = if count > 2 { ", ..." } else { "" };
            format!(
                "an operation has one key, and this object has {count} ({keys}{more}); \
                 \"preserve\" takes an object as it stands"
            )
        }
    }
}

/// An array of literals is one.
fn fold(items: Vec<Node>) -> Node {
    if !items.iter().all(|item| matches!(item, Node::Literal(_))) {
        return Node::Array(items);
    }
    let mut list = Vec::new();
    for item in items {
        if let Node::Literal(value) = item {
            list.push(value);
        }
    }
    Node::Literal(Value::Array(list))
}

/// The values, if all arguments are literal. An array that is the only argument, not written as a
/// list of them (so it stood in a `preserve`), is the list.
fn literals(call: &Call) -> Option<Vec<&Value>> {
    if let ([Node::Literal(Value::Array(items))], false) = (call.args.as_slice(), call.listed) {
        return Some(items.iter().collect());
    }
    let mut values = Vec::new();
    for node in &call.args {
        let Node::Literal(value) = node else { return None };
        values.push(value);
    }
    Some(values)
}

/// Where a `var` with a literal name points.
fn known_var(args: &[Node], listed: bool, scopes: u32) -> Option<Reference> {
    match args.first() {
        None => lookup::var_reference(&Value::Null, scopes),
        Some(Node::Literal(Value::Array(_))) if !listed => None,
        Some(Node::Literal(name)) => lookup::var_reference(name, scopes),
        Some(_) => None,
    }
}

/// Where a `val` or `exists` with a literal path points.
fn known_val(call: &Call) -> Option<Reference> {
    let keys = literals(call)?;
    let climb = keys.first().and_then(|first| lookup::climb(first));
    let mut path = Vec::new();
    for key in keys.iter().skip(usize::from(climb.is_some())) {
        path.push(strings::scalar(key)?.into_owned());
    }
    Some(Reference { climb: climb.unwrap_or(0), path: Path(path) })
}

/// The names of a `missing`, if they are literal.
fn known_names(call: &Call) -> Option<Vec<(Value, Path)>> {
    let mut names = literals(call)?;
    if let Some(Value::Array(inner)) = names.first() {
        names = inner.iter().collect();
    }
    let mut known = Vec::new();
    for name in names {
        known.push((name.clone(), Path::parse(&strings::scalar(name)?)));
    }
    Some(known)
}
