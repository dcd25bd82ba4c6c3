//! A compiled expression.

use super::compile::Compiler;
use super::evaluate::Scope;
use super::machine::{Arena, Machine};
use super::operators::Op;
use super::paths::{self, Path, Reads};
use super::{CompileError, EvalError, MAX_STEPS};
use serde_json::Value;

/// A JSON Logic expression, checked and ready to be evaluated any number of times.
///
/// ```
/// use jobwright_logic::{Expr, MAX_STEPS};
/// use serde_json::json;
///
/// let total = Expr::compile(&json!({ "*": [{ "var": "price" }, { "var": ["count", 1] }] }))?;
/// assert_eq!(total.evaluate(&json!({ "price": 2.5, "count": 2 }), MAX_STEPS)?, json!(5));
/// assert_eq!(total.evaluate(&json!({ "price": 2.5 }), MAX_STEPS)?, json!(2.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Literal(Value),
    Array(Vec<Node>),
    Template(Vec<(String, Node)>),
    /// A `var` or `val` whose path is known, and what to give where there is nothing.
    Var(Reference, Option<Box<Node>>),
    Exists(Reference),
    /// A `missing` whose names are known: each as written, and as a path.
    Missing(Vec<(Value, Path)>),
    Call(Call),
}

/// Where a known path starts and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    /// Levels to climb first: odd ones are about an iteration, even ones are contexts.
    pub(super) climb: u32,
    pub(super) path: Path,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) op: Op,
    /// The name in the expression, which for `if` may be `?:`.
    pub(super) name: &'static str,
    pub(super) args: Vec<Node>,
    /// Whether the arguments were written as an array. If not there is one, and where it gives an
    /// array, its items are the arguments.
    pub(super) listed: bool,
}

impl Expr {
    /// Compiles an expression. An object is an operation; `{}` stands for itself.
    ///
    /// ```
    /// use jobwright_logic::Expr;
    /// let error = Expr::compile(&serde_json::json!([1, { "map": 1, "filter": 2 }])).unwrap_err();
    /// assert_eq!(error.path, "[1]");
    /// assert_eq!(
    ///     error.message,
    ///     r#"an operation has one key, and this object has 2 ("filter", "map"); "preserve" takes an object as it stands"#,
    /// );
    /// ```
    ///
    /// # Errors
    /// An unknown operator, an object with several keys, an expression too deep or too long.
    pub fn compile(value: &Value) -> Result<Expr, CompileError> {
        Compiler::new(false).root(value).map(|root| Expr { root })
    }

    /// Compiles an expression in which an object whose keys are not exactly one known operator is a
    /// template, at every level: its values are expressions, and it gives an object of their values.
    ///
    /// ```
    /// use jobwright_logic::{Expr, MAX_STEPS};
    /// use serde_json::json;
    /// let input = Expr::compile_template(&json!({ "to": { "var": "user.mail" }, "tries": 3 })).unwrap();
    /// let context = json!({ "user": { "mail": "a@b.c" } });
    /// assert_eq!(input.evaluate(&context, MAX_STEPS).unwrap(), json!({ "to": "a@b.c", "tries": 3 }));
    ///
    /// let escaped = Expr::compile_template(&json!({ "preserve": { "in": 3 } })).unwrap();
    /// assert_eq!(escaped.evaluate(&context, MAX_STEPS).unwrap(), json!({ "in": 3 }));
    /// ```
    ///
    /// # Errors
    /// An expression too deep or too long, or a template with the key `__proto__`.
    pub fn compile_template(value: &Value) -> Result<Expr, CompileError> {
        Compiler::new(true).root(value).map(|root| Expr { root })
    }

    /// What the expression reads of its context. Evaluated over [`assemble`](super::assemble)d values
    /// of those paths it gives what it gives over the whole.
    ///
    /// ```
    /// use jobwright_logic::{Expr, Path, Reads};
    /// let rule = serde_json::json!({ "missing": ["a", "b.c"] });
    /// let paths = vec![Path::parse("a"), Path::parse("b.c")];
    /// assert_eq!(Expr::compile(&rule).unwrap().paths(), Reads::Paths(paths));
    /// ```
    pub fn paths(&self) -> Reads {
        paths::reads(&self.root)
    }

