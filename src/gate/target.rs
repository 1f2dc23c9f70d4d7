//! The raw request target, still percent-encoded, taken apart and judged; never repaired.
//!
//! Gives the path, decoded once, and the query as it stands. Refused: a form that the method does not have
//! (RFC 9112, 3.2), characters outside RFC 3986, malformed or non-UTF-8 percent-encoding, an encoded slash,
//! backslash or control, dot segments and empty segments in any spelling, and more bytes than the ceiling.
//!
//! Why never repaired: the application behind decodes and dispatches for itself. Two spellings of one path
//! are two chances to disagree with it, so there is one.
//!
//! ```
//! use secval::gate::target::Target;
//! use secval::reason::Reason;
//!
//! let target = Target::parse("GET", b"/caf%C3%A9?page=2", 4096).unwrap();
//! assert_eq!((&*target.path, target.query), ("/café", "page=2"));
//! assert_eq!(Target::parse("GET", b"/a/%2e%2e/b", 4096).unwrap_err(), Reason::TargetDotSegment);
//! ```

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::borrow::Cow;

use super::framing::Host;
use crate::reason::Reason;

/// A request target that has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'r> {
    /// Decoded once; begins with a slash, or is `*`.
    pub path: Cow<'r, str>,
    /// What follows the first `?`, still encoded; empty when there is none.
    pub query: &'r str,
    /// The authority of a target in absolute form; it must equal the Host.
    pub authority: Option<&'r str>,
}

impl<'r> Target<'r> {
    /// Judges a raw target of at most `max` bytes.
    pub fn parse(method: &str, raw: &'r [u8], max: usize) -> Result<Self, Reason> {
        if raw.len() > max {
            return Err(Reason::TargetTooLong);
        }
        // A target is ASCII; everything else in it would have to be percent-encoded.
        let text = std::str::from_utf8(raw).map_err(|_| Reason::TargetInvalid)?;
        if method == "CONNECT" || text.is_empty() {
            return Err(Reason::TargetInvalid);
        }
        if text == "*" {
            let path = Cow::Borrowed("*");
            let asterisk = Self { path, query: "", authority: None };
            return if method == "OPTIONS" { Ok(asterisk) } else { Err(Reason::TargetInvalid) };
        }
        let (authority, rest) = if text.starts_with('/') {
            (None, text)
        } else {
            let (authority, rest) = absolute(text).ok_or(Reason::TargetInvalid)?;
            (Some(authority), rest)
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !query.bytes().all(is_query) {
            return Err(Reason::TargetInvalid);
        }
        // `http://host` and `http://host?x` ask for the root (RFC 9112, 3.2.1).
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { path: decode(path)?, query, authority })
    }

    /// Judges what a server without raw targets gives: a path that it has decoded, and the raw query.
    pub fn decoded(path: &'r str, query: &'r [u8], max: usize) -> Result<Self, Reason> {
        if path.len().saturating_add(query.len()) > max {
            return Err(Reason::TargetTooLong);
        }
        let query = std::str::from_utf8(query).map_err(|_| Reason::TargetInvalid)?;
        if !path.starts_with('/') || !query.bytes().all(is_query) {
            return Err(Reason::TargetInvalid);
        }
        // U+FFFD is what a server writes for bytes that it could not decode.
        if path.chars().any(|c| c.is_control() || c == '\\' || c == '\u{fffd}') {
            return Err(Reason::TargetEncoding);
        }
        segments(path)?;
        Ok(Self { path: Cow::Borrowed(path), query, authority: None })
    }
}

/// Splits `http://authority/path`; `None` when it is anything else, or the authority is no Host.
fn absolute(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    Host::parse(authority).map(|_| (authority, rest))
}

fn decode(path: &str) -> Result<Cow<'_, str>, Reason> {
    if !path.bytes().all(is_path) {
        return Err(Reason::TargetInvalid);
    }
    let decoded =
        if path.contains('%') { Cow::Owned(percent_decode(path)?) } else { Cow::Borrowed(path) };
    segments(&decoded)?;
    Ok(decoded)
}

fn percent_decode(path: &str) -> Result<String, Reason> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (rest.next().and_then(hex), rest.next().and_then(hex));
        let (Some(high), Some(low)) = (high, low) else { return Err(Reason::TargetEncoding) };
        let byte = (high << 4) | low;
        // What would be a delimiter, or end a C string, once decoded.
        if byte == b'/' || byte == b'\\' || byte.is_ascii_control() {
            return Err(Reason::TargetEncoding);
        }
        bytes.push(byte);
    }
    // The controls beyond ASCII (U+0080 to U+009F) show only now.
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control));
    text.ok_or(Reason::TargetEncoding)
}

fn segments(path: &str) -> Result<(), Reason> {
    let mut pieces = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(piece) = pieces.next() {
        if piece == "." || piece == ".." {
            return Err(Reason::TargetDotSegment);
        }
        // An empty last piece is a trailing slash: another path, for the router to know or not.
        if piece.is_empty() && pieces.peek().is_some() {
            return Err(Reason::TargetEmptySegment);
        }
    }
    Ok(())
}

/// The value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `pchar`, `/` and `%` of RFC 3986.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

