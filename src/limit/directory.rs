//! A table's rules: which number is which quota, in all processes that share the table.
//!
//! Two words a rule: `{identity: 64}`, the hash of its name and quota, and `{window_ms: 40 | limit: 24}`. Both go
//! from 0 to their value once and never change, so a number means one quota as long as the table lives: a
//! policy that is loaded again finds its rules, and a quota that was changed becomes a new one beside the old.

#![forbid(unsafe_code)]

use super::bucket::Bucket;
use super::layout::{Layout, Line, RULES};
use super::quota::Quota;
use super::window::Window;
use crate::sync::Word;

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

    /// The number of a quota that hashes to `identity` (not 0): the one it has, or the next; `None` when all are taken.
    pub(super) fn number(self, identity: u64, quota: Quota) -> Option<u8> {
        // The quota's own two numbers fit a bucket's.
        let shape = Bucket::new(quota.window_ms, u64::from(quota.limit));
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
