//! From bytes to lines.

/// Where the lines of a text begin.
pub(super) struct Lines {
    /// The offset of every line feed, rising.
    feeds: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self { feeds: memchr::memchr_iter(b'\n', text.as_bytes()).collect() }
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.feeds.partition_point(|feed| *feed < offset).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_ends_its_line() {
        let lines = Lines::of("a\nb\n\nc");
        let found: Vec<usize> = (0..=6).map(|offset| lines.line(offset)).collect();
        assert_eq!(found, [1, 1, 2, 2, 3, 4, 4]);
    }
}
