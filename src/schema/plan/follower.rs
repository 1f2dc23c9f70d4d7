//! Judges while somebody reads: the parser, or a [walk](super::walk) over a document that is there already.
//!
//! One place of the plan is kept for each open array or object, on the heap, so depth costs no stack. The parse is
//! never stopped: that a text is no JSON counts before what it says, and a text that is refused at its first byte
//! costs no more than one that is accepted.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]
#![allow(clippy::inline_always, reason = "a part of the parser's loop")]

use std::convert::Infallible;

use smallvec::SmallVec;

use super::super::graph::Counts;
use super::super::receiver::DeclaredName;
use super::kinds::Kinds;
use super::names::{Expected, Position, START, bit};
use super::node::{Demands, Ix, Members, NO_TABLE, Node, Numbers, Texts};
use super::{Asked, Entry, Plan, Refusal};
use crate::json::{Ahead, Content, Known, Number, Observer};

/// Lessons that one body may teach: more would let one client rewrite the hints of a whole plan with every body.
const LESSONS: usize = 64;

/// Entries of a buffer that are kept for the next text: more than ordinary bodies need; at double, each idle thread
/// may hold twice as much.
const KEPT: usize = 1 << 13;

/// Places and bits for the open containers, for use again.
#[derive(Debug, Default)]
pub(in crate::schema) struct Buffers {
    open: SmallVec<[Outer; 8]>,
    /// The names seen of the open objects, a bit each, but for the first word of each.
    seen: Vec<u64>,
    /// Values that something is asked about as a whole: node of the tape, and of the plan.
    pub(super) whole: Vec<(u32, Ix)>,
    /// Objects in which a name was there that brings an assertion: node of the tape, table, and which of its names.
    pub(super) implied: Vec<(u32, u32, usize)>,
    /// What came after what: table, last name, next name.
    pub(super) lessons: Vec<(u32, Position, Position)>,
}

impl Buffers {
    /// Whether nothing is left to ask, or to learn.
    pub(super) fn is_done(&self) -> bool {
        self.whole.is_empty() && self.implied.is_empty() && self.lessons.is_empty()
    }

    /// Forgets the text that was followed; and gives back what took far more than others do.
    #[inline]
    pub(in crate::schema) fn clear(&mut self) {
        let Self { open, seen, whole, implied, lessons } = self;
        let most = open.capacity().max(seen.capacity()).max(whole.capacity());
        if most.max(implied.capacity()) > KEPT {
            *self = Self::default();
            return;
        }
        open.clear();
        seen.clear();
        whole.clear();
        implied.clear();
        lessons.clear();
    }
}

/// An open array or object: what was settled when it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Its own node, for its end; `Ix::ANY` if its end asks nothing.
    pub(super) own: Ix,
    /// What the items of an array follow.
    items: Ix,
    /// An object's table, or `NO_TABLE`.
    table: u32,
    /// Where the words of bits begin, after the first, of the names that were seen.
    more: usize,
}

/// A container around the innermost one, with what has changed since it began.
///
/// The innermost one's are kept apart from each other, and so moved one by one: a processor that loads as one word what it
/// has just stored as two waits for both.
#[derive(Debug, Clone, Copy)]
struct Outer {
    frame: Frame,
    last: Position,
    seen: u64,
}

/// Follows one text or document.
#[derive(Debug)]
pub(in crate::schema) struct Follower<'p> {
    pub(super) plan: &'p Plan,
    pub(super) work: &'p mut Buffers,
    /// What the next value follows.
    pub(super) next: Ix,
    /// The kinds of which every value does.
    plain: Kinds,
    /// The innermost container, the last declared name in it or the start, and the first word of names seen.
    pub(super) at: Frame,
    last: Position,
    seen: u64,
    /// The table of `at`, and which of its names is likely to come next.
    members: Option<&'p Members>,
    expected: Expected<'p>,
    pub(super) refused: Option<Refusal>,
}

