//! How many at once: slots that are taken, held for a while, and given back.
//!
//! # The promise
//!
//! Of "N at once" **never more than N leases of a key are held**, by all threads and processes that share the table. A
//! holder that is killed keeps its slot for the rest of its lease. One that takes longer than its lease has lost
//! the slot, unless it renews it in time; giving it back late frees nobody else's.
//!
//! # How
//!
//! Seven slots are one line: a log of seven words ([`super::window`]) whose window is the lease. A taken slot is a word
//! with the time of its taking, and counts as long as a hit would; what is given back is an empty word. More than seven are
//! several such lines, each of a key of its own ([`Subject::part`]): none of them ever holds more than its share, so
//! all of them never hold more than N. So the rules and races are those of hits ([`crate::limit`]), and one more:
//!
//! 9. **Renew**: while the lease lasts, its word is swapped from exactly what it was to the time of now; then the
//!    renewal is verified like a hit (rule 4). If it does not stand, the slot is given up.
//!
//! | side | writes, then reads | partner | writes, then reads |
//! |---|---|---|---|
//! | [`Table::renew`] | its word, then all words | a taker that thinks the lease over | a word, then all words: it is undone, or the renewal sees a word that is newer |
//! | [`Table::renew`] | its word, then the tag | `evict` | the tag, then the words, as against a hit |
//!
//! A word says whose it is by its time alone: of one word of one line, no time comes twice, since it is only ever taken
//! when what it held has ended, or was given back by who held it. Only a slot that is given back and taken within
//! one millisecond bears the same time again, and whoever has given it back does not do so twice.
//!
//! A line is never spilled into the overflow, which cannot be given back: a key for which its set has no room is
//! refused (`table_full`).

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bucket::Bucket;
use super::decide::STARTS;
use super::planted::{self, Fault};
use super::probe::{Held, Probe};
use super::quota::{Duration, Quota};
use super::stats::Event;
use super::subject::{Spot, Subject};
use super::table::{Claim, Table};
use super::window::{BUCKETS, Stale, Window};
use crate::sync::forget;

/// How many at once, and for how long at most without a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slots {
    /// At most so many, 1 to [`Slots::MAX_LIMIT`].
    pub limit: u32,
    /// Milliseconds, 1 to [`Quota::MAX_WINDOW_MS`], after which a slot is free again, though nobody gave it back.
    pub lease_ms: u64,
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at once, for {}", self.limit, Duration(self.lease_ms))
    }
}

impl Slots {
    /// The most slots. A key that uses all of them has 147 lines, and looking at all takes microseconds.
    pub const MAX_LIMIT: u32 = 1024;

    /// Slots whose numbers can be enforced; `None` if one is out of bounds.
    pub fn new(limit: u32, lease_ms: u64) -> Option<Self> {
        let fits = (1..=Self::MAX_LIMIT).contains(&limit)
            && (1..=Quota::MAX_WINDOW_MS).contains(&lease_ms);
        fits.then_some(Self { limit, lease_ms })
    }

    /// Lines that a key takes when all its slots are taken.
    #[expect(clippy::cast_possible_truncation, reason = "a line has seven words")]
    fn lines(self) -> u32 {
        self.limit.div_ceil(BUCKETS as u32)
    }

    /// What the line of that number counts: its share of the slots.
    #[expect(clippy::cast_possible_truncation, reason = "a line has seven words")]
    fn line(self, number: u32) -> Window {
        let share = self.limit.saturating_sub(number * BUCKETS as u32).min(BUCKETS as u32);
        Window::of_slots(Self { limit: share, ..self })
    }
}

/// A slot that is held. It is given back by [`super::Limiter::release`], or comes free when its lease is over.
#[derive(Debug)]
pub struct Lease {
    rule: u8,
    slots: Slots,
    /// Which line of the key's, and the line's own key.
    line: u32,
    subject: Subject,
    /// `None` once it is known to be over.
    held: Option<Held>,
}

/// Why no slot was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// False: all slots are taken, or the key is banned. True: the table has no room for the key.
    pub table_full: bool,
    /// Milliseconds after which a slot is free, if no lease is renewed and nobody else takes it. Nearly always it is
    /// sooner: most are given back before their lease is over.
    pub retry_after_ms: u64,
}

impl Taken {
    /// The refusal that is over first.
    fn sooner(self, other: Self) -> Self {
        Self {
            table_full: self.table_full || other.table_full,
            retry_after_ms: self.retry_after_ms.min(other.retry_after_ms),
        }
    }
}

/// It starts again: somebody else moved.
struct Again;

impl From<Stale> for Again {
    fn from(Stale: Stale) -> Self {
        Self
    }
}

impl Table {
    /// Takes a slot of a subject.
    pub(super) fn take(&self, rule: u8, slots: Slots, subject: Subject) -> Result<Lease, Taken> {
        // Takers that come at once are spread over the lines, after the first one, which is enough for most keys.
        static TURN: AtomicU64 = AtomicU64::new(0);
        let mut refused = match self.take_in(rule, slots, 0, subject) {
            Ok(lease) => return Ok(lease),
            Err(taken) => taken,
        };
        let others = u64::from(slots.lines() - 1);
        // Relaxed: any number will do.
        let turn = if others == 0 { 0 } else { TURN.fetch_add(1, Ordering::Relaxed) % others };
        for nth in 0..others {
            let line = u32::try_from(1 + (turn + nth) % others).unwrap_or(0);
            match self.take_in(rule, slots, line, subject) {
                Ok(lease) => return Ok(lease),
                Err(taken) => refused = refused.sooner(taken),
            }
        }
        self.note(if refused.table_full { Event::Full } else { Event::Denied });
        Err(refused)
    }

