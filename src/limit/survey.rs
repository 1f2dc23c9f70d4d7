//! Looks at a whole table, for operators: what lives in it, rule by rule. Cold, and as long as the table is large.

#![forbid(unsafe_code)]

use super::cell::Cell;
use super::layout::{RULES, WAYS};
use super::set::Set;
use super::stats::{Event, Stats, total};
use super::table::Table;
use super::tag::State;
use super::window::LINE;

impl Table {
    /// All sets.
    fn sets(&self) -> impl Iterator<Item = Set<'_>> {
        (0..self.layout.sets).map(|index| Set::new(self.lines(), self.layout.nth_set(index)))
    }

    /// Lines of each rule whose key still counts; rule 0 are the bans.
    pub(super) fn census(&self) -> [u64; RULES] {
        let now = self.now();
        let mut live = [0; RULES];
        for set in self.sets() {
            for (way, tag) in set.tags().into_iter().enumerate() {
                if tag.state() != State::Free && !self.is_dead_line(set, way, tag, now) {
                    live[usize::from(tag.rule())] += 1;
                }
            }
        }
        live
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
            live: self.census().iter().sum(),
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
