//! Numbers: the grammar, and that a fraction or an exponent still makes a finite double.

use super::error::Error;
use crate::reason::Reason;

/// A number that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// Has neither fraction nor exponent.
    pub(super) integer: bool,
    /// The byte after it.
    pub(super) next: usize,
}

/// Reads the number that begins at `start` with a digit or a minus.
pub(super) fn read(text: &str, start: usize, max_chars: usize) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at = at.saturating_add(1);
    }
    at = match bytes.get(at) {
        Some(b'0') => match bytes.get(at.saturating_add(1)) {
            // A leading zero is wrong at the digit after it.
            Some(b'0'..=b'9') => return Err(Error::new(Reason::JsonNumber, at.saturating_add(1))),
            Some(_) | None => at.saturating_add(1),
        },
        _ => digits(bytes, at)?,
    };
    let mut integer = true;
    if bytes.get(at) == Some(&b'.') {
        integer = false;
        at = digits(bytes, at.saturating_add(1))?;
    }
    let mut exponent = false;
    if let Some(b'e' | b'E') = bytes.get(at) {
        (integer, exponent) = (false, true);
        at = at.saturating_add(1);
        if let Some(b'+' | b'-') = bytes.get(at) {
            at = at.saturating_add(1);
        }
        at = digits(bytes, at)?;
    }
    let length = at.saturating_sub(start);
    if length > max_chars {
        return Err(Error::new(Reason::JsonNumberChars, start));
    }
    // Without an exponent it takes more than 308 digits to leave the range of a double.
    if !integer && (exponent || length > 300) {
        let value: Option<f64> = text.get(start..at).and_then(|text| text.parse().ok());
        if !value.is_some_and(f64::is_finite) {
            return Err(Error::new(Reason::JsonNumberRange, start));
        }
    }
    Ok(Read { integer, next: at })
}

/// One digit or more from `at` on: the byte after them.
fn digits(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let rest = bytes.get(at..).unwrap_or_default();
    let count = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    match (count, rest.is_empty()) {
        (0, true) => Err(Error::new(Reason::JsonTruncated, bytes.len())),
        (0, false) => Err(Error::new(Reason::JsonNumber, at)),
        (count, _) => Ok(at.saturating_add(count)),
    }
}