    /// Takes a slot in one of a key's lines.
    fn take_in(&self, rule: u8, slots: Slots, line: u32, subject: Subject) -> Result<Lease, Taken> {
        let subject = subject.part(line);
        let mut probe = Probe::new(self.spot_of(subject, rule), slots.line(line), 1);
        for begun in 0..STARTS {
            forget(begun);
            match self.start(&mut probe) {
                Ok(Err(taken)) => return Err(taken),
                Ok(Ok(held)) => {
                    return Ok(Lease { rule, slots, line, subject, held: Some(held) });
                }
                Err(Again) => self.note(Event::Restarted),
            }
        }
        self.note(Event::Exhausted);
        Err(Taken { table_full: false, retry_after_ms: 1 })
    }

    /// Rules 1 to 6, for a line of slots.
    fn start(&self, probe: &mut Probe<'_>) -> Result<Result<Held, Taken>, Again> {
        probe.look();
        if !probe.is_settled(self) {
            return Err(Again);
        }
        let now = self.now();
        probe.read(now)?;
        if !probe.fits() {
            let retry_after_ms = probe.refusal().retry_after_ms;
            return Ok(Err(Taken { table_full: false, retry_after_ms }));
        }
        if probe.is_homeless() {
            return match probe.claim(self, now) {
                Claim::LookAgain => Err(Again),
                Claim::Full => {
                    Ok(Err(Taken { table_full: true, retry_after_ms: probe.window_ms() }))
                }
            };
        }
        if probe.reserve() {
            if probe.verify() {
                return probe.held().map(Ok).ok_or(Again);
            }
            probe.undo();
        }
        Err(Again)
    }

    /// Makes a lease last from now on; false if it is over, and the slot may be somebody else's. Rule 9.
    pub(super) fn renew(&self, lease: &mut Lease) -> bool {
        let Some(held) = &mut lease.held else { return false };
        let window = lease.slots.line(lease.line);
        let mut probe = Probe::new(self.spot_of(lease.subject, lease.rule), window, 0);
        for _ in 0..STARTS {
            match self.renew_once(&mut probe, held) {
                Ok(true) => return true,
                Ok(false) => {
                    lease.held = None;
                    return false;
                }
                Err(Again) => self.note(Event::Restarted),
            }
        }
        // More than there are slots, again and again: the lease was over, and others have it.
        self.note(Event::Exhausted);
        self.release(lease);
        false
    }

    fn renew_once(&self, probe: &mut Probe<'_>, held: &mut Held) -> Result<bool, Again> {
        probe.look();
        if !probe.is_settled(self) {
            return Err(Again);
        }
        let now = self.now();
        probe.read(now)?;
        if !probe.has(*held) {
            return Ok(false);
        }
        let new = held.with(Bucket::new(now, 1));
        if new.word != held.word {
            if !probe.exchange(*held, new.word) {
                return Err(Again);
            }
            // The word is the lease's from here on, whether the renewal stands or not.
            *held = new;
        }
        if planted::is(Fault::RenewUnverified) {
            return Ok(true);
        }
        if probe.verify_anew() { Ok(true) } else { Err(Again) }
    }

    /// Gives a slot back; false if its lease was over, and there was nothing to give.
    pub(super) fn release(&self, lease: &mut Lease) -> bool {
        let Some(held) = lease.held.take() else { return false };
        let window = lease.slots.line(lease.line);
        let probe = Probe::new(self.spot_of(lease.subject, lease.rule), window, 0);
        if planted::is(Fault::ReleaseBlind) {
            return probe.exchange(held.with(probe.now_in(held)), Bucket::EMPTY);
        }
        probe.still_has(held) && probe.exchange(held, Bucket::EMPTY)
    }

    fn spot_of(&self, subject: Subject, rule: u8) -> Spot<'_> {
        self.spot(subject, subject.place(rule))
    }

    /// Slots of a subject that are taken now.
    pub(super) fn taken(&self, rule: u8, slots: Slots, subject: Subject) -> u64 {
        // Where others move all the time, all of it is in use, as far as anybody can tell.
        let taken = |line| {
            let probe = self.seen(rule, slots, line, subject);
            probe.map_or(u64::from(slots.line(line).limit), |probe| probe.used())
        };
        (0..slots.lines()).map(taken).sum()
    }

    /// One of a key's lines, as who only looks finds it; `None` if others moved all the time.
    fn seen(&self, rule: u8, slots: Slots, line: u32, subject: Subject) -> Option<Probe<'_>> {
        let spot = self.spot_of(subject.part(line), rule);
        let mut probe = Probe::new(spot, slots.line(line), 1);
        let seen = (0..STARTS).any(|_| {
            probe.look();
            probe.read(self.now()).is_ok()
        });
        seen.then_some(probe)
    }

    /// The refusal of a banned key: until the ban is over, and for longer if no slot is free then.
    pub(super) fn banned_slot(&self, rule: u8, slots: Slots, subject: Subject) -> Option<Taken> {
        let ms = self.banned_until(subject)?.saturating_sub(self.now());
        let free_after = |line| match self.seen(rule, slots, line, subject) {
            Some(probe) if !probe.fits() => probe.refusal().retry_after_ms,
            Some(_) | None => 0,
        };
        (ms > 0).then(|| {
            self.note(Event::Banned);
            let free = (0..slots.lines()).map(free_after).min().unwrap_or(0);
            Taken { table_full: false, retry_after_ms: ms.max(free) }
        })
    }
}
