//! Numbers as JavaScript has them: from text, to text, and back into JSON.

use super::decimal;
use serde_json::{Number, Value};

/// Beyond this an `f64` no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

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

/// The JSON number, integers without a fraction; `None` for NaN and the infinities.
pub(super) fn value(number: f64) -> Option<Value> {
    if number.trunc() == number && number.abs() <= EXACT {
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
pub(crate) fn text(number: f64) -> String {
    let Some(Value::Number(shortest)) = value(number) else { return "NaN".into() };
    let integer = shortest.is_i64();
    let shortest = shortest.to_string();
    if integer {
        return shortest;
    }
    // The digits, and where the point stands, counted from the first of them.
    let mut digits = Vec::new();
    let (mut point, mut whole, mut exponent) = (0, true, "");
    for (index, byte) in shortest.bytes().enumerate() {
        match byte {
            b'e' => {
                exponent = shortest.get(index + 1..).unwrap_or_default();
                break;
            }
            b'.' => whole = false,
            b'-' => {}
            b'0' if digits.is_empty() => point -= i32::from(!whole),
            _ => {
                digits.push(byte);
                point += i32::from(whole);
            }
        }
    }
    point += decimal::parse(exponent) as i32;
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let mut text = if number < 0.0 { vec![b'-'] } else { Vec::new() };
    lay_out(&digits, point, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn lay_out(digits: &[u8], point: i32, text: &mut Vec<u8>) {
    let written_out = (-5..=21).contains(&point);
    let before = if written_out { point } else { 1 };
    let end = before.max(digits.len() as i32);
    // Negative places are zeros before the first digit.
    for index in before.min(1) - 1..end {
        if index == before {
            text.push(b'.');
        }
        text.push(usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(b'0'));
    }
    if !written_out {
        text.extend(if point > 0 { &b"e+"[..] } else { b"e" });
        text.extend((point - 1).to_string().bytes());
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
            (-1.5e300, "-1.5e+300"),
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
