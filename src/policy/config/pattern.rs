//! `METHOD|* template`: which operations a key of `secval.toml` means.
//!
//! `*` stands for any method, and in the template for one segment; `**` at its end for the rest, which may be
//! nothing. All other segments are the document's own, `{parameter}` included. Of two patterns that match one
//! operation the more specific one has the word: segment by segment from the left, a literal before `*` before
//! `**`; then a method before `*`. Two patterns that match one operation are equal only when they are the same
//! text, so the order of the file never matters.

use std::cmp::Ordering;

use crate::policy::fault::Faults;
use crate::policy::source::At;

/// A pattern, and where it stands.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Pattern<'s> {
    /// `None` is any.
    method: Option<String>,
    segments: Vec<Segment>,
    pub(in crate::policy) at: At<'s>,
}

/// In the order of how much they leave open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    One,
    Rest,
}

impl<'s> Pattern<'s> {
    /// Reads a pattern that stands at `at`.
    pub(in crate::policy) fn parse(text: &str, at: At<'s>, faults: &mut Faults) -> Option<Self> {
        match parts(text) {
            Ok((method, segments)) => Some(Self { method, segments, at }),
            Err(message) => {
                faults.push(at.fault(message));
                None
            }
        }
    }

    /// Reads a list of patterns; an empty one is a fault.
    pub(in crate::policy) fn list(list: &At<'s>, faults: &mut Faults) -> Vec<Self> {
        let entries = list.need_strings(faults).unwrap_or_default();
        if list.is_array() && list.items().next().is_none() {
            faults.push(
                list.fault("an empty list means no operation: leave the key out to mean all"),
            );
        }
        entries.into_iter().filter_map(|(text, at)| Self::parse(text, at, faults)).collect()
    }

    /// Whether it means this operation; the template is the document's, without the servers' base path.
    pub(in crate::policy) fn matches(&self, method: &str, template: &str) -> bool {
        if self.method.as_ref().is_some_and(|own| own != method) {
            return false;
        }
        let mut given = template.strip_prefix('/').unwrap_or(template).split('/');
        for segment in &self.segments {
            let found = match (segment, given.next()) {
                (Segment::Rest, _) => return true,
                (_, None) => false,
                // The last segment of `/a/` is empty: nothing stands there that `*` could mean.
                (Segment::One, Some(text)) => !text.is_empty(),
                (Segment::Literal(own), Some(text)) => own == text,
            };
            if !found {
                return false;
            }
        }
        given.next().is_none()
    }

    /// `Less` is more specific.
    pub(in crate::policy) fn specificity(&self, other: &Self) -> Ordering {
        let path = self.segments.cmp(&other.segments);
        path.then_with(|| self.method.is_none().cmp(&other.method.is_none()))
    }
}

fn parts(text: &str) -> Result<(Option<String>, Vec<Segment>), &'static str> {
    const SHAPE: &str =
        "expected `METHOD /template`, such as \"GET /bookings/{id}\" or \"* /admin/**\"";
    let (method, template) = text.split_once(' ').ok_or(SHAPE)?;
    let path = template.strip_prefix('/').ok_or(SHAPE)?;
    let method = match method {
        "*" => None,
        _ if !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) => {
            Some(method.to_owned())
        }
        _ => return Err("a method is in upper case, as in a request, or `*`"),
    };
    let segments: Vec<Segment> = path
        .split('/')
        .map(|segment| match segment {
            "*" => Segment::One,
            "**" => Segment::Rest,
            literal => Segment::Literal(literal.to_owned()),
        })
        .collect();
    let wild = |segment: &Segment| matches!(segment, Segment::Literal(text) if text.contains('*'));
    if segments.iter().any(wild) {
        return Err(
            "`*` stands for a whole segment, `**` for the rest; neither is a part of a segment",
        );
    }
    if segments.iter().rev().skip(1).any(|segment| *segment == Segment::Rest) {
        return Err("`**` stands for the rest: it can only come last");
    }
    Ok((method, segments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;

    fn pattern<'s>(source: &'s Source, text: &str) -> Pattern<'s> {
        Pattern::parse(text, source.root(), &mut Faults::default()).expect("a pattern")
    }

    #[test]
    fn a_pattern_matches_what_it_says() {
        let source = Source::json("x", "{}").expect("JSON");
        for (text, method, template, expected) in [
            ("GET /a", "GET", "/a", true),
            ("GET /a", "POST", "/a", false),
            ("* /a", "POST", "/a", true),
            ("* /a", "GET", "/a/", false),
            ("* /a/*", "GET", "/a/{id}", true),
            ("* /a/*", "GET", "/a/", false),
            ("* /a/*", "GET", "/a", false),
            ("* /a/*", "GET", "/a/b/c", false),
            ("* /a/{id}", "GET", "/a/{id}", true),
            ("* /a/{id}", "GET", "/a/{other}", false),
            ("* /a/**", "GET", "/a", true),
            ("* /a/**", "GET", "/a/b/c", true),
            ("* /a/**", "GET", "/ab", false),
            ("* /**", "GET", "/", true),
            ("* /", "GET", "/", true),
        ] {
            assert_eq!(
                pattern(&source, text).matches(method, template),
                expected,
                "{text} {template}"
            );
        }
    }

    #[test]
    fn the_more_specific_one_has_the_word() {
        let source = Source::json("x", "{}").expect("JSON");
        let rising =
            ["GET /a/b", "* /a/b", "GET /a/*", "* /a/*", "GET /a/**", "* /a/**", "* /*/b", "* /**"];
        for pair in rising.windows(2) {
            let [first, second] = pair else { continue };
            let order = pattern(&source, first).specificity(&pattern(&source, second));
            assert_eq!(order, Ordering::Less, "{first} {second}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_a_fault() {
        for text in
            ["/a", "GET", "GET a", "get /a", " /a", "GET  /a", "GET /a*", "GET /**/a", "G3T /a", ""]
        {
            assert!(parts(text).is_err(), "{text}");
        }
    }
}
