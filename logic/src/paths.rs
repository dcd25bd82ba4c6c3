//! What an expression reads of its context: the only values that cross from JavaScript.

use super::MAX_VALUE_DEPTH;
use super::expr::{Node, Reference};
use super::lookup;
use super::machine::{Arena, Machine};
use super::operators::Op;
use serde_json::{Map, Value};

/// The way to one value of the context, a key at a time; empty for the context itself.
///
/// ```
/// use jobwright_logic::Path;
/// let path = Path::parse("items.0.price");
/// assert_eq!(path.keys(), ["items", "0", "price"]);
/// assert_eq!(path.find(&serde_json::json!({ "items": [{ "price": 3 }] })), Some(3.into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub(super) Vec<String>);

impl Path {
    /// A path as `var` writes it: keys separated by dots, a dot within a key written `\.`.
    ///
    /// ```
    /// use jobwright_logic::Path;
    /// assert_eq!(Path::parse(r"a\.b.c").keys(), ["a.b", "c"]);
    /// ```
    pub fn parse(text: &str) -> Path {
        Path(lookup::split(text))
    }

    /// The keys, outermost first.
    ///
    /// ```
    /// assert!(jobwright_logic::Path::parse("").keys().is_empty());
    /// ```
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// The value there, if there is one. A null is one. Reads what an expression would: members of
    /// objects, elements and `length` of arrays, characters and `length` of strings.
    ///
    /// ```
    /// use jobwright_logic::Path;
    /// let context = serde_json::json!({ "a": null });
    /// assert_eq!(Path::parse("a").find(&context), Some(serde_json::Value::Null));
    /// assert_eq!(Path::parse("b").find(&context), None);
    /// ```
    pub fn find(&self, context: &Value) -> Option<Value> {
        let arena = Arena::default();
        // What one path leads to is not worth counting.
        let mut machine = Machine::new(&arena, u32::MAX);
        lookup::follow(context, &self.0, &mut machine).ok().flatten().cloned()
    }
}

/// What an expression reads of its context.
///
/// ```
/// use jobwright_logic::{Expr, Path, Reads};
/// let rule = serde_json::json!({ "and": [{ "var": "a.b" }, { "map": [{ "var": "list" }, { "var": "x" }] }] });
/// let paths = vec![Path::parse("a.b"), Path::parse("list")];
/// assert_eq!(Expr::compile(&rule).unwrap().paths(), Reads::Paths(paths));
///
/// let computed = serde_json::json!({ "var": { "var": "name" } });
/// assert_eq!(Expr::compile(&computed).unwrap().paths(), Reads::Everything);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// These values, none of them within another.
    Paths(Vec<Path>),
    /// The whole context, because the expression names it or computes the names it reads.
    Everything,
}

/// Puts values where their paths say, in nested objects. An expression evaluated over the values of
/// the paths it reads gives what it gives over the whole context; paths at which there is nothing
/// are to be left out, since a null there is something else. What is within another is left out too.
///
/// ```
/// use jobwright_logic::{Path, assemble};
/// let context = assemble([(Path::parse("a.b"), 1.into()), (Path::parse("a.c"), 2.into())]);
/// assert_eq!(context, serde_json::json!({ "a": { "b": 1, "c": 2 } }));
/// ```
pub fn assemble(values: impl IntoIterator<Item = (Path, Value)>) -> Value {
    let mut context = Value::Object(Map::new());
    for (path, value) in values {
        if let Some(place) = reach(&mut context, &path) {
            *place = value;
        }
    }
    context
}

/// The place at the end of a path, through objects that are made on the way.
fn reach<'v>(root: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    let mut place = root;
    for key in &path.0 {
        place = place.as_object_mut()?.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new()));
    }
    Some(place)
}

/// What `node` reads. Paths in the expression of an iteration are relative to the item, so each
/// scope further in only what climbs out counts; and climbs are literal, or else the expression
/// reads everything.
pub(super) fn reads(node: &Node) -> Reads {
    // A tree of keys, in which null stands for all that is there.
    let mut tree = Value::Object(Map::new());
    let mut paths = Vec::new();
    if !gather(node, 0, &mut tree) || tree.is_null() {
        return Reads::Everything;
    }
    list(&tree, &mut Vec::new(), &mut paths);
    Reads::Paths(paths)
}

fn list(tree: &Value, keys: &mut Vec<String>, paths: &mut Vec<Path>) {
    let Value::Object(members) = tree else { return paths.push(Path(keys.clone())) };
    for (key, member) in members {
        keys.push(key.clone());
        list(member, keys, paths);
        keys.pop();
    }
}

/// False when everything is read.
fn gather(node: &Node, scopes: u32, tree: &mut Value) -> bool {
    match node {
        Node::Literal(_) => true,
        Node::Array(items) => items.iter().all(|item| gather(item, scopes, tree)),
        Node::Template(members) => members.iter().all(|(_, member)| gather(member, scopes, tree)),
        Node::Var(reference, default) => {
            note(reference, scopes, tree)
                && default.as_ref().is_none_or(|default| gather(default, scopes, tree))
        }
        Node::Exists(reference) => note(reference, scopes, tree),
        Node::Missing(names) => scopes > 0 || names.iter().all(|(_, path)| plant(path, tree)),
        Node::Call(call) => {
            let computed = match call.op {
                Op::Var | Op::Val | Op::Exists => true,
                Op::Missing | Op::MissingSome => scopes == 0,
                _ => false,
            };
            let mut args = call.args.iter().enumerate();
            !computed
                && args.all(|(index, node)| gather(node, scopes + u32::from(call.op.scoped(index)), tree))
        }
    }
}

fn note(reference: &Reference, scopes: u32, tree: &mut Value) -> bool {
    reference.climb != scopes.saturating_mul(2) || plant(&reference.path, tree)
}

/// Adds a path to the tree; one too long for a value counts as everything.
fn plant(path: &Path, tree: &mut Value) -> bool {
    if path.0.len() > MAX_VALUE_DEPTH as usize {
        return false;
    }
    if let Some(place) = reach(tree, path) {
        *place = Value::Null;
    }
    true
}
