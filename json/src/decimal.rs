//! Decimal digits to the nearest `f64`, and back, in a tenth of the space the standard library's tables take.

use std::cmp::Ordering;

/// No number halfway between two `f64` has more digits than this.
const DIGITS: u32 = 770;

/// The first byte, if it is one of these.
fn next_of(bytes: &mut &[u8], known: &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    if known.iter().all(|known| known != first) {
        return None;
    }
    *bytes = rest;
    Some(*first)
}

/// Digits with an optional sign, point and exponent; NaN for anything else.
pub fn parse(text: &str) -> f64 {
    let mut bytes = text.as_bytes();
    let negative = next_of(&mut bytes, b"+-") == Some(b'-');
    let mut number = Decimal { mantissa: Big(Vec::new()), exponent: 0 };
    let (mut any, mut point, mut count, mut rest) = (false, false, 0, 0);
    while let Some(byte) = next_of(&mut bytes, b".0123456789") {
        if byte == b'.' {
            if point {
                return f64::NAN;
            }
            point = true;
            continue;
        }
        any = true;
        if count < DIGITS {
            count += u32::from(count > 0 || byte != b'0');
            number.mantissa.multiply_add(10, u32::from(byte - b'0'));
            number.exponent -= i32::from(point);
        } else {
            // Whether there is anything more is all that rounding needs to know.
            rest |= byte - b'0';
            number.exponent += i32::from(!point);
        }
    }
    if any && next_of(&mut bytes, b"eE").is_some() {
        let below = next_of(&mut bytes, b"+-") == Some(b'-');
        let mut exponent = 0;
        any = false;
        while let Some(byte) = next_of(&mut bytes, b"0123456789") {
            any = true;
            exponent = (exponent * 10 + i32::from(byte - b'0')).min(1 << 20);
        }
        number.exponent = number.exponent.saturating_add(if below { -exponent } else { exponent });
    }
    if !any || !bytes.is_empty() {
        return f64::NAN;
    }
    if rest != 0 {
        number.mantissa.multiply_add(10, 1);
        number.exponent -= 1;
    }
    let size = number.nearest(count as i32);
    if negative { -size } else { size }
}

/// Beyond this an `f64` no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

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
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into();
    }
    let (digits, point) = shortest(number.abs());
    let mut text = String::from(if number < 0.0 { "-" } else { "" });
    let written_out = (-5..=21).contains(&point);
    let before = if written_out { point } else { 1 };
    let end = before.max(digits.len() as i32);
    // Negative places are zeros before the first digit.
    for index in before.min(1) - 1..end {
        if index == before {
            text.push('.');
        }
        let digit = usize::try_from(index).ok().and_then(|index| digits.as_bytes().get(index));
        text.push(digit.map_or('0', |digit| char::from(*digit)));
    }
    if !written_out {
        text.push_str(if point > 0 { "e+" } else { "e" });
        text.push_str(&(point - 1).to_string());
    }
    text
}

/// The fewest digits that are read as the number, and where their point stands.
fn shortest(number: f64) -> (String, i32) {
    let (all, exact, point) = all_digits(number);
    // Fifteen digits that are read as a normal number are the only ones; there may be zeros at their end.
    let mut count = if number < f64::MIN_POSITIVE { 1 } else { 15 };
    loop {
        let unit = 10_u64.pow(DIGITS_THAT_TELL - count);
        let (below, above) = (all / unit, all / unit + 1);
        let nearer_above = match (all % unit * 2).cmp(&unit) {
            Ordering::Less => false,
            Ordering::Equal => !exact || below % 2 == 1,
            Ordering::Greater => true,
        };
        for digits in if nearer_above { [above, below] } else { [below, above] } {
            let digits = digits.to_string();
            let exponent = point - count as i32;
            if parse(&(digits.clone() + "e" + &exponent.to_string())) == number {
                let more = digits.len() as i32 - count as i32;
                return (digits.trim_end_matches('0').into(), point + more);
            }
        }
        count += 1;
    }
}

/// Seventeen digits name any number, and one more says to which side it lies.
const DIGITS_THAT_TELL: u32 = 18;

/// A number's first digits, whether they are all, and where their point stands.
fn all_digits(number: f64) -> (u64, bool, i32) {
    let bits = number.to_bits();
    let exponent = (bits >> 52) as i32;
    let (mantissa, exponent) = match exponent {
        0 => (bits, -1074),
        _ => (bits % (1 << 52) | 1 << 52, exponent - 1075),
    };
    // At least where the point stands: a bit is 0.301 digits.
    let mut point = (exponent + 64 - mantissa.leading_zeros() as i32) * 301 / 1000 + 2;
    loop {
        let mut dividend = Big(vec![mantissa as u32, (mantissa >> 32) as u32]);
        let mut divisor = Big(vec![1]);
        let wanted = DIGITS_THAT_TELL as i32;
        let scaled = if point > wanted { &mut divisor } else { &mut dividend };
        for _ in 0..(wanted - point).abs() {
            scaled.multiply_add(10, 0);
        }
        let shifted = if exponent < 0 { &mut divisor } else { &mut dividend };
        shifted.shift_left(exponent.unsigned_abs());
        dividend.trim();
        let (digits, exact) = dividend.divide(divisor);
        if digits >= 10_u64.pow(DIGITS_THAT_TELL - 1) {
            return (digits, exact, point);
        }
        point -= 1;
    }
}

/// `mantissa` times ten to the `exponent`.
struct Decimal {
    mantissa: Big,
    exponent: i32,
}

