//! The word that names: which key and which quota a line belongs to, and how far it has come.
//!
//! ```text
//!  63                        24 23      16 15            2 1      0
//! ┌────────────────────────────┬──────────┬───────────────┬────────┐
//! │ hash: 40 bits of the key's │ rule     │ version       │ state  │
//! └────────────────────────────┴──────────┴───────────────┴────────┘
//! ```
//!
//! - `hash` comes from a keyed hash and is never 0. With the bits that chose the set, some 57 bits of it tell the
//!   keys of a million-key table apart; two keys that agree in all of them share a quota, which refuses early
//!   and never admits too much.
//! - `rule` is the quota's number in the table's directory; 0 is the rule of bans.
//! - `version` grows by one with every change of the tag, so that a tag which reads the same was not changed in
//!   between. It wraps: a change goes unseen if exactly a multiple of 16,384 of them fall into one hit.
//! - `state` is one of [`State`].

#![forbid(unsafe_code)]

use super::planted::{self, Fault};

const STATE_BITS: u32 = 2;
const VERSION_BITS: u32 = 14;
const RULE_BITS: u32 = 8;
const HASH_BITS: u32 = 40;

/// How far a line has come. See the rules in [`crate::limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody's; all its words are 0.
    Free = 0,
    /// Somebody's, but what the overflow knows of the key is not carried in yet.
    Born = 1,
    /// In use.
    Live = 2,
    /// Being evicted: still the old key's, and any hit of that key takes it back.
    Dying = 3,
}

/// A key's part of the tag: the same in all states and versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64);

impl Identity {
    /// From the low 40 bits of a hash.
    #[inline]
    pub(super) fn new(hash: u64, rule: u8) -> Self {
        let hash = hash & ((1 << HASH_BITS) - 1);
        // A hash of 0 would be the name of a free line.
        Self(hash.max(1) << RULE_BITS | u64::from(rule))
    }

    /// Identity and set as one number: enough to find the key's cells, for those who know only its tag.
    pub(super) fn named_in(self, set: usize) -> u64 {
        self.0 ^ (set as u64).rotate_left(HASH_BITS + RULE_BITS)
    }
}

/// A line's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag(pub(super) u64);

impl Tag {
    /// Whether the line is this key's, in whatever state.
    #[inline]
    pub(super) fn is_of(self, identity: Identity) -> bool {
        // What is not the same lies above the state and the version.
        self.0 ^ identity.0 << (STATE_BITS + VERSION_BITS) < 1 << (STATE_BITS + VERSION_BITS)
    }

    /// Whose line it is.
    pub(super) fn identity(self) -> Identity {
        Identity(self.0 >> (STATE_BITS + VERSION_BITS))
    }

    /// The quota's number.
    #[inline]
    pub(super) fn rule(self) -> u8 {
        (self.0 >> (STATE_BITS + VERSION_BITS) & 0xff) as u8
    }

    /// How often the tag was changed, modulo 16,384.
    pub(super) fn version(self) -> u64 {
        self.0 >> STATE_BITS & ((1 << VERSION_BITS) - 1)
    }

    /// How far the line has come.
    #[inline]
    pub(super) fn state(self) -> State {
        match self.0 & 3 {
            0 => State::Free,
            1 => State::Born,
            2 => State::Live,
            _ => State::Dying,
        }
    }

    /// The same key's tag in another state, one version on.
    #[inline]
    pub(super) fn turned(self, state: State) -> Self {
        self.given_to(self.identity(), state)
    }

    /// Another key's tag, one version on.
    #[inline]
    pub(super) fn given_to(self, identity: Identity, state: State) -> Self {
        let next = u64::from(!planted::is(Fault::SameVersion));
        let version = (self.version() + next) & ((1 << VERSION_BITS) - 1);
        Self(identity.0 << (STATE_BITS + VERSION_BITS) | version << STATE_BITS | state as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_back() {
        let free = Tag(0);
        assert_eq!((free.rule(), free.state()), (0, State::Free));
        let identity = Identity::new(u64::MAX, 255);
        let born = free.given_to(identity, State::Born);
        assert!(born.is_of(identity) && !born.is_of(Identity::new(u64::MAX, 254)));
        assert_eq!((born.rule(), born.state()), (255, State::Born));
        let live = born.turned(State::Live);
        assert!(live.is_of(identity));
        assert_eq!((live.rule(), live.state()), (255, State::Live));
        assert_eq!(live.0 - born.0, 4 + 1, "one version and one state on");
    }

    #[test]
    fn no_key_is_named_like_a_free_line() {
        assert!(!Tag(0).is_of(Identity::new(0, 0)));
        assert!(!Tag(0).is_of(Identity::new(1 << 40, 0)));
    }

    #[test]
    fn versions_wrap_and_touch_nothing_else() {
        let mut tag = Tag(0).given_to(Identity::new(5, 9), State::Live);
        let first = tag;
        for _ in 0..1 << 14 {
            let next = tag.turned(State::Live);
            assert_ne!(next, tag);
            tag = next;
        }
        assert_eq!(tag, first);
    }
}
