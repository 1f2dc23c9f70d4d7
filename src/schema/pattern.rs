//! Patterns of `pattern` and `patternProperties`: ECMA-262, in linear time.
//!
//! They are translated as the arbiter translates them, but that `.` is no line terminator, of which there are four. What cannot
//! run in linear time, look-around and back-references, is refused at compile time.

use std::collections::HashSet;

use jsonschema_regex::{PatternAnalysis, analyze_pattern, contains_ecma_whitespace, to_rust_regex};
use regex_syntax::ast::{self, Ast};

use super::engine::Engine;
use super::questions::Questions;
use super::runs::Runs;
use crate::seed::FastState;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    matcher: Matcher,
}

/// Many patterns of real schemas need no automaton.
#[derive(Debug)]
enum Matcher {
    Prefix(String),
    Exact(String),
    OneOf(HashSet<String, FastState>),
    NoBlank,
    Runs(Runs),
    Engine(Engine),
}

impl Pattern {
    /// Compiles it, or tells why not.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        Self::translated(source, |pattern, dots| {
            let mut text = String::new();
            let mut done = 0;
            for dot in dots {
                text.push_str(pattern.get(done..dot.start.offset).unwrap_or_default());
                text.push_str(DOT);
                done = dot.end.offset;
            }
            text + pattern.get(done..).unwrap_or_default()
        })
    }

    /// The same for the names of members, which only the arbiter's own engine can match there: its `.` is all but a line feed.
    pub(super) fn compile_for_names(source: &str) -> Result<Self, String> {
        Self::translated(source, |pattern, _| pattern.to_owned())
    }

    fn translated(
        source: &str,
        with_dots: impl FnOnce(&str, &[ast::Span]) -> String,
    ) -> Result<Self, String> {
        let no_pattern = || format!("{source:?} is no regular expression of ECMA-262");
        let translated = to_rust_regex(source).map_err(|()| no_pattern())?;
        let refused = |error: &dyn std::fmt::Display| refuse(source, &error.to_string());
        let tree = ast::parse::Parser::new().parse(&translated).map_err(|error| refused(&error))?;
        let dots = ast::visit(&tree, Reader::default()).map_err(|TwiceRepeated| no_pattern())?;
        let pattern = with_dots(&translated, &dots);
        let hir = regex_syntax::parse(&pattern).map_err(|error| refused(&error))?;
        let matcher = match analyze_pattern(source) {
            Some(PatternAnalysis::Prefix(prefix)) => Matcher::Prefix(prefix.into_owned()),
            Some(PatternAnalysis::Exact(exact)) => Matcher::Exact(exact.into_owned()),
            Some(PatternAnalysis::Alternation(options)) => {
                Matcher::OneOf(options.into_iter().collect())
            }
            Some(PatternAnalysis::NoWhitespace) => Matcher::NoBlank,
            None => match Runs::of(&hir) {
                Some(runs) => Matcher::Runs(runs),
                None => Matcher::Engine(Engine::new(&hir).ok_or_else(|| {
                    format!("{source:?} compiles to an automaton that is too large")
                })?),
            },
        };
        Ok(Self { source: source.to_owned(), matcher })
    }

    /// As the schema has it.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The most steps that it takes to match it, for each byte of the text beyond the first look at it.
    pub(super) fn steps(&self) -> u64 {
        match &self.matcher {
            Matcher::Engine(engine) => engine.steps(),
            Matcher::Prefix(_)
            | Matcher::Exact(_)
            | Matcher::OneOf(_)
            | Matcher::NoBlank
            | Matcher::Runs(_) => 0,
        }
    }

    /// Whether one look through the text is all that it takes, whatever that says. Where questions are not counted, only such
    /// patterns are asked.
    pub(super) fn is_light(&self) -> bool {
        self.steps() == 0
    }

    /// Whether a text matches. Of a pattern that is not light there may be no answer: then all questions are spent.
    pub(super) fn is_match_within(&self, text: &str, questions: &mut Questions) -> bool {
        questions.spend_on_bytes(text.len());
        match &self.matcher {
            Matcher::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Matcher::Exact(exact) => text == exact,
            Matcher::OneOf(options) => options.contains(text),
            Matcher::NoBlank => !contains_ecma_whitespace(text),
            Matcher::Runs(runs) => runs.is_match(text),
            Matcher::Engine(engine) => engine.is_in(text, questions),
        }
    }

    /// The same, whatever it takes.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.is_match_within(text, &mut Questions::unlimited())
    }
}

/// All characters that end no line.
const DOT: &str = r"[^\n\r\u{2028}\u{2029}]";

/// Reads where a pattern has dots.
#[derive(Default)]
struct Reader(Vec<ast::Span>);

/// `a{2}{3}`, which ECMA-262 does not have.
struct TwiceRepeated;

impl ast::Visitor for Reader {
    type Output = Vec<ast::Span>;
    type Err = TwiceRepeated;

    fn finish(self) -> Result<Vec<ast::Span>, TwiceRepeated> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), TwiceRepeated> {
        if let Ast::Dot(dot) = tree {
            self.0.push(**dot);
        }
        if let Ast::Repetition(outer) = tree
            && matches!(&*outer.ast, Ast::Repetition(_))
        {
            return Err(TwiceRepeated);
        }
        Ok(())
    }
}

fn refuse(source: &str, error: &str) -> String {
    let around = ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|group| source.contains(group));
    if around || error.contains("look-around") {
        return format!("{source:?} uses look-around, which cannot be matched in linear time");
    }
    if error.contains("backreferences") {
        return format!("{source:?} uses a back-reference, which cannot be matched in linear time");
    }
    format!("{source:?} is no regular expression that can be matched in linear time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_ends_no_line() {
        let values = Pattern::compile("^a.[.]\\..$").unwrap();
        for text in ["ab..c", "aä..ß", "a\u{85}..c"] {
            assert!(values.is_match(text), "{text:?}");
        }
        for text in
            ["ab.ac", "aba.c", "a\n..c", "a\r..c", "a\u{2028}..c", "ab..\u{2029}", "ab..c\n"]
        {
            assert!(!values.is_match(text), "{text:?}");
        }
        let names = Pattern::compile_for_names("^a.$").unwrap();
        assert!(names.is_match("a\r") && !names.is_match("a\n"));
    }

    #[test]
    fn what_is_repeated_twice_is_no_pattern() {
        for source in ["x{2}{0,1}", "a**", "(a+){2}+", "a{2}+"] {
            assert!(Pattern::compile(source).is_err(), "{source}");
        }
        for source in ["x{2}?", "(x{2}){0,1}", "a+?", "a{1,2}?"] {
            assert!(Pattern::compile(source).is_ok(), "{source}");
        }
    }
}
