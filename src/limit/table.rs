//! A table: its memory, its secret, its clock; where a key is looked for, and how it gets a line of its own.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::bucket::Bucket;
use super::directory::Directory;
use super::layout::{Layout, Line, WAYS};
use super::memory::Memory;
use super::overflow::{Overflow, Pair};
use super::planted::{self, Fault};
use super::set::Set;
use super::stats::{self, Event};
use super::subject::{Place, Secret, Spot, Subject};
use super::tag::{Identity, State, Tag};
use super::window::{Frame, Kind, LINE, Stale, Step, Window};
use crate::clock::Clock;
use crate::sync::Word;

/// The rule of bans: no quota has this number.
pub(super) const BANS: u8 = 0;

/// Counts in bounded memory.
pub(super) struct Table {
    pub(super) layout: Layout,
    pub(super) secret: Secret,
    clock: Arc<dyn Clock>,
    memory: Memory,
}

/// What became of the wish for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// There is one now, or somebody else was faster: look again.
    LookAgain,
    /// All lines of the set are live.
    Full,
}

/// Something that is looked at only until a time, so that who does not need it does not pay for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The last hit in the overflow stops counting.
    Overflow = 0,
    /// The last ban ends.
    Bans = 1,
}

impl Table {
    /// A table in memory that has its shape.
    pub(super) fn new(
        layout: Layout,
        secret: Secret,
        clock: Arc<dyn Clock>,
        memory: Memory,
    ) -> Self {
        debug_assert_eq!(memory.lines().len(), layout.lines());
        Self { layout, secret, clock, memory }
    }

