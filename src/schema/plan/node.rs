//! The plan itself: what is allowed at a place, as a byte of kinds and a few tables.
//!
//! A [`Node`] answers the question that is asked of every value in one comparison: is this kind allowed here, and is
//! that all? It also tells of most texts and integers that they are surely allowed, so that all of it is one line of the
//! processor's cache. What more a schema says of a kind stands in a table of its own, which only those values touch of which
//! the node could not tell.

use std::collections::HashSet;
use std::sync::Arc;

use smallvec::SmallVec;

use super::super::divisor::Divisor;
use super::super::formats::{Check, NumberFormat};
use super::super::graph::{Bound, Condition, Contains, Counts, NodeId};
use super::super::listed::Listed;
use super::super::number::Decimal;
use super::super::pattern::Pattern;
use super::super::quick::Quick;
use super::choice::Choice;
use super::kinds::Kinds;
use super::names::{Names, Position};
use crate::bytes;
use crate::json::{Content, Number};
use crate::seed::FastState;

/// A place in the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ix(pub(super) u32);

impl Ix {
    /// Anything is allowed.
    pub(super) const ANY: Self = Self(0);
    /// Nothing is.
    pub(super) const NOTHING: Self = Self(1);

    #[inline]
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// An index of a table that is not there.
pub(super) const NO_TABLE: u32 = u32::MAX;

/// What is allowed at a place.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Node {
    /// Kinds of which every value is valid.
    pub(super) plain: Kinds,
    /// Kinds of which some may be: the tables tell.
    pub(super) looked: Kinds,
    /// Of those, the kinds with assertions on whole values.
    pub(super) whole: Kinds,
    pub(super) numbers: u32,
    pub(super) texts: u32,
    pub(super) item_counts: u32,
    pub(super) members: u32,
    pub(super) rests: u32,
    /// What the items of an array follow.
    pub(super) item: Ix,
    /// What is surely allowed, without a look at the tables.
    sure: Sure,
}

/// Texts and integers that are surely allowed.
#[derive(Debug, Clone, Copy)]
struct Sure {
    /// Numbers of bytes: the least and the most. (None is allowed if the least is more than the most.)
    lengths: (u32, u32),
    /// A short way to say that some texts follow the format, which all of them must.
    quick: Option<Quick>,
    /// Integers of 64 bits: the first and the last, in the same way.
    integers: (i64, i64),
}

impl Node {
    pub(super) fn new(plain: Kinds) -> Self {
        Self {
            plain,
            looked: Kinds::NONE,
            whole: Kinds::NONE,
            numbers: NO_TABLE,
            texts: NO_TABLE,
            item_counts: NO_TABLE,
            members: NO_TABLE,
            rests: NO_TABLE,
            item: Ix::ANY,
            sure: Sure { lengths: (1, 0), quick: None, integers: (1, 0) },
        }
    }

    /// Notes what its tables allow of texts and integers in any case.
    pub(super) fn settle(&mut self, numbers: Option<&Numbers>, texts: Option<&Texts>) {
        if let Some(sure) = numbers.and_then(|numbers| numbers.sure) {
            self.sure.integers = sure;
        }
        if let Some((lengths, quick)) = texts.and_then(Texts::sure) {
            (self.sure.lengths, self.sure.quick) = (lengths, quick);
        }
    }

    /// Whether a text is allowed, as far as its number of bytes and the short way to its format tell.
    #[inline]
    pub(super) fn allows_text(&self, text: Content<'_>) -> bool {
        let (bytes, (least, most)) = (text.bytes(), self.sure.lengths);
        u32::try_from(bytes.len()).is_ok_and(|length| least <= length && length <= most)
            && self.sure.quick.is_none_or(|is_valid| is_valid(bytes))
    }

    /// Whether a number is allowed, as far as the integers that surely are tell.
    #[inline]
    pub(super) fn allows_integer(&self, number: Number<'_>) -> bool {
        let (first, last) = self.sure.integers;
        number.is_integer_literal()
            && number.as_i64().is_some_and(|value| first <= value && value <= last)
    }
}

