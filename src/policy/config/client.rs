//! `[client]`: how a client's address is found, and which addresses may call; and lists of addresses anywhere.

use ipnet::IpNet;

use super::keys;
use crate::check::{IpSet, parse_prefix};
use crate::policy::fault::{Fault, Faults};
use crate::policy::model::{ClientPolicy, ForwardingHeader};
use crate::policy::source::{At, read_text};

/// The shortest prefix that may be trusted, of IPv4 and of IPv6: 10.0.0.0/8 and fc00::/7, the largest private
/// ranges. Whatever is larger is not a fleet of proxies but everybody.
const WIDEST_TRUST: (u8, u8) = (8, 7);

pub(super) fn read(table: Option<&At<'_>>, faults: &mut Faults) -> ClientPolicy {
    let mut client = ClientPolicy::default();
    let Some(table) = table else { return client };
    keys(table, &["trusted_proxies", "header", "allow", "deny", "peerless"], faults);
    if let Some(at) = table.get("peerless") {
        client.peerless = at.need_bool(faults).unwrap_or_default();
    }
    client.header = table.get("header").and_then(|at| header(&at, faults));
    if let Some(at) = table.get("trusted_proxies") {
        client.trusted_proxies = trusted(&at, faults);
        if table.get("header").is_none() {
            faults.push(at.fault(
                "which header do these proxies set? Write `header = \"x-forwarded-for\"` or \"forwarded\"; \
                 there is no default",
            ));
        }
    } else if let Some(at) = table.get("header").filter(|_| !client.peerless) {
        faults.push(at.fault(
            "this header is believed from nobody: write `trusted_proxies = [\"…\"]`, or `peerless = true` \
             for a unix socket",
        ));
    }
    client.allow = table.get("allow").and_then(|at| listed(&at, Empty::DeniesAll, faults));
    client.deny = table.get("deny").and_then(|at| listed(&at, Empty::IsAFault, faults));
    client
}

fn header(at: &At<'_>, faults: &mut Faults) -> Option<ForwardingHeader> {
    match at.str().map(str::to_ascii_lowercase).as_deref() {
        Some("x-forwarded-for") => Some(ForwardingHeader::XForwardedFor),
        Some("forwarded") => Some(ForwardingHeader::Forwarded),
        _ => {
            faults.push(at.fault("expected \"x-forwarded-for\" or \"forwarded\""));
            None
        }
    }
}

/// Address prefixes, and nothing else.
pub(super) fn addresses(list: &At<'_>, faults: &mut Faults) -> Option<IpSet> {
    set(&prefixes(list, faults)?, list, faults)
}

fn trusted(list: &At<'_>, faults: &mut Faults) -> Option<IpSet> {
    let nets = prefixes(list, faults)?;
    // Two halves of the internet are all of it, however they are written.
    let wide = IpNet::aggregate(&nets).into_iter().any(|net| match net {
        IpNet::V4(net) => net.prefix_len() < WIDEST_TRUST.0,
        IpNet::V6(net) => net.prefix_len() < WIDEST_TRUST.1,
    });
    if wide {
        faults.push(list.fault(
            "trusts everybody, or nearly: anybody could write the forwarding header. Name your proxies' own \
             addresses, no wider than an IPv4 /8 or an IPv6 /7",
        ));
    }
    if list.is_array() && nets.is_empty() {
        faults.push(list.fault("no proxy at all: leave `trusted_proxies` and `header` out"));
    }
    set(&nets, list, faults)
}

fn prefixes(list: &At<'_>, faults: &mut Faults) -> Option<Vec<IpNet>> {
    let entries = list.need_strings(faults)?;
    let read = |(text, at): (&str, At<'_>)| {
        faults.take(
            parse_prefix(text).map_err(|fault| at.fault(format!("no address or prefix: {fault}"))),
        )
    };
    Some(entries.into_iter().filter_map(read).collect())
}

/// What a list without an entry means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// Nobody may call.
    DeniesAll,
    /// A list that was meant to keep somebody out keeps out nobody.
    IsAFault,
}

/// Prefixes, and files of one prefix a line, whose paths are relative to this file.
fn listed(list: &At<'_>, empty: Empty, faults: &mut Faults) -> Option<IpSet> {
    let mut nets = Vec::new();
    let entries = list.need_strings(faults)?;
    for (text, at) in &entries {
        if is_address(text) {
            let net = parse_prefix(text)
                .map_err(|fault| at.fault(format!("no address or prefix: {fault}")));
            nets.extend(faults.take(net));
        } else {
            nets.extend(file(at, empty, faults));
        }
    }
    if entries.is_empty() && empty == Empty::IsAFault {
        faults.push(
            list.fault("an empty list keeps out nobody: leave it out, or name who may not call"),
        );
    }
    set(&nets, list, faults)
}

/// Whether an entry is meant as an address: then it is never taken for the name of a file.
fn is_address(text: &str) -> bool {
    text.contains(':') || text.bytes().all(|b| b.is_ascii_hexdigit() || b"./".contains(&b))
}

fn file(at: &At<'_>, empty: Empty, faults: &mut Faults) -> Vec<IpNet> {
    let Some(path) = at.path() else { return Vec::new() };
    let text = match read_text(&path) {
        Ok(text) => text,
        Err(message) => {
            faults.push(at.fault(format!("the list {message}")));
            return Vec::new();
        }
    };
    match IpSet::parse(&text) {
        Ok(set) => {
            if set.is_empty() && empty == Empty::IsAFault {
                faults.push(at.fault("the list is empty: it would keep out nobody"));
            }
            set.iter().collect()
        }
        Err(wrong) => {
            let name = path.display().to_string();
            faults.extend(wrong.into_iter().map(|fault| Fault {
                file: name.clone(),
                line: fault.line,
                pointer: String::new(),
                message: format!("no address or prefix: {}", fault.kind),
            }));
            Vec::new()
        }
    }
}

fn set(nets: &[IpNet], list: &At<'_>, faults: &mut Faults) -> Option<IpSet> {
    let texts: Vec<String> = nets.iter().map(ToString::to_string).collect();
    let set = IpSet::new(texts.iter().map(String::as_str));
    // Every one of them was read before.
    faults.take(set.map_err(|_| list.fault("no list of addresses")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_an_address_or_a_file() {
        for text in ["10.0.0.1/8", "fe80::1%eth0", "::/0", "010.0.0.1", "1.2.3.4.5", "ffff"] {
            assert!(is_address(text), "{text}");
        }
        for text in ["feeds/drop.txt", "./drop", "10.0.0.0-list", "/etc/list"] {
            assert!(!is_address(text), "{text}");
        }
    }
}
