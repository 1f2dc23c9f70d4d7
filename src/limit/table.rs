//! A table: its memory, its secret, its clock; where a key is looked for, and how it gets a line of its own.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::bucket::Bucket;
use super::directory::Directory;
use super::layout::{Layout, Line, SET_LINES, WAYS};
use super::set::Set;
use super::subject::{Place, Secret};
use super::tag::{State, Tag};
use super::window::{Frame, LINE, Step};
use crate::clock::Clock;

/// Counts in bounded memory.
pub(super) struct Table {
    pub(super) layout: Layout,
    pub(super) secret: Secret,
    pub(super) clock: Arc<dyn Clock>,
    memory: Vec<Line>,
}

/// What became of the wish for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// There is one now, or somebody else was faster: look again.
    LookAgain,
    /// All lines of the set are live.
    Full,
}

impl Table {
    /// An empty table.
    pub(super) fn new(layout: Layout, secret: Secret, clock: Arc<dyn Clock>) -> Self {
        let memory = std::iter::repeat_with(Line::default).take(layout.lines()).collect();
        Self { layout, secret, clock, memory }
    }

    /// The clock, in milliseconds that a stamp can hold.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        self.clock.monotonic_ms().min(Bucket::LAST_MS)
    }

    /// The rules.
    #[inline]
    pub(super) fn directory(&self) -> Directory<'_> {
        Directory::new(&self.memory)
    }

    /// The set that a place is in.
    #[inline]
    pub(super) fn set(&self, place: Place) -> Set<'_> {
        let first = self.layout.set(place.spread);
        Set::new(&self.memory[first..first + SET_LINES])
    }

    /// Makes a line that is not [`State::Live`] ready for hits of its key. Rules 6 and 8.
    ///
    /// Any hit of the key does this, whoever left the line so: nobody waits for a worker that may be dead.
    #[cold]
    pub(super) fn settle(&self, set: Set<'_>, way: usize, tag: Tag) {
        if tag.state() == State::Born {
            self.carry_in(set, way, 0);
        }
        // Fails if somebody else was faster, who then did the same.
        let _ = set.turn(way, tag, tag.turned(State::Live));
    }

    /// Writes what the overflow knows of a newborn line's key into the word that is for it. Rule 6.
    fn carry_in(&self, set: Set<'_>, way: usize, estimate: u64) {
        loop {
            let old = set.word(way, 0);
            let now = self.now();
            if old.count() >= estimate && old.ms() >= now {
                return;
            }
            let new = Bucket::new(old.ms().max(now), old.count().max(estimate));
            if set.step(way, Step { index: 0, old, new }) {
                return;
            }
        }
    }

    /// Gets a line for a key that has none: a free one, or one whose words are all dead. Rules 5 and 7.
    #[cold]
    pub(super) fn claim(&self, place: Place, tags: &[Tag; WAYS], now: u64) -> Claim {
        let set = self.set(place);
        for (way, &tag) in tags.iter().enumerate() {
            if tag.state() == State::Free {
                let born = tag.given_to(place.identity, State::Born);
                if set.turn(way, tag, born) {
                    self.settle(set, way, born);
                }
                return Claim::LookAgain;
            }
        }
        for (way, &tag) in tags.iter().enumerate() {
            if tag.state() == State::Born {
                // Its claimer may have died. Settled, it lives for a window and then is evicted like any other.
                self.settle(set, way, tag);
            } else if let Some(frame) = self.frame(tag.rule(), now)
                && set.words(way).into_iter().all(|word| frame.is_dead(word))
            {
                if let Some(emptied) = evict(set, way, tag, &frame) {
                    let born = emptied.given_to(place.identity, State::Born);
                    if set.turn(way, emptied, born) {
                        self.settle(set, way, born);
                    }
                }
                return Claim::LookAgain;
            }
        }
        Claim::Full
    }

    /// A rule's window at `now`. A rule that the directory does not know is no reason to forget what it counted.
    fn frame(&self, rule: u8, now: u64) -> Option<Frame> {
        self.directory().window(rule).map(|window| window.at(now))
    }
}

/// Takes a dead line from its key: the emptied line's tag, or `None` if somebody else moved. Rule 7.
fn evict(set: Set<'_>, way: usize, tag: Tag, frame: &Frame) -> Option<Tag> {
    let dying = tag.turned(State::Dying);
    // First phase. Partner: `verify`, which reads the tags after its hit was counted.
    if !set.turn(way, tag, dying) {
        return None;
    }
    // Second phase: whoever counted a hit before it could see the tag is seen here.
    for index in 0..LINE {
        let old = set.word(way, index);
        let emptied = frame.is_dead(old)
            && (old == Bucket::EMPTY || set.step(way, Step { index, old, new: Bucket::EMPTY }));
        if !emptied {
            // Fails if a hit of the key was faster, who then did the same.
            let _ = set.turn(way, dying, dying.turned(State::Live));
            return None;
        }
    }
    Some(dying)
}
