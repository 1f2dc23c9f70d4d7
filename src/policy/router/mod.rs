//! Which operation a path belongs to: a trie over decoded path segments.
//!
//! Concrete beats templated, with backtracking: `/a/b` before `/a/{x}`, and `/a/b/d` still finds
//! `/a/{x}/d` when there is `/a/b/c`. The path decides first, then the method: a concrete path that lacks the
//! method answers "other method", it never falls through to a templated one (OpenAPI 3.1, Path Templating
//! Matching). `HEAD` falls back to `GET`.
//!
//! A segment may mix literals and parameters (`report-{id}.{format}`). A text that such a segment could
//! split in more than one way makes the path unknown: the application might split it the other way. For the
//! same reason a path that two templates match, neither of which is the more concrete one throughout (`/a/b` by
//! `/a/{x}` and `/{y}/b`), is known only if one alone of the two has the method: which one an application takes
//! depends on the order in which it was written. [`Router::contests`] lists such operations.
//! A parameter never matches an empty text, nor a slash.
//!
//! Cost: each node of the trie is visited at most once a request, twice where templates contest, so a path
//! cannot make the search long.
//!
//! | file | what |
//! |---|---|
//! | `template.rs` | a template taken apart, and its faults |
//! | `pattern.rs` | one segment with parameters |
//! | `contest.rs` | which templates can match one path without either being more concrete |
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

mod contest;
mod pattern;
mod template;

use std::collections::HashMap;

use contest::Hit;
use pattern::{Ambiguous, Pattern};
use template::Segment;
pub use template::{RouteFault, RouteFaultKind, Template};

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
    contests: Vec<(usize, usize)>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, usize, crate::seed::FastState>,
    /// In the order of preference: more literal characters first.
    patterns: Vec<(Pattern, usize)>,
    /// Of the template that ends here, sorted.
    methods: Vec<(String, usize)>,
    /// Whether some path that leads here is matched by another template, and neither is the more concrete one.
    contested: bool,
}