    /// What the expression gives whatever the context holds; none where it reads of the context.
    ///
    /// ```
    /// use jobwright_logic::Expr;
    /// use serde_json::json;
    /// let sum = Expr::compile(&json!({ "+": [1, 2] })).unwrap();
    /// assert_eq!(sum.constant().unwrap().unwrap(), json!(3));
    /// assert!(Expr::compile(&json!({ "+": [1, { "var": "n" }] })).unwrap().constant().is_none());
    /// ```
    pub fn constant(&self) -> Option<Result<Value, EvalError>> {
        match self.paths() {
            Reads::Paths(paths) if paths.is_empty() => Some(self.evaluate(&paths::assemble([]), MAX_STEPS)),
            Reads::Paths(_) | Reads::Everything => None,
        }
    }

    /// How many items the list has that the expression gives, where it is written as a list.
    ///
    /// ```
    /// use jobwright_logic::Expr;
    /// let list = Expr::compile(&serde_json::json!([{ "var": "a" }, { "var": "b" }])).unwrap();
    /// assert_eq!(list.item_count(), Some(2));
    /// ```
    pub fn item_count(&self) -> Option<usize> {
        match &self.root {
            Node::Array(items) => Some(items.len()),
            _ => None,
        }
    }

    /// The expression with null for every plain `var` that stands as a value of its own, in a template, a list or
    /// alone; and for each where it stands and what it names. A host puts those values there itself.
    ///
    /// ```
    /// use jobwright_logic::{Expr, MAX_STEPS, Path};
    /// use serde_json::json;
    /// let mail = Expr::compile_template(&json!({ "body": { "var": "draft.text" }, "copies": { "+": [1, 1] } })).unwrap();
    /// let (rest, vars) = mail.without_plain_vars();
    /// assert_eq!(rest.evaluate(&json!({}), MAX_STEPS).unwrap(), json!({ "body": null, "copies": 2 }));
    /// assert_eq!(vars, [(vec!["body".to_owned()], Path::parse("draft.text"))]);
    /// ```
    pub fn without_plain_vars(&self) -> (Expr, Vec<(Vec<String>, Path)>) {
        let mut found = Vec::new();
        let root = take_plain_vars(&self.root, &mut Vec::new(), &mut found);
        (Expr { root }, found)
    }

    /// Evaluates the expression over a context in at most so many steps, usually
    /// [`MAX_STEPS`](super::MAX_STEPS).
    ///
    /// ```
    /// use jobwright_logic::{Expr, MAX_STEPS};
    /// use serde_json::json;
    /// let safe = Expr::compile(&json!({ "try": [{ "/": [1, { "var": "n" }] }, { "var": "type" }] })).unwrap();
    /// assert_eq!(safe.evaluate(&json!({ "n": 4 }), MAX_STEPS).unwrap(), json!(0.25));
    /// assert_eq!(safe.evaluate(&json!({ "n": 0 }), MAX_STEPS).unwrap(), json!("NaN"));
    /// ```
    ///
    /// # Errors
    /// What the expression throws, arguments its operators can't work with, a bound that was met.
    pub fn evaluate(&self, context: &Value, steps: u32) -> Result<Value, EvalError> {
        let arena = Arena::default();
        let scope = Scope { context, iteration: None, outer: None, depth: 0 };
        Machine::new(&arena, steps).own(&self.root, &scope).map_err(|fault| *fault)
    }
}

fn take_plain_vars(node: &Node, place: &mut Vec<String>, found: &mut Vec<(Vec<String>, Path)>) -> Node {
    let mut below = |key: String, node: &Node| {
        place.push(key);
        let taken = take_plain_vars(node, place, found);
        place.pop();
        taken
    };
    match node {
        Node::Template(members) => Node::Template(
            members.iter().map(|(key, node)| (key.clone(), below(key.clone(), node))).collect(),
        ),
        Node::Array(items) => {
            Node::Array(items.iter().enumerate().map(|(n, node)| below(n.to_string(), node)).collect())
        }
        Node::Var(Reference { climb: 0, path }, None) => {
            found.push((place.clone(), path.clone()));
            Node::Literal(Value::Null)
        }
        other => other.clone(),
    }
}
