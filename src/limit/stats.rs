//! What a table has done so far: counters that cost a hit nothing unless something rare happens.
//!
//! They are spread over lines by thread, added to without order, and never decide anything. An admitted hit of a key
//! that has a line touches none of them.

#![forbid(unsafe_code)]

use super::layout::{Layout, Line, STRIPES};
use crate::sync::Word;

/// What is counted. The number is the counter's place in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A hit was refused because a quota is used up.
    Denied = 0,
    /// A hit was admitted by the overflow.
    Overflowed = 1,
    /// A hit was refused because neither its set nor the overflow had room.
    Full = 2,
    /// A key got a line.
    Claimed = 3,
    /// A dead key's line was taken for it.
    Evicted = 4,
    /// A hit started again, since another one moved.
    Restarted = 5,
    /// A hit was refused after it had started too often.
    Exhausted = 6,
    /// A hit was refused because its key is banned.
    Banned = 7,
}

/// A table's counters and sizes. All counts are since the table was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Keys that the table was made for.
    pub capacity: u64,
    /// Lines that it has for keys: those that only bans have come on top.
    pub lines: u64,
    /// Lines whose key still counts. Keys with several quotas have as many.
    pub live: u64,
    /// Cells of the overflow.
    pub overflow_cells: u64,
    /// Cells that still count.
    pub overflow_live: u64,
    /// Rules given a number.
    pub rules: u64,
    /// Bytes of memory, all in all.
    pub bytes: u64,
    /// Hits refused because a quota was used up.
    pub denied: u64,
    /// Hits refused because their key was banned.
    pub banned: u64,
    /// Hits admitted by the overflow.
    pub overflowed: u64,
    /// Hits refused because neither their set nor the overflow had room.
    pub full: u64,
    /// Keys that got a line.
    pub claimed: u64,
    /// Dead keys whose line was given to another.
    pub evicted: u64,
    /// Times that a hit started again: a new key's, once it had got its line, or since another one moved.
    pub restarted: u64,
    /// Hits refused after they had started too often.
    pub exhausted: u64,
}

/// Counts one event in the table's own counters.
#[cfg(not(loom))]
#[cold]
pub(super) fn count(lines: &[Line], event: Event) {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    let stripe = STRIPE.get();
    let stripe = if stripe == usize::MAX {
        // Processes that share a table should not all begin at the same line. Relaxed: any number will do.
        let next = NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id() as usize;
        STRIPE.set(next % STRIPES);
        next % STRIPES
    } else {
        stripe
    };
    lines[Layout::COUNTERS + stripe].0[event as usize].count_one();
}

/// The checkers do not look at counters.
#[cfg(loom)]
pub(super) fn count(_lines: &[Line], _event: Event) {}

/// One counter, over all stripes.
pub(super) fn total(lines: &[Line], event: Event) -> u64 {
    let stripes = &lines[Layout::COUNTERS..][..STRIPES];
    let counts = stripes.iter().map(|line| line.0.get(event as usize).map_or(0, Word::load));
    // Of shared memory, which may hold anything.
    counts.fold(0, u64::saturating_add)
}
