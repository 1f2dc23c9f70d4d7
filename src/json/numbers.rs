//! Numbers: the grammar, and the value, in one go.
//!
//! An integer literal that fits 64 bits with sign is its value; a longer one stays text, exact. Anything with a
//! fraction or an exponent is the nearest double, and refused if that is not finite.
//!
//! The double of up to 19 digits `w` and a power of ten `e` with `w < 2^53` and `|e| <= 22` is `w * 10^e` or
//! `w / 10^-e`: both operands are exact doubles, so the one operation rounds correctly (W. D. Clinger, "How to
//! read floating point numbers accurately", 1990). That of any `w` of 64 bits with up to 19 digits behind the point
//! is one multiplication by an inverse, as long as 64 bits say how to round. All others go to the standard library,
//! which is exact too.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::error::Error;
use super::tape::{narrow, widen};
use crate::reason::Reason;

/// A number that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Read {
    pub(super) value: Number,
    /// The byte after it.
    pub(super) next: u32,
}

/// What a number's text says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// An integer literal that fits.
    Integer(i64),
    /// An integer literal that does not.
    Big,
    /// Any other, correctly rounded and finite.
    Float(f64),
}

/// Digits of a short integer: any number of them fits 32 bits.
const SHORT: u32 = 9;

/// The first digits of a number, one by one: most have no more.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    start: u32,
    /// The byte after them.
    next: u32,
    magnitude: u32,
}

impl Begun {
    /// The digits at `start`, if any are there.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a part of the parser's loop")]
    pub(super) fn at(bytes: &[u8], start: u32) -> Self {
        let (mut next, mut magnitude) = (start, 0_u32);
        while next.wrapping_sub(start) < SHORT {
            let digit = byte(bytes, next).wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u32::from(digit));
            next = next.wrapping_add(1);
        }
        Self { start, next, magnitude }
    }

    /// The whole number and the byte after it, if it is a short integer without a sign.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a part of the parser's loop")]
    pub(super) fn integer(self, bytes: &[u8], max_chars: u32) -> Option<(u32, u32)> {
        let count = self.next.wrapping_sub(self.start);
        // Of more than one digit the first is no zero.
        let sound = count == 1 || count > 1 && byte(bytes, self.start) != b'0';
        let ends = !matches!(byte(bytes, self.next), b'0'..=b'9' | b'.' | b'e' | b'E');
        (sound && ends && count <= max_chars).then_some((self.magnitude, self.next))
    }
}

/// Reads the number that begins at `start` with a digit or a minus.
pub(super) fn read(text: &str, start: u32, max_chars: u32) -> Result<Read, Error> {
    read_on(text, Begun { start, next: start, magnitude: 0 }, max_chars)
}

/// The same when some digits have been read.
#[inline]
pub(super) fn read_on(text: &str, begun: Begun, max_chars: u32) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let Begun { start, mut next, magnitude } = begun;
    let negative = byte(bytes, start) == b'-';
    let first = start.wrapping_add(u32::from(negative));
    let mut magnitude = u64::from(magnitude);
    if negative || byte(bytes, next).is_ascii_digit() {
        (next, magnitude) = digits(bytes, next.max(first), magnitude);
    }
    let count = next.wrapping_sub(first);
    if count == 0 || (count > 1 && byte(bytes, first) == b'0') {
        return Err(malformed(bytes, first, count));
    }
    if let b'.' | b'e' | b'E' = byte(bytes, next) {
        return read_float(text, Whole { start, next, first, magnitude }, max_chars);
    }
    if next.wrapping_sub(start) > max_chars {
        return Err(fault(Reason::JsonNumberChars, start));
    }
    // Eighteen nines fit, nineteen may not.
    if count <= 18 {
        let value = magnitude.cast_signed();
        let value = if negative { value.wrapping_neg() } else { value };
        return Ok(Read { value: Number::Integer(value), next });
    }
    let value = part(text, start, next).parse().map_or(Number::Big, Number::Integer);
    Ok(Read { value, next })
}

/// The part of a number that comes before its fraction.
#[derive(Clone, Copy)]
struct Whole {
    start: u32,
    next: u32,
    first: u32,
    magnitude: u64,
}

fn read_float(text: &str, whole: Whole, max_chars: u32) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let Whole { start, mut next, first, mut magnitude } = whole;
    let mut count = next.wrapping_sub(first);
    let mut exponent = 0_i64;
    if byte(bytes, next) == b'.' {
        let from = next.wrapping_add(1);
        (next, magnitude) = digits(bytes, from, magnitude);
        let fraction = next.wrapping_sub(from);
        if fraction == 0 {
            return Err(malformed(bytes, from, 0));
        }
        count = count.wrapping_add(fraction);
        exponent = i64::from(fraction).wrapping_neg();
    }
    if let b'e' | b'E' = byte(bytes, next) {
        let sign = byte(bytes, next.wrapping_add(1));
        let signed = matches!(sign, b'+' | b'-');
        let from = next.wrapping_add(1).wrapping_add(u32::from(signed));
        let (end, shift) = exponent_digits(bytes, from);
        if end == from {
            return Err(malformed(bytes, from, 0));
        }
        next = end;
        exponent = exponent.wrapping_add(if sign == b'-' { shift.wrapping_neg() } else { shift });
    }
    if next.wrapping_sub(start) > max_chars {
        return Err(fault(Reason::JsonNumberChars, start));
    }
    let exact = if count <= 19 { exactly(magnitude, exponent) } else { None };
    let value = match exact {
        Some(value) if first == start => value,
        Some(value) => -value,
        None => part(text, start, next).parse().unwrap_or(f64::INFINITY),
    };
    if !value.is_finite() {
        return Err(fault(Reason::JsonNumberRange, start));
    }
    Ok(Read { value: Number::Float(value), next })
}

