//! One charge of a hit: what was seen of its key, and the four things done about it, in the order of the rules of
//! [`crate::limit`]: look, read, reserve, verify; and undo.

#![forbid(unsafe_code)]

use super::Decision;
use super::bucket::Bucket;
use super::layout::WAYS;
use super::overflow::Pair;
use super::planted::{self, Fault};
use super::set::{Set, Ways};
use super::subject::{Place, Spot, Subject};
use super::table::{Claim, Table, Until};
use super::tag::{State, Tag};
use super::window::{Frame, LINE, Stale, Step, Window};

/// One charge, and what was seen of it at the last look.
#[derive(Clone, Copy)]
pub(super) struct Probe<'t> {
    /// Its index in the caller's list.
    charge: usize,
    set: Set<'t>,
    subject: Subject,
    place: Place,
    window: Window,
    cost: u64,
    tags: [Tag; WAYS],
    ways: Ways,
    /// The tag of the key's first line.
    tag: Tag,
    frame: Frame,
    /// The words of the key's first line, with the hit in them.
    words: [Bucket; LINE],
    sum: u64,
    step: Option<Step>,
    /// Where the key is counted if it has no line and its set has room for none.
    pair: Option<Pair<'t>>,
}

impl<'t> Probe<'t> {
    /// Of a rule whose window is known.
    #[expect(
        clippy::inline_always,
        reason = "a step of every hit; a call of each was a fifth of it"
    )]
    #[inline(always)]
    pub(super) fn new(Spot { set, subject, place }: Spot<'t>, window: Window, cost: u32) -> Self {
        Self {
            charge: 0,
            set,
            subject,
            place,
            window,
            cost: u64::from(cost),
            tags: [Tag(0); WAYS],
            ways: Ways::default(),
            tag: Tag(0),
            frame: Frame::of_bans(0),
            words: [Bucket::EMPTY; LINE],
            sum: 0,
            step: None,
            pair: None,
        }
    }

    /// The same probe, for the charge at `index` of the caller's list.
    #[inline]
    pub(super) fn of_charge(mut self, index: usize) -> Self {
        self.charge = index;
        self
    }

    /// Whether two charges of one hit count in the same words.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place
    }

    /// Adds another charge's cost to this one's.
    pub(super) fn add(&mut self, other: &Self) {
        self.cost += other.cost;
    }

    /// Reads the tags. Partner: `Table::claim` and `evict`, which change them before they touch the words.
    #[expect(
        clippy::inline_always,
        reason = "a step of every hit; a call of each was a fifth of it"
    )]
    #[inline(always)]
    pub(super) fn look(&mut self) {
        let tags = self.set.tags();
        self.ways = Set::of(&tags, self.place.identity);
        self.tag = self.ways.first().map_or(Tag(0), |way| tags[way]);
        self.tags = tags;
    }

    /// Whether all lines of the key can be counted in; settles the first that cannot.
    #[inline]
    pub(super) fn is_settled(&self, table: &Table) -> bool {
        for way in self.ways {
            if self.tags[way].state() != State::Live && !planted::is(Fault::CountedUnsettled) {
                if !planted::is(Fault::Waits) {
                    table.settle(self.set, way, self.tags[way]);
                }
                return false;
            }
        }
        true
    }

    /// Whether the key has one line, which can be counted in: as usual.
    #[inline]
    pub(super) fn has_one_line(&self) -> bool {
        !self.ways.is_empty() && self.ways.rest().is_empty() && self.tag.state() == State::Live
    }

    /// Reads the words, after the clock.
    #[expect(
        clippy::inline_always,
        reason = "a step of every hit; a call of each was a fifth of it"
    )]
    #[inline(always)]
    pub(super) fn read(&mut self, now: u64) -> Result<(), Stale> {
        self.frame = self.window.at(now);
        self.sum = 0;
        self.step = None;
        self.pair = None;
        let Some(first) = self.ways.first() else { return Ok(()) };
        let mut words = self.set.words(first);
        self.sum = self.frame.sum(&words)?;
        if !self.ways.rest().is_empty() {
            self.sum += sum_of(self.set, self.frame, self.ways.rest(), false)?;
        }
        self.step = self.frame.place(&words, self.cost);
        if let Some(step) = self.step {
            words[step.index] = step.new;
        }
        self.words = words;
        Ok(())
    }

    /// For those who count nothing: adds what the overflow knows of a key that has no line, or some that were just born.
    pub(super) fn read_overflow(&mut self, table: &'t Table) -> Result<(), Stale> {
        for way in self.ways {
            if self.tags[way].state() != State::Live {
                self.sum += table.carried(self.set, self.tags[way], self.frame.now)?;
            }
        }
        if !self.is_homeless() {
            return Ok(());
        }
        let born = Tag(0).given_to(self.place.identity, State::Born);
        let carried = table.carried(self.set, born, self.frame.now)?;
        self.sum += carried;
        if carried > 0 || !table.has_room(self.set, &self.tags, self.frame.now) {
            self.pair = table.pair(self.set, self.place.identity, self.window);
        }
        Ok(())
    }

    /// Gets a line for the key.
    pub(super) fn claim(&self, table: &Table, now: u64) -> Claim {
        table.claim(self.set, self.place, &self.tags, now)
    }

    /// Whether the key has no line, cannot get one, and cannot be counted elsewhere.
    pub(super) fn has_no_room(&self, table: &Table) -> bool {
        self.is_homeless()
            && self.pair.is_none()
            && !table.has_room(self.set, &self.tags, self.frame.now)
    }

    /// Counts the key in the overflow from now on; false if the table has none.
    #[cold]
    pub(super) fn spill(&mut self, table: &'t Table) -> Result<bool, Stale> {
        self.pair = table.pair(self.set, self.place.identity, self.window);
        let Some(pair) = &self.pair else { return Ok(false) };
        self.sum = pair.estimate(self.frame.now)?;
        if planted::is(Fault::SpillUntold) {
            return Ok(true);
        }
        // Partner: `Table::carried`, which reads the time after it has written a tag.
        table.look_until(Until::Overflow, pair.end(self.frame.now)?);
        Ok(true)
    }

    /// Whether the key is counted in the overflow.
    pub(super) fn is_spilled(&self) -> bool {
        self.pair.is_some()
    }

    /// Whether it does not fit together with the others of its hit that are counted in a cell of its own.
    pub(super) fn is_crowded_by(&self, probes: &[Self]) -> bool {
        let Some(pair) = &self.pair else { return false };
        let meets = |other: &&Self| other.pair.as_ref().is_some_and(|it| it.meets(pair));
        let cost: u64 = probes.iter().filter(meets).map(|other| other.cost).sum();
        self.sum + pair.rounded(cost) > self.frame.limit
    }

    /// Whether the key has no line.
    #[inline]
    pub(super) fn is_homeless(&self) -> bool {
        self.ways.first().is_none()
    }

    #[inline]
    pub(super) fn fits(&self) -> bool {
        let cost = self.pair.map_or(self.cost, |pair| pair.rounded(self.cost));
        self.sum + cost <= self.frame.limit
    }

    /// Whether the first line has changed hands since the tags were read, so that the words may be another key's: one
    /// with another window, by which they count though by this one they are dead. Partner: `Table::claim` and `evict`,
    /// which change the tag before they touch the words.
    #[inline]
    pub(super) fn has_moved(&self) -> bool {
        !planted::is(Fault::WordsOfAnother)
            && self.ways.first().is_some_and(|way| self.set.tag(way) != self.tag)
    }

    /// Counts the hit. Rule 3.
    #[inline]
    pub(super) fn reserve(&mut self) -> bool {
        if let Some(pair) = &mut self.pair {
            let added = pair.add(self.frame.now, self.cost).is_ok();
            if !added {
                pair.undo(self.cost);
            }
            return added;
        }
        self.reserve_in_line()
    }

    /// Counts the hit in the key's line, if it is still the key's, and nobody has changed the word since it was read.
    #[expect(
        clippy::inline_always,
        reason = "a step of every hit; a call of each was a fifth of it"
    )]
    #[inline(always)]
    pub(super) fn reserve_in_line(&self) -> bool {
        let Some(way) = self.ways.first() else { return false };
        // A log whose words are all taken has none for a hit that counts nothing, and needs none.
        let Some(step) = self.step else { return self.cost == 0 };
        if self.has_moved() {
            return false;
        }
        if planted::is(Fault::BlindReserve) {
            let now = self.set.word(way, step.index);
            return self.set.step(way, Step { old: now, ..step });
        }
        self.set.step(way, step)
    }

    /// Whether the hit stands: the same lines, nothing newer, and not too much. Rule 4.
    #[inline]
    pub(super) fn verify(&mut self) -> bool {
        self.is_untouched() || self.verify_anew()
    }

    /// Whether the hit stands since nothing at all has changed but for itself: nearly always, and nothing need be worked
    /// out again.
    #[expect(
        clippy::inline_always,
        reason = "a step of every hit; a call of each was a fifth of it"
    )]
    #[inline(always)]
    pub(super) fn is_untouched(&mut self) -> bool {
        if planted::is(Fault::Unverified) {
            return true;
        }
        let Some(way) = self.ways.first() else { return false };
        let untouched = self.ways.rest().is_empty()
            && self.set.still_has(&self.tags)
            && self.set.still_counts(way, &self.words);
        if untouched {
            self.sum += self.cost;
        }
        untouched
    }

    /// The same, whatever has changed.
    #[cold]
    pub(super) fn verify_anew(&mut self) -> bool {
        let again = self.set.tags();
        let tags = if planted::is(Fault::TagsUnverified) { self.tags } else { again };
        if Set::of(&tags, self.place.identity) != self.ways
            || self.ways.into_iter().any(|way| tags[way] != self.tags[way])
        {
            return false;
        }
        let sum = match &self.pair {
            Some(pair) => pair.estimate(self.frame.now),
            None => sum_of(self.set, self.frame, self.ways, true),
        };
        sum.is_ok_and(|sum| {
            self.sum = sum;
            sum <= self.frame.limit
        })
    }

    /// Takes the hit back, unless its word or its line has moved on. Rule 5.
    #[cold]
    pub(super) fn undo(&mut self) {
        if let Some(pair) = &mut self.pair {
            return pair.undo(self.cost);
        }
        let (Some(way), Some(step)) = (self.ways.first(), self.step) else { return };
        loop {
            let old = self.set.word(way, step.index);
            let stamp = if planted::is(Fault::UndoUnstamped) { old.ms() } else { step.new.ms() };
            let Some(new) = old.without(stamp, self.cost) else { return };
            // After the word was read: a line that is still the same key's now was so at that time. Whatever has moved the
            // tag may have emptied the word, and another hit may have counted in it within the same millisecond.
            if self.set.tag(way) != self.tag && !planted::is(Fault::UndoUntagged) {
                return;
            }
            if self.set.step(way, Step { index: step.index, old, new }) {
                return;
            }
        }
    }

    /// Milliseconds for which the key is banned from now on.
    #[cold]
    pub(super) fn banned_for(&self, table: &Table) -> Option<u64> {
        let until = table.banned_until(self.subject)?;
        until.checked_sub(self.frame.now).filter(|ms| *ms > 0)
    }
}

