use std::fmt;

use crate::decimal;

/// A number as JavaScript has it, but neither NaN nor infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(f64);

impl Eq for Number {}

impl Number {
    /// None for NaN and what is infinite.
    pub fn from_f64(number: f64) -> Option<Number> {
        number.is_finite().then_some(Number(number))
    }

    /// Always some; named as in serde_json.
    pub fn as_f64(&self) -> Option<f64> {
        Some(self.0)
    }

    /// The number, if it is one that counts.
    pub fn as_u64(&self) -> Option<u64> {
        let whole = self.0 as u64;
        (whole as f64 == self.0).then_some(whole)
    }

    /// The number, if it is a whole one.
    pub fn as_i64(&self) -> Option<i64> {
        let whole = self.0 as i64;
        (whole as f64 == self.0).then_some(whole)
    }
}

macro_rules! from_whole {
    ($($whole:ty),*) => {
        $(
            /// The nearest.
            impl From<$whole> for Number {
                fn from(number: $whole) -> Self {
                    Number(number as f64)
                }
            }
        )*
    };
}

from_whole!(i32, i64, u8, u16, u32, u64, usize);

/// As JavaScript writes it.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::text(self.0))
    }
}