impl<'p> Follower<'p> {
    /// `work` is empty.
    #[inline(always)]
    pub(in crate::schema) fn new(plan: &'p Plan, entry: Entry, work: &'p mut Buffers) -> Self {
        let mut follower = Self {
            plan,
            work,
            next: entry.ix,
            plain: Kinds::NONE,
            at: Frame { own: Ix::ANY, items: Ix::ANY, table: NO_TABLE, more: 0 },
            last: START,
            seen: 0,
            members: None,
            expected: Expected::default(),
            refused: None,
        };
        follower.go(entry.ix);
        follower
    }

    /// A value is not valid by itself; the first of them is told.
    #[cold]
    fn refuse(&mut self, node: u32, own: Ix, parent: Ix) {
        self.refused.get_or_insert(Refusal { node, asked: Asked::Place { own, parent } });
    }

    #[inline]
    pub(super) fn node(&self, ix: Ix) -> Option<&'p Node> {
        self.plan.nodes.get(ix.index())
    }

    #[inline]
    pub(super) fn table(&self, table: u32) -> Option<&'p Members> {
        self.plan.members.get(index(table))
    }

    /// The declared name that was met last, of those of the object that is being read.
    #[inline]
    pub(super) fn last_declared(&self) -> DeclaredName {
        DeclaredName { object: self.at.table, name: self.last }
    }

    /// Which kind of object is being read, if it is one that has declared names.
    #[inline]
    pub(super) fn object(&self) -> Option<u32> {
        (self.at.table != NO_TABLE).then_some(self.at.table)
    }

    /// Whether every value of a kind is valid here.
    pub(super) fn is_free(&self, kind: Kinds) -> bool {
        self.node(self.next).is_some_and(|node| node.plain.has(kind))
    }

    /// The node of a value of a kind, if there is more to ask about it.
    #[inline]
    fn look(&mut self, kind: Kinds, tape: u32) -> Option<(Ix, &'p Node)> {
        if self.plain.has(kind) {
            return None;
        }
        let ix = self.next;
        let node = self.node(ix).filter(|node| node.looked.has(kind));
        if node.is_none() {
            self.refuse(tape, ix, self.at.own);
        }
        node.map(|node| (ix, node))
    }

    #[inline]
    fn ask_later(&mut self, kind: Kinds, tape: u32, ix: Ix, node: &Node) {
        if node.whole.has(kind) {
            self.work.whole.push((tape, ix));
        }
    }

    /// Goes to what follows a place, for the values of a container or for a member's.
    #[inline]
    pub(super) fn go(&mut self, place: Ix) {
        self.next = place;
        self.plain = self.node(place).map_or(Kinds::NONE, |node| node.plain);
    }

    #[inline]
    pub(super) fn open(&mut self) {
        let Self { at: frame, last, seen, .. } = *self;
        self.work.open.push(Outer { frame, last, seen });
        (self.next, self.plain) = (Ix::ANY, Kinds::ALL);
        let more = self.work.seen.len();
        self.at = Frame { own: Ix::ANY, items: Ix::ANY, table: NO_TABLE, more };
        (self.last, self.seen) = (START, 0);
        self.members = None;
    }

    #[inline]
    pub(super) fn close(&mut self) {
        if let Some(Outer { frame, last, seen }) = self.work.open.pop() {
            (self.at, self.last, self.seen) = (frame, last, seen);
            // Of an array the next value may follow; of an object its name says what.
            self.go(frame.items);
            self.members = self.table(frame.table);
            self.expect();
        }
    }

    #[inline]
    fn expect(&mut self) {
        if let Some(members) = self.members {
            self.expected = members.names.expected(self.last);
        }
    }

    /// Notes that a declared name is there. `false` when it was already.
    #[inline]
    fn see(&mut self, position: Position) -> bool {
        let (word, bit) = bit(position);
        if word > 0 {
            return self.see_beyond(word, bit);
        }
        let new = self.seen & bit == 0;
        self.seen |= bit;
        new
    }

    /// The same for a name beyond the first word of bits.
    #[inline(never)]
    fn see_beyond(&mut self, word: usize, bit: u64) -> bool {
        let word = self.at.more.saturating_add(word).saturating_sub(1);
        let Some(seen) = self.work.seen.get_mut(word) else { return false };
        let new = *seen & bit == 0;
        *seen |= bit;
        new
    }

    #[inline]
    fn end_members(&mut self, tape: u32, members: &Members, count: u32) {
        let valid = if members.simple {
            members.required & !self.seen == 0
        } else {
            self.meets(&members.demands, tape, count)
        };
        if !valid {
            self.refuse(tape, self.at.own, Ix::ANY);
        }
    }

    /// Whether the members that were seen are all that they must be.
    fn meets(&mut self, demands: &Demands, tape: u32, count: u32) -> bool {
        let Self { at, work, seen: first, .. } = self;
        let first = *first;
        let more = work.seen.get(at.more..).unwrap_or_default();
        let seen = || std::iter::once(first).chain(more.iter().copied());
        let all = |names: &[u64]| {
            more.len().saturating_add(1) >= names.len()
                && seen().zip(names).all(|(seen, names)| names & !seen == 0)
        };
        let has = |name: Position| {
            let (word, bit) = bit(name);
            let beyond = || more.get(word.saturating_sub(1)).copied().unwrap_or(0);
            (if word == 0 { first } else { beyond() }) & bit != 0
        };
        let mut valid = within(demands.count, count) && all(&demands.required);
        // Most objects have none of them.
        if seen().zip(&demands.bring).any(|(seen, names)| seen & names != 0) {
            valid &= demands.needs.iter().all(|(name, needed)| !has(*name) || all(needed));
            for (which, (name, _)) in demands.implies.iter().enumerate() {
                if has(*name) {
                    work.implied.push((tape, at.table, which));
                }
            }
        }
        work.seen.truncate(at.more);
        valid
    }
}

