//! What can be wrong with an expression, and what can go wrong while it is evaluated.

use super::value::object;
use serde_json::Value;

/// An expression that can't be compiled.
///
/// ```
/// use jobwright_logic::Expr;
/// let error = Expr::compile(&serde_json::json!({ "if": [{ "vra": "a" }, 1, 2] })).unwrap_err();
/// assert_eq!(error.path, ".if[0]");
/// assert_eq!(error.message, r#"unknown operator "vra"; did you mean "var"?"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at expression{path})")]
pub struct CompileError {
    /// Where in the expression, to be appended to where the expression stands: `.if[0]["=="][1]`,
    /// empty at its root.
    pub path: String,
    /// A sentence that names what was found and what was expected.
    pub message: String,
}

/// An evaluation that ended without a value.
///
/// ```
/// use jobwright_logic::{EvalError, Expr, MAX_STEPS};
/// let add = Expr::compile(&serde_json::json!({ "+": ["one", 2] })).unwrap();
/// let error = add.evaluate(&serde_json::Value::Null, MAX_STEPS).unwrap_err();
/// assert_eq!(error.to_string(), r#"`+` needs numbers, and was given "one""#);
/// assert_eq!(error.value(), serde_json::json!({ "type": "NaN" }));
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Arithmetic or a comparison of what is not a number, or with a result that is none.
    #[error("`{operator}` needs numbers, and was given {found}")]
    NotANumber {
        /// The operator as the expression has it.
        operator: &'static str,
        /// What it was given, shortened.
        found: String,
    },
    /// An operator given arguments it can't work with.
    #[error("`{operator}` expects {expected}, and was given {found}")]
    InvalidArguments {
        /// The operator as the expression has it.
        operator: &'static str,
        /// What it wants.
        expected: &'static str,
        /// What it was given, shortened.
        found: String,
    },
    /// The expression's own `throw`.
    #[error("the expression threw {}", super::value::describe_thrown(.0))]
    Thrown(
        /// What was thrown: an object as it is, anything else as `{ "type": it }`.
        Value,
    ),
    /// The evaluation took more steps than it was given.
    #[error("the expression took more than the {limit} steps it may take")]
    TooManySteps {
        /// The bound it was given.
        limit: u32,
    },
    /// A value nests deeper than [`MAX_VALUE_DEPTH`](super::MAX_VALUE_DEPTH).
    #[error("the expression met a value nested deeper than {limit} levels")]
    TooDeep {
        /// The bound.
        limit: u32,
    },
}

impl EvalError {
    /// The error as the community's suites write it: `{ "type": ... }`, or what was thrown.
    ///
    /// ```
    /// use jobwright_logic::{Expr, MAX_STEPS};
    /// let refuse = Expr::compile(&serde_json::json!({ "throw": "Closed" })).unwrap();
    /// let error = refuse.evaluate(&serde_json::Value::Null, MAX_STEPS).unwrap_err();
    /// assert_eq!(error.value(), serde_json::json!({ "type": "Closed" }));
    /// ```
    pub fn value(&self) -> Value {
        let name = match self {
            EvalError::Thrown(value) => return value.clone(),
            EvalError::NotANumber { .. } => "NaN",
            EvalError::InvalidArguments { .. } => "Invalid Arguments",
            EvalError::TooManySteps { .. } => "Too Many Steps",
            EvalError::TooDeep { .. } => "Too Deep",
        };
        object("type", name.into())
    }

    /// Whether a bound was met: no `try` catches that.
    ///
    /// ```
    /// use jobwright_logic::Expr;
    /// let patient = Expr::compile(&serde_json::json!({ "try": [{ "+": [1, 2] }, 0] })).unwrap();
    /// assert!(patient.evaluate(&serde_json::Value::Null, 2).unwrap_err().is_limit());
    /// ```
    pub fn is_limit(&self) -> bool {
        matches!(self, EvalError::TooManySteps { .. } | EvalError::TooDeep { .. })
    }
}
