//! Numbers as JavaScript has them: from text, to text, and back into JSON.

use serde_json::{Number, Value};

/// Beyond this an `f64` no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// `Number(text)`; NaN for what is not a number.
pub(super) fn parse(text: &str) -> f64 {
    let text = text.trim_matches(space);
    let (radix, digits) = match text.get(..2) {
        Some("0x" | "0X") => (16, text.get(2..)),
        Some("0o" | "0O") => (8, text.get(2..)),
        Some("0b" | "0B") => (2, text.get(2..)),
        _ => (10, None),
    };
    if let Some(digits) = digits {
        return integer(digits, radix);
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust reads words such as "inf" and "nan" too; what is left after this check is the same.
        _ if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".+-eE".contains(&byte)) =>
        {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// What JavaScript takes for space: not quite Unicode's white space.
fn space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}'
        )
}

/// Digits of a power of two. Those that no longer fit only say whether there was something, which
/// is all that rounding needs to know.
fn integer(digits: &str, radix: u32) -> f64 {
    let (mut mantissa, mut scale) = (0_u64, 1.0_f64);
    for c in digits.chars() {
        let Some(digit) = c.to_digit(radix) else {
            return f64::NAN;
        };
        if mantissa < 1 << 59 {
            mantissa = mantissa * u64::from(radix) + u64::from(digit);
        } else {
            mantissa |= u64::from(digit != 0);
            scale *= f64::from(radix);
        }
    }
    if digits.is_empty() {
        f64::NAN
    } else {
        mantissa as f64 * scale
    }
}

/// The JSON number, integers without a fraction; `None` for NaN and the infinities.
pub(super) fn value(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Some(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number)
}

/// The `f64` that JavaScript would hold.
pub(super) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// `Number(value)` of what is neither an array nor an object.
pub(super) fn of(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => float(number),
        Value::String(text) => parse(text),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

/// `String(number)`: the fewest digits that name it, with an exponent from 1e21 up and below 1e-6.
pub(super) fn text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return (number as i64).to_string();
    }
    let Some(shortest) = Number::from_f64(number) else {
        return "NaN".into();
    };
    let shortest = shortest.to_string();
    let (sign, shortest) = match shortest.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", shortest.as_str()),
    };
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    // Where the point stands, counted from the first digit.
    let point = exponent.parse::<i32>().unwrap_or(0) + whole.len() as i32
        - (all.len() - digits.len()) as i32;
    lay_out(sign, digits.trim_end_matches('0'), point)
}

fn lay_out(sign: &str, digits: &str, point: i32) -> String {
    let zeros = |count: i32| "0".repeat(count.max(0) as usize);
    let count = digits.len() as i32;
    if (count..=21).contains(&point) {
        return format!("{sign}{digits}{}", zeros(point - count));
    }
    if (-5..=0).contains(&point) {
        return format!("{sign}0.{}{digits}", zeros(-point));
    }
    let (before, after) = digits
        .split_at_checked(if point <= 21 && point > 0 {
            point as usize
        } else {
            1
        })
        .unwrap_or((digits, ""));
    if (1..=21).contains(&point) {
        return format!("{sign}{before}.{after}");
    }
    let dot = if after.is_empty() { "" } else { "." };
    let plus = if point > 0 { "+" } else { "" };
    format!("{sign}{before}{dot}{after}e{plus}{}", point - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_javascript_reads() {
        for (text, number) in [
            (" 12 ", 12.0),
            ("\u{feff}\u{a0}1\n", 1.0),
            ("", 0.0),
            ("0x10", 16.0),
            ("0b101", 5.0),
            ("0O17", 15.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("-1E-2", -0.01),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x20000000000001", 9_007_199_254_740_992.0),
            ("0x20000000000003", 9_007_199_254_740_996.0),
            (
                "0x200000000000010000000000000000000",
                6.805_647_338_418_769e38,
            ),
            (
                "0x200000000000010000000000000000001",
                6.805_647_338_418_771e38,
            ),
        ] {
            assert_eq!(parse(text), number, "{text:?}");
        }
        for text in [
            "a", "1 2", "-0x10", "0x", "0xg", ".", "e5", "1e", "inf", "nan", "1_000", "\u{85}1",
            "+-1",
        ] {
            assert!(parse(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn writes_what_javascript_writes() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-3.0, "-3"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-12.75, "-12.75"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (0.000_001, "0.000001"),
            (0.000_001_5, "0.0000015"),
            (0.000_000_1, "1e-7"),
            (-1.25e-9, "-1.25e-9"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(text(number), expected);
        }
    }
}
