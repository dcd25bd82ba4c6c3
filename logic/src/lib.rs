//! [JSON Logic](https://jsonlogic.com): the expressions of a plan.
//!
//! An expression is compiled once into a tree ([`Expr::compile`]), says which values of the context
//! it reads ([`Expr::paths`]), and is evaluated over those ([`Expr::evaluate`]) in a bounded number
//! of steps.
//!
//! ```
//! use jobwright_logic::{Expr, MAX_STEPS};
//! use serde_json::json;
//!
//! let when = Expr::compile(&json!({ ">": [{ "var": "cart.total" }, 100] }))?;
//! let context = json!({ "cart": { "total": 120 } });
//! assert_eq!(when.evaluate(&context, MAX_STEPS)?, json!(true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Operators
//!
//! Those of the public specification (`var`, `missing`, `missing_some`, `if` and `?:`, `==`, `===`,
//! `!=`, `!==`, `!`, `!!`, `or`, `and`, `<`, `<=`, `>`, `>=`, `max`, `min`, `+`, `-`, `*`, `/`, `%`,
//! `map`, `filter`, `reduce`, `all`, `none`, `some`, `merge`, `in`, `cat`, `substr`, `log`), the
//! community's extensions (`val`, `exists`, `??`, `try`, `throw`), and `preserve`, whose argument is
//! taken as it stands. `log` passes its argument through: a pure core has nowhere to log to.
//!
//! In a map, filter, reduce, all, none or some, `{ "val": [[1], "index"] }` is the position of the
//! item and `[[2], ...]` starts in the context outside, each level of nesting being two further;
//! `"../"` at the start of a `var` climbs the same levels.
//!
//! The page `docs/expressions.md` is about each of them, and says where and why this differs from npm's
//! `json-logic-engine`: the community's suites decide first, then that engine's plain interpreter, and
//! the rest is argued. `tests/logic` compares the two.

mod compare;
mod compile;
mod eager;
mod error;
mod evaluate;
mod expr;
mod iterate;
mod lookup;
mod machine;
mod nearest;
mod number;
mod operators;
mod paths;
mod strings;
mod value;

pub use error::{CompileError, EvalError};
pub use expr::Expr;
pub use nearest::nearest;
pub use paths::{Path, Reads, assemble};
pub use serde_json::decimal::text as number_text;
pub use value::truthy;

/// How deep an expression may nest: each operation, array and template is one level.
///
/// ```
/// use jobwright_logic::{Expr, MAX_DEPTH};
/// let mut rule = serde_json::json!(true);
/// for _ in 0..=MAX_DEPTH {
///     rule = serde_json::json!({ "!": rule });
/// }
/// let error = Expr::compile(&rule).unwrap_err();
/// assert!(error.message.contains("deeper than 100"));
/// ```
pub const MAX_DEPTH: u32 = 100;

/// How long an expression may be: each value in it counts one, and each 64 bytes of text one more.
///
/// ```
/// use jobwright_logic::{Expr, MAX_LENGTH};
/// let error = Expr::compile(&vec![0; MAX_LENGTH as usize].into()).unwrap_err();
/// assert!(error.message.contains("longer than 50000"));
/// ```
pub const MAX_LENGTH: u32 = 50_000;

/// The usual bound on the steps of one evaluation. Each operation is a step, and each value that is
/// copied, compared or made is one, with one more for each 64 bytes of text: a bound on memory too.
///
/// ```
/// use jobwright_logic::{Expr, EvalError};
/// let sum = Expr::compile(&serde_json::json!({ "+": [1, 2, 3] })).unwrap();
/// let error = sum.evaluate(&serde_json::Value::Null, 3).unwrap_err();
/// assert!(matches!(error, EvalError::TooManySteps { limit: 3 }));
/// ```
pub const MAX_STEPS: u32 = 1_000_000;

/// How deep a value that an evaluation copies, compares or returns may nest.
///
/// ```
/// use jobwright_logic::{Expr, MAX_STEPS};
/// let nest = serde_json::json!({ "reduce": [{ "var": "" }, [{ "var": "accumulator" }], 0] });
/// let items = serde_json::Value::from(vec![1; 300]);
/// let error = Expr::compile(&nest).unwrap().evaluate(&items, MAX_STEPS).unwrap_err();
/// assert!(error.to_string().contains("deeper than 256"));
/// ```
pub const MAX_VALUE_DEPTH: u32 = 256;
