//! The word of the overflow: two counts, this epoch's and the one before, for whatever keys fall into it.
//!
//! ```text
//!  63   59 58            28 27      14 13       0
//! ┌───────┬────────────────┬──────────┬──────────┐
//! │ class │ epoch          │ current  │ previous │
//! └───────┴────────────────┴──────────┴──────────┘
//! ```
//!
//! An epoch of class `c` is `512 ms << c` long, and quotas use the smallest class whose epoch is at least their
//! window; so what is older than two epochs is older than the window. Epochs of 512 ms or more number 31 bits in
//! the 34 years that a stamp lasts, so they do not wrap. Half of that would need a bit of the counts; double would
//! make quotas of a few milliseconds wait a second once their key is counted here.
//!
//! Keys of different quotas may meet in a cell. It then takes the larger class of the two and keeps everything
//! for longer than its own quota asks: an estimate is never too low. Epochs of a larger class are made of whole
//! epochs of a smaller one, so nothing moves to a time before it happened.
//!
//! A count that is full stays full until its epoch ends, and refuses.

#![forbid(unsafe_code)]

use super::window::{Stale, Window};

const COUNT_BITS: u32 = 14;
const EPOCH_BITS: u32 = 31;

/// Milliseconds of the shortest epoch, as a power of two.
const SHORTEST: u32 = 9;

/// The largest count.
const FULL: u64 = (1 << COUNT_BITS) - 1;

/// How a quota is counted in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    class: u32,
    /// How much one count stands for: 1, or more for limits that a cell cannot hold.
    unit: u64,
}

impl Scale {
    /// The scale of a window.
    pub(super) fn of(window: Window) -> Self {
        let shortest = window.ms.max(1 << SHORTEST);
        let class = shortest.next_power_of_two().trailing_zeros() - SHORTEST;
        Self { class, unit: u64::from(window.limit).div_ceil(FULL) }
    }

    /// So many counts cover a cost: rounded up, so that it is never counted short.
    pub(super) fn counts(self, cost: u64) -> u64 {
        cost.div_ceil(self.unit)
    }

    /// So much may a count stand for.
    pub(super) fn amount(self, counts: u64) -> u64 {
        counts * self.unit
    }
}

/// A cell of the overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(pub(super) u64);

