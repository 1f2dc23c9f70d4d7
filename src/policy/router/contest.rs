//! Which of several templates that match one path is the more concrete one, and where none is.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::pattern::Pattern;
use super::template::Segment;

/// A template that matches a path, and the way it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Hit<'r, 'p> {
    /// Where the template ends.
    pub(super) node: usize,
    /// Of each segment the pattern, or `None` for a literal.
    pub(super) choices: Vec<Option<&'r Pattern>>,
    pub(super) captures: Vec<&'p str>,
}

impl Hit<'_, '_> {
    /// Whether no segment of it is less concrete than the other's. Both match one path.
    fn covers_no_more_than(&self, other: &Self) -> bool {
        self.choices.iter().zip(&other.choices).all(|(own, other)| match (own, other) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.is_within(other),
        })
    }
}

/// Those that no other is more concrete than.
pub(super) fn best<'h, 'r, 'p>(hits: &'h [Hit<'r, 'p>]) -> Vec<&'h Hit<'r, 'p>> {
    let beaten = |hit: &Hit<'_, '_>| {
        hits.iter().any(|other| other.covers_no_more_than(hit) && !hit.covers_no_more_than(other))
    };
    hits.iter().filter(|hit| !beaten(hit)).collect()
}

/// The ends of every two templates that may match one path while neither is the more concrete one.
pub(super) fn pairs(ends: &[(Vec<Segment>, usize)]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (index, (ours, first)) in ends.iter().enumerate() {
        for (theirs, second) in ends.iter().skip(index.saturating_add(1)) {
            if contest(ours, theirs) {
                pairs.push((*first, *second));
            }
        }
    }
    pairs
}

fn contest(ours: &[Segment], theirs: &[Segment]) -> bool {
    let segments = || ours.iter().zip(theirs);
    ours.len() == theirs.len()
        && segments().all(|(a, b)| overlap(a, b))
        && !segments().all(|(a, b)| is_within(a, b))
        && !segments().all(|(a, b)| is_within(b, a))
}

/// Whether some text matches both; true also where that is hard to tell.
fn overlap(a: &Segment, b: &Segment) -> bool {
    match (a, b) {
        (Segment::Literal(a), Segment::Literal(b)) => a == b,
        (Segment::Literal(text), Segment::Pattern(pattern))
        | (Segment::Pattern(pattern), Segment::Literal(text)) => {
            // A text that could be split in two ways is matched by neither, and refused either way.
            !matches!(pattern.split(text, &mut Vec::new()), Ok(false))
        }
        (Segment::Pattern(a), Segment::Pattern(b)) => {
            let starts = a.before.starts_with(&b.before) || b.before.starts_with(&a.before);
            starts && (a.after.ends_with(&b.after) || b.after.ends_with(&a.after))
        }
    }
}

/// Whether all that matches the one matches the other, given that some text matches both.
fn is_within(a: &Segment, b: &Segment) -> bool {
    match (a, b) {
        (Segment::Literal(_), _) => true,
        (Segment::Pattern(_), Segment::Literal(_)) => false,
        (Segment::Pattern(a), Segment::Pattern(b)) => a.is_within(b),
    }
}
