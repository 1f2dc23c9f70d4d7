//! A short way to "surely valid" for the formats that bodies are full of.
//!
//! Each accepts less than the format does, and what it does not accept is asked of the arbiter. So it can be as narrow
//! as it likes: it need only know what programs write, and nothing of what the format forbids.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use crate::bytes::Bytes;

/// Tells of some valid texts that they are.
pub(super) type Quick = fn(&[u8]) -> bool;

/// The short way of a format, if there is one.
pub(super) fn of(format: &str) -> Option<Quick> {
    Some(match format {
        "date" => is_date,
        "date-time" => is_date_time,
        "email" => is_email,
        "hostname" => is_domain,
        "ipv4" => is_ipv4,
        "ipv6" => is_ipv6,
        "time" => is_time,
        "uri" | "uri-reference" => is_uri,
        "uri-template" => is_template,
        "uuid" => is_uuid,
        _ => return None,
    })
}

/// Bytes that are looked at side by side: one register of every processor that this is built for.
const BLOCK: usize = 16;

/// What an address is written with: letters, digits, and what separates its parts, but for `#`, `%` and `:`.
const ADDRESS: Bytes = Bytes::alphanumeric_and(b"-./_~?&=");

/// The same, and what a fragment and a template may have as well.
const WITH_COLON: Bytes = Bytes::alphanumeric_and(b"-./_~?&=:");

/// What the labels of a domain are written with, but for hyphens.
const LABEL: Bytes = Bytes::alphanumeric_and(b"");

/// What the words before an `@` are written with.
const WORD: Bytes = Bytes::alphanumeric_and(b"_-+");

/// What the names of a template's variables are written with.
const NAME: Bytes = Bytes::alphanumeric_and(b"_");

/// `http://` or `https://`, and letters, digits and separators, after them a fragment or none: RFC 3986 allows them all
/// in what comes up to the first `/` or `?`, which is a name without port, as long as it is not empty.
fn is_uri(text: &[u8]) -> bool {
    let ([b'h', b't', b't', b'p', b's', b':', b'/', b'/', bytes @ ..]
    | [b'h', b't', b't', b'p', b':', b'/', b'/', bytes @ ..]) = text
    else {
        return false;
    };
    if matches!(bytes.first(), None | Some(b'/' | b'?' | b'&' | b'=')) {
        return false;
    }
    let plain = ADDRESS.span(bytes);
    match bytes.get(plain..) {
        Some([]) => true,
        Some([b'#', fragment @ ..]) => plain > 0 && WITH_COLON.span(fragment) == fragment.len(),
        Some(_) | None => false,
    }
}

/// Letters, digits and separators, and variables in braces: RFC 6570.
fn is_template(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        let plain = WITH_COLON.span(rest);
        match rest.get(plain..) {
            Some([]) => return true,
            Some([b'{', after @ ..]) => match after_variables(after) {
                Some(after) => rest = after,
                None => return false,
            },
            Some(_) | None => return false,
        }
    }
}

/// What comes after the brace that closes an expression: an operator or none, and names with commas between them.
fn after_variables(text: &[u8]) -> Option<&[u8]> {
    let mut rest = match text {
        [b'+' | b'#' | b'.' | b'/' | b';' | b'?' | b'&', rest @ ..] => rest,
        _ => text,
    };
    loop {
        let name = NAME.span(rest);
        match rest.get(name..) {
            Some([b'}', rest @ ..]) if name > 0 => return Some(rest),
            Some([b',', names @ ..]) if name > 0 => rest = names,
            _ => return None,
        }
    }
}

/// Words with dots between them, and a domain of plain labels that ends in letters: RFC 5321.
fn is_email(text: &[u8]) -> bool {
    let mut words = 0_usize;
    let mut rest = text;
    loop {
        let word = WORD.span(rest);
        words = words.saturating_add(word).saturating_add(1);
        match rest.get(word..) {
            Some([b'.', after @ ..]) if word > 0 => rest = after,
            // One more than all words and the dots between them.
            Some([b'@', domain @ ..]) if word > 0 => return words <= 65 && is_domain(domain),
            _ => return false,
        }
    }
}

/// Labels of letters and digits, with single hyphens within.
fn is_domain(text: &[u8]) -> bool {
    // Two labels without hyphens are what most of them are.
    let label = LABEL.span(text);
    if let Some([b'.', rest @ ..]) = text.get(label..)
        && (1..64).contains(&label)
        && (1..64).contains(&rest.len())
        && rest.iter().all(u8::is_ascii_alphabetic)
    {
        return true;
    }
    is_longer_domain(text)
}

fn is_longer_domain(text: &[u8]) -> bool {
    let (mut label, mut last, mut letters) = (0_usize, b'.', true);
    for byte in text {
        match (byte, last) {
            (b'.' | b'-', b'.' | b'-') => return false,
            (b'.', _) => (label, letters) = (0, true),
            (byte, _) if byte.is_ascii_alphanumeric() || *byte == b'-' => {
                label = label.saturating_add(1);
                letters &= byte.is_ascii_alphabetic();
            }
            _ => return false,
        }
        if label > 63 {
            return false;
        }
        last = *byte;
    }
    letters && label > 0 && text.len() <= 200 && !text.is_empty()
}

