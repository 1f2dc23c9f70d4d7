//! A table's rules: which number is which quota, in all processes that share the table.
//!
//! Two words a rule: `{identity: 64}`, the hash of its name and quota, and `{kind: 1 | window_ms: 39 | limit: 24}`, where
//! the kind is 0 for a quota of hits, and 1 for slots, whose window is their lease. Both go
//! from 0 to their value once and never change, so a number means one quota as long as the table lives: a
//! policy that is loaded again finds its rules, and a quota that was changed becomes a new one beside the old.

#![forbid(unsafe_code)]

use super::bucket::Bucket;
use super::layout::{Layout, Line, RULES};
use super::quota::Quota;
use super::slots::Slots;
use super::window::{Kind, Window};
use crate::sync::Word;

/// The bit of a rule that counts slots: the last one of the milliseconds, of which a window has 35.
const SLOTS: u64 = (Bucket::LAST_MS + 1) >> 1;

/// The directory of a table.
#[derive(Clone, Copy)]
pub(super) struct Directory<'t> {
    lines: &'t [Line],
}

impl<'t> Directory<'t> {
    /// Of a whole table's memory.
    #[inline]
    pub(super) fn new(lines: &'t [Line]) -> Self {
        Self { lines }
    }

    /// The number of a rule that hashes to `identity` (not 0): the one it has, or the next; `None` when all are taken.
    pub(super) fn number(self, identity: u64, window: Window) -> Option<u8> {
        // Its numbers fit a bucket's, and leave its last bit free.
        let kind = if window.kind == Kind::Slots { SLOTS } else { 0 };
        let shape = Bucket::new(kind | window.ms, u64::from(window.limit));
        for rule in 1..RULES {
            let rule = u8::try_from(rule).ok()?;
            let [name, numbers] = self.words(rule);
            // Everybody tries the numbers in the same order, and none is given back: one identity, one number.
            if name.load() == identity || name.swap_if(0, identity) || name.load() == identity {
                // Whoever took the number may have died before this: anybody who knows the quota finishes it.
                let _ = numbers.swap_if(0, shape.0);
                return (numbers.load() == shape.0).then_some(rule);
            }
        }
        None
    }

    /// The window of a rule; `None` if its number was never given, or holds nonsense.
    #[inline]
    pub(super) fn window(self, rule: u8) -> Option<Window> {
        let [_, numbers] = self.words(rule);
        let shape = Bucket(numbers.load());
        let limit = u32::try_from(shape.count()).ok()?;
        if shape.ms() & SLOTS != 0 {
            return Slots::new(limit, shape.ms() ^ SLOTS).map(Window::of_slots);
        }
        Quota::new(limit, shape.ms()).ok().map(Window::new)
    }

    /// How many numbers are given.
    pub(super) fn count(self) -> u64 {
        (1..=u8::MAX).filter(|&rule| self.window(rule).is_some()).count() as u64
    }

    #[inline]
    fn words(self, rule: u8) -> [&'t Word; 2] {
        let (line, word) = Layout::rule(rule);
        let line = &self.lines[line].0;
        [&line[word], &line[word + 1]]
    }
}
