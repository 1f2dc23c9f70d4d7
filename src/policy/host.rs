//! The Hosts that a policy names.

#![forbid(unsafe_code)]

use std::net::Ipv6Addr;

/// `host[:port]` in lower case, or what is wrong with it.
///
/// A name, an IPv4 address or a bracketed IPv6 address (RFC 3986, 3.2.2), as it stands in a Host header.
pub(super) fn parse(text: &str) -> Result<String, &'static str> {
    if text.contains('*') {
        return Err(
            "wildcards in hosts are not offered yet: name each host, or [\"*\"] alone for any",
        );
    }
    if text.contains("://") || text.contains('/') {
        return Err(
            "a host has neither scheme nor path: write api.example.com, with :port where it matters",
        );
    }
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, tail) = rest.split_once(']').ok_or("a bracket is not closed")?;
            if inner.parse::<Ipv6Addr>().is_err() {
                return Err("what stands in brackets is no IPv6 address");
            }
            let port =
                if tail.is_empty() { None } else { Some(tail.strip_prefix(':').unwrap_or("")) };
            (None, port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(text), None),
        },
    };
    if let Some(name) = name {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if name.is_empty()
            || !name.bytes().all(plain)
            || name.starts_with('.')
            || name.ends_with('.')
        {
            return Err(
                "expected a host as it stands in a Host header: ASCII letters, digits, dots and hyphens",
            );
        }
    }
    if let Some(port) = port
        && (port.bytes().any(|b| !b.is_ascii_digit()) || port.parse::<u16>().is_err())
    {
        return Err("a port is a number from 0 to 65535");
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_with_an_optional_port() {
        for text in [
            "api.example.com",
            "API.example.com:8443",
            "localhost",
            "10.0.0.1:80",
            "[::1]",
            "[::1]:80",
        ] {
            assert_eq!(parse(text), Ok(text.to_ascii_lowercase()));
        }
        for text in [
            "",
            "*",
            "*.example.com",
            "https://a",
            "a/b",
            "a b",
            "a:",
            "a:x",
            "a:+1",
            "a:70000",
            "a:1:2",
            "[::1",
            "[::1]80",
            "[::g]",
            "a.",
            ".a",
            "bücher.example",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
