//! What JSON Logic does where the community's suites are silent: scopes, errors, and each argued
//! difference from npm's `json-logic-engine`.

use jobwright::core::logic::{Expr, MAX_STEPS};
use serde_json::{Value, json};

/// The result, or `{ "error": ... }`.
fn run(rule: &Value, context: &Value) -> Value {
    match Expr::compile(rule).map(|expr| expr.evaluate(context, MAX_STEPS)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => json!({ "error": error.value() }),
        Err(error) => json!({ "compile": error.to_string() }),
    }
}

fn check(cases: &[(Value, Value)]) {
    let context = json!({
        "n": 7, "k": "n", "text": "a😀b", "none": null, "nested": { "path": ["nested", "deep"], "deep": 1 },
        "list": [{ "x": 1, "in": [10, 20] }, { "x": 2, "in": [30] }], "same": [1, { "a": 2 }], "also": [1, { "a": 2.0 }],
    });
    for (rule, expected) in cases {
        assert_eq!(&run(rule, &context), expected, "{rule}");
    }
}

fn nan() -> Value {
    json!({ "error": { "type": "NaN" } })
}

fn invalid() -> Value {
    json!({ "error": { "type": "Invalid Arguments" } })
}

#[test]
fn scopes() {
    let over = |body: Value| json!({ "map": [{ "var": "list" }, body] });
    let twice = |body: Value| over(json!({ "map": [{ "var": "in" }, body] }));
    check(&[
        (over(json!({ "val": [[0], "x"] })), json!([1, 2])),
        (over(json!({ "val": [[1], "index"] })), json!([0, 1])),
        (over(json!({ "val": [[1], "iterator", "length"] })), json!([2, 2])),
        (over(json!({ "val": [[-2], "n"] })), json!([7, 7])),
        (over(json!({ "val": [[3], "n"] })), json!([null, null])),
        (over(json!({ "val": [[4]] })), json!([null, null])),
        (twice(json!({ "val": [[2], "x"] })), json!([[1, 1], [2]])),
        (twice(json!({ "val": [[3], "index"] })), json!([[0, 0], [1]])),
        (twice(json!({ "val": [[4], "n"] })), json!([[7, 7], [7]])),
        (twice(json!({ "var": "../../../../n" })), json!([[7, 7], [7]])),
        (over(json!({ "var": ["../../k"] })), json!(["n", "n"])),
        (over(json!({ "var": ["../../none.x", "?"] })), json!(["?", "?"])),
        (over(json!({ "var": { "cat": ["../../", "n"] } })), json!([7, 7])),
        (over(json!({ "exists": [[2], "none"] })), json!([true, true])),
        (over(json!({ "exists": [[2], "x"] })), json!([false, false])),
        (json!({ "reduce": [[5, 6], { "val": [[1], "index"] }, 0] }), json!(1)),
        (json!({ "some": [[5, 6], { "===": [{ "val": [[2], "n"] }, 7] }] }), json!(true)),
        (json!({ "var": "../n" }), json!(null)),
        (json!({ "val": { "var": "nested.path" } }), json!(1)),
        (json!({ "val": ["nested", { "cat": ["de", "ep"] }] }), json!(1)),
        (json!({ "var": { "var": "k" } }), json!(7)),
    ]);
}

#[test]
fn errors() {
    check(&[
        (json!({ "try": [{ "throw": "Late" }, { "val": "type" }] }), json!("Late")),
        (json!({ "try": [{ "throw": "Late" }, { "val": [[2], "n"] }] }), json!(7)),
        (json!({ "try": [{ "throw": "A" }, { "throw": "B" }, { "val": [] }] }), json!({ "type": "B" })),
        (json!({ "try": [{ "+": ["x"] }, { "val": "type" }] }), json!("NaN")),
        (json!({ "try": [{ "throw": { "val": "nested" } }, { "val": "type" }] }), json!("Object")),
        (json!({ "try": { "var": "n" } }), json!(7)),
        (json!({ "try": [{ "+": ["x"] }] }), nan()),
        (
            json!({ "throw": { "var": "nested" } }),
            json!({ "error": { "path": ["nested", "deep"], "deep": 1 } }),
        ),
        (json!({ "throw": null }), json!({ "error": { "type": null } })),
        (json!({ "try": [] }), invalid()),
        (json!({ "var": ["n", { "throw": "Eager" }] }), json!({ "error": { "type": "Eager" } })),
    ]);
}

