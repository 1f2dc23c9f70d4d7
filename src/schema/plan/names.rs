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

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::node::Ix;
use crate::sync::Hint;

/// The bytes that are compared at once. Nearly all names of real schemas fit with quotes and colon; at half, a third
/// of them would not.
const BLOCK: usize = 32;

/// A name, as it stands in a text.
#[derive(Debug)]
pub(super) struct Name {
    /// `"name":`, or its beginning.
    block: [u64; 4],
    mask: [u64; 4],
    /// All of it; empty if it needs escapes, and so can be spelled in several ways.
    quoted: Box<[u8]>,
    text: Box<str>,
    pub(super) place: Ix,
}

/// The declared names of an object.
#[derive(Debug)]
pub(super) struct Names {
    list: Vec<Name>,
    /// Index in `list` and one; 0 is free. A power of two, at most half full.
    table: Vec<u32>,
    /// Two for each name and two for the start.
    hints: Vec<[Hint; 2]>,
}

/// Before the first name.
pub(super) const START: usize = 0;

impl Names {
    pub(super) fn new(declared: Vec<(String, Ix)>) -> Self {
        let list: Vec<Name> =
            declared.into_iter().map(|(name, place)| Name::new(name, place)).collect();
        let mut table = vec![0; (list.len() * 2).next_power_of_two().max(2)];
        let mask = table.len() - 1;
        for (index, name) in (1..).zip(&list) {
            let mut at = hash(&name.text);
            while let Some(slot) = table.get_mut(at & mask) {
                if *slot == 0 {
                    *slot = index;
                    break;
                }
                at = at.wrapping_add(1);
            }
        }
        let hints = (0..=list.len()).map(|next| [Hint::new(next), Hint::none()]).collect();
        Self { list, table, hints }
    }

    pub(super) fn place(&self, index: usize) -> Option<Ix> {
        self.list.get(index).map(|name| name.place)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Ix> + '_ {
        self.list.iter().map(|name| name.place)
    }

    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let mut at = hash(text);
        loop {
            // The table is never full, so that a free slot ends every search.
            let slot = *self.table.get(at & self.table.len().wrapping_sub(1))?;
            let index = usize::try_from(slot.checked_sub(1)?).ok()?;
            if *self.list.get(index)?.text == *text {
                return Some(index);
            }
            at = at.wrapping_add(1);
        }
    }

    /// The name that begins `ahead`, if it is one of those that are likely to come after `last`: its index, and the
    /// bytes up to and with its colon.
    #[inline]
    pub(super) fn guess(&self, last: usize, ahead: &[u8]) -> Option<(usize, &Name)> {
        let hints = self.hints.get(last)?;
        let block: Option<[u64; 4]> = ahead.first_chunk::<BLOCK>().map(words);
        for hint in hints {
            let index = hint.get();
            let name = self.list.get(index)?;
            let found = match &block {
                Some(block) => name.begins(block, ahead),
                None => !name.quoted.is_empty() && ahead.starts_with(&name.quoted),
            };
            if found {
                return Some((index, name));
            }
        }
        None
    }

    /// Remembers that `next` came after `last`, in a body that was accepted.
    pub(super) fn learn(&self, last: usize, next: usize) {
        if let Some([first, second]) = self.hints.get(last)
            && first.get() != next
            && second.get() != next
        {
            second.set(first.get());
            first.set(next);
        }
    }
}

impl Name {
    fn new(text: String, place: Ix) -> Self {
        let plain = !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        let quoted = if plain { format!("\"{text}\":").into_bytes() } else { Vec::new() };
        let (mut block, mut mask) = ([0; BLOCK], [0; BLOCK]);
        for ((to, bits), from) in block.iter_mut().zip(&mut mask).zip(&quoted) {
            (*to, *bits) = (*from, 0xff);
        }
        let (block, mask) = (words(&block), words(&mask));
        Self { block, mask, quoted: quoted.into(), text: text.into(), place }
    }

    /// Bytes with its quotes and its colon.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.quoted.len()
    }

    #[inline]
    fn begins(&self, ahead: &[u64; 4], text: &[u8]) -> bool {
        let differs = |n: usize| (self.block[n] ^ ahead[n]) & self.mask[n];
        // A mask of nothing matches anything: it is of a name that must be read.
        (differs(0) | differs(1) | differs(2) | differs(3)) == 0
            && !self.quoted.is_empty()
            && (self.quoted.len() <= BLOCK || text.starts_with(&self.quoted))
    }
}

#[inline]
fn words(bytes: &[u8; BLOCK]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
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

    #[test]
    fn every_name_is_found_and_no_other() {
        let texts: Vec<String> = (0..500).map(|n| format!("name{n}")).collect();
        for count in [0, 1, 2, 3, 100, 500] {
            let some: Vec<&str> = texts.iter().take(count).map(String::as_str).collect();
            let names = names(&some);
            for (index, text) in texts.iter().enumerate() {
                assert_eq!(names.find(text), (index < count).then_some(index));
            }
        }
    }

    #[test]
    fn a_guess_is_the_bytes_themselves() {
        let long = "a_name_that_is_longer_than_one_block_of_bytes";
        let names = names(&["id", "node_id", "quo\"te", long, ""]);
        let guess = |last: usize, ahead: &str| {
            // With and without bytes enough for a block.
            let padded = format!("{ahead}{}", " ".repeat(40));
            let there =
                names.guess(last, padded.as_bytes()).map(|(index, name)| (index, name.bytes()));
            assert_eq!(
                there,
                names.guess(last, ahead.as_bytes()).map(|(index, name)| (index, name.bytes())),
                "{ahead}"
            );
            there
        };
        assert_eq!(guess(START, r#""id":1"#), Some((0, 5)));
        assert_eq!(guess(1, r#""node_id":"#), Some((1, 10)));
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
        assert_eq!(guess(3, &format!("\"{long}\":")), Some((3, long.len() + 3)));
        assert_eq!(guess(3, &format!("\"{long}s\":")), None);
        assert_eq!(guess(3, "\"a_name_that_is_longer_than_one_block_of_another\":"), None);
        assert_eq!(guess(4, "\"\":"), Some((4, 3)));
        assert_eq!(guess(5, "\"id\":"), None);
    }

    #[test]
    fn two_that_came_after_a_name_are_remembered() {
        let names = names(&["a", "b", "c", "d"]);
        let after_a = |text: &str| names.guess(1, text.as_bytes()).map(|(index, _)| index);
        assert_eq!((after_a("\"b\":"), after_a("\"d\":")), (Some(1), None));
        names.learn(1, 3);
        assert_eq!((after_a("\"b\":"), after_a("\"d\":")), (Some(1), Some(3)));
        names.learn(1, 2);
        assert_eq!(
            (after_a("\"b\":"), after_a("\"c\":"), after_a("\"d\":")),
            (None, Some(2), Some(3))
        );
    }
}