/// What is said of numbers.
#[derive(Debug)]
pub(super) struct Numbers {
    /// The first and the last of the integers of 64 bits that are surely allowed.
    pub(super) sure: Option<(i64, i64)>,
    /// Doubles between which a number with a fraction or an exponent is surely allowed, if it is read as one of them. (To
    /// round to the nearest keeps the order: what is rounded to more than a rounded bound is more than the bound.)
    pub(super) sure_between: Option<(f64, f64)>,
    /// Integers by value.
    pub(super) integers: bool,
    pub(super) bounds: Vec<(Bound, String)>,
    pub(super) multiples: Vec<Arc<Divisor>>,
    pub(super) formats: Vec<NumberFormat>,
    /// Those that are left by all lists.
    pub(super) list: Option<NumberList>,
}

impl Numbers {
    /// Once all is there that is said of them.
    pub(super) fn settled(mut self) -> Self {
        let bounds_alone =
            self.multiples.is_empty() && self.formats.is_empty() && self.list.is_none();
        if bounds_alone {
            self.sure = integer_range(&self.bounds);
            self.sure_between = if self.integers { None } else { doubles_between(&self.bounds) };
        }
        self
    }

    /// Whether the number is allowed, as far as it takes no comparison of digits to tell.
    #[inline]
    pub(super) fn allows_surely(&self, number: Number<'_>) -> bool {
        if number.is_integer_literal() {
            return self
                .sure
                .zip(number.as_i64())
                .is_some_and(|((least, most), value)| least <= value && value <= most);
        }
        let value = number.as_f64();
        self.sure_between.is_some_and(|(least, most)| least < value && value < most)
    }

    pub(super) fn allows(&self, number: Number<'_>) -> bool {
        self.allows_surely(number) || self.allows_by_digits(number)
    }

    fn allows_by_digits(&self, number: Number<'_>) -> bool {
        let value = Decimal::parse(number.text());
        let within = |(bound, limit): &(Bound, String)| {
            let limit = Decimal::parse(limit);
            match bound {
                Bound::Minimum => limit <= value,
                Bound::Maximum => value <= limit,
                Bound::ExclusiveMinimum => limit < value,
                Bound::ExclusiveMaximum => value < limit,
            }
        };
        (!self.integers || number.is_integer_literal() || value.is_integer())
            && self.list.as_ref().is_none_or(|list| list.has(number, value))
            && self.bounds.iter().all(within)
            && self.multiples.iter().all(|divisor| divisor.divides(value))
            && self.formats.iter().all(|format| format.allows(number))
    }
}

/// Numbers that `enum` or `const` allows, however they are written.
#[derive(Debug)]
pub(super) struct NumberList {
    /// Those that are integers of 64 bits, in their order.
    integers: Box<[i64]>,
    /// All of them, spelled.
    spelled: HashSet<Box<[u8]>, FastState>,
}

impl NumberList {
    pub(super) fn new<'s>(numbers: impl Iterator<Item = &'s str>) -> Self {
        let (mut integers, mut spelled) = (Vec::new(), HashSet::default());
        for number in numbers {
            let number = Decimal::parse(number);
            integers.extend(number.as_i64());
            spelled.insert(number.spelled().as_slice().into());
        }
        integers.sort_unstable();
        Self { integers: integers.into(), spelled }
    }

    /// Those that are in both.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.spelled.retain(|number| other.spelled.contains(number));
        let is_there = |number: &&i64| other.integers.binary_search(number).is_ok();
        self.integers = self.integers.iter().filter(is_there).copied().collect();
        self
    }

    fn has(&self, number: Number<'_>, value: Decimal<'_>) -> bool {
        match number.as_i64() {
            Some(value) => self.integers.binary_search(&value).is_ok(),
            None => self.spelled.contains(value.spelled().as_slice()),
        }
    }
}

/// The integers of 64 bits that are within all bounds, if all bounds are integers as they are written.
fn integer_range(bounds: &[(Bound, String)]) -> Option<(i64, i64)> {
    let (mut least, mut most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    for (bound, limit) in bounds {
        let limit: i128 = limit.parse().ok()?;
        match bound {
            Bound::Minimum => least = least.max(limit),
            Bound::Maximum => most = most.min(limit),
            Bound::ExclusiveMinimum => least = least.max(limit.checked_add(1)?),
            Bound::ExclusiveMaximum => most = most.min(limit.checked_sub(1)?),
        }
    }
    match (i64::try_from(least), i64::try_from(most)) {
        (Ok(least), Ok(most)) => Some((least, most)),
        // None of them is within: all are compared digit by digit, and refused with the bound's own keyword.
        _ => Some((i64::MAX, i64::MIN)),
    }
}

/// The greatest lower and the least upper bound, rounded to doubles.
fn doubles_between(bounds: &[(Bound, String)]) -> Option<(f64, f64)> {
    let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
    for (bound, limit) in bounds {
        let limit: f64 = limit.parse().ok()?;
        match bound {
            Bound::Minimum | Bound::ExclusiveMinimum => least = least.max(limit),
            Bound::Maximum | Bound::ExclusiveMaximum => most = most.min(limit),
        }
    }
    Some((least, most))
}

/// What is said of strings.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) length: Counts,
    pub(super) patterns: SmallVec<[Arc<Pattern>; 1]>,
    pub(super) formats: SmallVec<[Check; 1]>,
    /// Those that are left by all lists.
    pub(super) list: Option<TextList>,
}

