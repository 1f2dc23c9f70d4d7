//! What the policy and an operation demand of a head beyond its framing: target, addresses, dates, scheme,
//! host, websocket.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::case::Case;
use super::dates::http_date;
use super::engine::Engine;
use super::fault::Fault;
use super::framing::{Framing, Host};
use super::head::{Asked, Head};
use super::target::Target;
use crate::policy::model::{Operation, Origin, Policy};
use crate::reason::Reason;

/// The target, judged, and equal to what the application will dispatch on.
pub(super) fn target<'r>(
    head: &Head<'r>,
    framing: &Framing<'_>,
    policy: &Policy,
) -> Result<Target<'r>, Reason> {
    let max = policy.request.max_target;
    let target = match head.target {
        Asked::Raw(raw) => Target::parse(head.method, raw, max)?,
        Asked::Decoded { path, query } if policy.request.decoded_target => {
            Target::decoded(path, query, max)?
        }
        Asked::Decoded { .. } => return Err(Reason::TargetRawMissing),
    };
    if let Some(authority) = target.authority {
        let named = Host::parse(authority).ok_or(Reason::TargetInvalid)?;
        let port = if is_secure(head.scheme) { 443 } else { 80 };
        if !framing.host.is_some_and(|host| host.same(named, port)) {
            return Err(Reason::TargetAuthorityMismatch);
        }
    }
    if head.dispatch.is_some_and(|dispatch| *dispatch != *target.path) {
        return Err(Reason::TargetMismatch);
    }
    Ok(target)
}

/// Whether the operation's own addresses let this client call it.
pub(super) fn may_call(case: &Case, operation: &Operation) -> bool {
    let Some(addresses) = &operation.addresses else { return true };
    case.client.is_some_and(|client| addresses.contains(client))
}

pub(super) fn addresses(case: &Case, operation: &Operation) -> Result<(), Reason> {
    if may_call(case, operation) { Ok(()) } else { Err(Reason::AddressNotAllowed) }
}

/// 410 from its sunset on; until then, headers that announce it (RFC 8594, RFC 9745).
pub(super) fn sunset(
    case: &mut Case,
    operation: &Operation,
    engine: &Engine,
) -> Result<(), Reason> {
    if let Some(sunset) = operation.sunset {
        let now =
            i64::try_from(engine.setting.clock.wall_ms().div_euclid(1_000)).unwrap_or(i64::MAX);
        if sunset <= now {
            return Err(Reason::RouteSunset);
        }
        case.answer("Sunset", http_date(sunset));
    }
    if let Some(deprecated) = operation.deprecated {
        case.answer("Deprecation", format!("@{deprecated}"));
    }
    Ok(())
}

/// One of the operation's origins: a Host that it answers to, under a scheme that it is served under there.
pub(super) fn origin(
    head: &Head<'_>,
    framing: &Framing<'_>,
    operation: &Operation,
) -> Result<(), Reason> {
    let mut named = operation.origins.iter().filter(|origin| match (&origin.host, framing.host) {
        (None, _) => true,
        (Some(entry), Some(host)) => host.is_named_by(entry),
        (Some(_), None) => false,
    });
    let served = |origin: &Origin| match head.scheme {
        "http" | "ws" => origin.schemes.http,
        "https" | "wss" => origin.schemes.https,
        _ => false,
    };
    match named.next() {
        None => Err(Reason::HostUnknown),
        Some(origin) if served(origin) || named.any(served) => Ok(()),
        Some(_) => Err(Reason::SchemeNotAllowed),
    }
}

/// A websocket is declared, and asked for as one; a browser's page that opens it is one of this API's own.
pub(super) fn websocket(
    head: &Head<'_>,
    framing: &Framing<'_>,
    operation: &Operation,
) -> Result<(), Fault> {
    match (head.websocket, operation.websocket) {
        (false, false) => return Ok(()),
        (true, false) => return Err(Reason::WebsocketUndeclared.into()),
        (false, true) => {
            let fault = Fault::of(Reason::WebsocketRequired);
            return Err(fault.with("Upgrade", "websocket".to_owned()));
        }
        (true, true) => {}
    }
    // Only browsers send an Origin, and they always do; `null` is a page of unknown origin.
    match framing.origin {
        Some(origin) if !is_own(origin, framing, operation) => Err(Reason::WebsocketOrigin.into()),
        _ => Ok(()),
    }
}

/// Whether an Origin is one of the operation's: `http://` or `https://`, as it is served there, and the host.
fn is_own(origin: &[u8], framing: &Framing<'_>, operation: &Operation) -> bool {
    let text = std::str::from_utf8(origin).ok().and_then(|text| text.split_once("://"));
    let Some((scheme, host)) = text.and_then(|(scheme, host)| Some((scheme, Host::parse(host)?)))
    else {
        return false;
    };
    let port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return false,
    };
    operation.origins.iter().any(|own| {
        let served = if port == 443 { own.schemes.https } else { own.schemes.http };
        served
            && match &own.host {
                Some(entry) => host.is_named_by(entry),
                None => framing.host.is_some_and(|own| own.same(host, port)),
            }
    })
}

/// Adds to a refusal what the client could send instead (RFC 9110, 15.5.16).
pub(super) fn explain(operation: &Operation, reason: Reason) -> Fault {
    let fault = Fault::of(reason);
    if reason == Reason::MediaCoding {
        fault.with("Accept-Encoding", "identity".to_owned())
    } else if reason.status() == 415 {
        let media = operation.body.iter().flat_map(|body| &body.media);
        let accept: Vec<&str> = media.map(|media| media.essence.as_str()).collect();
        fault.with("Accept", accept.join(", "))
    } else {
        fault
    }
}

fn is_secure(scheme: &str) -> bool {
    matches!(scheme, "https" | "wss")
}
