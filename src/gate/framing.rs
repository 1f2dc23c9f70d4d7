//! What the lines around a request say about themselves: method, Host, lengths, and that no header lies.
//!
//! One pass over the headers notes the few that the gate reads and refuses what proxies and servers are
//! known to read in two ways (RFC 9110, RFC 9112): repeated single headers, both lengths at once,
//! method overrides, control characters.

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
}

impl Framing<'_> {
    /// Whether the framing announces a body, or leaves room for one.
    pub(super) fn body(&self, version: Version) -> Announced {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Host<'r> {
    pub(super) name: &'r str,
    pub(super) port: Option<u16>,
}

impl<'r> Host<'r> {
    /// A registered name, an IPv4 address or a bracketed IPv6 address, and a port in digits.
    pub(super) fn parse(text: &'r str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, tail) = rest.split_once(']')?;
                inner.parse::<Ipv6Addr>().ok()?;
                let port = if tail.is_empty() { None } else { Some(tail.strip_prefix(':')?) };
                (text.get(..text.len().checked_sub(tail.len())?)?, port)
            }
            None => match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            },
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if name.is_empty() || (!name.starts_with('[') && !name.bytes().all(plain)) {
            return None;
        }
        let port = match port {
            // `u16`'s own parser would take a sign.
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
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
        Host::parse(entry).is_some_and(|entry| {
            entry.name.eq_ignore_ascii_case(self.name)
                && (entry.port.is_none() || entry.port == self.port)
        })
    }
}

/// Judges the method and all headers.
pub(super) fn judge<'r>(head: &Head<'r>, max_headers: usize) -> Result<Framing<'r>, Reason> {
    if head.method.is_empty() || head.method.len() > 32 || !head.method.bytes().all(is_token) {
        return Err(Reason::FramingMethodInvalid);
    }
    let mut framing = Framing::default();
    let mut size: usize = 0;
    let mut single = Singles::default();
    for &(name, value) in head.headers {
        size = size.saturating_add(name.len()).saturating_add(value.len());
        if size > max_headers {
            return Err(Reason::FramingHeadersTooLarge);
        }
        if name.is_empty()
            || !name.iter().copied().all(is_token)
            || !value.iter().copied().all(is_value)
        {
            return Err(Reason::FramingHeaderInvalid);
        }
        note(&mut framing, &mut single, name, trim(value))?;
    }
    if framing.chunked && framing.content_length.is_some() {
        return Err(Reason::FramingLengthConflict);
    }
    if framing.chunked && head.version != Version::Http11 {
        // HTTP/1.0 does not have it, later versions forbid it: whoever sent it counts bytes in another way.
        return Err(Reason::FramingTransferEncoding);
    }
    if framing.host.is_none() && head.version != Version::Http10 {
        return Err(Reason::FramingHostMissing);
    }
    Ok(framing)
}

#[derive(Default)]
struct Singles(u16);

impl Singles {
    /// Refuses the second header of one kind.
    fn once(&mut self, bit: u16, again: Reason) -> Result<(), Reason> {
        if self.0 & bit != 0 {
            return Err(again);
        }
        self.0 |= bit;
        Ok(())
    }
}

fn note<'r>(
    framing: &mut Framing<'r>,
    single: &mut Singles,
    name: &'r [u8],
    value: &'r [u8],
) -> Result<(), Reason> {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    match name.len() {
        4 if is("host") => {
            single.once(1, Reason::FramingHostRepeated)?;
            let host = std::str::from_utf8(value).ok().and_then(Host::parse);
            framing.host = Some(host.ok_or(Reason::FramingHostInvalid)?);
        }
        6 if is("origin") => {
            single.once(2, Reason::FramingHeaderRepeated)?;
            framing.origin = Some(value);
        }
        12 if is("content-type") => {
            single.once(4, Reason::FramingHeaderRepeated)?;
            framing.content_type = Some(value);
        }
        12 if is("x-request-id") => framing.request_id = Some(value),
        13 if is("authorization") => single.once(8, Reason::FramingHeaderRepeated)?,
        13 if is("x-http-method") => return Err(Reason::FramingMethodOverride),
        14 if is("content-length") => {
            single.once(16, Reason::FramingHeaderRepeated)?;
            framing.content_length = Some(length(value).ok_or(Reason::FramingLengthInvalid)?);
        }
        16 if is("content-encoding") => {
            single.once(32, Reason::FramingHeaderRepeated)?;
            framing.content_encoding = Some(value);
        }
        17 if is("transfer-encoding") => {
            single.once(64, Reason::FramingTransferEncoding)?;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Reason::FramingTransferEncoding);
            }
            framing.chunked = true;
        }
        17 if is("x-method-override") => return Err(Reason::FramingMethodOverride),
        22 if is("x-http-method-override") => return Err(Reason::FramingMethodOverride),
        _ => {}
    }
    Ok(())
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
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

/// `tchar` of RFC 9110.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A byte of a header value: no control but the tab. Bytes above ASCII are opaque, and allowed.
fn is_value(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}