/// What counts in lines of a key, `first` among them or not. By value: a probe whose address is known here would lie in
/// memory all through a hit.
#[cold]
fn sum_of(set: Set<'_>, frame: Frame, ways: Ways, first: bool) -> Result<u64, Stale> {
    let seen = if planted::is(Fault::FirstLineOnly) { usize::from(first) } else { WAYS };
    ways.into_iter().take(seen).map(|way| frame.sum(&set.words(way))).sum()
}

/// A word that somebody holds: the slot that he has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    way: usize,
    index: usize,
    pub(super) word: Bucket,
}

impl Held {
    /// The same place, with another word in it.
    pub(super) fn with(self, word: Bucket) -> Self {
        Self { word, ..self }
    }
}

/// Of slots: see [`super::slots`].
impl Probe<'_> {
    /// The word that was counted.
    pub(super) fn held(&self) -> Option<Held> {
        let (way, step) = (self.ways.first()?, self.step?);
        Some(Held { way, index: step.index, word: step.new })
    }

    /// Whether a held word was there at the last look, and counted at the last reading.
    pub(super) fn has(&self, held: Held) -> bool {
        self.ways.into_iter().any(|way| way == held.way)
            && self.now_in(held) == held.word
            && !self.frame.is_dead(held.word)
    }

    /// Whether a held word is there now. The tag after the word: what another key writes into it is newer.
    pub(super) fn still_has(&self, held: Held) -> bool {
        self.now_in(held) == held.word && self.set.tag(held.way).is_of(self.place.identity)
    }

    /// What is now where a held word was.
    pub(super) fn now_in(&self, held: Held) -> Bucket {
        self.set.word(held.way, held.index)
    }

    /// Changes a held word, if it is still what it was.
    pub(super) fn exchange(&self, held: Held, new: Bucket) -> bool {
        self.set.step(held.way, Step { index: held.index, old: held.word, new })
    }

    /// What counts, of what was read last.
    pub(super) fn used(&self) -> u64 {
        self.sum
    }
}

