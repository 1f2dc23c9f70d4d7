//! The names that an object may have: recognised before they are read.
//!
//! Programs write the members of an object in the same order again and again. So the next name is guessed from the
//! last one, and the guess is compared with the text as it stands there, quotes and colon included, 32 bytes at once:
//! no search for the closing quote, no hash, and the comparison is all that a right guess costs. A wrong one costs a
//! look-up.
//!
//! What followed a name is remembered for each name of the plan, two names at most, and so in memory that is known
//! when the schemas are compiled: no sequence of bodies makes it grow. Only bodies that were accepted teach. A body
//! that was written to mislead costs others a look-up a member until the usual order has been seen again; it can change
//! no answer, as a guess counts only if the bytes are the same.

#![allow(clippy::inline_always, reason = "a part of the parser's loop")]

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::kinds::Kinds;
use super::node::{Ix, Node};
use crate::json::Ahead;
use crate::sync::Hint;

/// The bytes that are compared at once. Nearly all names of real schemas fit with quotes and colon; at half, a third
/// of them would not.
const BLOCK: usize = 32;

/// A place among an object's names: 0 is before the first, names count from 1.
pub(super) type Position = u32;

/// Before the first name.
pub(super) const START: Position = 0;

/// A name, with all that a right guess needs of it and of what comes next: one line of the processor's cache, as long
/// as it fits a block.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Name {
    /// `"name":`, or its beginning, and zeros.
    block: [u64; 4],
    /// What came after it; [`START`], which is never met, for nothing.
    next: [Hint; 2],
    /// Bytes with quotes and colon; 0 if it needs escapes, and so can be spelled in several ways.
    bytes: u32,
    /// What its values follow.
    pub(super) place: Ix,
    /// The kinds of which every value does.
    pub(super) plain: Kinds,
}

/// A name that is likely to come next, and its bytes; none of the latter if nothing is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'n> {
    name: &'n Name,
    position: Position,
    bytes: u32,
}

impl Default for Expected<'_> {
    fn default() -> Self {
        Self { name: &NOTHING, position: START, bytes: 0 }
    }
}

/// No name.
static NOTHING: Name = Name {
    block: [0; 4],
    next: [const { Hint::new(START) }; 2],
    bytes: 0,
    place: Ix::NOTHING,
    plain: Kinds::NONE,
};

/// A name in full.
#[derive(Debug, Default)]
struct Spelling {
    /// With quotes and colon; empty if it needs escapes.
    quoted: Box<[u8]>,
    text: Box<str>,
}

/// The declared names of an object.
#[derive(Debug)]
pub(super) struct Names {
    /// What is likely to come first.
    first: [Hint; 2],
    list: Box<[Name]>,
    known: Box<Known>,
}

/// What is needed of names that nobody expected.
#[derive(Debug)]
struct Known {
    spellings: Vec<Spelling>,
    /// Positions; 0 is free. A power of two, at most half full.
    table: Vec<Position>,
}

impl Names {
    pub(super) fn new(declared: Vec<(String, Ix)>) -> Self {
        let (mut list, mut spellings) = (Vec::new(), Vec::new());
        let mut table = vec![0; (declared.len() * 2).next_power_of_two().max(2)];
        let mask = table.len() - 1;
        for (position, (text, place)) in (1..).zip(declared) {
            let mut at = hash(&text);
            while let Some(slot) = table.get_mut(at & mask) {
                if *slot == 0 {
                    *slot = position;
                    break;
                }
                at = at.wrapping_add(1);
            }
            let spelling = Spelling::new(text);
            list.push(Name::new(&spelling.quoted, place));
            spellings.push(spelling);
        }
        // As they are declared, until bodies teach better.
        let first = [Hint::new(START), Hint::new(START)];
        let nexts = std::iter::once(&first).chain(list.iter().map(|name: &Name| &name.next));
        for ([next, _], (_, position)) in nexts.zip(list.iter().zip(1..)) {
            next.set(position);
        }
        Self { first, list: list.into(), known: Box::new(Known { spellings, table }) }
    }

    /// Tells each name which kinds are valid at its place, when the places are laid out.
    pub(super) fn settle(&mut self, nodes: &[Node]) {
        for name in &mut self.list {
            name.plain = nodes.get(name.place.index()).map_or(Kinds::NONE, |node| node.plain);
        }
    }

    /// Words of bits that the names need.
    #[inline]
    pub(super) fn words(&self) -> usize {
        self.list.len().div_ceil(64)
    }

    #[inline]
    pub(super) fn get(&self, position: Position) -> Option<&Name> {
        self.list.get(index(position))
    }

