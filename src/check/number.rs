//! Integers and doubles on one line, compared as the exact numbers that they are.
//!
//! Converting either into the other rounds, and a bound that rounds is a bound that leaks: 2⁵³ + 1 as a double
//! is 2⁵³. Nothing is converted here unless it is exact.
//!
//! ```
//! use secval::check::Number;
//!
//! let limit = Number::Float(9_007_199_254_740_992.0); // 2^53
//! assert!(Number::Int(9_007_199_254_740_993) > limit);
//! assert_eq!(Number::Int(1), Number::Float(1.0));
//! assert_eq!(Number::Float(f64::NAN).partial_cmp(&Number::Int(0)), None);
//! ```

#![forbid(unsafe_code)]

use std::cmp::Ordering;

/// An integer or a double.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A double, which may be infinite, and NaN, which compares with nothing.
    Float(f64),
}

/// 2⁶³: doubles from here on are greater than every `i64`; those below minus this are less.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => compare(a, b),
            (Self::Float(a), Self::Int(b)) => compare(b, a).map(Ordering::reverse),
        }
    }
}

/// An integer with a double, by the double's whole part first and its fraction if they are equal.
fn compare(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= I64_END {
        return Some(Ordering::Less);
    }
    if float < -I64_END {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "cut to its whole part, which is in range")]
    let whole = float as i64;
    let fraction = float.fract();
    Some(int.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal)))
}
