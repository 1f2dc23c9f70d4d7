//! Where a key is counted whose set is full of live lines: two cells, shared with whoever else falls into them.
//!
//! A count-min sketch of depth two (Cormode and Muthukrishnan, "An improved data stream summary"): each hit is added
//! to both cells, and the smaller one is the estimate. It is never too low, so a newcomer is never admitted too
//! often; it is too high for a newcomer both of whose cells are busy, who is then refused early.
//!
//! A hit is added to the first cell, then to the second, and then both are read. Of all admitted hits within a window,
//! the one whose second addition came last has read cells that hold all the others: that one's estimate covers
//! them, and it was within the limit.

#![forbid(unsafe_code)]

use super::cell::{Cell, Scale, Stamp};
use super::layout::{Line, scaled};
use super::subject::mixed;
use super::window::{LINE, Stale, Window};
use crate::sync::Word;

/// The cells of a table: two halves, one for the first and one for the second of each key.
#[derive(Clone, Copy)]
pub(super) struct Overflow<'t> {
    lines: &'t [Line],
}

impl<'t> Overflow<'t> {
    /// Lines of cells; none of them, and nobody is counted here.
    pub(super) fn new(lines: &'t [Line]) -> Self {
        Self { lines }
    }

    /// A key's cells, counted at a window's scale; `None` if the table has no cells.
    pub(super) fn pair(self, name: u64, window: Window) -> Option<Pair<'t>> {
        let half = self.lines.len() * LINE / 2;
        if half == 0 {
            return None;
        }
        let hash = mixed(name);
        // By its upper bits, and by its lower ones.
        let first = scaled(hash, half);
        let second = half + scaled(hash << 32, half);
        let cell = |index: usize| &self.lines[index / LINE].0[index % LINE];
        let (cells, scale) = ([cell(first), cell(second)], Scale::of(window));
        Some(Pair { cells, scale, stamps: [None; 2] })
    }
}

/// One key's two cells, and what the hit at hand has added to them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'t> {
    cells: [&'t Word; 2],
    scale: Scale,
    stamps: [Option<Stamp>; 2],
}

impl Pair<'_> {
    fn cells(&self) -> [Cell; 2] {
        self.cells.map(|cell| Cell(cell.load()))
    }

    /// Whether both have a cell in common: so has each with itself.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.cells.iter().zip(other.cells).any(|(one, other)| std::ptr::eq(*one, other))
    }

    /// At least what was admitted of the key within its window.
    pub(super) fn estimate(&self, now: u64) -> Result<u64, Stale> {
        let [first, second] = self.cells().map(|cell| cell.estimate(now));
        Ok(self.scale.amount(first?.min(second?)))
    }

    /// A cost as the cells count it.
    pub(super) fn rounded(&self, cost: u64) -> u64 {
        self.scale.amount(self.scale.counts(cost))
    }

    /// When a hit that is added at `now` has stopped counting in both cells, at the latest.
    pub(super) fn end(&self, now: u64) -> Result<u64, Stale> {
        let mut end = 0;
        for cell in self.cells() {
            end = end.max(cell.with(self.scale, now, 0)?.end());
        }
        Ok(end)
    }

    /// Adds a cost to both. After an error, what was added is known, and is to be taken back.
    pub(super) fn add(&mut self, now: u64, cost: u64) -> Result<(), Stale> {
        for (cell, stamp) in self.cells.iter().zip(&mut self.stamps) {
            loop {
                let old = Cell(cell.load());
                let new = old.with(self.scale, now, self.scale.counts(cost))?;
                if cell.swap_if(old.0, new.0) {
                    *stamp = Some(new.stamp());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes back what was added.
    pub(super) fn undo(&mut self, cost: u64) {
        let counts = self.scale.counts(cost);
        for (cell, stamp) in self.cells.iter().zip(&mut self.stamps) {
            let Some(stamp) = stamp.take() else { continue };
            loop {
                let old = Cell(cell.load());
                let Some(new) = old.without(stamp, counts) else { break };
                if cell.swap_if(old.0, new.0) {
                    break;
                }
            }
        }
    }

    /// Milliseconds until a cost fits, and until nothing is left, if nobody adds to the cells.
    pub(super) fn waits(&self, now: u64, cost: u64, limit: u64) -> (u64, u64) {
        let counts = limit / self.scale.amount(1);
        let room = counts.saturating_sub(self.scale.counts(cost));
        let [first, second] =
            self.cells().map(|cell| (cell.falls_to(room, now), cell.falls_to(0, now)));
        (first.0.min(second.0), first.1.min(second.1))
    }
}
