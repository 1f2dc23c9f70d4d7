//! One key's window: pure steps on its words, without memory, clock or loops.
//!
//! A quota of L per W is counted in one of two forms, by L:
//!
//! - **log**, L up to 7: each word is one hit, with its own time. Exact to the millisecond: a hit stops counting
//!   W + 1 ms after it was made.
//! - **ring**, above: time is cut into sub-windows of W/6, one word each. The oldest one that the window still
//!   touches is counted in full, so seven words are needed, and a hit stops counting W to 7/6 W after it was
//!   made: at least 6/7 of L/W are admitted in the long run, however the hits fall.
//!
//! Windows are closed intervals of whole milliseconds, so that two hits a window apart are more than W apart by
//! any finer clock. Sub-window `k` is the milliseconds with `6·ms / W == k`, which need not be equally many (W = 7 ms
//! has sub-windows of one and two), and its word is the one at `k mod 7`.
//!
//! Three kinds of words, by their stamp and a [`Frame`] (what a quota looks like at one reading of the clock):
//! *dead* before `floor`, *newer* from `newer` on, *live* between.

#![forbid(unsafe_code)]

use super::bucket::Bucket;
use super::planted::{self, Fault};
use super::quota::Quota;
use super::slots::Slots;

/// Sub-windows of a ring. At half, 3/4 of L/W are admitted in the long run and a line holds two keys; at double,
/// 12/13, and a key has two cache lines. The checkers look at the smallest ring there is too.
pub(super) const PARTS: usize = if cfg!(all(loom, not(feature = "whole"))) { 1 } else { 6 };

/// Words that count: the sub-windows, and one that the window's far end touches.
pub(super) const BUCKETS: usize = PARTS + 1;

/// Words of a line: the word carried in (see [`crate::limit`]), then the buckets.
pub(super) const LINE: usize = BUCKETS + 1;

/// A quota as the table's directory holds it, and how it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: u32,
    pub(super) ms: u64,
    pub(super) kind: Kind,
}

/// What a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Hits.
    Hits,
    /// Slots that are taken: always a log, since each is given back by itself.
    Slots,
}

impl Window {
    /// The quota's window; its numbers are bounded again where they come from shared memory.
    #[inline]
    pub(super) fn new(quota: Quota) -> Self {
        Self { limit: quota.limit, ms: quota.window_ms, kind: Kind::Hits }
    }

    /// The window of slots, which is their lease.
    #[inline]
    pub(super) fn of_slots(slots: Slots) -> Self {
        Self { limit: slots.limit, ms: slots.lease_ms, kind: Kind::Slots }
    }

    /// Whether each hit has a word of its own.
    #[inline]
    fn is_log(self) -> bool {
        self.limit as usize <= BUCKETS || self.kind == Kind::Slots
    }

    /// First millisecond of sub-window `part`.
    #[inline]
    fn start_of(self, part: u64) -> u64 {
        (part * self.ms).div_ceil(PARTS as u64)
    }

    /// Which sub-window a millisecond belongs to.
    #[inline]
    fn part_of(self, ms: u64) -> u64 {
        ms * PARTS as u64 / self.ms
    }

    /// The window as it stands at `now`, in milliseconds.
    #[expect(clippy::inline_always, reason = "a step of every hit")]
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of BUCKETS")]
    pub(super) fn at(self, now: u64) -> Frame {
        let limit = u64::from(self.limit);
        if self.is_log() {
            let floor = now.saturating_sub(self.ms);
            return Frame { limit, now, floor, newer: now + 1, home: None, ms: self.ms };
        }
        // `part_of(now)` and `start_of` it and the next, of one division.
        let sixths = now * PARTS as u64;
        let (part, since) = (sixths / self.ms, sixths % self.ms);
        let start = now - since / PARTS as u64;
        let forgotten = planted::is(Fault::OldestForgotten);
        let oldest = if forgotten { self.start_of(part + 1) } else { start };
        Frame {
            limit,
            now,
            // The start of the sub-window `PARTS` before: a window is a whole number of them.
            floor: oldest.saturating_sub(self.ms),
            newer: now + 1 + (self.ms - since - 1) / PARTS as u64,
            home: Some(Home { index: (part % BUCKETS as u64) as usize, start }),
            ms: self.ms,
        }
    }

    /// When a bucket started at `ms` stops counting: the first millisecond at which it is dead.
    pub(super) fn death(self, ms: u64) -> u64 {
        if self.is_log() {
            ms + self.ms + 1
        } else {
            self.start_of(self.part_of(ms) + BUCKETS as u64)
        }
    }