impl Texts {
    /// Numbers of bytes, 1 to 4 a character, of which every text has an allowed length, and the short way to the format if
    /// there is one; nothing if more is asked.
    fn sure(&self) -> Option<((u32, u32), Option<Quick>)> {
        let lengths = sure_lengths(self.length)?;
        match (&*self.patterns, &*self.formats, &self.list) {
            ([], [], None) => Some((lengths, None)),
            ([], [Check::Standard(one)], None) => one.quick().map(|quick| (lengths, Some(quick))),
            _ => None,
        }
    }

    pub(super) fn allows(&self, text: &str) -> bool {
        self.list.as_ref().is_none_or(|list| list.has(text))
            && self.allows_length(text)
            && self.patterns.iter().all(|pattern| pattern.is_match(text))
            && self.formats.iter().all(|check| check_text(check, text))
    }

    /// Characters are counted only where the number of bytes, 1 to 4 each, leaves it open.
    fn allows_length(&self, text: &str) -> bool {
        let (least, most) = (self.length.least.unwrap_or(0), self.length.most.unwrap_or(u64::MAX));
        let bytes = text.len() as u64;
        if least <= bytes.div_ceil(4) && bytes <= most {
            return true;
        }
        let count = if text.is_ascii() { bytes } else { text.chars().count() as u64 };
        least <= count && count <= most
    }
}

/// The numbers of bytes of which every text has an allowed number of characters.
fn sure_lengths(length: Counts) -> Option<(u32, u32)> {
    let least = length.least.unwrap_or(0).checked_mul(4)?;
    let most = length.most.unwrap_or(u64::MAX).min(u64::from(u32::MAX));
    Some((u32::try_from(least).ok()?, u32::try_from(most).ok()?))
}

fn check_text(check: &Check, text: &str) -> bool {
    match check {
        Check::Standard(standard) => standard.is_valid(text),
        Check::Pattern(pattern) => pattern.is_match(text),
        Check::Number(_) => true,
    }
}

/// Strings that `enum` or `const` allows.
#[derive(Debug)]
pub(super) enum TextList {
    /// One after the other, and where each ends.
    Few(Box<str>, SmallVec<[u32; 4]>),
    Many(HashSet<String, FastState>),
}

impl TextList {
    /// Strings up to which they are compared one by one: their lengths tell most of them apart.
    const FEW: usize = 12;

    pub(super) fn new(texts: Vec<String>) -> Self {
        if texts.len() > Self::FEW {
            return Self::Many(texts.into_iter().collect());
        }
        let mut end = 0_usize;
        let ends = texts.iter().map(|text| {
            end = end.saturating_add(text.len());
            u32::try_from(end)
        });
        match ends.collect() {
            Ok(ends) => Self::Few(texts.concat().into(), ends),
            Err(_) => Self::Many(texts.into_iter().collect()),
        }
    }

    fn has(&self, text: &str) -> bool {
        match self {
            Self::Few(all, ends) => {
                let mut from = 0;
                ends.iter().any(|end| {
                    let end = usize::try_from(*end).unwrap_or(usize::MAX);
                    let one = all.as_bytes().get(from..end).unwrap_or_default();
                    from = end;
                    bytes::same(one, text.as_bytes())
                })
            }
            Self::Many(texts) => texts.contains(text),
        }
    }
}

/// What is said of objects: what every one of them is asked, in one line of the processor's cache.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Members {
    pub(super) names: Names,
    /// The first word of the bits of names that must be there.
    pub(super) required: u64,
    /// No more than that is asked of an object as a whole.
    pub(super) simple: bool,
    pub(super) demands: Box<Demands>,
}

