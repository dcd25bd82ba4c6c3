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
    ($value:expr) => { $crate::Value::from($value) };
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
