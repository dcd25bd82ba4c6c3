//! Evaluates JSON Logic for the differential test: each line of the input is a JSON array of a rule
//! and its data, and answered by a line `{ "value": ... }`, `{ "error": ... }` or `{ "compile": ... }`. Where the
//! values of the paths that a rule names do not give what all of the data gives, that is the answer.

use jobwright::core::logic::{Expr, MAX_STEPS, Reads, assemble};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};

fn main() -> Result<(), Box<dyn Error>> {
    let mut answers = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let (rule, data) = case(&line?)?;
        let answer = match Expr::compile(&rule) {
            Ok(expr) => answer(&expr, &data),
            Err(error) => json!({ "compile": error.to_string() }),
        };
        writeln!(answers, "{answer}")?;
    }
    Ok(())
}

fn answer(expr: &Expr, data: &Value) -> Value {
    let whole = outcome(expr, data);
    let Reads::Paths(paths) = expr.paths() else { return whole };
    let values = paths.into_iter().filter_map(|path| path.find(data).map(|value| (path, value)));
    let part = outcome(expr, &assemble(values));
    if part == whole { whole } else { json!({ "whole": whole, "named": part }) }
}

fn outcome(expr: &Expr, data: &Value) -> Value {
    match expr.evaluate(data, MAX_STEPS) {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": error.value() }),
    }
}

fn case(line: &str) -> Result<(Value, Value), Box<dyn Error>> {
    match serde_json::from_str(line)? {
        Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([rule, data]) => Ok((rule, data)),
            Err(pair) => {
                Err(format!("a rule and its data are expected, and {} values were given", pair.len()).into())
            }
        },
        other => Err(format!("a rule and its data are expected, and {other} was given").into()),
    }
}