/// Values that are not valid by their kind alone.
impl Follower<'_> {
    #[inline(never)]
    fn judge_kind(&mut self, tape: u32, kind: Kinds) {
        if let Some((ix, node)) = self.look(kind, tape) {
            self.ask_later(kind, tape, ix, node);
        }
    }

    #[inline(never)]
    fn judge_number(&mut self, tape: u32, kind: Kinds, value: Number<'_>) {
        let Some((ix, node)) = self.look(kind, tape) else { return };
        if !node.allows_integer(value)
            && let Some(numbers) = self.plan.numbers.get(index(node.numbers))
            && !numbers.allows_surely(value)
        {
            self.judge_digits(tape, ix, numbers, value);
        }
        self.ask_later(kind, tape, ix, node);
    }

    /// A number of which it takes more than a look to tell that it is valid.
    #[inline(never)]
    fn judge_digits(&mut self, tape: u32, ix: Ix, numbers: &Numbers, value: Number<'_>) {
        if !numbers.allows(value) {
            self.refuse(tape, ix, Ix::ANY);
        }
    }

    #[inline(never)]
    fn judge_string(&mut self, tape: u32, value: Content<'_>) {
        let Some((ix, node)) = self.look(Kinds::STRING, tape) else { return };
        if !node.allows_text(value)
            && let Some(texts) = self.plan.texts.get(index(node.texts))
        {
            self.judge_text(tape, ix, texts, value);
        }
        self.ask_later(Kinds::STRING, tape, ix, node);
    }

    /// A string of which its place alone does not tell that it is valid.
    #[inline(never)]
    fn judge_text(&mut self, tape: u32, ix: Ix, texts: &Texts, value: Content<'_>) {
        if !texts.allows(value.text()) {
            self.refuse(tape, ix, Ix::ANY);
        }
    }
}