#[test]
fn own_members() {
    check(&[
        (json!({ "var": "constructor" }), json!(null)),
        (json!({ "exists": "toString" }), json!(false)),
        (json!({ "var": "list.length" }), json!(2)),
        (json!({ "var": "text.length" }), json!(4)),
        (json!({ "var": "text.0" }), json!("a")),
        (json!({ "var": "text.1" }), json!("\u{fffd}")),
        (json!({ "exists": ["n", "x"] }), json!(false)),
        (json!({ "exists": "none" }), json!(true)),
        (json!({ "missing": ["none", "list.5", "text.length"] }), json!(["list.5"])),
        (json!({ "missing": [["n", "m"]] }), json!(["m"])),
        (json!({ "missing_some": [1, "n"] }), invalid()),
    ]);
}

#[test]
fn values_not_references() {
    check(&[
        (json!({ "===": [{ "var": "same" }, { "var": "also" }] }), json!(true)),
        (json!({ "!==": [{ "var": "same" }, [1]] }), json!(true)),
        (json!({ "in": [{ "var": "same.1" }, { "var": "also" }] }), json!(true)),
        (json!({ "==": [{ "var": "same" }, { "var": "same" }] }), nan()),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        (json!({ "<": ["a", "b", "c"] }), json!(true)),
        (json!({ "===": ["a", "a", "b"] }), json!(false)),
        (json!({ "<": [1, 0, { "throw": "Lazy" }] }), json!(false)),
        (json!({ "<": ["\u{ffff}", "😀"] }), json!(false)),
        (json!({ "==": [null, 0] }), json!(true)),
        (json!({ "==": [null, ""] }), json!(false)),
        (json!({ "<=": [null, "0"] }), json!(true)),
        (json!({ "<": ["x", null] }), json!(false)),
        (json!({ "<": ["x", 1] }), nan()),
        (json!({ "<": ["0x10", " 15 "] }), json!(false)),
        (json!({ ">": ["0x10", 15] }), json!(true)),
        (json!({ "==": [1] }), invalid()),
    ]);
}

#[test]
fn results_are_json() {
    check(&[
        (json!({ "*": [1e308, 10] }), nan()),
        (json!({ "+": ["Infinity"] }), nan()),
        (json!({ "-": 0 }), json!(0)),
        (json!({ "-": "x" }), nan()),
        (
            json!({ "cat": [1e21, " ", 1.5e-7, " ", [1, null, [2]], " ", { "var": "nested" }] }),
            json!("1e+21 1.5e-7 1,,2 [object Object]"),
        ),
        (json!({ "substr": [{ "var": "text" }, 2] }), json!("\u{fffd}b")),
        (json!({ "substr": [null, 0] }), json!("")),
        (json!({ "substr": ["12345", 0, "-2"] }), json!("123")),
    ]);
}

#[test]
fn wrong_arguments() {
    check(&[
        (json!({ "in": [1, 2] }), invalid()),
        (json!({ "in": ["n", null] }), json!(false)),
        (json!({ "map": [{ "var": "text" }, 1] }), invalid()),
        (json!({ "map": [{ "var": "list" }] }), invalid()),
        (json!({ "filter": { "var": "list" } }), invalid()),
        (json!({ "reduce": [[], 1] }), invalid()),
        (json!({ "all": [0, 1] }), invalid()),
        (json!({ "if": { "var": "list" } }), invalid()),
        (json!({ "max": ["1", 2] }), invalid()),
        (json!({ "%": [[]] }), nan()),
    ]);
}

#[test]
fn other_operators() {
    check(&[
        (json!({ "log": [{ "var": "n" }] }), json!(7)),
        (json!({ "preserve": { "var": "n" } }), json!({ "var": "n" })),
        (json!({ "missing": { "preserve": ["n", "m"] } }), json!(["m"])),
        (json!({ "+": { "preserve": [1, 2] } }), json!(3)),
    ]);
}

#[test]
fn templates_at_every_level() {
    let rule = json!({
        "if": [{ "var": "n" }, { "of": { "map": [{ "var": "list" }, { "id": { "var": "x" }, "at": [{ "val": [[1], "index"] }] }] } }],
    });
    let context = json!({ "n": 1, "list": [{ "x": "a" }] });
    let expr = Expr::compile_template(&rule).unwrap();
    assert_eq!(expr.evaluate(&context, MAX_STEPS).unwrap(), json!({ "of": [{ "id": "a", "at": [0] }] }));
    let reserved = serde_json::from_str(r#"{ "a": { "__proto__": 1 } }"#).unwrap();
    let error = Expr::compile_template(&reserved).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.message.as_str()),
        (r#".a["__proto__"]"#, "the key \"__proto__\" is reserved")
    );
}
