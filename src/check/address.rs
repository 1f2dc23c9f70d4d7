//! One address, or one prefix, from text.
//!
//! An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, RFC 4291, 2.5.5.2) *is* its IPv4 address, whatever its
//! spelling; so a client cannot step out of a list by connecting over the other family. Refused, each with its
//! own kind: zones, leading zeros in IPv4 octets (some readers take them for octal), netmasks in place of
//! lengths, and bits set behind the prefix.
//!
//! ```
//! use secval::check::{AddressFault, parse_address, parse_prefix};
//!
//! assert_eq!(parse_address("::ffff:192.0.2.1").unwrap().to_string(), "192.0.2.1");
//! assert_eq!(parse_address("fe80::1%eth0"), Err(AddressFault::Zone));
//! assert_eq!(parse_prefix("::ffff:10.0.0.0/104").unwrap().to_string(), "10.0.0.0/8");
//! assert_eq!(parse_prefix("10.0.0.1/8"), Err(AddressFault::HostBits));
//! ```

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The length of the prefix under which IPv6 maps IPv4: `::ffff:0:0/96`.
const MAPPED_LEN: u8 = 96;

/// What is wrong with the text of an address or a prefix; never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressFault {
    /// Neither an IPv4 nor an IPv6 address.
    Malformed,
    /// An IPv4 octet with a leading zero: `010.0.0.1` is 10 to some readers and 8 to others.
    LeadingZero,
    /// An IPv6 zone, `%eth0`: it means something on one machine only.
    Zone,
    /// The prefix length is no plain decimal number, or longer than the address.
    PrefixLength,
    /// `10.0.0.1/8`: bits behind the prefix are set, so one of the two halves is a mistake.
    HostBits,
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "neither an IPv4 nor an IPv6 address",
            Self::LeadingZero => "an IPv4 octet has a leading zero",
            Self::Zone => "an IPv6 address with a zone",
            Self::PrefixLength => {
                "the prefix length is not a plain number from 0 to the address's bits"
            }
            Self::HostBits => "bits behind the prefix are set",
        })
    }
}

impl std::error::Error for AddressFault {}

/// Reads one address; an IPv4-mapped IPv6 address is its IPv4.
pub fn parse_address(text: &str) -> Result<IpAddr, AddressFault> {
    read(text).map(|address| address.to_canonical())
}

/// Reads `ADDRESS/LENGTH`, or an address alone as the prefix of its full length.
///
/// A prefix inside `::ffff:0:0/96` is its IPv4 prefix. A shorter one, `::/0` too, stays IPv6 and covers no
/// IPv4 address, mapped or not.
pub fn parse_prefix(text: &str) -> Result<IpNet, AddressFault> {
    let Some((address, length)) = text.split_once('/') else {
        return parse_address(text).map(IpNet::from);
    };
    let net = IpNet::new(read(address)?, read_length(length)?);
    let net = net.map_err(|_| AddressFault::PrefixLength)?;
    if net.network() != net.addr() {
        return Err(AddressFault::HostBits);
    }
    Ok(match net {
        IpNet::V6(v6) => unmapped(v6).map_or(net, IpNet::V4),
        IpNet::V4(_) => net,
    })
}

/// The prefix of an address that stands for whoever has it: `v4` bits of IPv4, `v6` of IPv6; `None` if an address
/// has not so many.
pub fn network_of(address: IpAddr, v4: u8, v6: u8) -> Option<IpNet> {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { v4 } else { v6 };
    IpNet::new(address, length).ok().map(|net| net.trunc())
}

/// The IPv4 prefix that a prefix inside `::ffff:0:0/96` stands for.
fn unmapped(net: Ipv6Net) -> Option<Ipv4Net> {
    let length = net.prefix_len().checked_sub(MAPPED_LEN)?;
    Ipv4Net::new(net.addr().to_ipv4_mapped()?, length).ok()
}

fn read(text: &str) -> Result<IpAddr, AddressFault> {
    // The standard library refuses zones, leading zeros, short IPv4 forms and any space.
    text.parse::<IpAddr>().map_err(|_| diagnose(text))
}

/// Which fault it is, for the author of a list: the text is refused in any case.
fn diagnose(text: &str) -> AddressFault {
    if let Some((address, _)) = text.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
    {
        return AddressFault::Zone;
    }
    // The last part: IPv4 may also stand at the end of IPv6.
    let mut octets = text.rsplit(':').next().unwrap_or(text).split('.');
    if octets.clone().count() == 4 && octets.all(is_octet_with_zeros) {
        return AddressFault::LeadingZero;
    }
    AddressFault::Malformed
}

/// An octet, with or without leading zeros.
fn is_octet_with_zeros(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let rest = text.trim_start_matches('0');
    digits && (rest.is_empty() || rest.parse::<u8>().is_ok())
}

/// `0` to `128` in plain decimal: no sign, no space, no leading zero, no netmask.
fn read_length(text: &str) -> Result<u8, AddressFault> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or(AddressFault::PrefixLength)
}