/// A form as a text has it: the same bytes, and any digit where the form has `0`.
struct Form {
    text: u128,
    /// The bytes that are digits.
    digits: u128,
}

impl Form {
    const fn new(form: &[u8; BLOCK]) -> Self {
        let text = u128::from_le_bytes(*form);
        // A `0` differs from itself in nothing.
        let other = text ^ (ONES.wrapping_mul(0x30));
        let filled = ((other & !TOPS).wrapping_add(!TOPS)) | other;
        Self { text, digits: (!filled & TOPS) >> 7 }
    }

    /// The values of the digits, each in its place, if the text has this form.
    #[inline]
    fn read(&self, text: &[u8; BLOCK]) -> Option<[u8; BLOCK]> {
        let values = u128::from_le_bytes(*text) ^ self.text;
        // A digit is 0..=9 now; six more must not reach the upper half of its byte. All else is 0.
        let upper = (values | values.wrapping_add(self.digits.wrapping_mul(6))) & UPPER;
        let fixed = values & !self.digits.wrapping_mul(0x0f);
        ((upper | fixed) == 0).then(|| values.to_le_bytes())
    }
}

const ONES: u128 = u128::MAX / 0xff;
const TOPS: u128 = ONES << 7;
const UPPER: u128 = ONES * 0xf0;

/// The number of two digits at a place.
#[inline]
fn pair(values: &[u8; BLOCK], at: usize) -> u8 {
    let digit = |at| values.get(at).copied().unwrap_or(u8::MAX);
    digit(at).wrapping_mul(10).wrapping_add(digit(at.wrapping_add(1)))
}

/// A month and a day of it, but for the last days, which not all months have.
#[inline]
fn is_day(values: &[u8; BLOCK]) -> bool {
    (1..=12).contains(&pair(values, 5)) && (1..=28).contains(&pair(values, 8))
}

/// `YYYY-MM-DD`.
fn is_date(text: &[u8]) -> bool {
    const FORM: Form = Form::new(b"0000-00-00000000");
    let Some((date, [])) = text.split_first_chunk::<10>() else { return false };
    let mut block = *b"0000000000000000";
    for (to, from) in block.iter_mut().zip(date) {
        *to = *from;
    }
    FORM.read(&block).is_some_and(|values| is_day(&values))
}

/// `YYYY-MM-DDTHH:MM:SS`, with `Z` or an offset; without leap seconds.
fn is_date_time(text: &[u8]) -> bool {
    const FORM: Form = Form::new(b"0000-00-00T00:00");
    let Some((minutes, rest)) = text.split_first_chunk::<BLOCK>() else { return false };
    let Some(values) = FORM.read(minutes) else { return false };
    let [b':', b'0'..=b'5', b'0'..=b'9', rest @ ..] = rest else { return false };
    let zoned = after_fraction(rest).is_some_and(is_zone);
    zoned && is_day(&values) && pair(&values, 11) < 24 && pair(&values, 14) < 60
}

/// `HH:MM:SS`, with `Z` or an offset; without leap seconds.
fn is_time(text: &[u8]) -> bool {
    let Some(rest) = after_minutes(text) else { return false };
    let [b':', b'0'..=b'5', b'0'..=b'9', rest @ ..] = rest else { return false };
    after_fraction(rest).is_some_and(is_zone)
}

/// `Z`, or hours and minutes before or behind it.
fn is_zone(text: &[u8]) -> bool {
    match text {
        [b'Z'] => true,
        [b'+' | b'-', offset @ ..] => after_minutes(offset).is_some_and(<[u8]>::is_empty),
        _ => false,
    }
}