/// What more is said of objects.
#[derive(Debug)]
pub(super) struct Demands {
    /// A bit for each name that must be there.
    pub(super) required: Vec<u64>,
    pub(super) count: Counts,
    /// A bit for each name that brings something: `needs` or `implies`.
    pub(super) bring: Vec<u64>,
    /// Names that need others to be there, a bit each.
    pub(super) needs: Vec<(Position, Box<[u64]>)>,
    /// Names that bring an assertion on the whole object.
    pub(super) implies: Vec<(Position, NodeId)>,
    /// For members that are not declared.
    pub(super) extra: Extra,
}

/// What members follow that `properties` does not name.
#[derive(Debug)]
pub(super) enum Extra {
    One(Ix),
    /// A place for each subset of the patterns, the first pattern being the lowest bit.
    ByPattern(Vec<Arc<Pattern>>, Vec<Ix>),
}

impl Extra {
    pub(super) fn place(&self, name: &str) -> Ix {
        match self {
            Self::One(place) => *place,
            Self::ByPattern(patterns, places) => {
                let matching = patterns
                    .iter()
                    .rev()
                    .fold(0, |bits, p| bits << 1 | usize::from(p.is_match(name)));
                places.get(matching).copied().unwrap_or(Ix::NOTHING)
            }
        }
    }
}

/// An assertion that needs the whole value: it is judged on the tape when all has been read.
#[derive(Debug, Clone)]
pub(super) enum Rest {
    /// At least one.
    AnyOf(Vec<NodeId>),
    /// Exactly one.
    OneOf(Vec<NodeId>),
    Not(NodeId),
    If(Condition),
    /// `enum` or `const`, of arrays or objects.
    Values(&'static str, Arc<Listed>),
    Unique,
    /// Of the names of an object's members.
    Names(NodeId),
    Contains(Contains),
    /// The branch that a constant chooses.
    Chosen(Choice),
    /// Items that each have a place of their own, and those beyond them.
    Tuple {
        prefix: Vec<Ix>,
        beyond: Ix,
    },
    /// What one schema says of a text or a number by itself, where too many do.
    Alone(NodeId),
    /// All that one schema says, for what the plan does not lay out.
    Follows(NodeId),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, Tape, parse};

    fn bounded(integers: bool, bounds: Vec<(Bound, String)>) -> Numbers {
        let (multiples, formats, list) = (Vec::new(), Vec::new(), None);
        let (sure, sure_between) = (None, None);
        Numbers { sure, sure_between, integers, bounds, multiples, formats, list }.settled()
    }

    #[test]
    fn what_is_surely_allowed_is_allowed_by_its_digits() {
        // Neighbours of one another, in doubles and between them, and the ends of what 64 bits hold.
        let literals = [
            "0",
            "-0.0",
            "0.1",
            "0.10000000000000000001",
            "0.1000000000000000055511151231257827",
            "0.3",
            "0.30000000000000004",
            "1",
            "1.0",
            "1.5",
            "1e0",
            "-1",
            "-1.5",
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.0",
            "9007199254740992.5",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1e19",
            "5e-324",
            "2e-324",
            "1e-400",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "123456789.123456789",
        ];
        let kinds =
            [Bound::Minimum, Bound::Maximum, Bound::ExclusiveMinimum, Bound::ExclusiveMaximum];
        let (mut sure, mut asked) = (0, 0);
        for (limit, other) in literals.iter().flat_map(|a| literals.map(|b| (*a, b))) {
            for (first, second) in kinds.iter().flat_map(|a| kinds.iter().map(move |b| (*a, *b))) {
                for integers in [false, true] {
                    let bounds = vec![(first, limit.to_owned()), (second, other.to_owned())];
                    let numbers = bounded(integers, bounds);
                    for value in literals {
                        let text = value.as_bytes().into();
                        let document = parse(text, &Limits::default(), Tape::default());
                        let document = document.expect("a number");
                        let number = document.root().as_number().expect("a number");
                        asked += 1;
                        if numbers.allows_surely(number) {
                            sure += 1;
                            assert!(
                                numbers.allows_by_digits(number),
                                "{value} by {:?}, integers: {integers}",
                                numbers.bounds
                            );
                        }
                    }
                }
            }
        }
        assert!(asked / 20 < sure && sure < asked, "{sure} of {asked}");
    }
}