/// Where a count was added: what it takes to find it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Cell {
    fn new(class: u32, epoch: u64, current: u64, previous: u64) -> Self {
        let stamp = u64::from(class) << EPOCH_BITS | epoch;
        Self(stamp << (2 * COUNT_BITS) | current.min(FULL) << COUNT_BITS | previous.min(FULL))
    }

    fn class(self) -> u32 {
        (self.0 >> (EPOCH_BITS + 2 * COUNT_BITS)) as u32
    }

    fn epoch(self) -> u64 {
        (self.0 >> (2 * COUNT_BITS)) & ((1 << EPOCH_BITS) - 1)
    }

    fn current(self) -> u64 {
        (self.0 >> COUNT_BITS) & FULL
    }

    fn previous(self) -> u64 {
        self.0 & FULL
    }

    /// Which class and epoch the current count is of.
    pub(super) fn stamp(self) -> Stamp {
        Stamp(self.0 >> (2 * COUNT_BITS))
    }

    /// The same cell as it stands at `now`: current and previous of that epoch.
    fn at(self, now: u64) -> Result<(u64, u64), Stale> {
        match (now >> (SHORTEST + self.class())).checked_sub(self.epoch()) {
            None => Err(Stale),
            Some(0) => Ok((self.current(), self.previous())),
            Some(1) => Ok((0, self.current())),
            Some(_) => Ok((0, 0)),
        }
    }

    /// All that may still count at `now`.
    pub(super) fn estimate(self, now: u64) -> Result<u64, Stale> {
        self.at(now).map(|(current, previous)| current + previous)
    }

    /// The cell with `counts` more.
    pub(super) fn with(self, scale: Scale, now: u64, counts: u64) -> Result<Self, Stale> {
        let (current, previous) = self.at(now)?;
        let (class, kept) = match (self.class(), current + previous) {
            (_, 0) => (scale.class, (0, 0)),
            (class, _) if class >= scale.class => (class, (current, previous)),
            (_, all) => (scale.class, (all, 0)),
        };
        Ok(Self::new(class, now >> (SHORTEST + class), kept.0 + counts, kept.1))
    }

    /// The cell with `counts` taken back that were added at `stamp`; `None` if they cannot be told from others any
    /// more, and stay until their epochs end.
    pub(super) fn without(self, stamp: Stamp, counts: u64) -> Option<Self> {
        let fits = |count: u64| count < FULL && count >= counts;
        if self.stamp() == stamp && fits(self.current()) {
            return Some(Self(self.0 - (counts << COUNT_BITS)));
        }
        let next = self.stamp() == Stamp(stamp.0 + 1);
        (next && fits(self.previous())).then(|| Self(self.0 - counts))
    }

    /// Milliseconds until the cell's estimate is at most `counts`, if nobody adds to it.
    pub(super) fn falls_to(self, counts: u64, now: u64) -> u64 {
        let starts = |epochs: u64| (self.epoch() + epochs) << (SHORTEST + self.class());
        let fits = |at: u64| self.estimate(at).is_ok_and(|estimate| estimate <= counts);
        let at = if fits(starts(1)) { starts(1) } else { starts(2) };
        at.saturating_sub(now).max(1)
    }

    /// The first millisecond at which nothing in it counts.
    pub(super) fn end(self) -> u64 {
        (self.epoch() + 2) << (SHORTEST + self.class())
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::Kind;
    use super::*;

    fn scale(limit: u32, ms: u64) -> Scale {
        Scale::of(Window { limit, ms, kind: Kind::Hits })
    }

    #[test]
    fn the_smallest_epoch_that_covers_the_window() {
        for (ms, class) in [(1, 0), (512, 0), (513, 1), (1_000, 1), (31_622_400_000, 26)] {
            assert_eq!(scale(1, ms).class, class, "{ms} ms");
        }
        assert_eq!((scale(16_383, 1).unit, scale(16_384, 1).unit), (1, 2));
        assert_eq!(scale(16_777_215, 1).amount(FULL), 1_025 * FULL);
    }

    #[test]
    fn what_was_added_counts_for_its_window_and_less_than_two_epochs() {
        let scale = scale(100, 1_000);
        for start in [0, 1_023, 1_024, 1_500, 1 << 39] {
            let cell = Cell(0).with(scale, start, 3).expect("fresh");
            assert_eq!(cell.estimate(start + 1_000), Ok(3), "within the window");
            assert_eq!(cell.estimate(start + 2_048), Ok(0));
            assert_eq!(cell.estimate(cell.end() - 1), Ok(3));
            assert_eq!(cell.falls_to(0, start), cell.end() - start);
        }
    }

    #[test]
    fn a_reading_before_the_epoch_is_stale() {
        let cell = Cell(0).with(scale(100, 1_000), 2_048, 1).expect("fresh");
        assert_eq!(cell.estimate(2_047), Err(Stale));
        assert_eq!(cell.with(scale(100, 1_000), 2_047, 1), Err(Stale));
    }

    #[test]
    fn classes_meet_and_nothing_is_forgotten() {
        let (short, long) = (scale(9, 500), scale(9, 3_000));
        let cell = Cell(0).with(short, 5_000, 2).expect("fresh");
        let both = cell.with(long, 5_100, 4).expect("fresh");
        assert_eq!((both.class(), both.estimate(5_100), both.estimate(8_100)), (3, Ok(6), Ok(6)));
        let more = both.with(short, 8_200, 1).expect("fresh");
        assert_eq!((more.class(), more.estimate(8_200)), (3, Ok(7)));
        assert_eq!(both.without(cell.stamp(), 2), None, "not told apart any more");
        let dead = more.end();
        assert_eq!(more.with(short, dead, 1).expect("fresh").class(), 0);
    }

    #[test]
    fn taken_back_from_where_it_is_now() {
        let scale = scale(9, 500);
        let cell = Cell(0).with(scale, 600, 2).expect("fresh");
        let next = cell.with(scale, 1_100, 5).expect("fresh");
        assert_eq!(next.without(cell.stamp(), 2).expect("previous").estimate(1_100), Ok(5));
        assert_eq!(next.without(next.stamp(), 5).expect("current").estimate(1_100), Ok(2));
        assert_eq!(next.without(cell.stamp(), 3), None);
    }

    #[test]
    fn a_full_cell_stays_full() {
        let scale = scale(16_383, 500);
        let full = Cell(0).with(scale, 600, FULL + 7).expect("fresh");
        assert_eq!(full.estimate(600), Ok(FULL));
        assert_eq!(full.without(full.stamp(), 1), None);
    }
}
