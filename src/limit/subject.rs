//! Whom a quota counts: a key of any length, of which only a keyed hash is ever stored.

#![forbid(unsafe_code)]

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::layout::WAYS;
use super::set::Set;
use super::tag::Identity;

/// A key as the table knows it: 64 bits that nobody can aim at who does not know the table's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject(u64);

/// The secret of a table: two random numbers.
#[derive(Clone, Copy)]
pub(super) struct Secret(pub(super) [u64; 2]);

impl Secret {
    /// A new one from the operating system; `None` if it has no randomness to give.
    pub(super) fn random() -> Option<Self> {
        let one = crate::seed::number().ok()?;
        Some(Self([one, crate::seed::number().ok()?]))
    }

    /// The subject of a key.
    #[inline]
    pub(super) fn subject(self, key: &[u8]) -> Subject {
        let mut hasher = SipHasher13::new_with_keys(self.0[0], self.0[1]);
        hasher.write(key);
        Subject(hasher.finish())
    }

    /// The subject of a hash that the caller has made with a secret of his own.
    #[inline]
    pub(super) fn subject_of(self, hash: u64) -> Subject {
        Subject(hash ^ self.0[0])
    }

    /// The same number for the same parts in the same order, in every process that has the secret.
    pub(super) fn digest(self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0[1], self.0[0]);
        for part in parts {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
        hasher.finish()
    }
}

/// Where a subject's line for one rule is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Chooses the set, by its high bits, and the line that is claimed first.
    pub(super) spread: u64,
    /// Names the line within it, by the low bits.
    pub(super) identity: Identity,
}

impl Place {
    /// All lines of a set, from a different one on for each key: two that claim at once seldom want the same.
    pub(super) fn ways(self) -> impl Iterator<Item = usize> {
        // Bits that name neither the line nor, but in huge tables, the set.
        let first = ((self.spread >> FIRST) % WAYS as u64) as usize;
        (0..WAYS).map(move |nth| (first + nth) % WAYS)
    }
}

/// A subject's place in a table.
#[derive(Clone, Copy)]
pub(super) struct Spot<'t> {
    pub(super) set: Set<'t>,
    pub(super) subject: Subject,
    pub(super) place: Place,
}

/// Far from the numbers that rules are spread by.
const PART: u64 = 1 << 32;

/// The first bit of [`Place::spread`] that is in no tag.
const FIRST: u32 = 40;

impl Subject {
    /// The subject of one line of a key that has several; the first one's is the key's own.
    pub(super) fn part(self, number: u32) -> Self {
        if number == 0 { self } else { Self(mixed(self.0 ^ mixed(PART + u64::from(number)))) }
    }

    /// The subject's place for a rule. Rules are spread, so that a key with many quotas does not fill a set.
    #[inline]
    pub(super) fn place(self, rule: u8) -> Place {
        self.place_by(rule, spread(rule))
    }

    /// The same, for those who have the rule's [`spread`].
    #[inline]
    pub(super) fn place_by(self, rule: u8, by: u64) -> Place {
        let spread = mixed(self.0 ^ by);
        Place { spread, identity: Identity::new(spread, rule) }
    }
}

/// What the places of a rule are spread by.
#[inline]
pub(super) fn spread(rule: u8) -> u64 {
    mixed(u64::from(rule) + 1)
}

/// Every bit of the result depends on every bit of `value`; a permutation, so that nothing collides that did not
/// before. (The finalizer of SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators".)
#[inline]
pub(super) fn mixed(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
