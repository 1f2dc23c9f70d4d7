//! Numbers, compared exactly as they are written: no value is rounded to a double on the way.

use std::cmp::Ordering;

use smallvec::SmallVec;

/// A decimal number: `0.d₁d₂d₃… × 10^point`, without zeros at either end of its digits. Zero has no digits.
///
/// Borrows its digits from the text, so reading one costs one pass and no memory. Exponents beyond ±2^60 are
/// taken as ±2^60: a number that small or large is no longer told from its neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    point: i64,
}

/// Where exponents are cut; far from the ends of `i64`, so that sums of a few cannot overflow.
const EXPONENT: i64 = 1 << 60;

impl<'t> Decimal<'t> {
    /// Reads a number of JSON's grammar; of anything else, what its digits say.
    pub(super) fn parse(text: &'t str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut whole = without_leading_zeros(whole.as_bytes());
        let mut fraction = without_trailing_zeros(fraction.as_bytes());
        let mut point = length(whole);
        if whole.is_empty() {
            let kept = without_leading_zeros(fraction);
            point = length(kept).saturating_sub(length(fraction));
            fraction = kept;
        }
        if fraction.is_empty() {
            whole = without_trailing_zeros(whole);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Self { negative: false, whole, fraction, point: 0 };
        }
        Self { negative, whole, fraction, point: point.saturating_add(read_exponent(exponent)) }
    }

    pub(super) fn digits(self) -> impl Iterator<Item = u8> + Clone + use<'t> {
        self.whole.iter().chain(self.fraction).copied()
    }

    pub(super) fn count(self) -> i64 {
        length(self.whole).saturating_add(length(self.fraction))
    }

    pub(super) fn is_zero(self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    pub(super) fn is_integer(self) -> bool {
        self.count() <= self.point
    }

    /// An unambiguous spelling, for comparing by bytes: equal numbers have the same.
    pub(super) fn spell(self, into: &mut impl Extend<u8>) {
        into.extend([if self.negative { b'-' } else { b'+' }]);
        into.extend(self.point.to_be_bytes());
        into.extend(self.digits());
    }

    /// The same by itself.
    pub(super) fn spelled(self) -> SmallVec<[u8; 40]> {
        let mut text = SmallVec::new();
        self.spell(&mut text);
        text
    }

    /// If it is an integer that fits.
    pub(super) fn as_i64(self) -> Option<i64> {
        let zeros = usize::try_from(self.exponent()).ok()?;
        // Whatever has more digits does not fit.
        if self.point > 19 {
            return None;
        }
        let digits = self.digits().chain(std::iter::repeat_n(b'0', zeros));
        digits.into_iter().try_fold(0_i64, |sum, digit| {
            let digit = i64::from(digit - b'0');
            let sum = sum.checked_mul(10)?;
            if self.negative { sum.checked_sub(digit) } else { sum.checked_add(digit) }
        })
    }

    /// The power of ten of its last digit.
    pub(super) fn exponent(self) -> i64 {
        self.point.saturating_sub(self.count())
    }

    /// Its digits as one integer, if they are few enough that products of two stay within 128 bits.
    pub(super) fn integer(self) -> Option<u128> {
        (self.count() <= 18)
            .then(|| self.digits().fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0')))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let size = self.point.cmp(&other.point).then_with(|| self.digits().cmp(other.digits()));
            if self.negative { size.reverse() } else { size }
        })
    }
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(EXPONENT)
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.get(..digits.len().saturating_sub(zeros)).unwrap_or_default()
}

fn read_exponent(text: &str) -> i64 {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let size = digits.iter().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))).min(EXPONENT)
    });
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        let there = Decimal::parse(a).cmp(&Decimal::parse(b));
        assert_eq!(there, Decimal::parse(b).cmp(&Decimal::parse(a)).reverse(), "{a} {b}");
        there
    }

    #[test]
    fn order_is_exact() {
        for (a, b) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("0.5", "5E-1"),
            ("0", "-0"),
            ("0e999", "0.00"),
            ("1200", "0.12e4"),
            ("10", "1e+1"),
            ("0.0012", "12e-4"),
            ("-10.0", "-1e1"),
        ] {
            assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
        }
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("-1", "0"),
            ("-2", "-1"),
            ("0.1", "0.10000000000000000001"),
            ("99", "100"),
            ("1e-400", "1e-399"),
            ("-1e400", "1e-400"),
            ("12", "12.5"),
            ("0", "1e-1000000"),
            ("18446744073709551615", "18446744073709551616"),
            ("0.09", "0.1"),
            ("-0.1", "-0.09"),
        ] {
            assert_eq!(order(less, more), Ordering::Less, "{less} {more}");
        }
    }

    #[test]
    fn integers_are_told_by_value() {
        for text in ["0", "-0.0", "1.0", "1e2", "12e-0", "1200e-2", "0.5e1", "1e400"] {
            assert!(Decimal::parse(text).is_integer(), "{text}");
        }
        for text in ["0.5", "1e-1", "1.00000000000000000000001", "125e-2", "1e-2000000"] {
            assert!(!Decimal::parse(text).is_integer(), "{text}");
        }
    }
}
