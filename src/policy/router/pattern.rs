//! One segment with parameters, and the texts that it matches.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

/// A segment that its template could split in more than one way.
pub(super) struct Ambiguous;

/// A segment with parameters: `before {p} between[0] {p} between[1] … {p} after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) before: String,
    pub(super) between: Vec<String>,
    pub(super) after: String,
}

impl Pattern {
    pub(super) fn literal_len(&self) -> usize {
        let between = self.between.iter().map(String::len).fold(0, usize::saturating_add);
        self.before.len().saturating_add(self.after.len()).saturating_add(between)
    }

    /// Whether all that matches this matches the other; false also where that is hard to tell.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self == other
            || (other.between.is_empty()
                && self.before.starts_with(&other.before)
                && self.after.ends_with(&other.after))
    }

    /// Pushes the parameters' texts if the segment matches, in exactly one way.
    ///
    /// The leftmost places of the literals between are compared with the rightmost ones: every way to split
    /// lies between the two, so there is one way exactly when they are equal.
    pub(super) fn split<'p>(
        &self,
        segment: &'p str,
        captures: &mut Vec<&'p str>,
    ) -> Result<bool, Ambiguous> {
        let inner = segment.strip_prefix(self.before.as_str());
        let Some(inner) = inner.and_then(|s| s.strip_suffix(self.after.as_str())) else {
            return Ok(false);
        };
        let kept = captures.len();
        let mut rest = inner;
        for literal in &self.between {
            let Some((text, tail)) = split_after_one(rest, literal) else { return Ok(false) };
            captures.push(text);
            rest = tail;
        }
        captures.push(rest);
        let leftmost = captures.get(kept..).unwrap_or_default();
        if rest.is_empty() {
            // The leftmost places leave nothing for the last parameter, so every later place does too.
            Ok(false)
        } else if self.rightmost_agrees(inner, leftmost) {
            Ok(true)
        } else {
            Err(Ambiguous)
        }
    }

    fn rightmost_agrees(&self, inner: &str, leftmost: &[&str]) -> bool {
        let mut rest = inner;
        for (literal, expected) in self.between.iter().rev().zip(leftmost.iter().rev()) {
            let Some((head, text)) = rsplit_before_one(rest, literal) else { return false };
            if text.len() != expected.len() {
                return false;
            }
            rest = head;
        }
        leftmost.first().is_some_and(|first| first.len() == rest.len())
    }
}

/// Splits at the leftmost occurrence that leaves a character before it.
fn split_after_one<'p>(text: &'p str, literal: &str) -> Option<(&'p str, &'p str)> {
    let first = text.chars().next()?.len_utf8();
    let at = text.get(first..)?.find(literal)?.checked_add(first)?;
    Some((text.get(..at)?, text.get(at.checked_add(literal.len())?..)?))
}

/// Splits at the rightmost occurrence that leaves a character after it.
fn rsplit_before_one<'p>(text: &'p str, literal: &str) -> Option<(&'p str, &'p str)> {
    let last = text.char_indices().next_back()?.0;
    let at = text.get(..last)?.rfind(literal)?;
    Some((text.get(..at)?, text.get(at.checked_add(literal.len())?..)?))
}