/// What the caller is told.
impl Probe<'_> {
    /// How little is left: the smaller, the more this charge is worth telling of.
    #[inline]
    pub(super) fn left(&self) -> u64 {
        self.frame.limit.saturating_sub(self.sum)
    }

    pub(super) fn window_ms(&self) -> u64 {
        self.window.ms
    }

    /// Whether it would fit, but for what the overflow knows: of whoever shares the key's cells.
    fn is_crowded_out(&self) -> bool {
        let carried = |way| match self.set.word(way, 0) {
            word if self.frame.is_dead(word) => 0,
            word => word.count(),
        };
        let own = self.sum.saturating_sub(self.ways.into_iter().map(carried).sum());
        self.is_spilled() || own + self.cost <= self.frame.limit
    }

    /// All words of the key, as they are now, if it has several lines.
    fn all_words(&self) -> Vec<Bucket> {
        self.ways.into_iter().flat_map(|way| self.set.words(way)).collect()
    }

    /// Milliseconds until the cost fits, and until nothing counts, in the key's lines.
    fn waits(&self) -> (u64, u64) {
        let (now, cost) = (self.frame.now, self.cost);
        match self.ways.first() {
            Some(way) if self.ways.rest().is_empty() => {
                self.window.waits(now, cost, &mut self.set.words(way))
            }
            _ => self.window.waits(now, cost, &mut self.all_words()),
        }
    }

    #[cold]
    pub(super) fn refusal(&self) -> Decision {
        let now = self.frame.now;
        let (retry, reset) = match &self.pair {
            Some(pair) if self.cost <= self.frame.limit => {
                pair.waits(now, self.cost, self.frame.limit)
            }
            _ => self.waits(),
        };
        Decision {
            allowed: false,
            table_full: self.cost <= self.frame.limit && self.is_crowded_out(),
            reset_after_ms: reset,
            retry_after_ms: retry,
            ..self.admission(0)
        }
    }

    #[inline]
    pub(super) fn admission(&self, reset_after_ms: u64) -> Decision {
        Decision {
            allowed: true,
            table_full: false,
            charge: self.charge,
            limit: self.window.limit,
            remaining: u32::try_from(self.left()).unwrap_or(u32::MAX),
            reset_after_ms,
            retry_after_ms: 0,
        }
    }

    /// Milliseconds until nothing counts, of a hit that was just admitted.
    #[inline]
    pub(super) fn reset_after_hit(&self) -> u64 {
        match &self.pair {
            Some(pair) => pair.waits(self.frame.now, 0, 0).1,
            None => self.reset_after_hit_in_line(),
        }
    }

    /// The same, of a hit in a line: nothing there is newer.
    #[inline]
    pub(super) fn reset_after_hit_in_line(&self) -> u64 {
        self.frame.death() - self.frame.now
    }

    /// Milliseconds until nothing counts, whatever was seen.
    pub(super) fn reset_after(&self) -> u64 {
        match &self.pair {
            Some(_) => self.reset_after_hit(),
            None => self.waits().1,
        }
    }
}