impl Decimal {
    fn nearest(mut self, digits: i32) -> f64 {
        if let (Some(mantissa), -22..=22) = (self.mantissa.exact(), self.exponent) {
            // Both are exact, and so what is rounded is the true quotient or product.
            let power = (0..self.exponent.abs()).fold(1.0, |power, _| power * 10.0);
            return if self.exponent < 0 { mantissa / power } else { mantissa * power };
        }
        let magnitude = digits.saturating_add(self.exponent);
        if digits == 0 || magnitude < -330 {
            return 0.0;
        }
        if magnitude > 310 {
            return f64::INFINITY;
        }
        let mut divisor = Big(vec![1]);
        let scaled = if self.exponent < 0 { &mut divisor } else { &mut self.mantissa };
        for _ in 0..self.exponent.unsigned_abs() {
            scaled.multiply_add(10, 0);
        }
        // A quotient of 55 or 56 bits, which is two more than are kept.
        let shift = 55 + divisor.bits() - self.mantissa.bits();
        let shifted = if shift < 0 { &mut divisor } else { &mut self.mantissa };
        shifted.shift_left(shift.unsigned_abs());
        let (quotient, exact) = self.mantissa.divide(divisor);
        round(quotient, !exact, -shift)
    }
}

/// `quotient` times two to the `exponent`, to the nearest `f64`, of two as near to the even one.
fn round(quotient: u64, more: bool, exponent: i32) -> f64 {
    let length = 64 - quotient.leading_zeros() as i32;
    // Below the least normal number there are fewer bits.
    let drop = (length - 53).max(-1074 - exponent);
    if drop > 62 {
        return 0.0;
    }
    let kept = quotient >> drop;
    let dropped = quotient - (kept << drop);
    let half = 1 << (drop - 1);
    let up = dropped > half || dropped == half && (more || kept % 2 == 1);
    let exponent = exponent + drop;
    // Two steps, since the power alone may be out of range.
    (kept + u64::from(up)) as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2)
}

/// A natural number in 32-bit digits, least first.
struct Big(Vec<u32>);

impl Big {
    fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// The number, if an `f64` can be just that.
    fn exact(&self) -> Option<f64> {
        let number = match *self.0.as_slice() {
            [] => 0,
            [low] => u64::from(low),
            [low, high] => u64::from(high) << 32 | u64::from(low),
            _ => return None,
        };
        (number <= 1 << 53).then_some(number as f64)
    }

    fn bits(&self) -> i32 {
        let top = self.0.last().map_or(32, |top| top.leading_zeros());
        self.0.len() as i32 * 32 - top as i32
    }

    fn shift_left(&mut self, bits: u32) {
        self.multiply_add(1 << (bits % 32), 0);
        let digits = std::mem::take(&mut self.0);
        self.0.resize(bits as usize / 32, 0);
        self.0.extend(digits);
    }

    fn shift_right_once(&mut self) {
        let mut carry = 0;
        for digit in self.0.iter_mut().rev() {
            (*digit, carry) = (*digit >> 1 | carry << 31, *digit & 1);
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn compare(&self, other: &Big) -> Ordering {
        let digits = self.0.iter().rev().cmp(other.0.iter().rev());
        self.0.len().cmp(&other.0.len()).then(digits)
    }

    /// Subtracts what is not more.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        for (index, digit) in self.0.iter_mut().enumerate() {
            borrow += i64::from(*digit) - i64::from(other.0.get(index).copied().unwrap_or(0));
            *digit = borrow as u32;
            borrow >>= 32;
        }
        self.trim();
    }

    /// The quotient, of 64 bits at most, and whether that is all.
    fn divide(&mut self, mut divisor: Big) -> (u64, bool) {
        divisor.shift_left(63);
        let mut quotient = 0;
        for _ in 0..64 {
            quotient <<= 1;
            if self.compare(&divisor) != Ordering::Less {
                self.subtract(&divisor);
                quotient |= 1;
            }
            divisor.shift_right_once();
        }
        (quotient, self.0.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(text: &str) {
        let (own, other) = (parse(text), text.parse::<f64>().unwrap_or(f64::NAN));
        assert!(
            own.to_bits() == other.to_bits() || own.is_nan() && other.is_nan(),
            "{text}: {own:e}, {other:e}"
        );
    }

    #[test]
    fn agrees_with_the_standard_library_at_the_edges() {
        for text in [
            "0",
            "-0",
            "1.",
            ".5",
            "+7",
            "007",
            "1e5",
            "1E+05",
            "0e999999999999",
            "1e-400",
            "1e400",
            "",
            ".",
            "e1",
            "1e",
            "1e+",
            "--1",
            "1.2.3",
            "1x",
            "9007199254740993",
            "9007199254740992.9999999",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "9007199254740993.00000000000000000000000000000000000000001",
        ] {
            agrees(text);
        }
        let halfway = "9007199254740993";
        agrees(&format!("{halfway}.{}1", "0".repeat(2000)));
        agrees(&format!("{halfway}{}", "0".repeat(250)));
        agrees(&format!("0.{}{halfway}", "0".repeat(300)));
        agrees(&"9".repeat(5000));
        agrees(&format!(".{}1e5001", "0".repeat(5000)));
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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_the_standard_library(text in "-?[0-9]{0,25}(\\.[0-9]{0,25})?(e-?[0-9]{1,3})?", bits: u64) {
            agrees(&text);
            agrees(&format!("{:e}", f64::from_bits(bits)).replace("inf", "1e999"));
            // Halfway between two neighbours, where rounding is hardest, subnormal ones too.
            let middle = f64::from_bits(bits % (1 << 53));
            agrees(&format!("{middle:.1100}"));
            agrees(&format!("{:.0}5e-1", f64::from(bits as u32) * 4_503_599_627_370_496.0));
        }
    }
}
