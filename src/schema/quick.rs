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

/// Tells of some valid texts that they are.
pub(super) type Quick = fn(&str) -> bool;

/// The short way of a format, if there is one.
pub(super) fn of(format: &str) -> Option<Quick> {
    Some(match format {
        "date" => |text| is_date(text.as_bytes()),
        "date-time" => is_date_time,
        "email" => is_email,
        "uri" | "uri-reference" => is_uri,
        "uri-template" => is_template,
        _ => return None,
    })
}

/// What may stand in an address and stand for itself.
const UNRESERVED: u8 = 1;
/// What separates its parts after the authority.
const SEPARATOR: u8 = 2;
/// What a variable of a template is named by.
const VARIABLE: u8 = 4;

/// What each byte may be.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            class = UNRESERVED | VARIABLE;
        } else if matches!(byte, b'-' | b'.' | b'~') {
            class = UNRESERVED;
        } else if matches!(byte, b'/' | b'?' | b'&' | b'=') {
            class = SEPARATOR;
        }
        let [slot, ..] = classes.split_at_mut(class_index(byte)).1 else { break };
        *slot = class;
        byte = byte.wrapping_add(1);
    }
    classes
};

const fn class_index(byte: u8) -> usize {
    // Lossless: `usize::from` is not to be had in a constant.
    #[allow(clippy::as_conversions, reason = "a byte fits, and constants have no other way")]
    {
        byte as usize
    }
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// `http://` or `https://`, a host without port, and letters, digits and separators: RFC 3986 allows them all.
fn is_uri(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let bytes = rest.as_bytes();
    let host = bytes.iter().position(|byte| !is(*byte, UNRESERVED)).unwrap_or(bytes.len());
    let (host, path) = bytes.split_at_checked(host).unwrap_or_default();
    !host.is_empty()
        && path.first().is_none_or(|byte| *byte == b'/')
        && path.iter().all(|byte| is(*byte, UNRESERVED | SEPARATOR))
}

/// Letters, digits and separators, and variables in braces: RFC 6570.
fn is_template(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let literal = is(byte, UNRESERVED | SEPARATOR) || byte == b':';
        if !literal && (byte != b'{' || !ends_variables(&mut bytes)) {
            return false;
        }
    }
    true
}

/// From after a brace to the one that closes it: an operator or none, and names with commas between them.
fn ends_variables(bytes: &mut std::str::Bytes<'_>) -> bool {
    let mut named = false;
    let mut first = true;
    for byte in bytes {
        match byte {
            b'}' => return named,
            b',' if named => named = false,
            b'+' | b'#' | b'.' | b'/' | b';' | b'?' | b'&' if first => {}
            byte if is(byte, VARIABLE) => named = true,
            _ => return false,
        }
        first = false;
    }
    false
}

/// Words with dots between them, and a domain of plain labels that ends in letters: RFC 5321.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_word = |word: &[u8]| {
        !word.is_empty()
            && word.iter().all(|byte| is(*byte, VARIABLE) || matches!(byte, b'-' | b'+'))
    };
    local.len() <= 64
        && local.as_bytes().split(|byte| *byte == b'.').all(is_word)
        && is_domain(domain.as_bytes())
}

/// Labels of letters and digits, with single hyphens within.
fn is_domain(text: &[u8]) -> bool {
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

/// Whether a text has the form of another: the same bytes, and any digit where that has `0`.
fn has_form(text: &[u8], form: &[u8]) -> bool {
    let alike = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    };
    text.len() == form.len() && text.iter().zip(form).all(alike)
}

/// `YYYY-MM-DD`, but for the last days of months, which not all months have.
fn is_date(text: &[u8]) -> bool {
    // Two digits compare as the numbers do.
    has_form(text, b"0000-00-00")
        && text.get(5..7).is_some_and(|month| (&b"01"[..]..=b"12").contains(&month))
        && text.get(8..).is_some_and(|day| (&b"01"[..]..=b"28").contains(&day))
}

/// The same, and `THH:MM:SS`, with `Z` or an offset; without fractions and leap seconds.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.as_bytes().split_at_checked(10) else { return false };
    let Some((time, zone)) = time.split_at_checked(9) else { return false };
    let below = |text: &[u8], at: usize, end: &[u8]| {
        text.get(at..).and_then(|rest| rest.get(..2)).is_some_and(|pair| pair < end)
    };
    let zoned = match zone {
        [b'Z'] => true,
        [b'+' | b'-', offset @ ..] => {
            has_form(offset, b"00:00") && below(offset, 0, b"24") && below(offset, 3, b"60")
        }
        _ => false,
    };
    zoned
        && is_date(date)
        && has_form(time, b"T00:00:00")
        && below(time, 1, b"24")
        && below(time, 4, b"60")
        && below(time, 7, b"60")
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const FORMATS: [&str; 6] =
        ["date", "date-time", "email", "uri", "uri-reference", "uri-template"];

    fn crate_accepts(format: &str, text: &str) -> bool {
        thread_local! {
            static VALIDATORS: Vec<jsonschema::Validator> = FORMATS
                .map(|format| {
                    let options = jsonschema::options().should_validate_formats(true);
                    options.build(&json!({ "format": format })).unwrap()
                })
                .into();
        }
        let index = FORMATS.iter().position(|other| *other == format).unwrap();
        VALIDATORS.with(|all| all[index].is_valid(&Value::from(text)))
    }

    fn check(text: &str) -> usize {
        let mut accepted = 0;
        for format in FORMATS {
            if of(format).unwrap()(text) {
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
            "2020-02-28",
            "zoe.quill+news@mail.example.com",
            "",
        ] {
            assert!(check(text) >= 1, "{text:?}");
        }
        for text in [
            "2019-13-01",
            "2019-00-10",
            "2019-02-29",
            "2019-05-15T24:00:00Z",
            "https://",
            "https:///a",
            "a{",
            "a}",
            "a@b",
            "a@-b.c",
            "a@xn--a.bc",
            "a..b@c.de",
            "a@1.2.3.4",
            "_@a.b",
        ] {
            check(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn nothing_is_accepted_that_the_crate_refuses(
            date in "[0-9]{2,5}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|z|[+-][0-9]{2}:[0-9]{2})?)?",
            uri in "https?://[a-zA-Z0-9._~:@/?&=#%-]{0,12}[{]?[+#./;?&]?[a-z_,.*%0-9]{0,6}[}]?[a-z/:]{0,3}",
            email in "[a-z0-9A-Z._+@-]{0,8}@?[a-z0-9.-]{0,10}[.]?[a-z0-9-]{0,4}",
            any in "\\PC{0,16}",
        ) {
            check(&email);
            check(&date);
            check(&uri);
            check(&any);
        }
    }
}
