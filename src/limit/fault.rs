//! What can go wrong before the first hit, and what to do about it. A hit itself never fails: it is admitted or refused.

#![forbid(unsafe_code)]

use std::{fmt, io};

use super::quota::QuotaErrorKind;

/// Why a limiter cannot be made, or cannot take another rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimiterError {
    /// The operating system gives no randomness for the table's key.
    NoRandomness,
    /// More than 255 rules.
    TooManyRules,
    /// Capacity 0 or absurd.
    Capacity,
    /// A quota whose numbers cannot be enforced.
    Quota(QuotaErrorKind),
    /// Slots whose numbers cannot be enforced.
    Slots,
    /// There is not as much memory as the table takes.
    Memory,
    /// The table cannot be shared.
    Shared(SharedFault),
}

impl fmt::Display for LimiterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRandomness => f.write_str("the operating system has no randomness to give"),
            Self::TooManyRules => f.write_str(
                "a table holds at most 255 different quotas, and keeps the number of each that was ever used: a \
                 shared one needs another name, or to be removed (secval limiter remove NAME)",
            ),
            Self::Capacity => f.write_str("a capacity is 1 to 268435456 keys"),
            Self::Quota(kind) => kind.fmt(f),
            Self::Slots => f.write_str("slots are 1 to 1024, for 1 ms to 366 days"),
            Self::Memory => f.write_str("there is not as much memory as the table takes"),
            Self::Shared(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for LimiterError {}

impl From<SharedFault> for LimiterError {
    fn from(fault: SharedFault) -> Self {
        Self::Shared(fault)
    }
}

/// Why a table cannot be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedFault {
    /// A name is 1 to 64 of `A-Z a-z 0-9 . _ -`, and does not start with a dot.
    Name,
    /// The system has no `/dev/shm` to share memory by, or does not tell when it was started.
    Unsupported,
    /// There is not as much room left as the table takes.
    Full,
    /// The process may not map as much memory as the table takes.
    Memory,
    /// No table of that name.
    Missing,
    /// The operating system's error number.
    System(i32),
    /// The file is another user's, or others may write or read it.
    Owner,
    /// The file is no table, or not a whole one.
    Foreign,
    /// Made by a version of secval with another layout.
    Layout,
    /// Made for another capacity or overflow: these.
    Capacity {
        /// Keys.
        capacity: u64,
        /// Cells.
        overflow: u64,
    },
    /// Made before the machine was started last.
    Boot,
    /// Made in another time namespace, whose clock differs.
    Clock,
}

impl fmt::Display for SharedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REMOVE: &str =
            "stop its users and remove it (secval limiter remove NAME), or use another name";
        match self {
            Self::Name => {
                f.write_str("a shared name is 1 to 64 of A-Z a-z 0-9 . _ - without a dot first")
            }
            Self::Unsupported => f.write_str(
                "this system has no /dev/shm to share memory by, or no /proc that tells of its start",
            ),
            Self::Full => {
                f.write_str("/dev/shm has no room for the table: enlarge it or lower the capacity")
            }
            Self::Memory => LimiterError::Memory.fmt(f),
            Self::Missing => f.write_str("there is no shared table of that name"),
            Self::System(code) => {
                write!(
                    f,
                    "the shared table cannot be opened: {}",
                    io::Error::from_raw_os_error(*code)
                )
            }
            Self::Owner => {
                write!(f, "the shared table is another user's or open to others: {REMOVE}")
            }
            Self::Foreign => write!(f, "the file of that name is no whole table: {REMOVE}"),
            Self::Layout => write!(f, "the shared table is of another version of secval: {REMOVE}"),
            Self::Capacity { capacity, overflow } => write!(
                f,
                "the shared table has capacity {capacity} and overflow {overflow}: ask for the same, or {REMOVE}"
            ),
            Self::Boot => {
                write!(f, "the shared table is from before the machine was started: {REMOVE}")
            }
            Self::Clock => {
                write!(f, "the shared table is of a time namespace with another clock: {REMOVE}")
            }
        }
    }
}