    fn spelling(&self, position: Position) -> Option<&Spelling> {
        self.known.spellings.get(index(position))
    }

    /// A name in full, unescaped.
    pub(super) fn text(&self, position: Position) -> Option<&str> {
        self.spelling(position).map(|name| &*name.text)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Ix> + '_ {
        self.list.iter().map(|name| name.place)
    }

    /// The names, and what their values follow.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&str, Ix)> {
        self.known.spellings.iter().map(|spelling| &*spelling.text).zip(self.places())
    }

    pub(super) fn find(&self, text: &str) -> Option<Position> {
        let mut at = hash(text);
        loop {
            // The table is never full, so that a free slot ends every search.
            let table = &self.known.table;
            let position = *table.get(at & table.len().wrapping_sub(1))?;
            if position == START {
                return None;
            }
            if *self.spelling(position)?.text == *text {
                return Some(position);
            }
            at = at.wrapping_add(1);
        }
    }

    /// What came after a name, or first.
    #[inline]
    fn after(&self, last: Position) -> Option<&[Hint; 2]> {
        if last == START { Some(&self.first) } else { self.get(last).map(|name| &name.next) }
    }

    /// What is most likely to come after a name, or first. Asked for as soon as that is known, the next line of the
    /// cache is there when it is needed.
    #[inline]
    pub(super) fn expected(&self, last: Position) -> Expected<'_> {
        self.after(last).map_or_else(Expected::default, |[next, _]| self.expect(next))
    }

    #[inline]
    fn expect(&self, next: &Hint) -> Expected<'_> {
        let position = next.get();
        let name = self.get(position).unwrap_or(&NOTHING);
        Expected { name, position, bytes: name.bytes }
    }

    #[inline]
    pub(super) fn expected_after(&self, name: &Name) -> Expected<'_> {
        self.expect(&name.next[0])
    }

    /// The name that begins `ahead`, if it is one of those that are likely to come after `last`.
    #[inline(always)]
    pub(super) fn guess<'n>(
        &'n self,
        last: Position,
        expected: Expected<'n>,
        ahead: Ahead<'_>,
    ) -> Option<(Position, &'n Name)> {
        let Expected { name, position, bytes } = expected;
        if name.begins(&words(ahead.block), bytes)
            && (widen(bytes) <= BLOCK || self.is_all(position, ahead.rest))
        {
            return Some((position, name));
        }
        self.guess_again(last, ahead.rest)
    }

    /// By whole names, where the first guess was wrong or the text has less than a block left.
    #[inline(never)]
    fn guess_again(&self, last: Position, ahead: &[u8]) -> Option<(Position, &Name)> {
        let hints = self.after(last)?;
        let position = hints.iter().map(Hint::get).find(|at| self.is_all(*at, ahead))?;
        Some((position, self.get(position)?))
    }

    #[inline(never)]
    fn is_all(&self, position: Position, ahead: &[u8]) -> bool {
        let spelling = self.spelling(position);
        spelling.is_some_and(|name| !name.quoted.is_empty() && ahead.starts_with(&name.quoted))
    }

    /// Remembers that `next` came after `last`, in a body that was accepted.
    pub(super) fn learn(&self, last: Position, next: Position) {
        if let Some([first, second]) = self.after(last)
            && first.get() != next
            && second.get() != next
        {
            second.set(first.get());
            first.set(next);
        }
    }
}

impl Spelling {
    fn new(text: String) -> Self {
        let plain = !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        let quoted = if plain { format!("\"{text}\":").into_bytes() } else { Vec::new() };
        Self { quoted: quoted.into(), text: text.into() }
    }
}

impl Name {
    fn new(quoted: &[u8], place: Ix) -> Self {
        let mut block = [0; BLOCK];
        for (to, from) in block.iter_mut().zip(quoted) {
            *to = *from;
        }
        let bytes = u32::try_from(quoted.len()).unwrap_or(0);
        Self { block: words(&block), bytes, place, ..Self::default() }
    }

    /// Bytes with its quotes and its colon.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        widen(self.bytes)
    }

    /// Whether the text begins as the name of so many bytes does, as far as a block goes.
    #[inline]
    fn begins(&self, ahead: &[u64; 4], bytes: u32) -> bool {
        let mask = mask(bytes);
        let differs = std::array::from_fn(|n| (self.block[n] ^ ahead[n]) & mask[n]);
        // Of no bytes everything is the beginning; such a name must be read. (The comparison is one instruction where the
        // processor has AVX2.)
        differs == [0_u64; 4] && bytes != 0
    }
}

/// A block of ones before a block of zeros, in one line of the processor's cache.
#[repr(align(64))]
struct Edge([u8; 2 * BLOCK]);

