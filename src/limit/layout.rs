//! What lies where in a table's memory: lines of 64 bytes, in four parts.
//!
//! ```text
//! header                        │ directory │ sets, then the reserve's sets      │ overflow
//! constants │ times │ counters │ rules     │ 8 tags │ 8 lines of 8 words, and so on │ cells
//! ```
//!
//! Nothing in the memory is ever used as an index or a length: all of them come from the [`Layout`], which is worked
//! out from the capacity that the caller asked for.

#![forbid(unsafe_code)]

use super::window::LINE;
use crate::sync::Word;

/// Lines in a set, each with its tag. The checkers look at the smallest set that can hold a duplicate too.
pub(super) const WAYS: usize = if cfg!(all(loom, not(feature = "whole"))) { 2 } else { 8 };

/// Changes with the meaning of any bit of the memory: two versions never share a table.
pub const VERSION: u8 = 3;

/// Words of a tag line; the same as of any line, so that all memory is lines.
const _: () = assert!(WAYS <= LINE);

/// A cache line: what one hit touches at once.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [Word; LINE]);

/// Lines that a set takes.
pub(super) const SET_LINES: usize = 1 + WAYS;

/// Rules that a table can hold: the numbers 1 to 255; 0 is the rule of bans.
pub(super) const RULES: usize = if cfg!(loom) { 3 } else { 256 };

/// Lines of counters, so that threads which count at once seldom write the same line. At half they meet more
/// often; at double, reading the counters takes as much longer.
pub(super) const STRIPES: usize = if cfg!(loom) { 1 } else { 8 };

/// Words that a rule takes in the directory.
const RULE_WORDS: usize = 2;

/// The largest capacity: its tables take some 32 GiB. Above, a mistake is likelier than a wish.
pub const MAX_CAPACITY: u32 = 1 << 28;

/// Where the parts of a table begin, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) capacity: usize,
    pub(super) sets: usize,
    /// Sets for bans of keys whose own set is full: a table is flooded when somebody is to be banned.
    pub(super) reserve: usize,
    pub(super) cells: usize,
}

impl Layout {
    /// The line of the constants: what the memory is, and for whom. See [`super::shared`].
    #[cfg_attr(loom, expect(dead_code, reason = "only shared tables have them"))]
    pub(super) const CONSTANTS: usize = 0;

    /// The line of the times until which the rarer parts are to be looked at.
    pub(super) const TIMES: usize = 1;

    /// The first line of the counters.
    pub(super) const COUNTERS: usize = 2;

    const HEADER: usize = Self::COUNTERS + STRIPES;

    /// Room for `capacity` live keys and `cells` cells of overflow; `None` if that is 0 or absurd.
    ///
    /// A set holds eight keys, and keys fall into sets at random: at five expected keys a set, that is 1.6 lines a
    /// key, one key in forty of the first `capacity` finds its set full and is counted in the overflow. Fewer lines save
    /// memory and make that one in ten at 1.2; more make it one in two hundred at 2.
    pub(super) fn new(capacity: usize, cells: usize) -> Option<Self> {
        let most = MAX_CAPACITY as usize;
        if capacity == 0 || capacity > most || cells > most {
            return None;
        }
        let sets = (capacity * 8).div_ceil(5 * WAYS);
        // One in 64: room for the bans of one in a hundred keys, and one key in a thousand more in the overflow. The
        // checkers do without: a ban takes the same steps in it as in any other set.
        let reserve = if cfg!(loom) { 0 } else { (sets / 64).max(1) };
        let sets = (sets - reserve).max(1);
        Some(Self { capacity, sets, reserve, cells: cells.next_multiple_of(2 * LINE) })
    }

    /// All lines of the table.
    pub(super) fn lines(self) -> usize {
        self.overflow() + self.cells / LINE
    }

    /// The words of a rule in the directory: line, and first word in it.
    pub(super) fn rule(rule: u8) -> (usize, usize) {
        let per_line = LINE / RULE_WORDS;
        let rule = usize::from(rule);
        (Self::HEADER + rule / per_line, rule % per_line * RULE_WORDS)
    }

    /// First line of the set that a hash falls into: its high bits, scaled.
    #[inline]
    pub(super) fn set(self, spread: u64) -> usize {
        Self::nth_set(scaled(spread, self.sets))
    }

    /// The same, of the reserve's sets; `None` if there are none.
    pub(super) fn reserved_set(self, spread: u64) -> Option<usize> {
        let index = self.sets + scaled(spread, self.reserve);
        (self.reserve > 0).then(|| Self::nth_set(index))
    }

    /// All sets, the reserve's too.
    pub(super) fn all_sets(self) -> usize {
        self.sets + self.reserve
    }

    /// First line of a set, by its number from 0.
    #[inline]
    pub(super) fn nth_set(index: usize) -> usize {
        // Below `lines()`, which did not overflow.
        Self::first_set().wrapping_add(index.wrapping_mul(SET_LINES))
    }

    const fn first_set() -> usize {
        Self::HEADER + RULES.div_ceil(LINE / RULE_WORDS)
    }

    /// First line of the overflow, which is the last part.
    pub(super) fn overflow(self) -> usize {
        Self::first_set() + self.all_sets() * SET_LINES
    }
}

/// 64 bits of a hash, as an index below `size`.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "less than `size`")]
pub(super) fn scaled(hash: u64, size: usize) -> usize {
    ((u128::from(hash) * size as u128) >> 64) as usize
}
