//! A path template taken apart, and what can be wrong with it.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::fmt;

use super::pattern::Pattern;

/// More segments than any real path has. At half of it long generated paths would be refused; at double
/// nothing changes but the depth of the search, which is one small stack frame a segment.
const MAX_SEGMENTS: usize = 64;

/// What is wrong with a route: its place in the list, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFault {
    /// The index of the route in the order given.
    pub route: usize,
    /// What is wrong with it.
    pub kind: RouteFaultKind,
}

/// The ways in which a template can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteFaultKind {
    /// A template begins with a slash.
    NoLeadingSlash,
    /// Braces do not pair up, or a parameter has no name.
    Braces,
    /// `{a}{b}`: nothing tells where the one ends.
    AdjacentParameters,
    /// One name twice in one template.
    RepeatedParameter,
    /// An empty, `.` or `..` segment, which no request can have.
    Segment,
    /// A query or fragment in a template.
    Delimiter,
    /// More than 64 segments.
    TooLong,
    /// Another route has the same method on an equivalent template.
    Duplicate,
}

impl fmt::Display for RouteFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLeadingSlash => "a path template begins with a slash",
            Self::Braces => "braces do not pair up, or a parameter has no name",
            Self::AdjacentParameters => "two parameters of one segment need a literal between them",
            Self::RepeatedParameter => "one parameter name occurs twice in the template",
            Self::Segment => {
                "the template has an empty or dot segment, which no accepted request can have"
            }
            Self::Delimiter => {
                "a path template has no query, fragment, percent-encoding or backslash"
            }
            Self::TooLong => "the template has more than 64 segments",
            Self::Duplicate => "another path is equivalent: the two differ only in parameter names",
        })
    }
}

/// What stands between two slashes of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Pattern(Pattern),
}

/// A template taken apart.
#[derive(Debug, Clone)]
pub struct Template {
    segments: Vec<Segment>,
    names: Vec<String>,
}

impl Template {
    /// Takes a template apart, or says what is wrong with it.
    pub fn parse(template: &str) -> Result<Self, RouteFaultKind> {
        let path = template.strip_prefix('/').ok_or(RouteFaultKind::NoLeadingSlash)?;
        let mut parsed = Self { segments: Vec::new(), names: Vec::new() };
        let mut pieces = path.split('/').peekable();
        while let Some(piece) = pieces.next() {
            // An empty last segment is a trailing slash, and the root path; anywhere else no request has it.
            if (piece.is_empty() && pieces.peek().is_some()) || piece == "." || piece == ".." {
                return Err(RouteFaultKind::Segment);
            }
            let segment = parsed.segment(piece)?;
            parsed.segments.push(segment);
        }
        if parsed.segments.len() > MAX_SEGMENTS {
            return Err(RouteFaultKind::TooLong);
        }
        let mut seen = std::collections::HashSet::new();
        if !parsed.names.iter().all(|name| seen.insert(name)) {
            return Err(RouteFaultKind::RepeatedParameter);
        }
        Ok(parsed)
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(super) fn into_segments(self) -> Vec<Segment> {
        self.segments
    }

    /// The names of the parameters, from left to right: the order of [`Found::Operation`](super::Found::Operation)'s captures.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn segment(&mut self, piece: &str) -> Result<Segment, RouteFaultKind> {
        let mut literals = vec![String::new()];
        let mut rest = piece;
        while let Some((literal, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}').ok_or(RouteFaultKind::Braces)?;
            if name.is_empty() || name.contains('{') {
                return Err(RouteFaultKind::Braces);
            }
            if literal.is_empty() && literals.len() > 1 {
                return Err(RouteFaultKind::AdjacentParameters);
            }
            check_literal(literal)?;
            if let Some(last) = literals.last_mut() {
                literal.clone_into(last);
            }
            literals.push(String::new());
            self.names.push(name.to_owned());
            rest = tail;
        }
        check_literal(rest)?;
        if literals.len() == 1 {
            return Ok(Segment::Literal(rest.to_owned()));
        }
        let before = literals.remove(0);
        literals.pop();
        Ok(Segment::Pattern(Pattern { before, between: literals, after: rest.to_owned() }))
    }
}

fn check_literal(literal: &str) -> Result<(), RouteFaultKind> {
    if literal.contains(['{', '}']) {
        return Err(RouteFaultKind::Braces);
    }
    if literal.contains(['?', '#', '%', '\\']) || literal.contains(char::is_control) {
        return Err(RouteFaultKind::Delimiter);
    }
    Ok(())
}
