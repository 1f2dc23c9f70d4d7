//! Strings: where one ends, and what its escapes stand for.

#![forbid(unsafe_code)]

use super::error::Error;
use super::marks;
use super::tape::{narrow, widen};
use crate::bytes::escapes;
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
/// `marks` are those of the text.
pub(super) fn read(
    text: &str,
    marks: &[u64],
    quote: usize,
    unescaped: &mut String,
) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let from = quote.saturating_add(1);
    let stop = end(text, marks, from);
    match bytes.get(stop) {
        Some(b'"') => Ok(Read {
            from,
            len: stop.saturating_sub(from),
            escaped: false,
            next: stop.saturating_add(1),
        }),
        Some(b'\\') => read_escaped(text, marks, from, unescaped),
        Some(_) => Err(Error::new(Reason::JsonControl, stop)),
        None => Err(Error::new(Reason::JsonTruncated, bytes.len())),
    }
}

fn read_escaped(
    text: &str,
    marks: &[u64],
    from: usize,
    unescaped: &mut String,
) -> Result<Read, Error> {
    let bytes = text.as_bytes();
    let (start, mut from) = (unescaped.len(), from);
    loop {
        // Most of it, as a rule; what comes then is read exactly.
        from = escapes::unescape(text, marks, from, unescaped);
        let at = end(text, marks, from);
        // Both ends are at ASCII bytes, or behind one, so they are boundaries of characters.
        if from < at {
            unescaped.push_str(text.get(from..at).unwrap_or_default());
        }
        match bytes.get(at) {
            Some(b'"') => {
                let len = unescaped.len().saturating_sub(start);
                return Ok(Read { from: start, len, escaped: true, next: at.saturating_add(1) });
            }
            Some(b'\\') => {
                let (character, next) = escape(bytes, at)?;
                unescaped.push(character);
                from = next;
            }
            Some(_) => return Err(Error::new(Reason::JsonControl, at)),
            None => return Err(Error::new(Reason::JsonTruncated, bytes.len())),
        }
    }
}

/// Where plain text from a place on ends.
fn end(text: &str, marks: &[u64], from: usize) -> usize {
    widen(marks::next(marks, narrow(from))).min(text.len())
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
    match bytes.get(at.saturating_add(1)) {
        Some(b'u') => unicode(bytes, at),
        Some(byte) => match escapes::simple(*byte) {
            Some(character) => Ok((char::from(character), at.saturating_add(2))),
            None => Err(Error::new(Reason::JsonEscape, at)),
        },
        None => Err(Error::new(Reason::JsonTruncated, bytes.len())),
    }
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

/// The four hexadecimal digits of the `\u` at `at`.
#[inline]
fn unit(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let digits = bytes.get(at.saturating_add(2)..).and_then(<[u8]>::first_chunk::<4>);
    digits.and_then(|digits| escapes::hexadecimal(*digits)).ok_or_else(|| no_unit(bytes, at))
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
    use proptest::prelude::*;

    use super::*;

    /// What a string says, one escape after the other; or what is wrong with it, and where.
    fn slowly(text: &str, from: usize) -> Result<(String, usize), Error> {
        let bytes = text.as_bytes();
        let (mut said, mut at) = (String::new(), from);
        loop {
            let stop = plain_end(bytes, at);
            said.push_str(&text[at..stop]);
            let character;
            (character, at) = match bytes.get(stop) {
                Some(b'"') => return Ok((said, stop + 1)),
                Some(b'\\') => escape(bytes, stop)?,
                Some(_) => return Err(Error::new(Reason::JsonControl, stop)),
                None => return Err(Error::new(Reason::JsonTruncated, bytes.len())),
            };
            said.push(character);
        }
    }

    fn marked(text: &str) -> marks::Marks {
        let mut marked = marks::Marks::new();
        marks::mark(text.as_bytes(), &mut marked);
        marked
    }

    /// A piece of a string.
    fn sound() -> impl Strategy<Value = String> {
        prop_oneof![
            2 => "[a-z ]{0,40}",
            1 => "[é日😀а-я]{1,12}",
            2 => r"(\\u0[4-7][0-9a-fA-F]{2}){1,9}",
            2 => r"(\\u[3-9a-cA-CEFef][0-9a-fA-F]{3}){1,9}",
            1 => r"(\\u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}){1,3}",
            1 => r"\\u00[0-9a-f]{2}",
            2 => r#"(\\["\\/bfnrt]){1,5}"#,
        ]
    }

    fn faulty() -> impl Strategy<Value = String> {
        prop_oneof![
            r"(\\u[0-9a-fA-F]{4}){1,3}",
            r"(\\u0[4-7][0-9a-fA-F]{2}){0,3}\\u[0-9a-gG:@/`]{3,5}",
            r"(\\u[dD][0-9a-f]{3}){1,3}",
            r"\\[ -~]{0,6}",
            r#"[\x00-\x1f"]"#,
        ]
    }

    fn pieces(of: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        prop::collection::vec(of, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn a_string_is_what_its_escapes_say(before in "[a-zé]{0,3}", inside in pieces(prop_oneof![8 => sound(), 1 => faulty()]), end in "\"?", after in " {0,40}") {
            let text = format!("{before}\"{inside}{end}{after}");
            let mut unescaped = "é before".to_owned();
            let read = read(&text, &marked(&text), before.len(), &mut unescaped);
            let read = read.map(|read| {
                let source = if read.escaped { &unescaped } else { &text };
                (source[read.from..read.from + read.len].to_owned(), read.next)
            });
            prop_assert_eq!(read, slowly(&text, before.len() + 1));
        }

        #[test]
        fn it_stays_utf8_whatever_is_marked(text in "[é日😀\\\\u0349n\"]{0,200}", marked in prop::collection::vec(any::<u64>(), 0..9), from in 0..9_usize) {
            let mut unescaped = String::new();
            let to = escapes::unescape(&text, &marked, from, &mut unescaped);
            prop_assert!(to == from || text.is_char_boundary(to));
            prop_assert!(std::str::from_utf8(unescaped.as_bytes()).is_ok());
        }

        #[test]
        fn the_fast_way_goes_to_the_end(inside in pieces(sound())) {
            let text = format!("{inside}\"{:32}", "");
            let mut unescaped = String::new();
            let to = escapes::unescape(&text, &marked(&text), 0, &mut unescaped);
            prop_assert_eq!((unescaped, to + 1), slowly(&text, 0).unwrap());
        }
    }

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