    /// Milliseconds until `cost` fits, if nobody else hits: at least 1, since it does not fit now;
    /// [`NEVER`] if it exceeds the limit. And until nothing counts any more.
    pub(super) fn waits(self, now: u64, cost: u64, words: &mut [Bucket]) -> (u64, u64) {
        // What counts goes to the front, with the time of its death for a stamp.
        let (mut sum, mut last, mut live) = (0, now, 0);
        for index in 0..words.len() {
            let count = words[index].count();
            let death = if count > 0 { self.death(words[index].ms()) } else { 0 };
            if death > now {
                words[live] = Bucket::new(death, count);
                live += 1;
                sum += count;
                last = last.max(death);
            }
        }
        let room = u64::from(self.limit).checked_sub(cost);
        let retry = room.map_or(NEVER, |room| {
            // By the first death after which it fits. A death beyond the last stamp was cut: it never comes.
            words[..live].sort_unstable_by_key(|word| word.0);
            let mut fits = 1;
            for word in &words[..live] {
                if sum <= room {
                    break;
                }
                sum -= word.count();
                fits = word.ms().saturating_sub(now).max(1);
            }
            fits
        });
        (retry, last - now)
    }
}

/// The answer to "when will it fit" of what never will.
pub(super) const NEVER: u64 = u64::MAX;

/// A word newer than the clock reading it is judged by: the reading is stale, and worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stale;

/// A window at one reading of the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) limit: u64,
    pub(super) now: u64,
    /// Stamps before this one are dead: their hits are more than W old.
    floor: u64,
    /// Stamps from this one on were made by somebody whose clock is ahead of `now`.
    newer: u64,
    /// Where a ring counts now; `None` for a log, which counts in any word that is free.
    home: Option<Home>,
    /// The window's length.
    ms: u64,
}

#[derive(Debug, Clone, Copy)]
struct Home {
    index: usize,
    start: u64,
}

impl Frame {
    /// A ban counts until the time that it is stamped with.
    pub(super) fn of_bans(now: u64) -> Self {
        Self { limit: 0, now, floor: now, newer: u64::MAX, home: None, ms: 0 }
    }

    /// What the live ones among `words` add up to.
    #[inline]
    pub(super) fn sum(&self, words: &[Bucket; LINE]) -> Result<u64, Stale> {
        // Words are compared whole: the stamp is their upper part.
        let floor = Bucket::new(self.floor, 0).0;
        let mut sum = 0;
        let mut newest = Bucket::EMPTY;
        for &word in words {
            if planted::is(Fault::NewerIgnored) && word.ms() >= self.newer {
                continue;
            }
            newest = Bucket(newest.0.max(word.0));
            sum += if word.0 >= floor { word.count() } else { 0 };
        }
        if newest.ms() >= self.newer { Err(Stale) } else { Ok(sum) }
    }

    /// When a hit that is counted now stops counting: its [`Window::death`].
    #[inline]
    pub(super) fn death(&self) -> u64 {
        // A log's next millisecond, a ring's next sub-window, and a window on from there.
        self.newer + self.ms
    }

    /// Whether a word counts for nobody, now or later. A count of 0 with a live stamp is a key that was just
    /// born, or a hit that was just undone: not dead yet.
    #[inline]
    pub(super) fn is_dead(&self, word: Bucket) -> bool {
        word == Bucket::EMPTY || word.ms() < self.floor
    }

    /// How to add `cost` to a line: which word, and what it becomes. `None` if no word of a log is free.
    ///
    /// A word of a ring is taken over when its stamp is older than the current sub-window: it is then at least
    /// seven sub-windows old, since every word has its own residue, and dead.
    #[expect(clippy::inline_always, reason = "a step of every hit, which is to know no address")]
    #[inline(always)]
    pub(super) fn place(&self, words: &[Bucket; LINE], cost: u64) -> Option<Step> {
        let (index, kept) = if let Some(home) = self.home {
            let index = 1 + home.index;
            (index, (words[index].ms() >= home.start).then_some(words[index]))
        } else {
            (first_free(words, self.floor)?, None)
        };
        let old = words[index];
        let new = match kept {
            Some(word) => Bucket::new(word.ms(), word.count() + cost),
            None => Bucket::new(self.now, cost),
        };
        Some(Step { index, old, new })
    }
}

/// The word in which a log counts its next hit.
#[inline(never)]
fn first_free(words: &[Bucket; LINE], floor: u64) -> Option<usize> {
    let free = |word: &Bucket| word.count() == 0 || word.ms() < floor;
    Some(1 + words[1..].iter().position(free)?)
}

/// One word's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) index: usize,
    pub(super) old: Bucket,
    pub(super) new: Bucket,
}
