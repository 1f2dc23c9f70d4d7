//! What a body claims to be: its media type, charset and coding.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::framing::{is_token, trim};
use crate::policy::model::{Body, Media};
use crate::reason::Reason;

/// The declared media type that a Content-Type names.
pub(super) fn select<'b>(body: &'b Body, content_type: Option<&[u8]>) -> Result<&'b Media, Reason> {
    let text = content_type.ok_or(Reason::MediaMissing)?;
    let text = std::str::from_utf8(text).map_err(|_| Reason::MediaUnsupported)?;
    let (essence, parameters) = match text.split_once(';') {
        Some((essence, parameters)) => (essence.trim_matches([' ', '\t']), Some(parameters)),
        None => (text, None),
    };
    let media = body.media.iter().find(|media| media.essence.eq_ignore_ascii_case(essence));
    let media = media.ok_or(Reason::MediaUnsupported)?;
    for parameter in parameters.into_iter().flat_map(split_parameters) {
        judge_parameter(parameter)?;
    }
    Ok(media)
}

/// Refuses every content coding but none at all.
pub(super) fn coding(content_encoding: Option<&[u8]>) -> Result<(), Reason> {
    match content_encoding {
        None => Ok(()),
        Some(value) if value.eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => Err(Reason::MediaCoding),
    }
}

/// Splits at the semicolons outside quotes.
fn split_parameters(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c: char| {
        let end = c == ';' && !quoted;
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        end
    })
}

/// `name=value`; a charset must be UTF-8, since JSON has no other (RFC 8259, 8.1).
fn judge_parameter(parameter: &str) -> Result<(), Reason> {
    let parameter = trim(parameter.as_bytes());
    if parameter.is_empty() {
        return Ok(()); // `application/json;` is common, and RFC 9110 lets a parameter be empty
    }
    let equals = parameter.iter().position(|b| *b == b'=').ok_or(Reason::MediaUnsupported)?;
    let (name, value) = parameter.split_at_checked(equals).ok_or(Reason::MediaUnsupported)?;
    let value = read_value(value.get(1..).unwrap_or_default()).ok_or(Reason::MediaUnsupported)?;
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(Reason::MediaUnsupported);
    }
    if !name.eq_ignore_ascii_case(b"charset") || value.eq_ignore_ascii_case(b"utf-8") {
        return Ok(());
    }
    Err(Reason::MediaCharset)
}

/// A token, or what stands between the quotes; escapes stay as they are, and so never spell a charset.
///
/// Anything else is malformed: a value that runs on, as when a server has joined two headers with a comma.
fn read_value(value: &[u8]) -> Option<&[u8]> {
    let Some(rest) = value.strip_prefix(b"\"") else {
        return (!value.is_empty() && value.iter().copied().all(is_token)).then_some(value);
    };
    let inner = rest.strip_suffix(b"\"")?;
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return None,
            // The quote at the end must not be an escaped one.
            b'\\' => bytes.next().map(drop)?,
            _ => {}
        }
    }
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason as R;
    use crate::schema::{Options, SetBuilder};

    #[test]
    fn an_essence_is_matched_without_case_and_whole() {
        let any = serde_json::Value::Bool(true);
        let schema = SetBuilder::new().add(&any, None, &Options::default()).expect("a schema");
        let declared = |essence: &str| Media { essence: essence.to_owned(), schema };
        let body = Body {
            required: true,
            media: vec![declared("application/json"), declared("application/vnd.a+json")],
        };
        for (text, expected) in [
            ("application/json", Ok("application/json")),
            ("Application/JSON", Ok("application/json")),
            ("application/json;charset=utf-8", Ok("application/json")),
            ("application/json ; v=1", Ok("application/json")),
            ("application/vnd.a+json", Ok("application/vnd.a+json")),
            ("application/vnd.b+json", Err(R::MediaUnsupported)),
            ("application/jsonx", Err(R::MediaUnsupported)),
            ("application/json, text/plain", Err(R::MediaUnsupported)),
            ("application/ json", Err(R::MediaUnsupported)),
            ("application", Err(R::MediaUnsupported)),
            ("*/*", Err(R::MediaUnsupported)),
            ("", Err(R::MediaUnsupported)),
            ("application/json; charset=latin1", Err(R::MediaCharset)),
        ] {
            let found = select(&body, Some(text.as_bytes())).map(|media| media.essence.as_str());
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(select(&body, None).err(), Some(R::MediaMissing));
        assert_eq!(select(&body, Some(b"application/json\xff")).err(), Some(R::MediaUnsupported));
    }

    #[test]
    fn codings() {
        for (value, expected) in [
            (None, Ok(())),
            (Some("identity"), Ok(())),
            (Some("gzip"), Err(R::MediaCoding)),
            (Some("identity, gzip"), Err(R::MediaCoding)),
            (Some(""), Err(R::MediaCoding)),
        ] {
            assert_eq!(coding(value.map(str::as_bytes)), expected, "{value:?}");
        }
    }

    #[test]
    fn parameters() {
        for (text, expected) in [
            ("", Ok(())),
            (" charset=utf-8", Ok(())),
            (" Charset=\"UTF-8\"", Ok(())),
            (" charset=utf8", Err(R::MediaCharset)),
            (" charset=utf-16; x=1", Err(R::MediaCharset)),
            (" x=\"a;charset=utf-16\"", Ok(())),
            (" x=\"a\"; charset=latin1", Err(R::MediaCharset)),
            (" charset", Err(R::MediaUnsupported)),
            (" charset=", Err(R::MediaUnsupported)),
            (" =utf-8", Err(R::MediaUnsupported)),
            (" charset =utf-8", Err(R::MediaUnsupported)),
            (" charset= utf-8", Err(R::MediaUnsupported)),
            (" charset='utf-8'", Err(R::MediaCharset)),
            (" charset=\"utf-\\8\"", Err(R::MediaCharset)),
            (" charset=utf-8; charset=utf-16", Err(R::MediaCharset)),
            (" charset=utf-8, text/plain", Err(R::MediaUnsupported)),
            (" charset=\"utf-8", Err(R::MediaUnsupported)),
            (" charset=\"utf-8\\\"", Err(R::MediaUnsupported)),
            (" charset=\"utf-8\"x", Err(R::MediaUnsupported)),
            (" x=\"a; charset=utf-16", Err(R::MediaUnsupported)),
            (" x=\"\"", Ok(())),
            (";;", Ok(())),
        ] {
            let judged = split_parameters(text).try_for_each(judge_parameter);
            assert_eq!(judged, expected, "{text}");
        }
    }
}
