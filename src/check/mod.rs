//! Plain questions about plain values: address sets (being built).

#![forbid(unsafe_code)]

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of address prefixes: IPv4 and IPv6, mapped IPv4 is IPv4; longest prefix decides.
#[derive(Debug, Default, Clone)]
pub struct IpSet {}

/// What is wrong with an entry: its index (or line), and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSetFault {
    /// Line of a file, from 1; or index of an entry, from 0.
    pub line: usize,
    /// What is wrong; never repeats the entry.
    pub kind: IpSetFaultKind,
}

/// The ways in which an entry can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpSetFaultKind {
    /// Neither an address nor a prefix.
    Malformed,
    /// `10.0.0.1/8`: bits after the prefix are set.
    HostBits,
    /// IPv6 zone.
    Zone,
}

impl std::fmt::Display for IpSetFaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("being built")
    }
}

impl IpSet {
    /// From entries; every fault is reported.
    pub fn new<'a>(_entries: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<IpSetFault>> {
        todo!()
    }
    /// From a file's text: one prefix a line, `#` and `;` begin comments.
    pub fn parse(_text: &str) -> Result<Self, Vec<IpSetFault>> {
        todo!()
    }
    /// Whether some prefix of the set covers the address.
    pub fn contains(&self, _address: IpAddr) -> bool {
        todo!()
    }
    /// The longest prefix that covers the address. IPv4-mapped IPv6 is looked up as IPv4.
    pub fn longest_match(&self, _address: IpAddr) -> Option<IpNet> {
        todo!()
    }
    /// Prefixes in it.
    pub fn len(&self) -> usize {
        todo!()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads one address; an IPv4-mapped IPv6 address is its IPv4, a zone is refused.
pub fn parse_address(_text: &str) -> Result<IpAddr, IpSetFaultKind> {
    todo!()
}
