//! What the lines around a request say about themselves: method, Host, lengths, and that no header lies.
//!
//! One pass over the headers notes the few that the gate reads and refuses what proxies and servers are
//! known to read in two ways (RFC 9110, RFC 9112): repeated single headers, both lengths at once,
//! method overrides, control characters, and a name that a CGI-style server (`_` for `-`) would take for one
//! that the gate reads.
//!
//! Costs: one table lookup a byte of a name, one compare a byte of a value; nothing is copied.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::net::Ipv6Addr;

use super::head::{Head, Version};
use crate::reason::Reason;

/// The longest method that is read as one. Registered ones end at 17 (`UPDATEREDIRECTREF`); at half that one
/// is refused, at double nothing changes but the time that a made-up one takes.
const MAX_METHOD: usize = 32;

/// The longest host of the domain name system, with its trailing dot.
const MAX_HOST: usize = 254;

/// The headers that the gate reads, each seen at most once.
#[derive(Debug, Default, Clone)]
pub(super) struct Framing<'r> {
    pub(super) host: Option<Host<'r>>,
    pub(super) content_type: Option<&'r [u8]>,
    pub(super) content_length: Option<u64>,
    pub(super) content_encoding: Option<&'r [u8]>,
    pub(super) chunked: bool,
    pub(super) origin: Option<&'r [u8]>,
    pub(super) request_id: Option<&'r [u8]>,
    seen: Seen,
}

impl Framing<'_> {
    /// Whether a body follows. `at_hand` is its size where the caller has it already.
    pub(super) fn body(&self, version: Version, at_hand: Option<usize>) -> Announced {
        if let Some(size) = at_hand {
            // What is there counts; a Content-Length that says something else is found out with the body.
            let size = u64::try_from(size).unwrap_or(u64::MAX);
            let stated = self.content_length.unwrap_or(0);
            return if size.max(stated) == 0 {
                Announced::No
            } else {
                Announced::Length(size.max(stated))
            };
        }
        match self.content_length {
            Some(0) => Announced::No,
            Some(length) => Announced::Length(length),
            None if self.chunked || version == Version::Later => Announced::Unknown,
            // RFC 9112, 6.3: neither header means no body.
            None => Announced::No,
        }
    }
}

/// What the framing says about a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    No,
    Length(u64),
    Unknown,
}

/// `host[:port]` of a Host header or of an absolute target.
///
/// Names are compared without case and otherwise as written: `example.com.` and `127.1` are other hosts than
/// `example.com` and `127.0.0.1`, and a policy that wants them names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Host<'r> {
    pub(super) name: &'r str,
    pub(super) port: Option<u16>,
}

impl<'r> Host<'r> {
    /// A registered name, an IPv4 address or a bracketed IPv6 address, and a port in digits. No user
    /// information, no empty port, nothing percent-encoded, nothing beyond ASCII.
    pub(super) fn parse(text: &'r str) -> Option<Self> {
        let (name, port) = if let Some(rest) = text.strip_prefix('[') {
            let (inner, tail) = rest.split_once(']')?;
            inner.parse::<Ipv6Addr>().ok()?;
            let port = if tail.is_empty() { None } else { Some(tail.strip_prefix(':')?) };
            (text.get(..text.len().checked_sub(tail.len())?)?, port)
        } else {
            let (name, port) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
            (is_registered_name(name).then_some(name)?, port)
        };
        let port = match port {
            Some(digits) => Some(read_port(digits)?),
            None => None,
        };
        Some(Self { name, port })
    }

    /// Whether the two mean the same: names without case, ports alike once the scheme's own is filled in.
    pub(super) fn same(self, other: Self, scheme_port: u16) -> bool {
        self.name.eq_ignore_ascii_case(other.name)
            && self.port.unwrap_or(scheme_port) == other.port.unwrap_or(scheme_port)
    }

    /// Whether a policy's entry names it: an entry without a port allows every port.
    pub(super) fn is_named_by(self, entry: &str) -> bool {
        // The common entry is the very text of the name.
        if entry.eq_ignore_ascii_case(self.name) {
            return true;
        }
        Host::parse(entry).is_some_and(|entry| {
            entry.name.eq_ignore_ascii_case(self.name)
                && (entry.port.is_none() || entry.port == self.port)
        })
    }
}

