//! What operators do to keys: ban them, lift the ban, forget their counts.
//!
//! A ban is a line of its own rule, [`BANS`], whose first word is a [`Bucket`] with the time until which it lasts for a
//! stamp, and its `mark` for a count.

#![forbid(unsafe_code)]

use super::bucket::Bucket;
use super::planted::{self, Fault};
use super::set::Set;
use super::subject::{Place, Subject};
use super::table::{BANS, Claim, Table, Until};
use super::tag::{State, Tag};
use super::window::{LINE, Step};
use crate::sync::{again, forget_but};

/// How often an operator's step starts again before it gives up.
const STARTS: usize = 1_000;

/// How often the clock is read until its millisecond is over: some milliseconds' worth. A clock that stands still
/// for longer is a test's, where nobody races.
const READINGS: usize = 200_000;

impl Table {
    /// Refuses all hits of a subject until `ms` (of the table's clock), or later if it is banned for longer; false if
    /// the sets of its ban are full of live lines.
    pub(super) fn ban(&self, subject: Subject, ms: u64) -> bool {
        let place = subject.place(BANS);
        self.ban_sets(place).any(|set| self.ban_in(set, place, ms))
    }

    /// The same, in one set. A key that has got bans in both is banned by either.
    fn ban_in(&self, set: Set<'_>, place: Place, ms: u64) -> bool {
        for begun in 0..STARTS {
            forget_but(begun, ms);
            let tags = set.tags();
            let Some(way) = Set::of(&tags, place.identity).first() else {
                match self.claim(set, place, &tags, self.now()) {
                    Claim::LookAgain => continue,
                    Claim::Full => return false,
                }
            };
            if tags[way].state() != State::Live {
                self.settle(set, way, tags[way]);
                continue;
            }
            let old = set.word(way, 0);
            // Emptied, perhaps by an eviction that is under way, which would not look again: a ban written now could
            // stay in a line that goes to another key, and refuse it. A stamp cannot, and the next start sees it.
            if old == Bucket::EMPTY {
                let _ =
                    set.step(way, Step { index: 0, old, new: Bucket::new(self.now().max(1), 0) });
                continue;
            }
            // After the word was read: while it holds this the line is the ban's, and an eviction that comes to the word
            // later sees the ban, and gives the line back. Partner: `evict`.
            if set.tag(way) != tags[way] && !planted::is(Fault::BanUnchecked) {
                continue;
            }
            let new = Bucket::new(old.ms().max(ms), mark(tags[way]));
            if set.step(way, Step { index: 0, old, new }) {
                self.look_until(Until::Bans, new.ms());
                return true;
            }
        }
        false
    }

    /// Lifts a ban.
    pub(super) fn unban(&self, subject: Subject) {
        let place = subject.place(BANS);
        for set in self.ban_sets(place) {
            for way in Set::of(&set.tags(), place.identity) {
                // The line stays its key's for this millisecond: the next one's stamps are newer than any that it was
                // born with.
                clear(set, way, 0, place, |old| (old.count() > 0).then(|| self.lifted()));
                if planted::is(Fault::LiftedInOneLine) {
                    break;
                }
            }
        }
    }

    /// What is left of a ban.
    fn lifted(&self) -> Bucket {
        let now = self.now().max(1);
        if planted::is(Fault::LiftedBare) { Bucket::EMPTY } else { Bucket::new(now, 0) }
    }

    /// Until when a subject is banned, if it is: a count of 0 is a line that was just born, any other one its `mark`.
    pub(super) fn banned_until(&self, subject: Subject) -> Option<u64> {
        let place = subject.place(BANS);
        let bans = self.ban_sets(place).flat_map(|set| {
            Set::of(&set.tags(), place.identity).into_iter().map(move |way| set.word(way, 0))
        });
        bans.filter(|word| word.count() > 0).map(Bucket::ms).max()
    }

    /// Forgets what a subject has used of a rule. Hits that are decided meanwhile may be forgotten too.
    pub(super) fn reset(&self, subject: Subject, rule: u8) {
        let place = subject.place(rule);
        let set = self.set(place);
        for way in Set::of(&set.tags(), place.identity) {
            let uncounted = |old: Bucket| Bucket::new(old.ms(), 0);
            clear(set, way, 0, place, |old| (old.count() > 0).then(|| uncounted(old)));
            for index in 1..LINE {
                clear(set, way, index, place, |old| {
                    keep(set, way, old.ms());
                    (old != Bucket::EMPTY).then_some(Bucket::EMPTY)
                });
            }
            // A hit that has counted, and lost its count here, sees the tag, and takes nothing back.
            loop {
                let tag = set.tag(way);
                if !tag.is_of(place.identity) || set.turn(way, tag, tag.turned(tag.state())) {
                    break;
                }
            }
        }
        // A hit that looked at the tag just before may still take itself back, in a word of this millisecond: no hit
        // after the reset may be stamped with the same one.
        self.wait_for_next_ms();
    }

    fn wait_for_next_ms(&self) {
        let start = self.now();
        for _ in 0..READINGS {
            if self.now() > start {
                return;
            }
            again();
            std::hint::spin_loop();
        }
    }
}

/// What a ban's word counts: another number in each tenure of a line, and one that no count carried in comes near.
///
/// A ban that is lifted frees its line at once, long before the time that it is stamped with. Whoever had read the word
/// before must not take the next one for it, though that may bear the same time.
fn mark(tag: Tag) -> u64 {
    let version =
        if planted::is(Fault::BanUnmarked) { Bucket::MAX_COUNT - 1 } else { tag.version() };
    Bucket::MAX_COUNT - version
}

/// Changes a word of a key's line, as long as the line is that key's, and there is something to change.
///
/// The tag is read after the word, and the next key's words are none that this one's have been: so what was read while the
/// line was still this key's is exchanged only if it still is. What counts hits is newer then (`evict` takes no line before
/// all of its words are dead, and `keep` leaves one that is not where they are emptied); bans are told apart by `mark`.
fn clear(
    set: Set<'_>,
    way: usize,
    index: usize,
    place: Place,
    cleared: impl Fn(Bucket) -> Option<Bucket>,
) {
    loop {
        let old = set.word(way, index);
        let Some(new) = cleared(old) else { return };
        if !set.tag(way).is_of(place.identity) && !planted::is(Fault::ClearedBlind) {
            return;
        }
        if set.step(way, Step { index, old, new }) {
            return;
        }
    }
}

/// Stamps the word of a line that counts no hits, so that the line stays its key's for as long as a word of this time.
fn keep(set: Set<'_>, way: usize, ms: u64) {
    loop {
        let old = set.word(way, 0);
        if old.ms() >= ms || planted::is(Fault::ResetBare) {
            return;
        }
        if set.step(way, Step { index: 0, old, new: Bucket::new(ms, old.count()) }) {
            return;
        }
    }
}
