//! How much in how long, as people write it: `N/[k]unit`, several joined by `;`.
//!
//! ```
//! use secval::limit::{Quota, QuotaErrorKind};
//!
//! let quotas = Quota::parse_list("10/second; 1000/hour")?;
//! assert_eq!(quotas[0], Quota { limit: 10, window_ms: 1_000 });
//! assert_eq!(quotas[1].to_string(), "1000/hour");
//!
//! let error = Quota::parse_list("10/second; 5/fortnight").unwrap_err();
//! assert_eq!((error.kind(), error.offset()), (QuotaErrorKind::UnknownUnit, 13));
//! # Ok::<(), secval::limit::QuotaError>(())
//! ```
//!
//! Strict: decimal digits without sign, separator or leading zero; units in the singular, in lower case; spaces
//! only around a whole quota. An error is a kind and a byte offset, and never repeats the text.

#![forbid(unsafe_code)]

use std::fmt;

/// How much in how long: at most `limit` in any window of `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// At most so much, 1 to [`Quota::MAX_LIMIT`].
    pub limit: u32,
    /// In any window so long: milliseconds, 1 to [`Quota::MAX_WINDOW_MS`]; at least [`Quota::MIN_RING_MS`] for
    /// limits above [`Quota::MAX_LOGGED`].
    pub window_ms: u64,
}

/// The units, longest first: a quota is written in the longest one that divides its window.
const UNITS: [(&str, u64); 5] =
    [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000), ("ms", 1)];

impl Quota {
    /// The largest limit: what 24 bits of a bucket count.
    pub const MAX_LIMIT: u32 = (1 << 24) - 1;

    /// The longest window, a leap year. Stamps have 40 bits of milliseconds, 34 years: a longer window would
    /// bring the end of their range into sight, a shorter one would refuse yearly quotas.
    pub const MAX_WINDOW_MS: u64 = 366 * 86_400_000;

    /// Limits up to this one are counted hit by hit, larger ones in sub-windows: see [`crate::limit`].
    pub const MAX_LOGGED: u32 = 7;

    /// The shortest window of a limit above [`Quota::MAX_LOGGED`]: six sub-windows of a millisecond.
    pub const MIN_RING_MS: u64 = 6;

    /// A quota, if its numbers can be enforced; otherwise which of them is wrong.
    pub fn new(limit: u32, window_ms: u64) -> Result<Self, QuotaErrorKind> {
        let quota = Self { limit, window_ms };
        match limit {
            0 => Err(QuotaErrorKind::ZeroLimit),
            _ if limit > Self::MAX_LIMIT => Err(QuotaErrorKind::LimitTooLarge),
            _ if window_ms == 0 => Err(QuotaErrorKind::ZeroWindow),
            _ if window_ms > Self::MAX_WINDOW_MS => Err(QuotaErrorKind::WindowTooLong),
            _ if limit > Self::MAX_LOGGED && window_ms < Self::MIN_RING_MS => {
                Err(QuotaErrorKind::WindowTooShort)
            }
            _ => Ok(quota),
        }
    }

    /// Reads `100/minute`, `50/30ms`, `10/second; 1000/hour`: one or more, each with a window of its own.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, QuotaError> {
        if text.trim_matches(' ').is_empty() {
            return Err(QuotaError { kind: QuotaErrorKind::Empty, offset: 0 });
        }
        let mut quotas: Vec<Self> = Vec::new();
        let mut offset = 0;
        for part in text.split(';') {
            let start = offset + (part.len() - part.trim_start_matches(' ').len());
            let quota = Self::parse(part.trim_matches(' ')).map_err(|error| error.after(start))?;
            if quotas.iter().any(|other| other.window_ms == quota.window_ms) {
                return Err(QuotaError { kind: QuotaErrorKind::SameWindow, offset: start });
            }
            quotas.push(quota);
            offset += part.len() + 1;
        }
        Ok(quotas)
    }

    /// One quota, without spaces around it.
    fn parse(text: &str) -> Result<Self, QuotaError> {
        use QuotaErrorKind as Kind;
        let at = |kind, offset| Err(QuotaError { kind, offset });
        if text.is_empty() {
            return at(Kind::EmptyQuota, 0);
        }
        let Some((limit, window)) = text.split_once('/') else {
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            return at(if digits == 0 { Kind::NoLimit } else { Kind::NoWindow }, digits);
        };
        let limit = number(limit).map_err(|(fault, offset)| QuotaError {
            kind: match fault {
                NumberFault::Missing => Kind::NoLimit,
                NumberFault::NotADigit => Kind::NotADigit,
                NumberFault::LeadingZero if limit == "0" => Kind::ZeroLimit,
                NumberFault::LeadingZero => Kind::LeadingZero,
                NumberFault::TooLarge => Kind::LimitTooLarge,
            },
            offset,
        })?;
        let start = text.len() - window.len();
        let window = window_ms(window).map_err(|error| error.after(start))?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Self::new(limit, window).map_err(|kind| QuotaError {
            kind,
            offset: if kind.is_of_window() { start } else { 0 },
        })
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.limit, Duration(self.window_ms))
    }
}

