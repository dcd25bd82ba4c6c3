//! JSON values in the shape of serde_json's, as far as jobwright uses them, and small in a wasm module:
//! numbers are JavaScript's, members stand in a sorted list, and nothing is generic.
//!
//! ```
//! use jobwright_json::{Value, from_str, json};
//! let value = from_str(r#"{ "b": [1, 2.50], "a": null }"#).unwrap();
//! assert_eq!(value, json!({ "a": null, "b": [1, 2.5] }));
//! assert_eq!(value["b"][1].to_string(), "2.5");
//! ```

mod construct;
pub mod decimal;
mod map;
mod number;
mod read;
mod value;
mod write;

pub use construct::{ToValue, to_value};
pub use map::{Entry, Iter, Map};
pub use number::Number;
pub use read::{Error, from_str};
pub use value::Value;
