//! Numbers as JavaScript has them: from text, and back into JSON.

use serde_json::{Number, Value, decimal};

/// `Number(text)`; NaN for what is not a number.
pub(super) fn parse(text: &str) -> f64 {
    let text = text.trim_matches(space);
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', b'o' | b'O', digits @ ..] => (8, digits),
        [b'0', b'b' | b'B', digits @ ..] => (2, digits),
        b"" => return 0.0,
        b"Infinity" | b"+Infinity" => return f64::INFINITY,
        b"-Infinity" => return f64::NEG_INFINITY,
        _ => return decimal::parse(text),
    };
    integer(digits, radix)
}

/// What JavaScript takes for space: not quite Unicode's white space.
fn space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}

/// Digits of a power of two. Those that no longer fit only say whether there was something, which
/// is all that rounding needs to know.
fn integer(digits: &[u8], radix: u32) -> f64 {
    let (mut mantissa, mut scale) = (0_u64, 1.0_f64);
    for byte in digits {
        let Some(digit) = char::from(*byte).to_digit(radix) else { return f64::NAN };
        if mantissa < 1 << 59 {
            mantissa = mantissa * u64::from(radix) + u64::from(digit);
        } else {
            mantissa |= u64::from(digit != 0);
            scale *= f64::from(radix);
        }
    }
    if digits.is_empty() { f64::NAN } else { mantissa as f64 * scale }
}

/// `a % b`. The standard library's is ten times the size.
pub(super) fn remainder(a: f64, b: f64) -> f64 {
    let (mut rest, least) = (a.abs(), b.abs());
    if least.is_infinite() && rest.is_finite() {
        return a;
    }
    if least == 0.0 || least.is_nan() || !rest.is_finite() {
        return f64::NAN;
    }
    let mut part = least;
    while part + part <= rest {
        part += part;
    }
    // Doubling, halving and these subtractions are exact.
    while rest >= least {
        if rest >= part {
            rest -= part;
        }
        part /= 2.0;
    }
    rest.copysign(a)
}

/// The JSON number; `None` for NaN and the infinities.
pub(super) fn value(number: f64) -> Option<Value> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            ("0x200000000000010000000000000000000", 6.805_647_338_418_77e38),
            ("0x200000000000010000000000000000001", 6.805_647_338_418_771e38),
        ] {
            assert_eq!(parse(text), number, "{text:?}");
        }
        for text in
            ["a", "1 2", "-0x10", "0x", "0xg", ".", "e5", "1e", "inf", "nan", "1_000", "\u{85}1", "+-1", "é"]
        {
            assert!(parse(text).is_nan(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn remainders_are_the_standard_library_s(a: f64, b: f64, small: i8) {
            for (a, b) in [(a, b), (a, f64::from(small)), (f64::from(small), b), (f64::from(small), 3.0)] {
                let (own, other) = (remainder(a, b), a % b);
                prop_assert!(own == other || own.is_nan() && other.is_nan(), "{} {} {} {}", a, b, own, other);
            }
        }
    }
}
