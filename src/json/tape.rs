//! The nodes of a document: 16 bytes each, in the order of the text, without pointers.
//!
//! | kind | `a` | `b` |
//! |---|---|---|
//! | null, bool | bool: 0 or 1 | |
//! | number | | length in the text |
//! | string, name | where its content begins, in the text or, if it was escaped, in `unescaped` | its length |
//! | array, object | items or members | index of the first node after it |
//!
//! A member is its name's node, then its value's. `start` is the token's first byte in the text.

use super::names::Names;

/// Buffers larger than this are not kept for the next text: at half, services with bodies of some hundred
/// kilobytes would allocate again for each; at double, each idle thread may hold twice as much.
const KEPT_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Null,
    Bool,
    /// Without fraction and exponent.
    Integer,
    /// Any other number.
    Float,
    String,
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
    /// A string's content is ASCII.
    pub(super) ascii: bool,
}

/// An open container of the parser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) node: u32,
    pub(super) count: u32,
    pub(super) object: bool,
}

/// The buffers of a document and of the parser, for use again. A new one allocates nothing.
#[derive(Debug, Default)]
pub struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) unescaped: String,
    pub(super) open: Vec<Open>,
    pub(super) names: Names,
    /// Values so far, for the ceiling on them.
    pub(super) values: usize,
}

impl Tape {
    /// Empties the buffers, keeps those of ordinary size.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.unescaped.clear();
        self.open.clear();
        self.names.clear();
        self.values = 0;
        self.nodes.shrink_to(KEPT_BYTES / size_of::<Node>());
        self.unescaped.shrink_to(KEPT_BYTES);
        self.open.shrink_to(KEPT_BYTES / size_of::<Open>());
        self.names.shrink_to(KEPT_BYTES);
    }
}

impl Node {
    /// A string's content.
    pub(super) fn content<'d>(&self, text: &'d str, unescaped: &'d str) -> &'d str {
        let (from, len) = (widen(self.a), widen(self.b));
        let source = if self.escaped { unescaped } else { text };
        source.get(from..from.saturating_add(len)).unwrap_or_default()
    }
}

/// Offsets and indices fit 32 bits: the text does, and a node takes at least a byte of it.
pub(super) fn narrow(wide: usize) -> u32 {
    u32::try_from(wide).unwrap_or(u32::MAX)
}

pub(super) fn widen(narrow: u32) -> usize {
    usize::try_from(narrow).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_16_bytes() {
        assert_eq!(size_of::<Node>(), 16);
    }
}
