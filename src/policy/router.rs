//! Which operation a path belongs to: a trie over decoded path segments.
//!
//! Concrete beats templated, with backtracking: `/a/b` before `/a/{x}`, and `/a/b/d` still finds
//! `/a/{x}/d` when there is `/a/b/c`. The path decides first, then the method: a concrete path that lacks the
//! method answers "other method", it never falls through to a templated one (OpenAPI 3.1, Path Templating
//! Matching). `HEAD` falls back to `GET`.
//!
//! A segment may mix literals and parameters (`report-{id}.{format}`). A text that such a segment could
//! split in more than one way makes the path unknown: the application might split it the other way.
//! A parameter never matches an empty text, nor a slash.
//!
//! Cost: each node of the trie is visited at most once a request, so a path cannot make the search long.
//!
//! ```
//! use secval::policy::router::{Found, Route, Router};
//!
//! let routes = [("GET", "/bookings"), ("GET", "/bookings/{id}"), ("DELETE", "/bookings/{id}")];
//! let router = Router::new(routes.iter().enumerate().map(|(operation, (method, template))| Route {
//!     method: (*method).to_owned(),
//!     template: (*template).to_owned(),
//!     operation,
//! }))
//! .unwrap();
//! let Found::Operation { operation, captures } = router.find("GET", "/bookings/7") else { panic!() };
//! assert_eq!((operation, captures), (1, vec!["7"]));
//! assert!(matches!(router.find("POST", "/bookings/7"), Found::MethodUnknown { .. }));
//! assert!(matches!(router.find("GET", "/bookings/"), Found::Unknown));
//! ```

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::collections::HashMap;
use std::fmt;

/// More segments than any real path has. At half of it long generated paths would be refused; at double
/// nothing changes but the depth of the search, which is one small stack frame a segment.
const MAX_SEGMENTS: usize = 64;

/// One method on one path template, and the index of the operation that it stands for.
#[derive(Debug, Clone)]
pub struct Route {
    /// As it stands in a request: `GET`.
    pub method: String,
    /// The full path with its base, `/v1/bookings/{id}`.
    pub template: String,
    /// Whatever index the caller wants back.
    pub operation: usize,
}

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

/// What a path and a method lead to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'r, 'p> {
    /// The operation, and the texts of its template's parameters from left to right.
    Operation {
        /// As given in [`Route::operation`].
        operation: usize,
        /// Decoded, not empty.
        captures: Vec<&'p str>,
    },
    /// The path is known, the method on it is not: the methods that are, with their operations.
    MethodUnknown {
        /// Sorted by method.
        methods: &'r [(String, usize)],
    },
    /// No template matches the path.
    Unknown,
}

/// The compiled templates of an API.
#[derive(Debug)]
pub struct Router {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, usize, foldhash::fast::RandomState>,
    /// In the order of preference: more literal characters first.
    patterns: Vec<(Pattern, usize)>,
    /// Of the template that ends here, sorted.
    methods: Vec<(String, usize)>,
}

/// A segment with parameters: `before {p} between[0] {p} between[1] … {p} after`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    before: String,
    between: Vec<String>,
    after: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
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

    /// The names of the parameters, from left to right: the order of [`Found::Operation`]'s captures.
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

impl Router {
    /// Compiles the routes, or reports the fault of every route that has one.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Result<Self, Vec<RouteFault>> {
        let mut router = Self { nodes: vec![Node::default()] };
        let mut faults = Vec::new();
        for (index, route) in routes.into_iter().enumerate() {
            let added = Template::parse(&route.template).and_then(|t| router.add(&t, route));
            if let Err(kind) = added {
                faults.push(RouteFault { route: index, kind });
            }
        }
        for node in &mut router.nodes {
            node.patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.literal_len()));
            node.methods.sort();
        }
        if faults.is_empty() { Ok(router) } else { Err(faults) }
    }

    fn add(&mut self, template: &Template, route: Route) -> Result<(), RouteFaultKind> {
        let mut at = 0;
        for segment in &template.segments {
            at = self.child(at, segment);
        }
        let Some(node) = self.nodes.get_mut(at) else { return Err(RouteFaultKind::Duplicate) };
        if node.methods.iter().any(|(method, _)| *method == route.method) {
            return Err(RouteFaultKind::Duplicate);
        }
        node.methods.push((route.method, route.operation));
        Ok(())
    }

    fn child(&mut self, at: usize, segment: &Segment) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let child = match segment {
            Segment::Literal(text) => *node.literals.entry(text.clone()).or_insert(next),
            Segment::Pattern(pattern) => {
                if let Some((_, child)) = node.patterns.iter().find(|(known, _)| known == pattern) {
                    *child
                } else {
                    node.patterns.push((pattern.clone(), next));
                    next
                }
            }
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Finds the operation of a method on a decoded path that begins with a slash.
    pub fn find<'p>(&self, method: &str, path: &'p str) -> Found<'_, 'p> {
        let mut captures = Vec::new();
        let Some(path) = path.strip_prefix('/') else { return Found::Unknown };
        let Ok(Some(node)) = self.walk(0, path, &mut captures) else { return Found::Unknown };
        let operation = node.operation(method).or_else(|| {
            // RFC 9110, 9.3.2: HEAD is GET without the content of the answer.
            if method == "HEAD" { node.operation("GET") } else { None }
        });
        match operation {
            Some(operation) => Found::Operation { operation, captures },
            None => Found::MethodUnknown { methods: &node.methods },
        }
    }

    /// The node of the best template that matches what is left of the path; `captures` are its parameters.
    fn walk<'p>(
        &self,
        at: usize,
        rest: &'p str,
        captures: &mut Vec<&'p str>,
    ) -> Result<Option<&Node>, Ambiguous> {
        let Some(node) = self.nodes.get(at) else { return Ok(None) };
        let (segment, tail) = match rest.split_once('/') {
            Some((segment, tail)) => (segment, Some(tail)),
            None => (rest, None),
        };
        let go = |child: usize, captures: &mut Vec<&'p str>| match tail {
            Some(tail) => self.walk(child, tail, captures),
            None => Ok(self.nodes.get(child).filter(|node| !node.methods.is_empty())),
        };
        if let Some(child) = node.literals.get(segment)
            && let Some(found) = go(*child, captures)?
        {
            return Ok(Some(found));
        }
        for (pattern, child) in &node.patterns {
            let kept = captures.len();
            if pattern.split(segment, captures)?
                && let Some(found) = go(*child, captures)?
            {
                return Ok(Some(found));
            }
            captures.truncate(kept);
        }
        Ok(None)
    }
}

