//! Reads the members of a plan's objects, and notes what is wrong with each.

use std::num::NonZeroU32;

use serde_json::{Map, Value};

use super::problem::Report;
use crate::core::{
    logic::{CompileError, Expr, nearest, number_text},
    outcome::listed,
};

/// Names that mean something to JavaScript objects themselves.
const RESERVED: [&str; 3] = ["__proto__", "constructor", "prototype"];

const MAX_NAME: usize = 10_000;

pub(super) fn check_keys(object: &Map<String, Value>, known: &[&str], report: &mut Report) {
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        report.at(key, |report| {
            if let Some(meant) = nearest(key, known.iter().copied()) {
                report.say(format!("unknown key; did you mean \"{meant}\"?"));
            } else {
                report.say(format!("unknown key; known are {}", listed(&mut known.iter().copied())));
            }
        });
    }
}

pub(super) fn read_name(step: &Map<String, Value>, key: &str, report: &mut Report) -> Option<Box<str>> {
    let Some(value) = step.get(key) else {
        if key == "id" {
            report.at(key, |report| report.say("is missing: a step needs an id, unique within its plan"));
        }
        return None;
    };
    report.at(key, |report| match value.as_str() {
        None => report.must_be("a string", value),
        Some("") => report.say("must not be empty"),
        Some(name) if RESERVED.contains(&name) => report.say(format!("\"{name}\" is reserved by JavaScript")),
        Some(name) if name.len() > MAX_NAME => {
            report.say(format!("is {} bytes long; at most {MAX_NAME} are allowed", name.len()));
        }
        Some(_) => {}
    });
    value.as_str().map(Box::from)
}

pub(super) fn read_expression(
    key: &str,
    compiled: Result<Expr, CompileError>,
    report: &mut Report,
) -> Option<Expr> {
    match compiled {
        Ok(expression) => Some(expression),
        Err(error) => {
            report.at(key, |report| report.say(error.to_string()));
            None
        }
    }
}

pub(super) fn read_names(
    step: &Map<String, Value>,
    key: &str,
    what: &str,
    report: &mut Report,
) -> Vec<Box<str>> {
    let Some(value) = step.get(key) else {
        return Vec::new();
    };
    let names: Option<Vec<Box<str>>> =
        value.as_array().and_then(|list| list.iter().map(|name| name.as_str().map(Box::from)).collect());
    names.unwrap_or_else(|| {
        report.must_be_at(key, &format!("a list of {what}"), value);
        Vec::new()
    })
}

pub(super) fn read_bool(object: &Map<String, Value>, key: &str, report: &mut Report) -> Option<bool> {
    let value = object.get(key)?;
    if !value.is_boolean() {
        report.must_be_at(key, "true or false", value);
    }
    value.as_bool()
}

pub(super) fn read_number(
    object: &Map<String, Value>,
    key: &str,
    least: u32,
    report: &mut Report,
) -> Option<f64> {
    let value = object.get(key)?;
    let number = value.as_f64().filter(|number| number.is_finite() && *number >= f64::from(least));
    if number.is_none() {
        report.must_be_at(key, &format!("a number of at least {least}"), value);
    }
    number
}

/// A number from 0 to 1.
pub(super) fn read_share(object: &Map<String, Value>, key: &str, report: &mut Report) -> Option<f64> {
    let value = object.get(key)?;
    let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        report.must_be_at(key, "a number from 0 to 1", value);
    }
    share
}

/// A whole number of at least 0.
pub(super) fn read_whole(object: &Map<String, Value>, key: &str, report: &mut Report) -> Option<u64> {
    let number = read_number(object, key, 0, report)?;
    if number.fract() != 0.0 {
        report.at(key, |report| report.say(format!("must be a whole number; found {}", number_text(number))));
    }
    // Larger ones saturate: no job runs so many steps.
    Some(number as u64)
}

/// A whole number of at least 1.
pub(super) fn read_count(object: &Map<String, Value>, key: &str, report: &mut Report) -> Option<NonZeroU32> {
    let value = object.get(key)?;
    let count = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number))
        // In range by the line above.
        .and_then(|number| NonZeroU32::new(number as u32));
    if count.is_none() {
        report.must_be_at(key, "a whole number of at least 1", value);
    }
    count
}