/// Labels of letters, digits, `-` and `_`; none empty but for one trailing dot.
fn is_registered_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let name = name.as_bytes();
    let labels = name.strip_suffix(b".").unwrap_or(name);
    name.len() <= MAX_HOST
        && labels.split(|b| *b == b'.').all(|l| !l.is_empty() && l.iter().copied().all(plain))
}

/// Digits without a leading zero: `u16`'s own parser would take a sign, and any number of zeros.
fn read_port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if plain { digits.parse().ok() } else { None }
}

/// Judges the method and all headers.
pub(super) fn judge<'r>(head: &Head<'r>, max_headers: usize) -> Result<Framing<'r>, Reason> {
    let method = head.method.as_bytes();
    if method.is_empty() || method.len() > MAX_METHOD || !method.iter().copied().all(is_token) {
        return Err(Reason::FramingMethodInvalid);
    }
    let mut framing = Framing::default();
    let mut size: usize = 0;
    for &(name, value) in head.headers {
        size = size.saturating_add(name.len()).saturating_add(value.len());
        if size > max_headers {
            return Err(Reason::FramingHeadersTooLarge);
        }
        if name.is_empty() || !name.iter().copied().all(is_token) || !is_value(value) {
            return Err(Reason::FramingHeaderInvalid);
        }
        framing.note(name, trim(value))?;
    }
    framing.agree(head.version)?;
    Ok(framing)
}

/// Which of the headers that may occur once have occurred.
#[derive(Debug, Default, Clone)]
struct Seen(u16);

impl Seen {
    /// Refuses the second header of one kind.
    fn once(&mut self, bit: u16, again: Reason) -> Result<(), Reason> {
        if self.0 & bit != 0 {
            return Err(again);
        }
        self.0 |= bit;
        Ok(())
    }
}

impl<'r> Framing<'r> {
    /// Takes note of one header.
    fn note(&mut self, name: &'r [u8], value: &'r [u8]) -> Result<(), Reason> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        let repeated = Reason::FramingHeaderRepeated;
        match name.len() {
            4 if is("host") => {
                self.seen.once(1, Reason::FramingHostRepeated)?;
                let host = std::str::from_utf8(value).ok().and_then(Host::parse);
                self.host = Some(host.ok_or(Reason::FramingHostInvalid)?);
            }
            6 if is("origin") => {
                self.seen.once(1 << 1, repeated)?;
                self.origin = Some(value);
            }
            12 if is("content-type") => {
                self.seen.once(1 << 2, repeated)?;
                self.content_type = Some(value);
            }
            // Two of them name nothing: which one a proxy has written cannot be told.
            12 if is("x-request-id") => {
                let first = self.seen.once(1 << 3, repeated).is_ok();
                self.request_id = first.then_some(value);
            }
            13 if is("authorization") => self.seen.once(1 << 4, repeated)?,
            14 if is("content-length") => {
                self.seen.once(1 << 5, repeated)?;
                self.content_length = Some(length(value).ok_or(Reason::FramingLengthInvalid)?);
            }
            16 if is("content-encoding") => {
                self.seen.once(1 << 6, repeated)?;
                self.content_encoding = Some(value);
            }
            17 if is("transfer-encoding") => {
                self.seen.once(1 << 7, Reason::FramingTransferEncoding)?;
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Reason::FramingTransferEncoding);
                }
                self.chunked = true;
            }
            13 if is("x-http-method") => return Err(Reason::FramingMethodOverride),
            17 if is("x-method-override") => return Err(Reason::FramingMethodOverride),
            22 if is("x-http-method-override") => return Err(Reason::FramingMethodOverride),
            9 | 11 if MOVES.iter().any(|own| looks_like(name, own)) => {
                return Err(Reason::FramingHeaderInvalid);
            }
            _ if name.contains(&b'_') && READ.iter().any(|read| looks_like(name, read)) => {
                return Err(Reason::FramingHeaderInvalid);
            }
            _ => {}
        }
        Ok(())
    }

    /// What the headers say together.
    fn agree(&self, version: Version) -> Result<(), Reason> {
        if self.chunked && self.content_length.is_some() {
            return Err(Reason::FramingLengthConflict);
        }
        if self.chunked && version != Version::Http11 {
            // HTTP/1.0 does not have it, later versions forbid it: whoever sent it counts bytes in another way.
            return Err(Reason::FramingTransferEncoding);
        }
        if self.host.is_none() && version != Version::Http10 {
            return Err(Reason::FramingHostMissing);
        }
        Ok(())
    }
}