/// A segment that its template could split in more than one way.
struct Ambiguous;

impl Node {
    fn operation(&self, method: &str) -> Option<usize> {
        self.methods.iter().find(|(known, _)| known == method).map(|(_, operation)| *operation)
    }
}

impl Pattern {
    fn literal_len(&self) -> usize {
        let between = self.between.iter().map(String::len).fold(0, usize::saturating_add);
        self.before.len().saturating_add(self.after.len()).saturating_add(between)
    }

    /// Pushes the parameters' texts if the segment matches, in exactly one way.
    ///
    /// The leftmost places of the literals between are compared with the rightmost ones: every way to split
    /// lies between the two, so there is one way exactly when they are equal.
    fn split<'p>(&self, segment: &'p str, captures: &mut Vec<&'p str>) -> Result<bool, Ambiguous> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn router(templates: &[&str]) -> Router {
        let route = |(operation, template): (usize, &&str)| {
            let (method, template) = template.split_once(' ').unwrap_or(("GET", template));
            Route { method: method.to_owned(), template: template.to_owned(), operation }
        };
        Router::new(templates.iter().enumerate().map(route)).expect("good templates")
    }

    fn found(router: &Router, method: &str, path: &str) -> String {
        match router.find(method, path) {
            Found::Operation { operation, captures } => {
                format!("{operation} {}", captures.join("|"))
            }
            Found::MethodUnknown { methods } => {
                methods.iter().map(|(m, _)| m.as_str()).collect::<Vec<_>>().join(",")
            }
            Found::Unknown => "-".to_owned(),
        }
    }

    #[test]
    fn concrete_beats_templated_and_backtracks() {
        let router = router(&["/a/{x}", "/a/b", "/a/b/c", "/a/{x}/d", "/{y}/b/e", "/"]);
        for (path, expected) in [
            ("/a/b", "1 "),
            ("/a/z", "0 z"),
            ("/a/b/c", "2 "),
            ("/a/b/d", "3 b"),
            ("/a/b/e", "4 a"),
            ("/a/b/f", "-"),
            ("/", "5 "),
            ("/a", "-"),
            ("/a/", "-"),
            ("/a/b/", "-"),
            ("a/b", "-"),
            ("", "-"),
        ] {
            assert_eq!(found(&router, "GET", path), expected, "{path}");
        }
    }

    #[test]
    fn the_path_decides_before_the_method() {
        let router = router(&["GET /u/{id}", "POST /u/search", "PUT /u/{id}"]);
        assert_eq!(found(&router, "GET", "/u/search"), "POST");
        assert_eq!(found(&router, "DELETE", "/u/1"), "GET,PUT");
        assert_eq!(found(&router, "HEAD", "/u/1"), "0 1");
        assert_eq!(found(&router, "HEAD", "/u/search"), "POST");
        assert_eq!(found(&router, "get", "/u/1"), "GET,PUT");
    }

    #[test]
    fn mixed_segments_match_only_when_they_split_in_one_way() {
        let router = router(&["/r-{id}.{format}", "/{a}--{b}", "/{x}.json", "/{any}"]);
        for (path, expected) in [
            ("/r-7.pdf", "0 7|pdf"),
            ("/r-7.tar.gz", "-"),
            ("/r-.pdf", "3 r-.pdf"),
            ("/a--b", "1 a|b"),
            ("/a---b", "-"),
            ("/--b", "3 --b"),
            ("/f.json", "2 f"),
            ("/.json", "3 .json"),
            ("/é--ü", "1 é|ü"),
        ] {
            assert_eq!(found(&router, "GET", path), expected, "{path}");
        }
    }

    #[test]
    fn every_kind_of_fault_is_reported() {
        use RouteFaultKind as Kind;
        for (template, kind) in [
            ("a", Kind::NoLeadingSlash),
            ("/{a", Kind::Braces),
            ("/a}", Kind::Braces),
            ("/{}", Kind::Braces),
            ("/{{a}}", Kind::Braces),
            ("/{a}{b}", Kind::AdjacentParameters),
            ("/{a}/{a}", Kind::RepeatedParameter),
            ("/a//b", Kind::Segment),
            ("/a/../b", Kind::Segment),
            ("/.", Kind::Segment),
            ("/a?b", Kind::Delimiter),
            ("/a%2fb", Kind::Delimiter),
        ] {
            assert_eq!(Template::parse(template).err(), Some(kind), "{template}");
        }
        assert_eq!(Template::parse(&"/a".repeat(65)).err(), Some(Kind::TooLong));
        let twice = ["/a/{x}", "/b", "/a/{y}"].map(|template| Route {
            method: "GET".to_owned(),
            template: template.to_owned(),
            operation: 0,
        });
        let faults = Router::new(twice).expect_err("equivalent templates");
        assert_eq!(faults, [RouteFault { route: 2, kind: Kind::Duplicate }]);
    }
}
