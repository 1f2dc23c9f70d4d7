//! A table's memory: lines, all zero when it is new.

use super::layout::Line;

/// Lines that live as long as the table.
pub(super) struct Memory(Vec<Line>);

impl Memory {
    /// Memory of this process.
    pub(super) fn new(lines: usize) -> Self {
        Self(std::iter::repeat_with(Line::default).take(lines).collect())
    }

    /// The lines.
    #[inline]
    pub(super) fn lines(&self) -> &[Line] {
        &self.0
    }
}