/// Milliseconds as a quota writes them, in the longest unit that divides them.
pub(super) struct Duration(pub(super) u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(all) = *self;
        let unit = UNITS.iter().find(|(_, ms)| all.is_multiple_of(*ms) && all > 0);
        let (name, ms) = unit.copied().unwrap_or(("ms", 1));
        match all / ms {
            1 => f.write_str(name),
            count => write!(f, "{count}{name}"),
        }
    }
}

/// `[k]unit` in milliseconds.
fn window_ms(text: &str) -> Result<u64, QuotaError> {
    use QuotaErrorKind as Kind;
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, unit) = text.split_at(digits);
    if unit.is_empty() {
        return Err(QuotaError { kind: Kind::NoUnit, offset: digits });
    }
    let Some((_, ms)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(QuotaError { kind: Kind::UnknownUnit, offset: digits });
    };
    if count.is_empty() {
        return Ok(*ms);
    }
    let count = number(count).map_err(|(fault, offset)| QuotaError {
        kind: match fault {
            NumberFault::LeadingZero if count == "0" => Kind::ZeroWindow,
            NumberFault::LeadingZero => Kind::LeadingZero,
            NumberFault::Missing | NumberFault::NotADigit => Kind::NotADigit,
            NumberFault::TooLarge => Kind::WindowTooLong,
        },
        offset,
    })?;
    Ok(count.saturating_mul(*ms))
}

enum NumberFault {
    Missing,
    NotADigit,
    LeadingZero,
    TooLarge,
}

/// Decimal digits, and nothing else; a fault has its offset.
fn number(text: &str) -> Result<u64, (NumberFault, usize)> {
    if text.is_empty() {
        return Err((NumberFault::Missing, 0));
    }
    if let Some(offset) = text.find(|c: char| !c.is_ascii_digit()) {
        return Err((NumberFault::NotADigit, offset));
    }
    if text.starts_with('0') {
        return Err((NumberFault::LeadingZero, 0));
    }
    text.parse().map_err(|_| (NumberFault::TooLarge, 0))
}

/// What is wrong with a quota's text, and where; never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaError {
    kind: QuotaErrorKind,
    offset: usize,
}

impl QuotaError {
    /// What is wrong.
    pub fn kind(self) -> QuotaErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the text.
    pub fn offset(self) -> usize {
        self.offset
    }

    fn after(self, start: usize) -> Self {
        Self { offset: self.offset + start, ..self }
    }
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.kind.message(), self.offset)
    }
}

impl std::error::Error for QuotaError {}

/// The ways for a quota to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuotaErrorKind {
    /// There is no quota at all.
    Empty,
    /// Nothing between two `;`, or after the last one.
    EmptyQuota,
    /// The text does not start with a number.
    NoLimit,
    /// A number, but no `/` after it.
    NoWindow,
    /// Nothing, or only a number, after the `/`.
    NoUnit,
    /// A unit other than ms, second, minute, hour, day.
    UnknownUnit,
    /// Something that is no decimal digit within a number.
    NotADigit,
    /// A number that starts with 0.
    LeadingZero,
    /// A limit of 0 admits nothing: leave the operation out of the policy instead.
    ZeroLimit,
    /// A limit above 16,777,215.
    LimitTooLarge,
    /// A window of no time.
    ZeroWindow,
    /// A window above 366 days.
    WindowTooLong,
    /// A window under 6 ms with a limit above 7.
    WindowTooShort,
    /// Two quotas of one list with the same window: only the smaller one would ever count.
    SameWindow,
}

impl QuotaErrorKind {
    /// One sentence for the author of the quota.
    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "expected a quota such as 100/minute, found nothing",
            Self::EmptyQuota => "expected a quota after or before `;`, found nothing",
            Self::NoLimit => "a quota starts with its limit, a number: 100/minute",
            Self::NoWindow => "expected `/` and a window after the limit: 100/minute",
            Self::NoUnit => "expected a unit after `/`: ms, second, minute, hour or day",
            Self::UnknownUnit => "unknown unit: ms, second, minute, hour or day, in the singular",
            Self::NotADigit => "expected decimal digits only",
            Self::LeadingZero => "a number does not start with 0",
            Self::ZeroLimit => "a limit is at least 1",
            Self::LimitTooLarge => "a limit is at most 16777215",
            Self::ZeroWindow => "a window is at least 1 ms",
            Self::WindowTooLong => "a window is at most 366 days",
            Self::WindowTooShort => "a window is at least 6 ms for limits above 7",
            Self::SameWindow => "an earlier quota of the list has the same window",
        }
    }

    fn is_of_window(self) -> bool {
        matches!(self, Self::ZeroWindow | Self::WindowTooLong | Self::WindowTooShort)
    }
}

impl fmt::Display for QuotaErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
