use std::borrow::Cow;

use crate::{Map, Number, Value};

/// What `json!` takes.
pub trait ToValue {
    /// A copy.
    fn to_value(&self) -> Value;
}

/// A copy, as JSON.
pub fn to_value(value: &(impl ToValue + ?Sized)) -> Value {
    value.to_value()
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue + ?Sized> ToValue for Box<T> {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: ToValue> ToValue for [T] {
    fn to_value(&self) -> Value {
        self.iter().map(ToValue::to_value).collect()
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    fn to_value(&self) -> Value {
        self.as_slice().to_value()
    }
}

impl<T: ToValue, const N: usize> ToValue for [T; N] {
    fn to_value(&self) -> Value {
        self.as_slice().to_value()
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        self.into()
    }
}

impl ToValue for Cow<'_, str> {
    fn to_value(&self) -> Value {
        (&**self).into()
    }
}

macro_rules! copied {
    ($($whole:ty),*) => {
        $(
            impl ToValue for $whole {
                fn to_value(&self) -> Value {
                    self.clone().into()
                }
            }
        )*
    };
}

copied!(bool, i32, i64, u8, u16, u32, u64, usize, f64, String, Number, Map, Value);

/// A value as JSON would say it, with expressions in it.
///
/// ```
/// use jobwright_json::json;
/// let count = 3;
/// let value = json!({ "count": count, "list": [null, -1, { "nested": true }], "sum": count + 1 });
/// assert_eq!(value.to_string(), r#"{"count":3,"list":[null,-1,{"nested":true}],"sum":4}"#);
/// ```
#[macro_export]
macro_rules! json {
    (null) => { $crate::Value::Null };
    ([ $($items:tt)* ]) => { $crate::Value::Array($crate::json_items!([] $($items)*)) };
    ({ $($members:tt)* }) => {{
        #[allow(unused_mut, reason = "there may be no members")]
        let mut members = $crate::Map::new();
        $crate::json_members!(members $($members)*);
        $crate::Value::Object(members)
    }};
    ($value:expr) => { $crate::to_value(&$value) };
}

/// What is between the brackets; those that are done come first.
#[doc(hidden)]
#[macro_export]
macro_rules! json_items {
    ([ $($done:expr,)* ]) => { ::std::vec![$($done),*] };
    ([ $($done:expr,)* ] null $(, $($rest:tt)*)?) => {
        $crate::json_items!([ $($done,)* $crate::json!(null), ] $($($rest)*)?)
    };
    ([ $($done:expr,)* ] [ $($item:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json_items!([ $($done,)* $crate::json!([ $($item)* ]), ] $($($rest)*)?)
    };
    ([ $($done:expr,)* ] { $($item:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json_items!([ $($done,)* $crate::json!({ $($item)* }), ] $($($rest)*)?)
    };
    ([ $($done:expr,)* ] $item:expr $(, $($rest:tt)*)?) => {
        $crate::json_items!([ $($done,)* $crate::json!($item), ] $($($rest)*)?)
    };
}

/// What is between the braces.
#[doc(hidden)]
#[macro_export]
macro_rules! json_members {
    ($members:ident) => {};
    ($members:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $crate::json_members!(@ $members $key ($crate::json!(null)) $($($rest)*)?)
    };
    ($members:ident $key:tt : [ $($item:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json_members!(@ $members $key ($crate::json!([ $($item)* ])) $($($rest)*)?)
    };
    ($members:ident $key:tt : { $($item:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json_members!(@ $members $key ($crate::json!({ $($item)* })) $($($rest)*)?)
    };
    ($members:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::json_members!(@ $members $key ($crate::json!($value)) $($($rest)*)?)
    };
    (@ $members:ident $key:tt ($value:expr) $($rest:tt)*) => {
        $members.insert(($key).into(), $value);
        $crate::json_members!($members $($rest)*);
    };
}