/// The headers with a dash in their name that the gate reads or refuses, wherever it does.
const READ: &[&str] = &[
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "x-forwarded-for",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-request-id",
];

/// A CGI-style environment's own names for where the application is and what is asked of it: gunicorn takes the first
/// from a header, and the application then dispatches on another path than the one that is judged.
const MOVES: &[&str] = &["path-info", "script-name"];

/// Whether a CGI-style environment, which has neither case nor dashes, would hold both under one name.
pub(super) fn looks_like(name: &[u8], read: &str) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() == read.len() && name.iter().zip(read.bytes()).all(|(a, b)| fold(*a) == fold(b))
}

/// Decimal digits, no sign, no list.
fn length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Without the optional whitespace around it (RFC 9110, 5.5).
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// `tchar` of RFC 9110.
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

const TOKEN: [bool; 256] = token_table();

#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "evaluated when compiled, where a fault does not compile"
)]
const fn token_table() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(
            byte as u8,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\''
                | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        byte += 1;
    }
    table
}

/// A header's value: no control character but the tab. Bytes above ASCII are opaque, and allowed.
fn is_value(value: &[u8]) -> bool {
    // Without a way out in the middle, which lets the compiler look at 16 bytes at a time.
    let bad = |b: u8| (b < b' ' && b != b'\t') || b == 0x7f;
    !value.iter().fold(false, |found, byte| found | bad(*byte))
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
    use super::super::head::Asked;
    use super::*;
    use Reason as R;

    fn head<'r>(headers: &'r [(&'r [u8], &'r [u8])], version: Version) -> Head<'r> {
        Head {
            method: "GET",
            target: Asked::Raw(b"/"),
            dispatch: None,
            headers,
            peer: None,
            scheme: "https",
            version,
            websocket: false,
        }
    }

    /// The reason for lines such as `Host: h`, in HTTP/1.1.
    fn reason(lines: &[&[u8]]) -> Option<Reason> {
        let split = |line: &&'static [u8]| -> (&'static [u8], &'static [u8]) {
            let colon = line.iter().position(|b| *b == b':').expect("a colon");
            (&line[..colon], &line[colon + 1..])
        };
        // The tests' lines live as long as the tests.
        let lines: Vec<&'static [u8]> =
            lines.iter().map(|line| &*Box::leak(line.to_vec().into_boxed_slice())).collect();
        let pairs: Vec<_> = lines.iter().map(split).collect();
        judge(&head(&pairs, Version::Http11), 200).err()
    }

    #[test]
    fn hosts() {
        let label = "a".repeat(63);
        let long = [label.as_str(); 4].join(".");
        for (text, expected) in [
            ("example.com", Some(("example.com", None))),
            ("EXAMPLE.com:8443", Some(("EXAMPLE.com", Some(8443)))),
            ("example.com.", Some(("example.com.", None))),
            ("a_b-c.internal", Some(("a_b-c.internal", None))),
            ("192.0.2.1:80", Some(("192.0.2.1", Some(80)))),
            ("[2001:db8::1]", Some(("[2001:db8::1]", None))),
            ("[::1]:1", Some(("[::1]", Some(1)))),
            (&long[2..], Some((&long[2..], None))),
            (&long, None),
            ("", None),
            (".", None),
            ("..", None),
            (".a", None),
            ("a..b", None),
            ("a:", None),
            (":80", None),
            ("a:+80", None),
            ("a:080", None),
            ("a:0", None),
            ("a:65536", None),
            ("a:80:80", None),
            ("u@a", None),
            ("a/b", None),
            ("a b", None),
            ("a,b", None),
            ("a%2eb", None),
            ("é", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[::1]:", None),
            ("[fe80::1%25eth0]", None),
            ("[v1.a]", None),
            ("[]", None),
        ] {
            let found = Host::parse(text).map(|host| (host.name, host.port));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_policys_entry_names_hosts() {
        let named = |host: &'static str, entry| Host::parse(host).expect(host).is_named_by(entry);
        assert!(named("A.example", "a.example"));
        assert!(named("a.example:8443", "a.example"));
        assert!(named("a.example:8443", "a.example:8443"));
        assert!(!named("a.example", "a.example:8443"));
        assert!(!named("a.example:1", "a.example:8443"));
        assert!(!named("a.example.", "a.example"));
        assert!(named("a.example.", "a.example."));
        assert!(!named("xa.example", "a.example"));
    }

    #[test]
    fn the_port_of_the_scheme_is_filled_in() {
        let host = |text| Host::parse(text).expect(text);
        assert!(host("A").same(host("a:443"), 443));
        assert!(host("a:443").same(host("a"), 443));
        assert!(!host("a").same(host("a:443"), 80));
        assert!(!host("a").same(host("b"), 443));
    }

    #[test]
    fn lines_that_two_readers_read_in_two_ways_are_refused() {
        for (lines, expected) in [
            (&[&b"Host: h"[..]][..], None),
            (&[b"host:\t h \t"], None),
            (&[b"Host: h", b"X-A: \xe9\xff"], None),
            (&[b"Host: h", b"Content-Length: 007"], None),
            (&[b"Host: h", b"Transfer-Encoding: Chunked"], None),
            (&[b"Host: h", b"X-Request-Id: a", b"x-request-id: b"], None),
            (&[b"Host: h", b"X_A: 1", b"X-A: 2"], None),
            (&[], Some(R::FramingHostMissing)),
            (&[b"Host: h", b"host: h"], Some(R::FramingHostRepeated)),
            (&[b"Host: a,b"], Some(R::FramingHostInvalid)),
            (&[b"Host: "], Some(R::FramingHostInvalid)),
            (&[b"Host: h", b"X-A : 1"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b": 1"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X\xc3\xa9: 1"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-A: a\r\nX-B: b"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-A: a\n b"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-A: a\rb"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-A: a\0"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-A: \x1b[0m"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-A: \x7f"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"Content_Length: 1"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"x_forwarded-For: 1"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X_HTTP_METHOD_OVERRIDE: PUT"], Some(R::FramingHeaderInvalid)),
            (&[b"Host: h", b"X-HTTP-Method-Override: PUT"], Some(R::FramingMethodOverride)),
            (&[b"Host: h", b"x-http-method: PUT"], Some(R::FramingMethodOverride)),
            (&[b"Host: h", b"X-Method-Override: PUT"], Some(R::FramingMethodOverride)),
            (
                &[b"Host: h", b"Content-Type: a/b", b"Content-Type: a/b"],
                Some(R::FramingHeaderRepeated),
            ),
            (
                &[b"Host: h", b"Authorization: a", b"authorization: a"],
                Some(R::FramingHeaderRepeated),
            ),
            (&[b"Host: h", b"Origin: a", b"Origin: a"], Some(R::FramingHeaderRepeated)),
            (
                &[b"Host: h", b"Content-Length: 1", b"Content-Length: 1"],
                Some(R::FramingHeaderRepeated),
            ),
            (
                &[b"Host: h", b"Content-Encoding: br", b"Content-Encoding: br"],
                Some(R::FramingHeaderRepeated),
            ),
            (&[b"Host: h", b"Content-Length: +1"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length: -1"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length: 1,1"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length: 1 1"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length: 0x10"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length: 1.0"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length: \xd9\xa3"], Some(R::FramingLengthInvalid)),
            (&[b"Host: h", b"Content-Length:"], Some(R::FramingLengthInvalid)),
            (
                &[b"Host: h", b"Content-Length: 1000000000000000000000000000000"],
                Some(R::FramingLengthInvalid),
            ),
            (
                &[b"Host: h", b"Content-Length: 1", b"Transfer-Encoding: chunked"],
                Some(R::FramingLengthConflict),
            ),
            (&[b"Host: h", b"Transfer-Encoding: gzip"], Some(R::FramingTransferEncoding)),
            (&[b"Host: h", b"Transfer-Encoding: gzip, chunked"], Some(R::FramingTransferEncoding)),
            (
                &[b"Host: h", b"Transfer-Encoding: chunked, chunked"],
                Some(R::FramingTransferEncoding),
            ),
            (&[b"Host: h", b"Transfer-Encoding: identity"], Some(R::FramingTransferEncoding)),
            (&[b"Host: h", b"Transfer-Encoding: chunked;x=1"], Some(R::FramingTransferEncoding)),
            (&[b"Host: h", b"Transfer-Encoding: "], Some(R::FramingTransferEncoding)),
            (
                &[b"Host: h", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
                Some(R::FramingTransferEncoding),
            ),
            (&[b"Host: h", &[b'a'; 200]], Some(R::FramingHeadersTooLarge)),
        ] {
            let lines: Vec<Vec<u8>> =
                lines
                    .iter()
                    .map(|line| {
                        if line.contains(&b':') {
                            line.to_vec()
                        } else {
                            [line, &b":"[..]].concat()
                        }
                    })
                    .collect();
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            assert_eq!(reason(&lines), expected, "{}", String::from_utf8_lossy(&lines.join(&b'|')));
        }
    }

    #[test]
    fn methods_are_tokens_of_ordinary_length() {
        let host: &[(&[u8], &[u8])] = &[(b"host", b"h")];
        let long = "A".repeat(MAX_METHOD + 1);
        for (method, good) in [
            ("GET", true),
            ("get", true),
            ("M-SEARCH", true),
            (&long[1..], true),
            (&long, false),
            ("", false),
            ("GE T", false),
            ("GET\0", false),
            ("GÉT", false),
            ("GET/", false),
        ] {
            let found = judge(&Head { method, ..head(host, Version::Http11) }, 200);
            assert_eq!(found.err(), (!good).then_some(R::FramingMethodInvalid), "{method}");
        }
    }

    #[test]
    fn each_version_has_its_rules() {
        let host: &[(&[u8], &[u8])] = &[(b"host", b"h")];
        let chunked: &[(&[u8], &[u8])] = &[(b"host", b"h"), (b"transfer-encoding", b"chunked")];
        let judge = |headers, version| judge(&head(headers, version), 200).err();
        assert_eq!(judge(&[], Version::Http10), None);
        assert_eq!(judge(&[], Version::Http11), Some(R::FramingHostMissing));
        assert_eq!(judge(&[], Version::Later), Some(R::FramingHostMissing));
        assert_eq!(judge(host, Version::Later), None);
        assert_eq!(judge(chunked, Version::Http11), None);
        assert_eq!(judge(chunked, Version::Http10), Some(R::FramingTransferEncoding));
        assert_eq!(judge(chunked, Version::Later), Some(R::FramingTransferEncoding));
    }

    #[test]
    fn what_a_head_announces() {
        use Announced as A;
        let length = |n| Framing { content_length: n, ..Framing::default() };
        let chunked = Framing { chunked: true, ..Framing::default() };
        for (framing, version, at_hand, expected) in [
            (length(None), Version::Http11, None, A::No),
            (length(None), Version::Later, None, A::Unknown),
            (length(Some(0)), Version::Later, None, A::No),
            (length(Some(7)), Version::Http11, None, A::Length(7)),
            (chunked.clone(), Version::Http11, None, A::Unknown),
            (chunked, Version::Http11, Some(0), A::No),
            (length(None), Version::Http11, Some(3), A::Length(3)),
            (length(None), Version::Later, Some(0), A::No),
            (length(Some(7)), Version::Http11, Some(3), A::Length(7)),
            (length(Some(0)), Version::Http11, Some(3), A::Length(3)),
        ] {
            assert_eq!(framing.body(version, at_hand), expected, "{framing:?} {at_hand:?}");
        }
    }

    #[test]
    fn blanks_around_a_value_are_not_its_own() {
        for (value, expected) in
            [("", ""), (" ", ""), ("\t a b \t", "a b"), ("a", "a"), ("\u{b}a", "\u{b}a")]
        {
            assert_eq!(trim(value.as_bytes()), expected.as_bytes(), "{value:?}");
        }
    }
}