/// What comes after `HH:MM`.
fn after_minutes(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'0' | b'1', b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9', rest @ ..]
        | [b'2', b'0'..=b'3', b':', b'0'..=b'5', b'0'..=b'9', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Hexadecimal digits in groups of 8, 4, 4, 4 and 12: RFC 9562.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Four numbers up to 255, without zeros before them: RFC 2673, 3.2.
fn is_ipv4(text: &[u8]) -> bool {
    let is_number = |number: &[u8]| {
        let value =
            |sum: u16, digit: &u8| sum.wrapping_mul(10).wrapping_add(u16::from(digit ^ b'0'));
        number.iter().all(u8::is_ascii_digit)
            && (number.len() == 1 || !number.starts_with(b"0"))
            && (1..=3).contains(&number.len())
            && number.iter().fold(0, value) <= 255
    };
    let mut count = 0_usize;
    let all = text.split(|byte| *byte == b'.').all(|number| {
        count = count.saturating_add(1);
        is_number(number)
    });
    all && count == 4
}

/// RFC 4291, 2.2; the standard library's own reading.
fn is_ipv6(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// What comes after a fraction of a second of 1 to 9 digits, or without one.
fn after_fraction(text: &[u8]) -> Option<&[u8]> {
    let [b'.', fraction @ ..] = text else { return Some(text) };
    let digits = fraction.iter().position(|byte| !byte.is_ascii_digit())?;
    if (1..=9).contains(&digits) { fraction.get(digits..) } else { None }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use jsonschema::Draft;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const FORMATS: [&str; 11] = [
        "date",
        "date-time",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    ];

    /// By the rules of every draft.
    fn crate_accepts(format: &str, text: &str) -> bool {
        const DRAFTS: [Draft; 5] =
            [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];
        thread_local! {
            static VALIDATORS: Vec<[jsonschema::Validator; 5]> = FORMATS
                .map(|format| {
                    DRAFTS.map(|draft| {
                        let options = jsonschema::options().should_validate_formats(true);
                        options.with_draft(draft).build(&json!({ "format": format })).unwrap()
                    })
                })
                .into();
        }
        let index = FORMATS.iter().position(|other| *other == format).unwrap();
        VALIDATORS.with(|all| all[index].iter().all(|one| one.is_valid(&Value::from(text))))
    }

    fn check(text: &str) -> usize {
        let mut accepted = 0;
        for format in FORMATS {
            if of(format).unwrap()(text.as_bytes()) {
                assert!(crate_accepts(format, text), "{format}: {text:?}");
                accepted += 1;
            }
        }
        accepted
    }

    #[test]
    fn what_programs_write_goes_the_short_way() {
        for text in [
            "https://api.github.com/users/Codertocat",
            "https://avatars1.githubusercontent.com/u/21031067?v=4",
            "https://api.github.com/users/Codertocat/gists{/gist_id}",
            "https://api.github.com/search{?q,page}",
            "2019-05-15T15:20:30Z",
            "2019-05-15T15:20:30+02:00",
            "2019-05-15T15:20:30.123456Z",
            "https://github.com/Codertocat/Hello-World/issues/1#issuecomment-492700400",
            "https://x#",
            "2020-02-28",
            "zoe.quill+news@mail.example.com",
            "",
            "15:20:30Z",
            "23:59:59.5-23:59",
            "0b5b3b3e-8f6e-4F0a-9f5e-2f1f7f3c9a11",
            "192.0.2.1",
            "0.0.0.0",
            "::",
            "2001:db8::ff00:42:8329",
            "::ffff:192.0.2.1",
            "mail.example.com",
            "localhost",
        ] {
            assert!(check(text) >= 1, "{text:?}");
        }
    }

    #[test]
    fn what_is_almost_valid_is_not_accepted() {
        for text in [
            "2019-13-01",
            "2019-00-10",
            "2019-02-29",
            "2019-05-15T24:00:00Z",
            "https://",
            "https:///a",
            "https://?a",
            "https://#a",
            "https://a#b#c",
            "https://a?b&c=d",
            "2019-05-15T15:20:60Z",
            "2019-05-15T15:60:30Z",
            "2019-05-15T15:20:30.Z",
            "2019-05-15T15:20:30+24:00",
            "a{",
            "a}",
            "a@b",
            "a@-b.c",
            "a@xn--a.bc",
            "a..b@c.de",
            "a@1.2.3.4",
            "_@a.b",
            "24:00:00Z",
            "15:20:60Z",
            "15:20:30",
            "15:20:30+24:00",
            "15:20:30+2:00",
            "0b5b3b3e8f6e4f0a9f5e2f1f7f3c9a11",
            "192.0.2.01",
            "192.0.2.256",
            "192.0.2",
            "192.0.2.1.",
            "1:2:3:4:5:6:7:8:9",
            "fe80::1%eth0",
            "-a.b",
            "a-.b",
            "a.b.",
            "xn--a.bc",
        ] {
            check(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn nothing_is_accepted_that_the_crate_refuses(
            date in "[0-9]{2,5}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|z|[+-][0-9]{2}:[0-9]{2})?)?",
            uri in "https?://[a-zA-Z0-9._~:@/?&=#%-]{0,12}[{]?[+#./;?&]?[a-z_,.*%0-9]{0,6}[}]?[a-z/:]{0,3}",
            email in "[a-z0-9A-Z._+@-]{0,8}@?[a-z0-9.-]{0,10}[.]?[a-z0-9-]{0,4}",
            time in "[0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.][0-9]{0,10})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9])?",
            uuid in "[0-9a-fA-F]{8}-?[0-9a-g]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA-F]{11,12}",
            address in "([0-2]?[0-9]{1,2}[.]){2,4}[0-9]{0,3}",
            long in "([0-9a-f]{0,4}:){1,8}([0-9a-f]{1,4}|[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3})?",
            host in "([a-zA-Z0-9-]{1,6}[.]){0,3}[a-z0-9-]{0,4}",
            any in "\\PC{0,16}",
        ) {
            for text in [&time, &uuid, &address, &long, &host] {
                check(text);
            }
            check(&email);
            check(&date);
            check(&uri);
            check(&any);
        }
    }
}