    /// The clock, in milliseconds that a stamp can hold.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        self.clock.monotonic_ms().min(Bucket::LAST_MS)
    }

    /// All of its memory.
    #[inline]
    pub(super) fn lines(&self) -> &[Line] {
        self.memory.lines()
    }

    /// The rules.
    #[inline]
    pub(super) fn directory(&self) -> Directory<'_> {
        Directory::new(self.lines())
    }

    /// The set that a place is in.
    #[inline]
    pub(super) fn set(&self, place: Place) -> Set<'_> {
        Set::new(self.lines(), self.layout.set(place.spread))
    }

    /// The sets in which a place of a ban is looked for: its own, and one of the reserve.
    pub(super) fn ban_sets(&self, place: Place) -> impl Iterator<Item = Set<'_>> {
        let reserved = self.layout.reserved_set(place.spread);
        let reserved = reserved.map(|first| Set::new(self.lines(), first));
        std::iter::once(self.set(place)).chain(reserved)
    }

    /// A subject's place, for those who will soon read it.
    #[expect(clippy::inline_always, reason = "a step of every hit")]
    #[inline(always)]
    pub(super) fn spot(&self, subject: Subject, place: Place) -> Spot<'_> {
        let set = self.set(place);
        set.expect();
        Spot { set, subject, place }
    }

    /// A key's cells in the overflow.
    pub(super) fn pair(
        &self,
        set: Set<'_>,
        identity: Identity,
        window: Window,
    ) -> Option<Pair<'_>> {
        let overflow = Overflow::new(&self.lines()[self.layout.overflow()..]);
        overflow.pair(set.name(identity), window)
    }

    /// A rule's window at `now`. A rule that the directory does not know is no reason to forget what it counted.
    fn frame(&self, rule: u8, now: u64) -> Option<Frame> {
        if rule == BANS {
            return Some(Frame::of_bans(now));
        }
        self.directory().window(rule).map(|window| window.at(now))
    }

    /// Counts one event.
    pub(super) fn note(&self, event: Event) {
        stats::count(self.lines(), event);
    }

    /// Until when a part is to be looked at.
    #[inline]
    pub(super) fn until(&self, what: Until) -> u64 {
        self.time(what).load()
    }

    /// Makes everybody look at a part until `ms`, or later.
    pub(super) fn look_until(&self, what: Until, ms: u64) {
        let word = self.time(what);
        loop {
            let old = word.load();
            if old >= ms || word.swap_if(old, ms) {
                return;
            }
        }
    }

    #[inline]
    fn time(&self, what: Until) -> &Word {
        &self.lines()[Layout::TIMES].0[what as usize]
    }

    /// Makes a line that is not [`State::Live`] ready for hits of its key. Rules 6 and 8.
    ///
    /// Any hit of the key does this, whoever left the line so: nobody waits for a worker that may be dead.
    #[cold]
    pub(super) fn settle(&self, set: Set<'_>, way: usize, tag: Tag) {
        if tag.state() == State::Born
            && !planted::is(Fault::NothingCarried)
            && self.carry_in(set, way, tag).is_err()
        {
            return;
        }
        // Fails if somebody else was faster, who then did the same.
        let _ = set.turn(way, tag, tag.turned(State::Live));
    }

    /// Writes what the overflow knows of a newborn line's key into the word that is for it. Rule 6.
    ///
    /// The word is never taken back and only ever grows, so it does not matter how many do this, nor that one of
    /// them comes so late that the line is another newborn's: the last before [`State::Live`] has seen to it
    /// that the word has what this key needs.
    fn carry_in(&self, set: Set<'_>, way: usize, tag: Tag) -> Result<(), Stale> {
        let now = self.now();
        let carried = self.carried(set, tag, now)?;
        loop {
            let old = set.word(way, 0);
            if old.count() >= carried && old.ms() >= now && old != Bucket::EMPTY {
                return Ok(());
            }
            // Somebody was faster, and the word is no longer this key's to grow.
            if set.tag(way) != tag {
                return Err(Stale);
            }
            let new = Bucket::new(old.ms().max(now), old.count().max(carried));
            if new == old || set.step(way, Step { index: 0, old, new }) {
                return Ok(());
            }
        }
    }

    /// What the overflow knows of a line's key. Partner: `Probe::spill`, which writes the time and the cells before it
    /// reads the tags; here the tag was written before the time and the cells are read.
    pub(super) fn carried(&self, set: Set<'_>, tag: Tag, now: u64) -> Result<u64, Stale> {
        if tag.rule() == BANS || self.until(Until::Overflow) < now {
            return Ok(0);
        }
        // Lines never become free again: a set that has one was never full, and spilled nobody.
        if set.tags().into_iter().any(|tag| tag.state() == State::Free) {
            return Ok(0);
        }
        // Slots are never spilled.
        let window = self.directory().window(tag.rule()).filter(|it| it.kind == Kind::Hits);
        let pair = window.and_then(|window| self.pair(set, tag.identity(), window));
        pair.map_or(Ok(0), |pair| pair.estimate(now))
    }

    /// Gets a line for a key that has none: a free one, or one whose words are all dead. Rules 6 and 7.
    #[cold]
    pub(super) fn claim(&self, set: Set<'_>, place: Place, tags: &[Tag; WAYS], now: u64) -> Claim {
        let give = |way: usize, tag: Tag| {
            let born = tag.given_to(place.identity, State::Born);
            if set.turn(way, tag, born) {
                self.note(Event::Claimed);
                self.settle(set, way, born);
            }
            Claim::LookAgain
        };
        if let Some(way) = place.ways().find(|&way| tags[way].state() == State::Free) {
            return give(way, tags[way]);
        }
        for way in place.ways() {
            let tag = tags[way];
            if tag.state() == State::Born {
                // Its claimer may have died. Settled, it lives for a window and then is evicted like any other.
                self.settle(set, way, tag);
            } else if let Some(frame) = self.frame(tag.rule(), now)
                && is_dead(set, way, &frame)
            {
                let Some(emptied) = evict(set, way, tag, &frame) else { return Claim::LookAgain };
                self.note(Event::Evicted);
                return give(way, emptied);
            }
        }
        Claim::Full
    }

    /// Whether a claim could succeed.
    pub(super) fn has_room(&self, set: Set<'_>, tags: &[Tag; WAYS], now: u64) -> bool {
        tags.iter().enumerate().any(|(way, tag)| match tag.state() {
            State::Free => true,
            State::Born => false,
            State::Live | State::Dying => self.is_dead_line(set, way, *tag, now),
        })
    }

    /// Whether nothing in a line counts, now or later.
    pub(super) fn is_dead_line(&self, set: Set<'_>, way: usize, tag: Tag, now: u64) -> bool {
        self.frame(tag.rule(), now).is_some_and(|frame| is_dead(set, way, &frame))
    }
}

fn is_dead(set: Set<'_>, way: usize, frame: &Frame) -> bool {
    set.words(way).into_iter().all(|word| frame.is_dead(word))
}

/// Takes a dead line from its key: the emptied line's tag, or `None` if somebody else moved. Rule 7.
fn evict(set: Set<'_>, way: usize, tag: Tag, frame: &Frame) -> Option<Tag> {
    let dying = tag.turned(State::Dying);
    // First phase. Partner: `Probe::verify`, which reads the tags after its hit was counted.
    if !set.turn(way, tag, dying) {
        return None;
    }
    // Second phase: whoever counted a hit before it could see the tag is seen here.
    for index in 0..LINE {
        let old = set.word(way, index);
        let emptied = (frame.is_dead(old) || planted::is(Fault::OnePhase))
            && (old == Bucket::EMPTY || set.step(way, Step { index, old, new: Bucket::EMPTY }));
        if !emptied {
            // Fails if a hit of the key was faster, who then did the same.
            let _ = set.turn(way, dying, dying.turned(State::Live));
            return None;
        }
    }
    Some(dying)
}
