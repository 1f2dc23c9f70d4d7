//! The nodes of a document: 16 bytes each, in the order of the text, without pointers.
//!
//! | tag | `a` | `b` |
//! |---|---|---|
//! | null, bool | bool: 0 or 1 | |
//! | integer, float | lower half of the value (`i64`, or a double's bits) | upper half |
//! | big integer | | |
//! | string, name | where its content begins, in the text or, if it was escaped, in `unescaped` | its length |
//! | array, object | items or members | index of the first node after it |
//!
//! A member is its name's node, then its value's. `start` is the token's first byte in the text.

#![forbid(unsafe_code)]

use std::cell::Cell;

use smallvec::SmallVec;

use super::marks::{self, Marks};
use super::names::Names;
use super::numbers::Number;

/// If one of the buffers is larger than this, none is kept for the next text: at half, services with bodies of some hundred
/// kilobytes would allocate again for each; at double, each idle thread may hold twice as much.
const KEPT_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Null,
    Bool,
    /// Without fraction and exponent, and it fits.
    Integer,
    /// Without fraction and exponent, and it does not fit.
    BigInteger,
    /// Any other number.
    Float,
    String,
    Name,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) tag: Tag,
    /// A string's content is in `unescaped`.
    pub(super) escaped: bool,
}

/// An open container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) node: u32,
    pub(super) count: u32,
    /// The byte that ends it.
    pub(super) closing: u8,
}

/// The buffers of a document and of the parser, for use again. It is handed on from hand to hand, so it is one pointer.
#[derive(Debug, Default)]
pub struct Tape(Box<Parts>);

#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) nodes: Vec<Node>,
    pub(super) unescaped: String,
    /// The text is all ASCII; its strings are, but for what their escapes say.
    pub(super) ascii: bool,
    pub(super) marks: Marks,
    pub(super) open: SmallVec<[Open; 8]>,
    pub(super) names: Names,
}

thread_local! {
    static SPARE: Cell<Option<Tape>> = const { Cell::new(None) };
}

impl Tape {
    /// This thread's spare buffers, or new ones. Give them back with [`Tape::keep`].
    pub fn spare() -> Self {
        SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    /// Keeps the buffers for the next text that this thread reads.
    pub fn keep(self) {
        if self.0.is_large() {
            return;
        }
        // Fails only while the thread ends, when nobody needs them any more.
        let _ = SPARE.try_with(|spare| spare.set(Some(self)));
    }

    /// Empties the buffers and takes the first look at a text.
    pub(super) fn look_at(&mut self, text: &[u8]) {
        self.0.clear();
        self.0.ascii = marks::mark(text, &mut self.0.marks);
    }

    /// Whether the text that was looked at is all ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.0.ascii
    }

    #[inline]
    pub(super) fn parts(&mut self) -> &mut Parts {
        &mut self.0
    }

    #[inline]
    pub(super) fn read(&self) -> &Parts {
        &self.0
    }
}

impl Parts {
    fn clear(&mut self) {
        self.nodes.clear();
        self.unescaped.clear();
        self.marks.clear();
        self.open.clear();
        self.names.clear();
        self.ascii = false;
    }

    /// Whether some buffer is larger than those that are kept.
    #[inline]
    fn is_large(&self) -> bool {
        let Self { nodes, unescaped, marks, open, names, .. } = self;
        nodes.capacity() > KEPT_BYTES / size_of::<Node>()
            || unescaped.capacity() > KEPT_BYTES
            || marks.capacity() > KEPT_BYTES / size_of::<u64>()
            || open.capacity() > KEPT_BYTES / size_of::<Open>()
            || names.capacity() > KEPT_BYTES / size_of::<u32>()
    }
}

impl Node {
    pub(super) fn new(tag: Tag, start: u32, a: u32, b: u32) -> Self {
        Self { start, a, b, tag, escaped: false }
    }

    /// A node of 64 bits.
    pub(super) fn wide(tag: Tag, start: u32, value: u64) -> Self {
        Self::new(tag, start, lower(value), lower(value >> 32))
    }

    /// The 64 bits of an integer or a float.
    pub(super) fn value(&self) -> u64 {
        (u64::from(self.b) << 32) | u64::from(self.a)
    }

    /// What a number's text says.
    pub(super) fn number(&self) -> Option<Number> {
        match self.tag {
            Tag::Integer => Some(Number::Integer(self.value().cast_signed())),
            Tag::BigInteger => Some(Number::Big),
            Tag::Float => Some(Number::Float(f64::from_bits(self.value()))),
            Tag::Null | Tag::Bool | Tag::String | Tag::Name | Tag::Array | Tag::Object => None,
        }
    }

    /// A string's content.
    #[inline]
    pub(super) fn content<'d>(&self, text: &'d str, unescaped: &'d str) -> &'d str {
        let (from, len) = (widen(self.a), widen(self.b));
        let source = if self.escaped { unescaped } else { text };
        source.get(from..from.wrapping_add(len)).unwrap_or_default()
    }
}

/// Offsets and indices fit 32 bits: the text does, and a node takes at least a byte of it.
#[inline]
pub(super) fn narrow(wide: usize) -> u32 {
    u32::try_from(wide).unwrap_or(u32::MAX)
}

/// The same for what is known to fit.
#[inline]
pub(super) fn wrapped(wide: usize) -> u32 {
    u32::try_from(wide & 0xffff_ffff).unwrap_or(0)
}

#[inline]
pub(super) fn widen(narrow: u32) -> usize {
    usize::try_from(narrow).unwrap_or(usize::MAX)
}

/// The lower half.
fn lower(wide: u64) -> u32 {
    u32::try_from(wide & 0xffff_ffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_16_bytes() {
        assert_eq!(size_of::<Node>(), 16);
    }
}
