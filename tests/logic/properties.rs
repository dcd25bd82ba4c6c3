//! What holds of every JSON Logic expression.

use jobwright::core::logic::{
    EvalError, Expr, MAX_DEPTH, MAX_STEPS, MAX_VALUE_DEPTH, Path, Reads, assemble, truthy,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

pub const OPERATORS: &[&str] = &[
    "var",
    "val",
    "exists",
    "missing",
    "missing_some",
    "if",
    "?:",
    "and",
    "or",
    "??",
    "try",
    "throw",
    "preserve",
    "log",
    "!",
    "!!",
    "==",
    "!=",
    "===",
    "!==",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "max",
    "min",
    "cat",
    "substr",
    "in",
    "merge",
    "map",
    "filter",
    "reduce",
    "all",
    "none",
    "some",
];

const NAMES: &[&str] = &[
    "a",
    "b",
    "a.b",
    "a.b.c",
    "list",
    "list.0",
    "list.1.a",
    "list.length",
    "s",
    "s.1",
    "s.length",
    "",
    ".",
    "..",
    "../a",
    "../../a",
    "../../../list",
    "current",
    "accumulator.a",
    "type",
    "index",
    r"a\.b",
    "01",
    "constructor",
    "__proto__",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..12_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(&["", " 12 ", "0x10", "1e400", "😀z", "x", "-5", "NaN"][..]).prop_map(Value::from),
        select(NAMES).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

/// Any JSON.
fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(&["a", "b", "c", "list", "s", "0"][..]), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// A context in which names lead somewhere.
fn context() -> impl Strategy<Value = Value> {
    let known = (value(), value(), vec(value(), 0..4), any::<String>());
    let known = known.prop_map(|(a, b, list, s)| json!({ "a": a, "b": b, "list": list, "s": s }));
    prop_oneof![3 => known, 1 => value()]
}

/// Expressions, most of them sensible: names where names are expected, lists where lists are.
fn rule() -> impl Strategy<Value = Value> {
    let operation =
        |name: &str, argument: Value| Value::Object(Map::from_iter([(name.to_owned(), argument)]));
    let read = (select(&["var", "val", "exists", "missing"][..]), select(NAMES), any::<bool>())
        .prop_map(move |(op, name, listed)| operation(op, if listed { json!([name]) } else { name.into() }));
    let climb = (0..6_u32, select(NAMES)).prop_map(|(climb, name)| json!({ "val": [[climb], name] }));
    let leaf = prop_oneof![2 => leaf(), 3 => read, 1 => climb];
    leaf.prop_recursive(5, 48, 4, move |inner| {
        let iteration = select(&["map", "filter", "all", "none", "some", "reduce"][..]);
        prop_oneof![
            (select(OPERATORS), vec(inner.clone(), 0..4))
                .prop_map(move |(op, args)| operation(op, args.into())),
            (select(OPERATORS), inner.clone()).prop_map(move |(op, argument)| operation(op, argument)),
            (iteration, inner.clone(), inner.clone(), vec(inner.clone(), 0..2)).prop_map(
                move |(op, body, start, list)| {
                    let list = if list.is_empty() { json!({ "var": "list" }) } else { list.into() };
                    operation(op, json!([list, body, start]))
                }
            ),
            vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

/// An iteration that reads inside, outside, and what is nowhere, all by names that are known.
fn iteration() -> impl Strategy<Value = Value> {
    let read = prop_oneof![
        (0..6_u32, select(NAMES)).prop_map(|(climb, name)| json!({ "val": [[climb], name] })),
        (select(&["var", "exists"][..]), select(NAMES)).prop_map(|(op, name)| json!({ op: name })),
        select(NAMES).prop_map(|name| json!({ "missing": [name] })),
    ];
    let iterations = &["map", "filter", "all", "none", "some", "reduce"][..];
    read.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(Value::from),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({ "try": [{ "throw": a }, b] })),
            (select(iterations), inner.clone(), inner)
                .prop_map(|(op, body, start)| json!({ op: [[1, { "a": 2 }], body, start] })),
        ]
    })
}

/// Both ways to read the same JSON, where it is an expression.
fn compiled(rule: &Value) -> Vec<Expr> {
    [Expr::compile(rule), Expr::compile_template(rule)].into_iter().flatten().collect()
}

fn depth(value: &Value) -> u32 {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// `count` levels of one kind of expression around another.
fn nested(kind: usize, count: u32, mut inner: Value) -> Value {
    for _ in 0..count {
        let (name, args) = match kind {
            0 => {
                inner = Value::Array(vec![inner]);
                continue;
            }
            1 => ("!", inner),
            2 => ("if", vec![inner, 1.into(), 2.into()].into()),
            3 => ("map", vec![json!([1]), inner].into()),
            4 => ("try", vec![inner, 0.into()].into()),
            5 => ("reduce", vec![json!([1]), 1.into(), inner].into()),
            6 => ("cat", vec![inner].into()),
            _ => ("==", vec![inner, 0.into()].into()),
        };
        inner = Value::Object(Map::from_iter([(name.to_owned(), args)]));
    }
    inner
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_compiles_and_evaluates_or_says_why_not(rule in prop_oneof![value(), rule()], context in context()) {
        match Expr::compile(&rule) {
            Err(error) => prop_assert!(!error.message.is_empty()),
            Ok(expr) => if let Err(error) = expr.evaluate(&context, 20_000) {
                prop_assert!(!error.to_string().is_empty());
                prop_assert!(error.is_limit() || matches!(error, EvalError::Thrown(_)) || error.value()["type"].is_string());
            },
        }
        let template = Expr::compile_template(&rule);
        prop_assert!(template.is_ok() || rule.to_string().contains("__proto__"));
        if let Ok(expr) = template {
            let _ = expr.evaluate(&context, 20_000);
        }
    }

    #[test]
    fn the_named_paths_are_enough(rule in prop_oneof![rule(), iteration()], context in context()) {
        for expr in compiled(&rule) {
            if let Reads::Paths(paths) = expr.paths() {
                let values = paths.into_iter().filter_map(|path| path.find(&context).map(|value| (path, value)));
                let partial = assemble(values);
                prop_assert_eq!(expr.evaluate(&partial, MAX_STEPS), expr.evaluate(&context, MAX_STEPS), "{}", partial);
            }
        }
    }

    #[test]
    fn plain_vars_can_be_put_in_by_the_host(rule in rule(), name in select(NAMES), context in context()) {
        let template = json!({ "rule": rule, "plain": { "val": name }, "list": [1, { "var": name }] });
        for rule in [template, json!({ "var": name }), rule] {
            let Ok(expr) = Expr::compile_template(&rule) else { continue };
            let (rest, vars) = expr.without_plain_vars();
            let whole = expr.evaluate(&context, MAX_STEPS);
            let put_in = rest.evaluate(&context, MAX_STEPS).map(|mut value| {
                for (place, path) in &vars {
                    let target = place.iter().fold(&mut value, |value, key| match value {
                        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
                        object => &mut object[key.as_str()],
                    });
                    *target = path.find(&context).unwrap_or_default();
                }
                value
            });
            prop_assert_eq!(put_in, whole);
        }
    }

    #[test]
    fn evaluation_is_deterministic(rule in rule(), context in context()) {
        for expr in compiled(&rule) {
            let first = expr.evaluate(&context, MAX_STEPS);
            prop_assert_eq!(&first, &expr.evaluate(&context, MAX_STEPS));
            let again = compiled(&rule).contains(&expr);
            prop_assert!(again);
        }
    }

    #[test]
    fn fewer_steps_give_the_same_or_say_so(rule in rule(), context in context(), steps in 0..200_u32) {
        for expr in compiled(&rule) {
            let bounded = expr.evaluate(&context, steps);
            if !matches!(bounded, Err(EvalError::TooManySteps { .. })) {
                prop_assert_eq!(bounded, expr.evaluate(&context, MAX_STEPS));
            }
        }
    }

    #[test]
    fn literals_are_themselves(value in value()) {
        let preserved = Expr::compile(&json!({ "preserve": value })).unwrap();
        prop_assert_eq!(preserved.paths(), Reads::Paths(Vec::new()));
        prop_assert_eq!(preserved.evaluate(&Value::Null, MAX_STEPS), Ok(value.clone()));
        let twice = Expr::compile(&json!({ "!!": [{ "preserve": value }] })).unwrap();
        prop_assert_eq!(twice.evaluate(&Value::Null, MAX_STEPS), Ok(truthy(&value).into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn expressions_nest_up_to_the_bound(kind in 0..8_usize, count in 0..300_u32) {
        let rule = nested(kind, count, json!({ "var": "a" }));
        // The lists that iterations go through are a level of their own, beside the expression.
        match Expr::compile(&rule) {
            Ok(expr) => {
                prop_assert!(count < MAX_DEPTH);
                let _ = expr.evaluate(&json!({ "a": 1 }), MAX_STEPS);
            }
            Err(error) => {
                prop_assert!(count + 1 >= MAX_DEPTH);
                prop_assert!(error.message.contains("deeper than 100 levels"), "{}", error);
            }
        }
    }

    #[test]
    fn deep_contexts_overflow_nothing(count in 0..1500_u32, op in select(OPERATORS), spread: bool) {
        let context = nested(0, count, json!(1));
        let whole = json!({ "var": "" });
        let rule = json!({ op: if spread { json!([[whole], whole, whole]) } else { whole } });
        let expr = Expr::compile(&rule).unwrap();
        match expr.evaluate(&context, MAX_STEPS) {
            Ok(value) => prop_assert!(depth(&value) <= MAX_VALUE_DEPTH + MAX_DEPTH),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn growth_is_bounded_by_steps() {
    let items = json!(vec![0; 60]);
    for body in [
        json!({ "merge": [{ "var": "accumulator" }, { "var": "accumulator" }] }),
        json!([{ "var": "accumulator" }, { "var": "accumulator" }]),
        json!({ "cat": [{ "var": "accumulator" }, { "var": "accumulator" }, "…"] }),
    ] {
        let rule = Expr::compile(&json!({ "reduce": [{ "var": "" }, body, [1]] })).unwrap();
        let error = rule.evaluate(&items, MAX_STEPS).unwrap_err();
        assert!(error.is_limit(), "{error}");
    }
}

#[test]
fn each_reading_of_a_long_text_takes_steps() {
    let spaces = " ".repeat(64_000);
    let context = json!({ "list": vec![0; 100], "text": spaces });
    let text = json!({ "val": [[2], "text"] });
    for body in [
        json!({ "var": [text] }),
        json!({ "val": [[text]] }),
        json!({ "<": [text, null] }),
        json!({ ">=": [null, text] }),
        json!({ "+": [text] }),
        json!({ "substr": ["abc", text] }),
        json!({ "missing": [text] }),
        json!({ "val": [[2], "text", "length"] }),
        json!({ "val": [[2], "text", "63999"] }),
    ] {
        let rule = Expr::compile(&json!({ "map": [{ "var": "list" }, body] })).unwrap();
        let error = rule.evaluate(&context, 50_000).expect_err(&body.to_string());
        assert!(error.is_limit(), "{body}: {error}");
    }
}

#[test]
fn limits_can_not_be_caught() {
    let evaluate = |risky: Value, steps| {
        let rule = Expr::compile(&json!({ "try": [risky, "caught"] })).unwrap();
        rule.evaluate(&json!(vec![0; 300]), steps).unwrap_err()
    };
    // Enough steps are left for the alternative in both.
    let spread = json!({ "cat": { "var": "" } });
    assert_eq!(evaluate(spread, 50), EvalError::TooManySteps { limit: 50 });
    let nest = json!({ "reduce": [{ "var": "" }, [{ "var": "accumulator" }], 0] });
    assert_eq!(evaluate(nest, MAX_STEPS), EvalError::TooDeep { limit: MAX_VALUE_DEPTH });
}

#[test]
fn what_climbs_out_of_iterations_is_read() {
    let over = |list: &str, body: Value| json!({ "map": [{ "var": list }, body] });
    for (body, paths) in [
        (json!({ "var": "b" }), Some(vec!["list"])),
        (json!({ "val": [[1], "index"] }), Some(vec!["list"])),
        (json!({ "val": [[2], "b"] }), Some(vec!["list", "b"])),
        (json!({ "val": [[3], "b"] }), Some(vec!["list"])),
        (json!({ "var": "../../b.c" }), Some(vec!["list", "b.c"])),
        (json!({ "exists": [[2], "b", "c"] }), Some(vec!["list", "b.c"])),
        (json!({ "val": [[2]] }), None),
        (json!({ "val": [[{ "var": "n" }], "b"] }), None),
        (json!({ "missing": ["b", { "var": "n" }] }), Some(vec!["list"])),
        (over("inner", json!({ "val": [[2], "b"] })), Some(vec!["list"])),
        (over("inner", json!({ "val": [[4], "b"] })), Some(vec!["list", "b"])),
        (json!({ "try": [{ "val": [[2], "b"] }, { "val": [[4], "c"] }] }), Some(vec!["list", "b", "c"])),
    ] {
        let rule = over("list", body);
        let expected = paths.map_or(Reads::Everything, |paths| {
            let mut paths: Vec<Path> = paths.into_iter().map(Path::parse).collect();
            paths.sort();
            Reads::Paths(paths)
        });
        assert_eq!(Expr::compile(&rule).unwrap().paths(), expected, "{rule}");
    }
}
