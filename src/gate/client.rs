//! Who is on the other end: the socket's peer, or what a trusted proxy says of it.
//!
//! A forwarding header counts only from a configured proxy, and only the one header that the policy names.
//! It is walked from the right, where the nearest proxy wrote, to the first hop that is not itself trusted;
//! what stands further left was written by the client and proves nothing. A malformed hop that is reached is
//! refused, never skipped.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::net::IpAddr;

use super::framing::trim;
use super::head::Head;
use crate::check::{IpSet, parse_address};
use crate::policy::model::{ClientPolicy, ForwardingHeader};
use crate::reason::Reason;

/// The client's address, and whether the connection came through a trusted proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// `None` only for a connection without a peer that the policy accepts and whose header says nothing.
    pub(super) address: Option<IpAddr>,
    pub(super) through_proxy: bool,
}

/// Finds the client of a request.
pub(super) fn resolve(head: &Head<'_>, policy: &ClientPolicy) -> Result<Client, Reason> {
    let peer = match head.peer {
        Some(text) => Some(parse_address(text).map_err(|_| Reason::ClientPeerInvalid)?),
        None if policy.peerless => None,
        None => return Err(Reason::ClientPeerMissing),
    };
    let trusts =
        |address: IpAddr| policy.trusted_proxies.as_ref().is_some_and(|set| set.contains(address));
    let through_proxy = peer.is_none_or(trusts);
    let direct = Client { address: peer, through_proxy };
    let (true, Some(header)) = (through_proxy, policy.header) else { return Ok(direct) };
    let name = match header {
        ForwardingHeader::XForwardedFor => "x-forwarded-for",
        ForwardingHeader::Forwarded => "forwarded",
    };
    let lines = head.headers.iter().rev().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    let mut leftmost = None;
    for (_, line) in lines {
        let line = std::str::from_utf8(line).map_err(|_| Reason::ClientForwardedInvalid)?;
        for hop in elements(line)?.into_iter().rev() {
            let address = match header {
                ForwardingHeader::XForwardedFor => node(hop),
                ForwardingHeader::Forwarded => forwarded_for(hop),
            };
            let address = address.ok_or(Reason::ClientForwardedInvalid)?;
            if !trusts(address) {
                return Ok(Client { address: Some(address), through_proxy });
            }
            leftmost = Some(address);
        }
    }
    Ok(Client { address: leftmost.or(peer), through_proxy })
}

/// Judges the policy's lists: where both match, the longer prefix decides, and a tie denies.
pub(super) fn admit(client: Client, policy: &ClientPolicy) -> Result<(), Reason> {
    let length = |set: &Option<IpSet>| {
        let net = set.as_ref()?.longest_match(client.address?)?;
        Some(net.prefix_len())
    };
    let (allowed, denied) = (length(&policy.allow), length(&policy.deny));
    match (allowed, denied) {
        (_, None) => {}
        (Some(allowed), Some(denied)) if allowed > denied => return Ok(()),
        (_, Some(_)) => return Err(Reason::AddressDenied),
    }
    if policy.allow.is_some() && allowed.is_none() {
        return Err(Reason::AddressNotAllowed);
    }
    Ok(())
}

/// Splits a list header at the commas outside quotes; an unfinished quote is malformed.
fn elements(line: &str) -> Result<Vec<&str>, Reason> {
    let mut quoted = false;
    let mut escaped = false;
    let pieces: Vec<&str> = line
        .split(|c: char| {
            let end = c == ',' && !quoted;
            if escaped {
                escaped = false;
            } else if quoted && c == '\\' {
                escaped = true;
            } else if c == '"' {
                quoted = !quoted;
            }
            end
        })
        .collect();
    if quoted { Err(Reason::ClientForwardedInvalid) } else { Ok(pieces) }
}

/// An address with an optional port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let text = std::str::from_utf8(trim(text.as_bytes())).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, tail) = rest.split_once(']')?;
        let address = parse_address(inner).ok().filter(|_| inner.contains(':'))?;
        return (tail.is_empty() || tail.strip_prefix(':').is_some_and(is_port)).then_some(address);
    }
    match text.split_once(':') {
        Some((v4, port)) if !port.contains(':') => parse_address(v4).ok().filter(|_| is_port(port)),
        _ => parse_address(text).ok(),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The `for` of one element of RFC 7239; an obfuscated or unknown one is no address, and so malformed here.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if !name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for") {
            continue;
        }
        let value = value.trim_matches([' ', '\t']);
        let value = match value.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"')?,
            None if value.contains(['[', ':']) => return None, // RFC 7239, 6: these need quotes
            None => value,
        };
        // An IPv6 address is bracketed here, always.
        let address = node(value).filter(|a| a.is_ipv4() || value.starts_with('['))?;
        if found.replace(address).is_some() {
            return None;
        }
    }
    found
}
