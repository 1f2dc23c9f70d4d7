//! `multipleOf`, exactly: for numbers of any size, in the time that their digits take.

use num_bigint::BigUint;

use super::number::Decimal;

/// Digits that are taken together: the most that fit 64 bits, whatever they are, with one to spare.
const AT_ONCE: usize = 18;

/// What `multipleOf` demands.
///
/// Of powers of ten the divisor takes up no more twos than it has, and no more fives: how large an exponent is does not
/// change what a number costs.
#[derive(Debug)]
pub(super) struct Divisor {
    text: String,
    exponent: i64,
    digits: Digits,
    /// How often two and five divide its digits.
    twos: u64,
    fives: u64,
}

/// Its digits, without zeros at their end.
#[derive(Debug)]
enum Digits {
    /// None: zero.
    None,
    Few(u128),
    Many {
        all: BigUint,
        /// What neither two nor five divides, if it fits.
        odd: Option<u128>,
    },
}

impl Divisor {
    pub(super) fn new(text: &str) -> Self {
        let number = Decimal::parse(text);
        let digits: Vec<u8> = number.digits().collect();
        let all = BigUint::parse_bytes(&digits, 10).unwrap_or_default();
        let twos = all.trailing_zeros().unwrap_or(0);
        let (mut odd, mut fives) = (&all >> twos, 0);
        while odd != BigUint::ZERO && &odd % 5_u8 == BigUint::ZERO {
            (odd, fives) = (odd / 5_u8, fives + 1);
        }
        let digits = match number.integer() {
            Some(0) => Digits::None,
            Some(few) => Digits::Few(few),
            None => Digits::Many { odd: u128::try_from(&odd).ok(), all },
        };
        Self { text: text.to_owned(), exponent: number.exponent(), digits, twos, fives }
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a number is a multiple of it; nothing but zero is one of zero.
    ///
    /// With all trailing zeros moved into the exponents, `a·10^i` is a multiple of `b·10^j` only if `i ≥ j`, as
    /// `a` is no multiple of ten; and then if `a·10^(i-j)` is one of `b`.
    pub(super) fn divides(&self, number: Decimal<'_>) -> bool {
        if number.is_zero() {
            return true;
        }
        let Ok(zeros) = u64::try_from(number.exponent().saturating_sub(self.exponent)) else {
            return false;
        };
        let zeros = zeros.min(self.twos.max(self.fives));
        match (&self.digits, number.integer()) {
            (Digits::None, _) => false,
            (Digits::Few(modulus), _) => {
                let digit = |r, digit| (r * 10 + u128::from(digit - b'0')) % modulus;
                let remainder = number.digits().fold(0, digit);
                (remainder * power(10, zeros, *modulus)).is_multiple_of(*modulus)
            }
            (Digits::Many { odd, .. }, Some(few)) => {
                odd.is_some_and(|odd| few.is_multiple_of(odd))
                    && u64::from(few.trailing_zeros()) + zeros >= self.twos
                    && has_fives(few, self.fives.saturating_sub(zeros))
            }
            (Digits::Many { all, .. }, None) => divides_many(all, number, zeros),
        }
    }
}

/// Whether a number that is not zero has so many factors of five.
fn has_fives(mut number: u128, fives: u64) -> bool {
    (0..fives).all(|_| {
        let has = number.is_multiple_of(5);
        number /= 5;
        has
    })
}

fn divides_many(modulus: &BigUint, number: Decimal<'_>, zeros: u64) -> bool {
    let zeros = usize::try_from(zeros).unwrap_or(usize::MAX);
    let mut digits = number.digits().chain(std::iter::repeat_n(b'0', zeros)).peekable();
    let mut remainder = BigUint::ZERO;
    while digits.peek().is_some() {
        let (mut some, mut base) = (0_u64, 1_u64);
        for digit in digits.by_ref().take(AT_ONCE) {
            (some, base) = (some * 10 + u64::from(digit - b'0'), base * 10);
        }
        remainder *= base;
        remainder += some;
        if remainder >= *modulus {
            remainder %= modulus;
        }
    }
    remainder == BigUint::ZERO
}

/// `base^exponent mod modulus`, by squaring; the modulus is below 10^18.
fn power(mut base: u128, mut exponent: u64, modulus: u128) -> u128 {
    let mut result = 1 % modulus;
    base %= modulus;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_exact() {
        let multiple = |a: &str, b: &str| Divisor::new(b).divides(Decimal::parse(a));
        for (a, b) in [
            ("0", "3"),
            ("9", "3"),
            ("-9", "3"),
            ("4.5", "1.5"),
            ("0.3", "0.1"),
            ("1e300", "1e-2"),
            ("0.0075", "0.0001"),
            ("36893488147419103232", "2"),
            ("1e2000000", "0.5"),
            ("7", "0.5"),
        ] {
            assert!(multiple(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("10", "3"),
            ("0.35", "0.1"),
            ("0.00751", "0.0001"),
            ("36893488147419103233", "2"),
            ("1e2000000", "3"),
            ("1e-2", "1"),
            ("5", "10"),
            ("15", "10"),
            ("1", "0"),
        ] {
            assert!(!multiple(a, b), "{a} {b}");
        }
        assert!(!multiple("5", "1234567890123456789"));
        assert!(multiple("-24691357802469135780", "1234567890123456789"));
        assert!(multiple("1234567890123456789e400", "1234567890123456789e-3"));
    }

    #[test]
    fn what_divides_is_what_leaves_nothing() {
        let divisors = [
            "7",
            "36893488147419103232",
            "1192092895507812500000000000001",
            "11920928955078125000000000000001",
            "2273736754432320594787597656250",
            "88817841970012523233890533447265625",
            "64",
            "123456789012345678",
            "1234567890123456788",
            "98765432109876543210987654321",
        ];
        let (mut multiples, mut asked) = (0, 0);
        for divisor in divisors {
            let value: BigUint = divisor.parse().expect("digits");
            for factor in [1, 2, 999, 10_u64.pow(18) - 1, 10_u64.pow(18)] {
                for near in [&value * factor, &value * factor + 1_u8, &value * factor / 2_u8] {
                    // Below and above what is read like digits.
                    for zeros in [0, 1, 2, 17, 18, 49, 50, 51, 63, 64, 65, 400] {
                        let expected =
                            &near * BigUint::from(10_u8).pow(zeros) % &value == BigUint::ZERO;
                        let number = format!("{near}e{zeros}");
                        let divides = Divisor::new(divisor).divides(Decimal::parse(&number));
                        assert_eq!(divides, expected, "{number} {divisor}");
                        (multiples, asked) = (multiples + u32::from(expected), asked + 1);
                    }
                }
            }
        }
        assert!(asked / 3 < multiples && multiples < asked, "{multiples} of {asked}");
    }
}