/// Visible ASCII, less what RFC 3986 and the URL standard both keep out of a query. Browsers send brackets,
/// braces, `|`, `\`, `^` and backquotes as they are; their meaning is one parameter's value, nothing else.
fn is_query(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#\"<>".contains(&byte)
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "tables of cases; a test that panics has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_judged_not_repaired() {
        use Reason as R;
        let cases: &[(&str, &[u8], Result<(&str, &str), Reason>)] = &[
            ("GET", b"/", Ok(("/", ""))),
            ("GET", b"/a/b/?x=1?y", Ok(("/a/b/", "x=1?y"))),
            ("GET", b"/%61;v=1", Ok(("/a;v=1", ""))),
            ("GET", b"/a/..;/b", Ok(("/a/..;/b", ""))),
            ("GET", b"/a+b?a+b", Ok(("/a+b", "a+b"))),
            ("GET", b"/%3f%23?%23", Ok(("/?#", "%23"))),
            ("GET", b"/...", Ok(("/...", ""))),
            ("GET", b"/a?", Ok(("/a", ""))),
            ("GET", b"http://h?x", Ok(("/", "x"))),
            ("GET", b"/%252f", Ok(("/%2f", ""))),
            ("GET", b"http://h:80/a?b", Ok(("/a", "b"))),
            ("GET", b"HTTPS://h", Ok(("/", ""))),
            ("OPTIONS", b"*", Ok(("*", ""))),
            ("GET", b"*", Err(R::TargetInvalid)),
            ("GET", b"", Err(R::TargetInvalid)),
            ("GET", b"a", Err(R::TargetInvalid)),
            ("GET", b"ftp://h/a", Err(R::TargetInvalid)),
            ("OPTIONS", b"*?a", Err(R::TargetInvalid)),
            ("OPTIONS", b"*/", Err(R::TargetInvalid)),
            ("GET", b"http:/h/a", Err(R::TargetInvalid)),
            ("GET", b"http://h#a", Err(R::TargetInvalid)),
            ("GET", b"?a", Err(R::TargetInvalid)),
            ("GET", b"http:///a", Err(R::TargetInvalid)),
            ("GET", b"http://u@h/a", Err(R::TargetInvalid)),
            ("CONNECT", b"h:443", Err(R::TargetInvalid)),
            ("CONNECT", b"/a", Err(R::TargetInvalid)),
            ("GET", b"/a b", Err(R::TargetInvalid)),
            ("GET", b"/a#b", Err(R::TargetInvalid)),
            ("GET", b"/a?b#c", Err(R::TargetInvalid)),
            ("GET", b"/a\\b", Err(R::TargetInvalid)),
            ("GET", b"/a\x00", Err(R::TargetInvalid)),
            ("GET", "/é".as_bytes(), Err(R::TargetInvalid)),
            ("GET", b"/\xff", Err(R::TargetInvalid)),
            ("GET", b"/%", Err(R::TargetEncoding)),
            ("GET", b"/%4", Err(R::TargetEncoding)),
            ("GET", b"/%zz", Err(R::TargetEncoding)),
            ("GET", b"/%+1", Err(R::TargetEncoding)),
            ("GET", b"/%2f", Err(R::TargetEncoding)),
            ("GET", b"/%2F", Err(R::TargetEncoding)),
            ("GET", b"/%5c", Err(R::TargetEncoding)),
            ("GET", b"/%00", Err(R::TargetEncoding)),
            ("GET", b"/%0d%0a", Err(R::TargetEncoding)),
            ("GET", b"/%ff", Err(R::TargetEncoding)),
            ("GET", b"/%c0%af", Err(R::TargetEncoding)),
            ("GET", b"/%e0%80%af", Err(R::TargetEncoding)),
            ("GET", b"/%ed%a0%80", Err(R::TargetEncoding)),
            ("GET", b"/%c2%85", Err(R::TargetEncoding)),
            ("GET", b"/%7f", Err(R::TargetEncoding)),
            ("GET", b"/%u0041", Err(R::TargetEncoding)),
            ("GET", b"/a/../b", Err(R::TargetDotSegment)),
            ("GET", b"/.", Err(R::TargetDotSegment)),
            ("GET", b"/a/%2E%2e", Err(R::TargetDotSegment)),
            ("GET", b"//h/a", Err(R::TargetEmptySegment)),
            ("GET", b"/a//b", Err(R::TargetEmptySegment)),
            ("GET", b"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Err(R::TargetTooLong)),
        ];
        for (method, raw, expected) in cases {
            let target = Target::parse(method, raw, 40);
            let found = target.as_ref().map(|t| (&*t.path, t.query)).map_err(|reason| *reason);
            assert_eq!(found, *expected, "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn a_decoded_path_gets_the_same_rules() {
        for (path, expected) in [
            ("/a/é", Ok(())),
            ("a", Err(Reason::TargetInvalid)),
            ("/a/../b", Err(Reason::TargetDotSegment)),
            ("/a//b", Err(Reason::TargetEmptySegment)),
            ("/a\\b", Err(Reason::TargetEncoding)),
            ("/a\0", Err(Reason::TargetEncoding)),
            ("/a\u{85}", Err(Reason::TargetEncoding)),
            ("/\u{fffd}", Err(Reason::TargetEncoding)),
        ] {
            assert_eq!(Target::decoded(path, b"", 40).map(|_| ()), expected, "{path}");
        }
        assert_eq!(Target::decoded("/a", b"x y", 40).err(), Some(Reason::TargetInvalid));
        assert_eq!(Target::decoded("/a", &[b'x'; 40], 40).err(), Some(Reason::TargetTooLong));
    }
}
