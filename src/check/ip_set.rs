//! A set of address prefixes, IPv4 and IPv6 together, that finds the longest one covering an address.
//!
//! One walk down a trie per question: its cost grows with the length of the prefixes, hardly with their number.
//! An empty set is a set (it covers nothing); whether that allows or denies is its user's question.
//!
//! ```
//! use secval::check::{IpSet, parse_address};
//!
//! let set = IpSet::parse("10.0.0.0/8   # the office\n10.9.0.0/16 ; the lab\n2001:db8::/32").unwrap();
//! let lab = parse_address("::ffff:10.9.1.1").unwrap();
//! assert_eq!(set.longest_match(lab).unwrap().to_string(), "10.9.0.0/16");
//! assert!(!set.contains(parse_address("192.0.2.1").unwrap()));
//!
//! let faults = IpSet::parse("10.0.0.1/8\n\nnonsense").unwrap_err();
//! assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 3]);
//! ```

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixSet;

use super::address::{AddressFault, parse_prefix};

/// A set of address prefixes: an IPv4-mapped IPv6 address is its IPv4, and the longest prefix decides.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IpSet {
    v4: PrefixSet<Ipv4Net>,
    v6: PrefixSet<Ipv6Net>,
}

/// A fault of one entry: where, and what. It never repeats the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpSetFault {
    /// Line of a file, from 1; or index of an entry, from 0.
    pub line: usize,
    /// What is wrong with it.
    pub kind: AddressFault,
}

impl IpSet {
    /// Of entries such as `10.0.0.0/8` or `2001:db8::1`; or every fault, by the entry's index from 0.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<IpSetFault>> {
        Self::collect(entries.into_iter().enumerate())
    }

    /// Of a file's text: one entry a line, `#` and `;` begin comments; or every fault, by line from 1.
    pub fn parse(text: &str) -> Result<Self, Vec<IpSetFault>> {
        let lines = (1..).zip(text.lines().map(entry));
        Self::collect(lines.filter(|(_, entry)| !entry.is_empty()))
    }

    fn collect<'a>(
        entries: impl Iterator<Item = (usize, &'a str)>,
    ) -> Result<Self, Vec<IpSetFault>> {
        let mut set = Self::default();
        let mut faults = Vec::new();
        for (line, entry) in entries {
            match parse_prefix(entry) {
                Ok(IpNet::V4(net)) => _ = set.v4.insert(net),
                Ok(IpNet::V6(net)) => _ = set.v6.insert(net),
                Err(kind) => faults.push(IpSetFault { line, kind }),
            }
        }
        if faults.is_empty() { Ok(set) } else { Err(faults) }
    }

    /// Whether some prefix of the set covers the address.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.is_covered(&Ipv4Net::from(address)),
            IpAddr::V6(address) => self.v6.is_covered(&Ipv6Net::from(address)),
        }
    }

    /// The longest prefix that covers the address.
    pub fn longest_match(&self, address: IpAddr) -> Option<IpNet> {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.get_lpm(&Ipv4Net::from(address)).map(IpNet::V4),
            IpAddr::V6(address) => self.v6.get_lpm(&Ipv6Net::from(address)).map(IpNet::V6),
        }
    }

    /// The prefixes, in order: IPv4 first, then by address, a shorter prefix before those inside it.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.v4.iter().map(IpNet::V4).chain(self.v6.iter().map(IpNet::V6))
    }

    /// How many different prefixes there are.
    pub fn len(&self) -> usize {
        self.v4.len().saturating_add(self.v6.len())
    }

    /// Whether there is none; such a set covers nothing.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// What a line of a file says, without its comment and the spaces around it.
fn entry(line: &str) -> &str {
    line.split(['#', ';']).next().unwrap_or_default().trim_ascii()
}

/// Shows how many prefixes there are, not which: a policy with a large feed stays readable.
impl fmt::Debug for IpSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpSet").field("len", &self.len()).finish_non_exhaustive()
    }
}
