//! A set: eight tags and their lines, as atomics. What can be read of it, and the single steps that change it.

#![forbid(unsafe_code)]

use super::bucket::Bucket;
use super::layout::{Line, SET_LINES, WAYS};
use super::memory;
use super::planted::{self, Fault};
use super::tag::{Identity, Tag};
use super::window::{LINE, Step};

/// Some of a set's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ways(u8);

impl Ways {
    /// The first of them.
    #[inline]
    pub(super) fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize)
    }

    /// Whether there is none.
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All but the first.
    #[inline]
    pub(super) fn rest(self) -> Self {
        Self(self.0 & self.0.wrapping_sub(1))
    }
}

impl IntoIterator for Ways {
    type Item = usize;
    type IntoIter = Each;

    #[inline]
    fn into_iter(self) -> Each {
        Each(self)
    }
}

/// The lines of [`Ways`], first to last.
pub(super) struct Each(Ways);

impl Iterator for Each {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let way = self.0.first()?;
        self.0 = self.0.rest();
        Some(way)
    }
}

/// Eight lines and their tags.
#[derive(Clone, Copy)]
pub(super) struct Set<'t> {
    lines: &'t [Line; SET_LINES],
    /// Its first line's index in the table: what makes two sets different.
    index: usize,
}

impl<'t> Set<'t> {
    /// The set that starts at a line of the table; [`SET_LINES`] of them.
    #[inline]
    pub(super) fn new(table: &'t [Line], index: usize) -> Self {
        Self { lines: table[index..].first_chunk().expect("whole sets"), index }
    }

    /// What tells a key of this set from all keys of the table.
    pub(super) fn name(self, identity: Identity) -> u64 {
        identity.named_in(self.index)
    }

    /// Begins to bring the set into the processor's cache: in a large table it comes from memory. All of it, since which
    /// line will be read is known only when the tags are there; nine lines that lie side by side come nearly as soon as
    /// one, and the next key of the set finds them. Of 100,000 keys a hit takes little more than half as long as with the
    /// tags and the likeliest line alone.
    #[inline]
    pub(super) fn expect(self) {
        self.lines.iter().for_each(memory::fetch);
    }

    /// The tag of a line.
    #[inline]
    pub(super) fn tag(self, way: usize) -> Tag {
        Tag(self.lines[0].0[way].load())
    }

    /// Changes a tag from what was read; false if it was changed by somebody else.
    #[inline]
    pub(super) fn turn(self, way: usize, old: Tag, new: Tag) -> bool {
        self.lines[0].0[way].swap_if(old.0, new.0)
    }

    /// All tags.
    #[inline]
    pub(super) fn tags(self) -> [Tag; WAYS] {
        // A loop, here and below: `array::from_fn` was a call for each word.
        let mut tags = [Tag(0); WAYS];
        for (way, tag) in tags.iter_mut().enumerate() {
            *tag = self.tag(way);
        }
        tags
    }

    /// The lines of a key: one as a rule, more after two hits have claimed one at once, none of a new key.
    #[inline]
    pub(super) fn of(tags: &[Tag; WAYS], identity: Identity) -> Ways {
        let mut ways = 0;
        // From behind, so that each finds its bit by being shifted there.
        for tag in tags.iter().rev() {
            ways = ways << 1 | u8::from(tag.is_of(identity));
        }
        Ways(ways)
    }

    /// All words of a line.
    #[inline]
    pub(super) fn words(self, way: usize) -> [Bucket; LINE] {
        let mut words = [Bucket::EMPTY; LINE];
        let line = &self.lines[1 + way].0;
        for (index, word) in words.iter_mut().enumerate() {
            *word = Bucket(line[index].load());
        }
        words
    }

    /// Whether all tags are what they were.
    #[expect(clippy::inline_always, reason = "a step of every hit")]
    #[inline(always)]
    pub(super) fn still_has(self, tags: &[Tag; WAYS]) -> bool {
        let mut changed = 0;
        for (way, tag) in tags.iter().enumerate() {
            if planted::is(Fault::FirstTagsVerified) && way >= 2 {
                break;
            }
            changed |= self.tag(way).0 ^ tag.0;
        }
        changed == 0
    }

    /// Whether all words of a line are what they were.
    #[expect(clippy::inline_always, reason = "a step of every hit")]
    #[inline(always)]
    pub(super) fn still_counts(self, way: usize, words: &[Bucket; LINE]) -> bool {
        let line = &self.lines[1 + way].0;
        let mut changed = 0;
        for (index, word) in words.iter().enumerate() {
            changed |= line[index].load() ^ word.0;
        }
        changed == 0
    }

    /// One word of a line.
    #[inline]
    pub(super) fn word(self, way: usize, index: usize) -> Bucket {
        Bucket(self.lines[1 + way].0[index].load())
    }

    /// Changes a word from what was read; false if it was changed by somebody else.
    #[inline]
    pub(super) fn step(self, way: usize, step: Step) -> bool {
        self.lines[1 + way].0[step.index].swap_if(step.old.0, step.new.0)
    }
}