impl Observer for Follower<'_> {
    type Fault = Infallible;

    #[inline]
    fn begin_object(&mut self, tape: u32) -> Result<(), Infallible> {
        let look = self.look(Kinds::OBJECT, tape);
        self.open();
        if let Some((ix, node)) = look {
            (self.at.own, self.at.table) = (ix, node.members);
            self.members = self.table(node.members);
            self.expect();
            if let Some(members) = self.members
                && members.names.words() > 1
            {
                let words = self.at.more.saturating_add(members.names.words()).saturating_sub(1);
                self.work.seen.resize(words, 0);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn predicted(&mut self, _node: u32, ahead: Ahead<'_>) -> Result<Option<usize>, Infallible> {
        let Some(members) = self.members else { return Ok(None) };
        let guess = members.names.guess(self.last, self.expected, ahead);
        let Some((position, name)) = guess else { return Ok(None) };
        if !self.see(position) {
            // Repeated: `name` tells.
            return Ok(None);
        }
        (self.next, self.plain, self.last) = (name.place, name.plain, position);
        self.expected = members.names.expected_after(name);
        Ok(Some(name.bytes()))
    }

    #[inline(never)]
    fn name(&mut self, _node: u32, name: &str) -> Result<Known, Infallible> {
        let Some(members) = self.members else {
            self.go(Ix::ANY);
            return Ok(Known::Unknown);
        };
        let found = members.names.find(name);
        let Some((position, name)) = found.and_then(|at| Some((at, members.names.get(at)?))) else {
            self.go(members.demands.extra.place(name));
            return Ok(Known::Unknown);
        };
        if !self.see(position) {
            return Ok(Known::Repeated);
        }
        if self.work.lessons.len() < LESSONS {
            self.work.lessons.push((self.at.table, self.last, position));
        }
        (self.next, self.plain, self.last) = (name.place, name.plain, position);
        self.expected = members.names.expected_after(name);
        Ok(Known::New)
    }

    #[inline]
    fn end_object(&mut self, tape: u32, count: u32) -> Result<(), Infallible> {
        if let Some(members) = self.members {
            self.end_members(tape, members, count);
        }
        let own = self.at.own;
        if own != Ix::ANY
            && let Some(node) = self.node(own)
        {
            self.ask_later(Kinds::OBJECT, tape, own, node);
        }
        self.close();
        Ok(())
    }

    #[inline]
    fn begin_array(&mut self, tape: u32) -> Result<(), Infallible> {
        let look = self.look(Kinds::ARRAY, tape);
        self.open();
        if let Some((ix, node)) = look {
            (self.at.own, self.at.items) = (ix, node.item);
            self.go(node.item);
        }
        Ok(())
    }

    #[inline]
    fn end_array(&mut self, tape: u32, count: u32) -> Result<(), Infallible> {
        let own = self.at.own;
        if own != Ix::ANY
            && let Some(node) = self.node(own)
        {
            if let Some(counts) = self.plan.item_counts.get(index(node.item_counts))
                && !within(*counts, count)
            {
                self.refuse(tape, own, Ix::ANY);
            }
            self.ask_later(Kinds::ARRAY, tape, own, node);
        }
        self.close();
        Ok(())
    }

    #[inline(always)]
    fn null(&mut self, tape: u32) -> Result<(), Infallible> {
        if !self.plain.has(Kinds::NULL) {
            self.judge_kind(tape, Kinds::NULL);
        }
        Ok(())
    }

    #[inline(always)]
    fn bool(&mut self, tape: u32, value: bool) -> Result<(), Infallible> {
        let kind = if value { Kinds::TRUE } else { Kinds::FALSE };
        if !self.plain.has(kind) {
            self.judge_kind(tape, kind);
        }
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self, tape: u32, value: Number<'_>) -> Result<(), Infallible> {
        let kind = if value.is_integer_literal() { Kinds::INTEGER } else { Kinds::FLOAT };
        if !self.plain.has(kind) {
            self.judge_number(tape, kind, value);
        }
        Ok(())
    }

    #[inline(always)]
    fn string(&mut self, tape: u32, value: Content<'_>) -> Result<(), Infallible> {
        if !self.plain.has(Kinds::STRING) {
            self.judge_string(tape, value);
        }
        Ok(())
    }
}

pub(super) fn within(counts: Counts, count: u32) -> bool {
    let count = u64::from(count);
    counts.least.is_none_or(|least| least <= count) && counts.most.is_none_or(|most| count <= most)
}

pub(super) fn index(table: u32) -> usize {
    usize::try_from(table).unwrap_or(usize::MAX)
}
