//! Looks at a whole table, for operators: what lives in it, rule by rule. Cold, and as long as the table is large.

#![forbid(unsafe_code)]

use super::cell::Cell;
use super::layout::Layout;
use super::layout::{RULES, WAYS};
use super::quota::Quota;
use super::set::Set;
use super::slots::Slots;
use super::stats::{Event, Stats, total};
use super::table::{BANS, Table};
use super::tag::State;
use super::window::{Kind, LINE, Window};

/// One rule of a table, and the keys that it counts at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What is counted.
    pub counts: Counts,
    /// Lines that still count: one a key, of slots one for each seven of a key.
    pub live: u64,
}

/// What a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Keys that are banned.
    Bans,
    /// Hits.
    Hits(Quota),
    /// Slots that are taken.
    Slots(Slots),
}

impl Counts {
    fn of(window: Window) -> Self {
        let (limit, ms) = (window.limit, window.ms);
        match window.kind {
            Kind::Hits => Self::Hits(Quota { limit, window_ms: ms }),
            Kind::Slots => Self::Slots(Slots { limit, lease_ms: ms }),
        }
    }
}

impl Table {
    /// The first sets: all that keys have, then the reserve's.
    fn sets(&self, first: usize) -> impl Iterator<Item = Set<'_>> {
        (0..first).map(|index| Set::new(self.lines(), Layout::nth_set(index)))
    }

    /// Lines of each rule whose key still counts, in the first sets; rule 0 are the bans.
    fn census(&self, sets: usize) -> [u64; RULES] {
        let now = self.now();
        let mut live = [0; RULES];
        for set in self.sets(sets) {
            for (way, tag) in set.tags().into_iter().enumerate() {
                if tag.state() != State::Free && !self.is_dead_line(set, way, tag, now) {
                    live[usize::from(tag.rule())] += 1;
                }
            }
        }
        live
    }

    /// What each rule counts; the first is that of bans.
    pub(super) fn usage(&self) -> Vec<Usage> {
        let counts = |rule| match rule {
            BANS => Some(Counts::Bans),
            rule => self.directory().window(rule).map(Counts::of),
        };
        let live = self.census(self.layout.all_sets()).into_iter().zip(0..=u8::MAX);
        live.filter_map(|(live, rule)| Some(Usage { counts: counts(rule)?, live })).collect()
    }

    /// Sizes and counters.
    pub(super) fn stats(&self) -> Stats {
        let now = self.now();
        let lines = self.lines();
        let cells = lines[self.layout.overflow()..].iter().flat_map(|line| &line.0);
        let alive = |cell: Cell| cell.estimate(now).is_ok_and(|estimate| estimate > 0);
        let of = |event| total(lines, event);
        Stats {
            capacity: self.layout.capacity as u64,
            lines: (self.layout.sets * WAYS) as u64,
            live: self.census(self.layout.sets).iter().sum(),
            overflow_cells: self.layout.cells as u64,
            overflow_live: cells.filter(|cell| alive(Cell(cell.load()))).count() as u64,
            rules: self.directory().count(),
            bytes: (lines.len() * LINE * size_of::<u64>()) as u64,
            denied: of(Event::Denied),
            banned: of(Event::Banned),
            overflowed: of(Event::Overflowed),
            full: of(Event::Full),
            claimed: of(Event::Claimed),
            evicted: of(Event::Evicted),
            restarted: of(Event::Restarted),
            exhausted: of(Event::Exhausted),
        }
    }
}
