//! Numbers as JavaScript reads and writes them. The wasm module leaves that to JavaScript, which has the tables.

/// Beyond this an `f64` no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// As many digits always name an integer below that.
const EXACT_DIGITS: usize = 15;

/// Digits with an optional sign, point and exponent; NaN for anything else.
///
/// ```
/// use jobwright_json::decimal::parse;
/// assert_eq!([parse("12"), parse("-.5e1"), parse("1e999")], [12.0, -5.0, f64::INFINITY]);
/// assert!(parse("").is_nan() && parse("0x1").is_nan() && parse(" 1").is_nan());
/// ```
pub fn parse(text: &str) -> f64 {
    let digit = |byte: u8| byte.is_ascii_digit();
    if text.is_empty() || !text.bytes().all(|byte| digit(byte) || b".eE+-".contains(&byte)) {
        return f64::NAN;
    }
    if text.len() <= EXACT_DIGITS && text.bytes().all(digit) {
        return text.bytes().fold(0.0, |number, byte| number * 10.0 + f64::from(byte - b'0'));
    }
    script::number(text)
}

/// As JavaScript writes it: the fewest digits that name the number, with an exponent from 1e21 up and below 1e-6.
///
/// ```
/// use jobwright_json::decimal::text;
/// assert_eq!([text(3.0), text(0.1 + 0.2), text(1e21), text(f64::NAN)], ["3", "0.30000000000000004", "1e+21", "NaN"]);
/// ```
pub fn text(number: f64) -> String {
    if number.trunc() == number && number.abs() <= EXACT {
        return (number as i64).to_string();
    }
    script::string(number)
}

#[cfg(target_arch = "wasm32")]
mod script {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = Number)]
        pub fn number(text: &str) -> f64;
        #[wasm_bindgen(js_name = String)]
        pub fn string(number: f64) -> String;
    }
}

/// What JavaScript does, as far as it is asked for above.
#[cfg(not(target_arch = "wasm32"))]
mod script {
    /// No shortest form has more digits.
    const MOST_SHORTEST: usize = 17;
    /// No double has more, written to its end.
    const MOST_EXACT: usize = 767;

    pub fn number(text: &str) -> f64 {
        text.parse().unwrap_or(f64::NAN)
    }

    pub fn string(number: f64) -> String {
        if !number.is_finite() {
            return format!("{number}").replace("inf", "Infinity");
        }
        let (digits, exponent) = shortest(number.abs());
        // Where the point stands, counted from the first digit.
        let point = exponent + 1;
        let count = digits.len() as i32;
        let zeros = |count: i32| "0".repeat(count.max(0) as usize);
        let sign = if number < 0.0 { "-" } else { "" };
        let text = match point {
            -5..=0 => format!("0.{}{digits}", zeros(-point)),
            1..=21 if point >= count => digits + &zeros(point - count),
            1..=21 => with_point(&digits, point as usize),
            _ => format!("{}e{:+}", with_point(&digits, 1), point - 1),
        };
        format!("{sign}{text}")
    }

    /// The fewest digits that name the number, and the exponent of the first. Where two are as near to it, Rust writes
    /// the larger ones, and JavaScript those that end evenly.
    fn shortest(number: f64) -> (String, i32) {
        let written = format!("{number:e}");
        let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let mut digits = digits.replace('.', "");
        if let Some(last) = digits.pop() {
            let even = char::from(last as u8 & !1);
            digits.push(even);
            if !is_half_more(number, &digits, exponent) {
                digits.pop();
                digits.push(last);
            }
        }
        (digits, exponent.parse().unwrap_or(0))
    }

    /// Is the number exactly these digits and a 5? Most are not, which the first of them say.
    fn is_half_more(number: f64, digits: &str, exponent: &str) -> bool {
        let is = |precision: usize| {
            let exact = format!("{number:.precision$e}").replace('.', "");
            let rest = exact.strip_prefix(digits).and_then(|rest| rest.strip_prefix('5'));
            rest.and_then(|rest| rest.trim_start_matches('0').strip_prefix('e')) == Some(exponent)
        };
        is(MOST_SHORTEST) && is(MOST_EXACT)
    }

    fn with_point(digits: &str, place: usize) -> String {
        match digits.split_at(place) {
            (whole, "") => whole.into(),
            (whole, rest) => format!("{whole}.{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_digits_a_point_and_an_exponent() {
        for (text, expected) in [
            ("0", 0.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("+7", 7.0),
            ("007", 7.0),
            ("1E+05", 1e5),
            ("1e-400", 0.0),
            ("1e400", f64::INFINITY),
            ("999999999999999", 999_999_999_999_999.0),
            ("9007199254740993", 9_007_199_254_740_992.0),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert!(parse("-0").is_sign_negative());
        for text in ["", ".", "e1", "1e", "1e+", "--1", "1.2.3", "1x", " 1", "NaN", "inf", "Infinity"] {
            assert!(parse(text).is_nan(), "{text}");
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
            (9_007_199_254_740_994.0, "9007199254740994"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(number), expected);
        }
    }
}
