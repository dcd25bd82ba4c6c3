//! What an expression reads of its context: the only values that cross from JavaScript.

use super::expr::{Node, Reference};
use super::lookup;
use super::operators::Op;
use serde_json::Value;

/// The way to one value of the context, a key at a time; empty for the context itself.
///
/// ```
/// use jobwright::core::logic::Path;
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
    /// use jobwright::core::logic::Path;
    /// assert_eq!(Path::parse(r"a\.b.c").keys(), ["a.b", "c"]);
    /// ```
    pub fn parse(text: &str) -> Path {
        Path(lookup::split(text))
    }

    /// The keys, outermost first.
    ///
    /// ```
    /// assert!(jobwright::core::logic::Path::parse("").keys().is_empty());
    /// ```
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// The value there, if there is one. A null is one. Reads what an expression would: members of
    /// objects, elements and `length` of arrays, characters and `length` of strings.
    ///
    /// ```
    /// use jobwright::core::logic::Path;
    /// let context = serde_json::json!({ "a": null });
    /// assert_eq!(Path::parse("a").find(&context), Some(serde_json::Value::Null));
    /// assert_eq!(Path::parse("b").find(&context), None);
    /// ```
    pub fn find(&self, context: &Value) -> Option<Value> {
        lookup::follow(context, &self.0).map(|found| found.into_owned())
    }
}

/// What an expression reads of its context.
///
/// ```
/// use jobwright::core::logic::{Expr, Path, Reads};
/// let rule = serde_json::json!({ "and": [{ "var": "a.b" }, { "map": [{ "var": "list" }, { "var": "x" }] }] });
/// let paths = vec![Path::parse("a.b"), Path::parse("list")];
/// assert_eq!(Expr::compile(&rule).unwrap().paths(), Reads::Paths(paths));
///
/// let computed = serde_json::json!({ "var": { "var": "name" } });
/// assert_eq!(Expr::compile(&computed).unwrap().paths(), Reads::Everything);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// These values, sorted, none of them within another.
    Paths(Vec<Path>),
    /// The whole context, because the expression names it or computes the names it reads.
    Everything,
}

/// Gathers what `node` reads. Paths in the expression of an iteration are relative to the item, so
/// each scope further in (`scopes`) only what climbs out counts; and climbs are literal, or else the
/// expression reads everything.
pub(super) fn reads(node: &Node) -> Reads {
    let mut found = Vec::new();
    if !gather(node, 0, &mut found) {
        return Reads::Everything;
    }
    found.sort();
    found.dedup_by(|later, kept| later.0.starts_with(&kept.0));
    if found.first().is_some_and(|path| path.0.is_empty()) {
        Reads::Everything
    } else {
        Reads::Paths(found)
    }
}

/// False when everything is read.
fn gather(node: &Node, scopes: u32, found: &mut Vec<Path>) -> bool {
    match node {
        Node::Literal(_) => true,
        Node::Array(items) => items.iter().all(|item| gather(item, scopes, found)),
        Node::Template(members) => members
            .iter()
            .all(|(_, member)| gather(member, scopes, found)),
        Node::Var(reference, default) => {
            note(reference, scopes, found);
            default
                .as_ref()
                .is_none_or(|default| gather(default, scopes, found))
        }
        Node::Exists(reference) => {
            note(reference, scopes, found);
            true
        }
        Node::Missing(names) => {
            if scopes == 0 {
                found.extend(names.iter().map(|(_, path)| path.clone()));
            }
            true
        }
        Node::Call(call) => {
            let own = match call.op {
                Op::Var | Op::Val | Op::Exists => false,
                Op::Missing | Op::MissingSome => scopes > 0,
                _ => true,
            };
            own && call.args.iter().enumerate().all(|(index, argument)| {
                gather(argument, scopes + u32::from(call.op.scoped(index)), found)
            })
        }
    }
}

fn note(reference: &Reference, scopes: u32, found: &mut Vec<Path>) {
    if reference.climb == scopes.saturating_mul(2) {
        found.push(reference.path.clone());
    }
}