/// The powers of ten that are doubles.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// `magnitude * 10^exponent`, if one operation on exact operands gives it.
#[inline]
fn exactly(magnitude: u64, exponent: i64) -> Option<f64> {
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if magnitude >> 53 != 0 {
        return if exponent < 0 { divided(magnitude, places) } else { None };
    }
    let magnitude = nearest(magnitude);
    let ten = TENS.get(places)?;
    Some(if exponent < 0 { magnitude / ten } else { magnitude * ten })
}

/// The nearest double, of two that are as near the even one.
#[inline]
fn nearest(integer: u64) -> f64 {
    // Both halves are exact, and the one addition rounds.
    let [low, high] = [integer & 0xffff_ffff, integer >> 32]
        .map(|half| u32::try_from(half).map_or(0.0, f64::from));
    high * 4_294_967_296.0 + low
}

/// `2^127 / 10^n`, rounded down, with the power of ten shifted until its highest bit is set, and by how much it was.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "both are lossless, and constants have no other way"
)]
const TENTHS: [(u64, u32); 20] = {
    let (mut tenths, mut ten) = ([(0, 0); 20], 1_u64);
    let [_one, rest @ ..] = &mut tenths;
    let mut rest = rest.as_mut_slice();
    while let [first, others @ ..] = rest {
        ten = ten.wrapping_mul(10);
        let shift = ten.leading_zeros();
        *first = (((1_u128 << 127) / ((ten << shift) as u128)) as u64, shift);
        rest = others;
    }
    tenths
};

/// `magnitude / 10^places`, if 64 bits of the quotient tell which double is the nearest.
///
/// The magnitude, shifted as the power of ten was, times the rounded inverse is below the quotient, by less than 2 in
/// the lowest bit. Where both ends of that have the same nearest double, so has what lies between them. Nearly all do;
/// the middle of two doubles, and what is next to it, do not. The double is of a size at which scaling is exact.
#[inline]
fn divided(magnitude: u64, places: usize) -> Option<f64> {
    let (tenth, down) = *TENTHS.get(places)?;
    let up = magnitude.leading_zeros();
    let product = u128::from(magnitude.wrapping_shl(up)).wrapping_mul(u128::from(tenth));
    let least = u64::try_from(product >> 64).ok()?;
    let quotient = nearest(least);
    if quotient.to_bits() != nearest(least.checked_add(2)?).to_bits() {
        return None;
    }
    // 2^(down - up - 63), by its exponent's bits.
    let exponent = u64::from(down.wrapping_add(1023 - 63).wrapping_sub(up));
    Some(quotient * f64::from_bits(exponent << 52))
}

/// The digits from `at` on: the byte after them, and `value` followed by them. Above 19 digits the value wraps.
#[inline]
fn digits(bytes: &[u8], mut at: u32, mut value: u64) -> (u32, u64) {
    while let Some(eight) = eight_digits(bytes, at) {
        value = value.wrapping_mul(100_000_000).wrapping_add(eight);
        at = at.wrapping_add(8);
    }
    loop {
        let digit = byte(bytes, at).wrapping_sub(b'0');
        if digit > 9 {
            return (at, value);
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at = at.wrapping_add(1);
    }
}

/// The value of the eight bytes at `at`, if all are digits: pairs, then fours, then all, in one word
/// (D. Lemire, "Number parsing at a gigabyte per second", 2021).
#[inline]
fn eight_digits(bytes: &[u8], at: u32) -> Option<u64> {
    let from = widen(at);
    let chunk = bytes.get(from..from.wrapping_add(8))?;
    let word = u64::from_le_bytes(chunk.try_into().ok()?);
    let zeros = word ^ 0x3030_3030_3030_3030;
    // A digit is 0..=9 now; six more must not reach the upper half of its byte.
    if (zeros | zeros.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = zeros.wrapping_mul(10).wrapping_add(zeros >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// The digits of an exponent: the byte after them, and their value, which stays where it is once it is beyond
/// everything that a text of 4 GiB could bring back into the range of doubles.
fn exponent_digits(bytes: &[u8], mut at: u32) -> (u32, i64) {
    let mut value = 0_i64;
    loop {
        let digit = byte(bytes, at).wrapping_sub(b'0');
        if digit > 9 {
            return (at, value);
        }
        if value < 1 << 40 {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        }
        at = at.wrapping_add(1);
    }
}

/// The fault of digits that are missing at `at`, or of a leading zero there that more digits follow.
#[cold]
fn malformed(bytes: &[u8], at: u32, count: u32) -> Error {
    if count > 0 {
        return fault(Reason::JsonNumber, at.wrapping_add(1));
    }
    if widen(at) >= bytes.len() {
        return Error::new(Reason::JsonTruncated, bytes.len());
    }
    fault(Reason::JsonNumber, at)
}

fn fault(reason: Reason, at: u32) -> Error {
    Error::new(reason, widen(at))
}

fn part(text: &str, from: u32, to: u32) -> &str {
    text.get(widen(from)..widen(to)).unwrap_or_default()
}

/// The byte at `at`; at the end of the text a NUL, which is no part of any number.
#[inline]
fn byte(bytes: &[u8], at: u32) -> u8 {
    bytes.get(widen(at)).copied().unwrap_or(0)
}

/// The text of the number that begins at `start`, in a text that was read: it ends where its characters do.
pub(super) fn text(text: &str, start: u32) -> &str {
    let rest = text.get(widen(start)..).unwrap_or_default();
    let inside = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let length = rest.as_bytes().iter().position(|byte| !inside(byte)).unwrap_or(rest.len());
    part(rest, 0, narrow(length))
}
