//! Plain questions about plain values: is it in the list, in the range, of the length, among the addresses?
//!
//! Each type is built once, from values that are checked as a whole, and then only answers. None of them does
//! I/O, and none says yes because it could not understand the question: a value of another type, NaN, or a text
//! that is no address is never inside.

#![forbid(unsafe_code)]

mod address;
mod allow_list;
mod ip_set;
mod length;
mod number;
mod range;

pub use address::{AddressFault, network_of, parse_address, parse_prefix};
pub use allow_list::{AllowList, EmptyAllowList};
pub use ip_set::{IpSet, IpSetFault};
pub use length::{Length, LengthFault, Misfit};
pub use number::Number;
pub use range::{Range, RangeFault, Side};
