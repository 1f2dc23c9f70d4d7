//! The word that counts: `{ms: 40 | count: 24}`, a time and how much was admitted from then on.
//!
//! ```text
//!  63                                    24 23                     0
//! ┌─────────────────────────────────────────┬───────────────────────┐
//! │ ms: when this count was started         │ count: admitted since │
//! └─────────────────────────────────────────┴───────────────────────┘
//! ```
//!
//! Milliseconds of the table's clock: 40 bits last 34 years of uptime (32 bits would wrap after 49 days, and a
//! key whose stamp seems to lie ahead is refused). 24 bits hold the largest limit; a count never exceeds its
//! limit but for hits that are about to be undone, and those are refused before they could overflow it.

#![forbid(unsafe_code)]

/// Bits of the count.
const COUNT_BITS: u32 = 24;

/// A time and a count, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket(pub(super) u64);

impl Bucket {
    /// Nothing, since ever.
    pub(super) const EMPTY: Self = Self(0);

    /// The last time that a stamp can hold. A clock beyond it stands still here: nothing expires any more, and
    /// what is used up stays refused.
    pub(super) const LAST_MS: u64 = (1 << (64 - COUNT_BITS)) - 1;

    /// The largest count.
    pub(super) const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;

    /// Both numbers are capped at what the word can hold.
    #[inline]
    pub(super) fn new(ms: u64, count: u64) -> Self {
        Self(ms.min(Self::LAST_MS) << COUNT_BITS | count.min(Self::MAX_COUNT))
    }

    /// When it was started.
    #[inline]
    pub(super) fn ms(self) -> u64 {
        self.0 >> COUNT_BITS
    }

    /// How much has been admitted since.
    #[inline]
    pub(super) fn count(self) -> u64 {
        self.0 & Self::MAX_COUNT
    }

    /// The same bucket with `cost` taken back: `None` if it is not the one started at `ms`, or holds less.
    #[inline]
    pub(super) fn without(self, ms: u64, cost: u64) -> Option<Self> {
        (self.ms() == ms && self.count() >= cost).then(|| Self(self.0 - cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_come_back() {
        let bucket = Bucket::new(Bucket::LAST_MS, Bucket::MAX_COUNT);
        assert_eq!((bucket.ms(), bucket.count()), (Bucket::LAST_MS, Bucket::MAX_COUNT));
        let bucket = Bucket::new(Bucket::LAST_MS + 5, Bucket::MAX_COUNT + 5);
        assert_eq!((bucket.ms(), bucket.count()), (Bucket::LAST_MS, Bucket::MAX_COUNT));
        assert_eq!(Bucket::new(7, 3).0, 7 << 24 | 3);
        assert_eq!(Bucket::new(0, 0), Bucket::EMPTY);
    }

    #[test]
    fn only_what_is_there_is_taken_back() {
        let bucket = Bucket::new(7, 3);
        assert_eq!(bucket.without(7, 2), Some(Bucket::new(7, 1)));
        assert_eq!(bucket.without(7, 4), None);
        assert_eq!(bucket.without(8, 1), None);
    }
}
