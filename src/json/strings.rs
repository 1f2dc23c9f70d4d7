//! Strings: where one ends, and what its escapes stand for.

#![forbid(unsafe_code)]

use super::error::Error;
use crate::reason::Reason;

/// A string that was read: where its content lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// Content offset: in the text, or in `unescaped`.
    pub(super) from: usize,
    pub(super) len: usize,
    pub(super) escaped: bool,
    /// The byte after the closing quote.
    pub(super) next: usize,
}

/// Reads the string whose opening quote is at `quote`; its escapes are written to `unescaped`.
///
/// `end` finds the first quote, backslash or control from a place on: [`plain_end`], or what knows it already.
pub(super) fn read(
    text: &str,
    quote: usize,
    unescaped: &mut String,
    end: impl Fn(usize) -> usize,
) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let from = quote.saturating_add(1);
    let stop = end(from).min(bytes.len());
    match bytes.get(stop) {
        Some(b'"') => Ok(Read {
            from,
            len: stop.saturating_sub(from),
            escaped: false,
            next: stop.saturating_add(1),
        }),
        Some(b'\\') => read_escaped(text, from..stop, unescaped, end),
        Some(_) => Err(Error::new(Reason::JsonControl, stop)),
        None => Err(Error::new(Reason::JsonTruncated, bytes.len())),
    }
}

fn read_escaped(
    text: &str,
    plain: std::ops::Range<usize>,
    unescaped: &mut String,
    end: impl Fn(usize) -> usize,
) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let start = unescaped.len();
    let (mut copied, mut at) = (plain.start, plain.end);
    loop {
        // Both ends are at ASCII bytes, so they are boundaries of characters.
        if copied < at {
            unescaped.push_str(text.get(copied..at).unwrap_or_default());
        }
        match bytes.get(at) {
            Some(b'"') => {
                let len = unescaped.len().saturating_sub(start);
                return Ok(Read { from: start, len, escaped: true, next: at.saturating_add(1) });
            }
            Some(b'\\') => {
                let (character, next) = escape(bytes, at)?;
                unescaped.push(character);
                copied = next;
                at = end(next).min(bytes.len());
            }
            Some(_) => return Err(Error::new(Reason::JsonControl, at)),
            None => return Err(Error::new(Reason::JsonTruncated, bytes.len())),
        }
    }
}

/// The first byte from `at` on that is a quote, a backslash or a control; or the end of the text.
///
/// Eight bytes at a time: a byte is below 0x20, or equal to one of two, exactly when subtracting borrows from
/// its top bit (Bit Twiddling Hacks, "determine if a word has a byte less than n"). The lowest hit is exact;
/// higher ones may be borrowed from it, and are not looked at.
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    while let Some(chunk) = bytes.get(at..at.saturating_add(8)) {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        let control = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word;
        let quote = zeros(word ^ ONES.wrapping_mul(u64::from(b'"')));
        let backslash = zeros(word ^ ONES.wrapping_mul(u64::from(b'\\')));
        let hits = (control | quote | backslash) & TOPS;
        if hits != 0 {
            let byte = hits.trailing_zeros() / 8;
            return at.saturating_add(usize::try_from(byte).unwrap_or(0));
        }
        at = at.saturating_add(8);
    }
    let tail = bytes.get(at..).unwrap_or_default();
    let stop = tail.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\');
    at.saturating_add(stop.unwrap_or(tail.len()))
}

/// Reads the escape whose backslash is at `at`: the character, and the byte after it.
#[inline]
fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let after = at.saturating_add(2);
    let character = match bytes.get(at.saturating_add(1)) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes, at),
        Some(_) => return Err(Error::new(Reason::JsonEscape, at)),
        None => return Err(Error::new(Reason::JsonTruncated, bytes.len())),
    };
    Ok((character, after))
}

/// `\uXXXX`, or two of them for a character outside the basic plane.
#[inline]
fn unicode(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let lone = || Error::new(Reason::JsonSurrogate, at);
    let high = unit(bytes, at)?;
    let after = at.saturating_add(6);
    if let Some(character) = char::from_u32(high) {
        return Ok((character, after));
    }
    if high >= 0xDC00 {
        return Err(lone());
    }
    for (place, byte) in [(after, b'\\'), (after.saturating_add(1), b'u')] {
        match bytes.get(place) {
            Some(found) if *found == byte => {}
            Some(_) => return Err(lone()),
            None => return Err(Error::new(Reason::JsonTruncated, bytes.len())),
        }
    }
    let low = unit(bytes, after)?;
    if !(0xDC00..0xE000).contains(&low) {
        return Err(lone());
    }
    let code = 0x1_0000_u32.saturating_add((high & 0x3FF) << 10).saturating_add(low & 0x3FF);
    let character = char::from_u32(code).ok_or_else(lone)?;
    Ok((character, after.saturating_add(6)))
}

/// What each byte is worth as a hexadecimal digit; 16 for what is none.
const HEXADECIMAL: [u8; 256] = {
    let (mut values, mut byte) = ([16; 256], 0_u8);
    let mut rest = values.as_mut_slice();
    while let [value, others @ ..] = rest {
        *value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => 16,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    values
};

/// The four hexadecimal digits of the `\u` at `at`.
#[inline]
fn unit(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let from = at.saturating_add(2);
    let Some(digits) = bytes.get(from..).and_then(<[u8]>::first_chunk::<4>) else {
        return Err(no_unit(bytes, at));
    };
    let values = digits.map(|digit| u32::from(HEXADECIMAL[usize::from(digit)]));
    let [first, second, third, fourth] = values;
    if (first | second | third | fourth) > 15 {
        return Err(no_unit(bytes, at));
    }
    Ok((first << 12) | (second << 8) | (third << 4) | fourth)
}

/// Of the four digits one is none, or the text ends before.
#[cold]
fn no_unit(bytes: &[u8], at: usize) -> Error {
    let mut digits = bytes.iter().skip(at.saturating_add(2)).take(4);
    if digits.all(u8::is_ascii_hexdigit) {
        return Error::new(Reason::JsonTruncated, bytes.len());
    }
    Error::new(Reason::JsonEscape, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_plain_text_is_found_wherever_it_is() {
        for length in 0..40 {
            for stop in [b'"', b'\\', 0x00, 0x1f, b'\n'] {
                for filler in ["a", "!", "#", "[", "]", " ", "\u{7f}", "é", "\u{80}", "😀"] {
                    let mut text = filler.repeat(length).into_bytes();
                    let end = text.len();
                    assert_eq!(plain_end(&text, 0), end);
                    text.push(stop);
                    text.extend_from_slice(filler.repeat(9).as_bytes());
                    assert_eq!(plain_end(&text, 0), end, "{length} {stop} {filler}");
                }
            }
        }
    }
}
