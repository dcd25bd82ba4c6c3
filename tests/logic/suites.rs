//! The community's JSON Logic suites, read from where they are kept beside the project.

use jobwright::core::logic::{Expr, MAX_STEPS};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Cases that can't sensibly pass, as file, description and argument. There are none.
const ARGUED: &[(&str, &str, &str)] = &[];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// Numbers are JavaScript's: 1 and 1.0 are one.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn outcome(case: &Value) -> Value {
    let data = case.get("data").unwrap_or(&Value::Null);
    let expr = match Expr::compile(&case["rule"]) {
        Ok(expr) => expr,
        Err(error) => return json!({ "compile": error.to_string() }),
    };
    match expr.evaluate(data, MAX_STEPS) {
        Ok(value) => json!({ "result": value }),
        Err(error) => json!({ "error": error.value() }),
    }
}

#[test]
fn every_case_of_the_community_suites_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/jsonlogic");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    assert!(
        !paths.is_empty(),
        "the community's JSON Logic suites are missing: there is no .json file in {}",
        folder.display(),
    );

    let (mut count, mut failures) = (0, Vec::new());
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let suite: Value = serde_json::from_str(&text).unwrap();
        let file = path.strip_prefix(&folder).unwrap().display().to_string();
        for case in suite.as_array().unwrap().iter().filter(|case| case.is_object()) {
            count += 1;
            let expected = match (case.get("result"), case.get("error")) {
                (Some(result), _) => json!({ "result": result }),
                (None, Some(error)) => json!({ "error": error }),
                _ => panic!("{file}: a case has neither result nor error: {case}"),
            };
            let description = case["description"].as_str().unwrap_or_default();
            let argued = ARGUED.iter().any(|(f, d, _)| *f == file && *d == description);
            let got = outcome(case);
            if same(&got, &expected) == argued {
                failures.push(format!("{file}: {description}: {}: {got}", case["rule"]));
            }
        }
    }
    assert!(count > 0, "the community's JSON Logic suites hold no cases: {}", folder.display());
    assert!(failures.is_empty(), "{} of {count} cases fail:\n{}", failures.len(), failures.join("\n"));
    println!("{count} cases of {} JSON Logic suites pass", paths.len());
}