static EDGE: Edge = {
    let mut edge = [0; 2 * BLOCK];
    let (ones, _) = edge.split_at_mut(BLOCK);
    let mut byte = 0;
    while byte < BLOCK {
        ones[byte] = u8::MAX;
        byte += 1;
    }
    Edge(edge)
};

/// The first so many bytes of a block.
#[inline(always)]
fn mask(bytes: u32) -> [u64; 4] {
    let from = BLOCK - widen(bytes).min(BLOCK);
    EDGE.0[from..].first_chunk().map_or([0; 4], words)
}

#[inline]
fn words(bytes: &[u8; BLOCK]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// Where a name has its bit, of those that an object's names have: which word, and the bit in it.
#[inline]
pub(super) fn bit(position: Position) -> (usize, u64) {
    let index = position.wrapping_sub(1);
    (widen(index / 64), 1 << (index % 64))
}

/// The index of a position in a list; before the first name, one that no list has.
#[inline]
fn index(position: Position) -> usize {
    widen(position.wrapping_sub(1))
}

#[inline]
fn widen(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Not seeded: what an attacker sends is looked up in a table that only the schemas' author fills.
fn hash(text: &str) -> usize {
    let hash = FixedState::with_seed(0).hash_one(text);
    usize::try_from(hash & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Names {
        Names::new(texts.iter().map(|text| ((*text).to_owned(), Ix::ANY)).collect())
    }

    fn guess_after<'n>(
        names: &'n Names,
        last: Position,
        ahead: &str,
    ) -> Option<(Position, &'n Name)> {
        let rest = ahead.as_bytes();
        let mut block = [0; BLOCK];
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        names.guess(last, names.expected(last), Ahead { block: &block, rest })
    }

    #[test]
    fn a_name_is_a_line_of_the_cache() {
        assert_eq!((size_of::<Name>(), align_of::<Name>()), (64, 64));
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        let texts: Vec<String> = (0..500).map(|n| format!("name{n}")).collect();
        for count in [0, 1, 2, 3, 100, 500] {
            let some: Vec<&str> = texts.iter().take(count).map(String::as_str).collect();
            let names = names(&some);
            for (index, text) in texts.iter().enumerate() {
                let position = u32::try_from(index + 1).unwrap();
                assert_eq!(names.find(text), (index < count).then_some(position));
            }
        }
    }

    #[test]
    fn a_guess_is_the_bytes_themselves() {
        let long = "a_name_that_is_longer_than_one_block_of_bytes";
        let names = names(&["id", "node_id", "quo\"te", long, ""]);
        let guess = |last: Position, ahead: &str| {
            // With and without other bytes behind.
            let padded = format!("{ahead}{}", " ".repeat(40));
            let there = guess_after(&names, last, &padded).map(|(at, name)| (at, name.bytes()));
            assert_eq!(
                there,
                guess_after(&names, last, ahead).map(|(at, name)| (at, name.bytes())),
                "{ahead}"
            );
            there
        };
        assert_eq!(guess(START, r#""id":1"#), Some((1, 5)));
        assert_eq!(guess(1, r#""node_id":"#), Some((2, 10)));
        for other in [
            r#""id" :1"#,
            r#""ids":1"#,
            r#""i":1"#,
            r#""id"#,
            "",
            r#""node_id":"#,
            r#""\u0069d":1"#,
        ] {
            assert_eq!(guess(START, other), None, "{other}");
        }
        assert_eq!(guess(2, "\"quo\\\"te\":"), None, "a name with escapes is read");
        assert_eq!(guess(3, &format!("\"{long}\":")), Some((4, long.len() + 3)));
        assert_eq!(guess(3, &format!("\"{long}s\":")), None);
        assert_eq!(guess(3, "\"a_name_that_is_longer_than_one_block_of_another\":"), None);
        assert_eq!(guess(4, "\"\":"), Some((5, 3)));
        assert_eq!(guess(5, "\"id\":"), None);
    }

    #[test]
    fn two_that_came_after_a_name_are_remembered() {
        let names = names(&["a", "b", "c", "d"]);
        let after_a = |text: &str| guess_after(&names, 1, text).map(|(position, _)| position);
        assert_eq!((after_a("\"b\":"), after_a("\"d\":")), (Some(2), None));
        names.learn(1, 4);
        assert_eq!((after_a("\"b\":"), after_a("\"d\":")), (Some(2), Some(4)));
        names.learn(1, 3);
        assert_eq!(
            (after_a("\"b\":"), after_a("\"c\":"), after_a("\"d\":")),
            (None, Some(3), Some(4))
        );
    }
}