impl Router {
    /// Compiles the routes, or reports the fault of every route that has one.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Result<Self, Vec<RouteFault>> {
        let mut router = Self { nodes: vec![Node::default()], contests: Vec::new() };
        let mut faults = Vec::new();
        let mut ends: Vec<(Vec<Segment>, usize)> = Vec::new();
        for (index, route) in routes.into_iter().enumerate() {
            let parsed = Template::parse(&route.template);
            match parsed.and_then(|t| Ok((router.add(&t, route)?, t.into_segments()))) {
                Ok((node, _)) if ends.iter().any(|(_, known)| *known == node) => {}
                Ok((node, segments)) => ends.push((segments, node)),
                Err(kind) => faults.push(RouteFault { route: index, kind }),
            }
        }
        for node in &mut router.nodes {
            node.patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.literal_len()));
            node.methods.sort();
        }
        router.note_contests(&ends);
        if faults.is_empty() { Ok(router) } else { Err(faults) }
    }

    /// Pairs of operations with one method whose templates some path matches both of, neither being the more
    /// concrete one: such paths are unknown.
    pub fn contests(&self) -> &[(usize, usize)] {
        &self.contests
    }

    /// Adds a route; the node where its template ends.
    fn add(&mut self, template: &Template, route: Route) -> Result<usize, RouteFaultKind> {
        let mut at = 0;
        for segment in template.segments() {
            at = self.child(at, segment);
        }
        let Some(node) = self.nodes.get_mut(at) else { return Err(RouteFaultKind::Duplicate) };
        if node.methods.iter().any(|(method, _)| *method == route.method) {
            return Err(RouteFaultKind::Duplicate);
        }
        node.methods.push((route.method, route.operation));
        Ok(at)
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
        if node.contested {
            return self.settle(method, path);
        }
        match node.serves(method) {
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
        let (segment, tail) = first_segment(rest);
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

    /// Decides a path that more than one template may match: of those that no other is more concrete than, the
    /// one that alone has the method.
    fn settle<'p>(&self, method: &str, path: &'p str) -> Found<'_, 'p> {
        let mut hits = Vec::new();
        let mut way = Hit::default();
        if self.gather(0, path, &mut way, &mut hits).is_err() {
            return Found::Unknown;
        }
        let best = contest::best(&hits);
        if let [only] = best.as_slice()
            && let Some(node) = self.nodes.get(only.node)
            && node.serves(method).is_none()
        {
            return Found::MethodUnknown { methods: &node.methods };
        }
        let mut serving = best.into_iter().filter_map(|hit| {
            self.nodes.get(hit.node).and_then(|node| node.serves(method)).map(|found| (hit, found))
        });
        match (serving.next(), serving.next()) {
            (Some((hit, operation)), None) => {
                Found::Operation { operation, captures: hit.captures.clone() }
            }
            _ => Found::Unknown,
        }
    }

    /// Every template that matches what is left of the path.
    fn gather<'r, 'p>(
        &'r self,
        at: usize,
        rest: &'p str,
        way: &mut Hit<'r, 'p>,
        hits: &mut Vec<Hit<'r, 'p>>,
    ) -> Result<(), Ambiguous> {
        let Some(node) = self.nodes.get(at) else { return Ok(()) };
        let (segment, tail) = first_segment(rest);
        let mut go = |child: usize, way: &mut Hit<'r, 'p>| {
            if let Some(tail) = tail {
                return self.gather(child, tail, way, hits);
            }
            if self.nodes.get(child).is_some_and(|node| !node.methods.is_empty()) {
                hits.push(Hit { node: child, ..way.clone() });
            }
            Ok(())
        };
        if let Some(child) = node.literals.get(segment) {
            way.choices.push(None);
            go(*child, way)?;
            way.choices.pop();
        }
        for (pattern, child) in &node.patterns {
            let kept = way.captures.len();
            if pattern.split(segment, &mut way.captures)? {
                way.choices.push(Some(pattern));
                go(*child, way)?;
                way.choices.pop();
            }
            way.captures.truncate(kept);
        }
        Ok(())
    }

    fn note_contests(&mut self, ends: &[(Vec<Segment>, usize)]) {
        for (first, second) in contest::pairs(ends) {
            for node in [first, second] {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.contested = true;
                }
            }
            let methods = |node: usize| self.nodes.get(node).map(|node| node.methods.as_slice());
            let (ours, theirs) = (methods(first).unwrap_or(&[]), methods(second).unwrap_or(&[]));
            let same = ours.iter().filter_map(|(method, operation)| {
                let other = theirs.iter().find(|(other, _)| other == method)?;
                Some((*operation, other.1))
            });
            let same: Vec<(usize, usize)> = same.collect();
            self.contests.extend(same);
        }
    }
}

fn first_segment(rest: &str) -> (&str, Option<&str>) {
    match rest.split_once('/') {
        Some((segment, tail)) => (segment, Some(tail)),
        None => (rest, None),
    }
}

impl Node {
    fn operation(&self, method: &str) -> Option<usize> {
        self.methods.iter().find(|(known, _)| known == method).map(|(_, operation)| *operation)
    }

    /// RFC 9110, 9.3.2: HEAD is GET without the content of the answer.
    fn serves(&self, method: &str) -> Option<usize> {
        let head = || if method == "HEAD" { self.operation("GET") } else { None };
        self.operation(method).or_else(head)
    }
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
    fn a_contested_path_is_known_only_by_a_method_of_its_own() {
        let router = router(&[
            "GET /{entity}/me",
            "GET /books/{id}",
            "PUT /{entity}/me",
            "GET /{entity}/{id}",
            "GET /x/{name}.json",
            "GET /x/r-{id}",
            "GET /x/{any}",
        ]);
        for (method, path, expected) in [
            ("GET", "/books/7", "1 7"),
            ("GET", "/people/me", "0 people"),
            ("GET", "/books/me", "-"),
            ("HEAD", "/books/me", "-"),
            ("PUT", "/books/me", "2 books"),
            ("DELETE", "/books/me", "-"),
            ("DELETE", "/books/7", "GET"),
            ("GET", "/people/7", "3 people|7"),
            ("GET", "/x/r-7.json", "-"),
            ("GET", "/x/r-7", "5 7"),
            ("GET", "/x/f.json", "4 f"),
            ("GET", "/x/f", "6 f"),
        ] {
            assert_eq!(found(&router, method, path), expected, "{method} {path}");
        }
        assert_eq!(router.contests(), [(0, 1), (0, 6), (4, 5)]);
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
