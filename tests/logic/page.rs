//! The page on expressions: each row of its tables holds, and nothing is left out.

use super::properties::OPERATORS;
use jobwright::core::logic::{Expr, MAX_DEPTH, MAX_LENGTH, MAX_STEPS};
use serde_json::{Value, json};
use std::collections::HashMap;

const PAGE: &str = include_str!("../../docs/expressions.md");

/// The cells of a line of a table, by the names of their columns.
type Row = HashMap<&'static str, &'static str>;

fn cells(line: &'static str) -> Option<Vec<&'static str>> {
    let inside = line.strip_prefix("| ")?.strip_suffix('|')?;
    Some(inside.split('|').map(str::trim).collect())
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut columns: Option<Vec<&str>> = None;
    for line in PAGE.lines() {
        match (cells(line), &columns) {
            (Some(names), None) => columns = Some(names),
            (Some(cells), Some(columns)) => {
                assert_eq!(cells.len(), columns.len(), "{line}");
                rows.push(columns.iter().copied().zip(cells).collect());
            }
            (None, _) => columns = None,
        }
    }
    rows.retain(|row: &Row| !row.values().all(|cell| *cell == "---"));
    rows
}

/// What stands in a cell between its backticks.
fn code(cell: &'static str) -> &'static str {
    let fence = if cell.starts_with("``") { "``" } else { "`" };
    let inside = cell.strip_prefix(fence).and_then(|rest| rest.strip_suffix(fence));
    assert!(inside.is_some(), "not in backticks: {cell}");
    inside.unwrap_or_default().trim()
}

fn json_of(cell: &'static str) -> Value {
    let parsed = serde_json::from_str(code(cell));
    assert!(parsed.is_ok(), "not JSON: {cell}");
    parsed.unwrap_or_default()
}

/// The value, or the sentence of the error.
fn evaluate(row: &Row) -> Result<Value, String> {
    let compiled = match row.get("rule") {
        Some(rule) => Expr::compile(&json_of(rule)),
        None => Expr::compile_template(&json_of(row["template"])),
    };
    let data = row.get("data").copied().filter(|data| !data.is_empty()).map_or(Value::Null, json_of);
    let expr = compiled.map_err(|error| error.to_string())?;
    expr.evaluate(&data, MAX_STEPS).map_err(|error| error.to_string())
}

#[test]
fn every_row_gives_what_it_says() {
    let examples: Vec<Row> = rows().into_iter().filter(|row| row.contains_key("gives")).collect();
    assert!(examples.len() >= OPERATORS.len());
    let mut wrong = Vec::new();
    for row in examples {
        let expected = match row["gives"].strip_prefix("error: ") {
            Some(sentence) => Err(code(sentence).to_owned()),
            None => Ok(json_of(row["gives"])),
        };
        let found = evaluate(&row);
        if found != expected {
            wrong.push(format!("{row:?}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operator_has_a_row() {
    let rows = rows();
    for operator in OPERATORS {
        let named = format!("`{operator}`");
        let row = rows.iter().find(|row| row.get("operator") == Some(&named.as_str()));
        let row = row.unwrap_or_else(|| panic!("there is no row for {named}"));
        assert!(row["rule"].contains(&format!("\"{operator}\":")), "{row:?}");
    }
}

#[test]
fn every_limit_is_said_as_its_error_says_it() {
    let compile = |rule: Value| Expr::compile(&rule).unwrap_err().message;
    let evaluate = |rule: Value| Expr::compile(&rule).unwrap().evaluate(&json!(vec![0; 2000]), MAX_STEPS);
    let deep = (0..=MAX_DEPTH).fold(json!(1), |rule, _| json!([{ "!": rule }]));
    let accumulate = |body: Value| json!({ "reduce": [{ "var": "" }, body, [1]] });
    let errors = [
        compile(deep),
        compile(vec![0; MAX_LENGTH as usize].into()),
        evaluate(accumulate(json!({ "merge": [{ "var": "accumulator" }, { "var": "accumulator" }] })))
            .unwrap_err()
            .to_string(),
        evaluate(accumulate(json!([{ "var": "accumulator" }]))).unwrap_err().to_string(),
    ];
    let said: Vec<&str> =
        rows().iter().filter(|row| row.contains_key("limit")).map(|row| code(row["error"])).collect();
    assert_eq!(said, errors);
}
