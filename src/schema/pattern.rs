//! Patterns of `pattern` and `patternProperties`: ECMA-262, in linear time.
//!
//! They are translated as the arbiter translates them, so that both read them alike. What cannot run in linear time,
//! look-around and back-references, is refused at compile time.

use jsonschema_regex::{PatternAnalysis, analyze_pattern, contains_ecma_whitespace, to_rust_regex};
use regex::Regex;

use super::engine::Engine;
use super::questions::Questions;
use super::runs::Runs;

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
    OneOf(Vec<String>),
    NoBlank,
    Runs(Runs),
    Engine(Engine),
}

impl Pattern {
    /// Compiles it, or tells why not.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        let translated = to_rust_regex(source)
            .map_err(|()| format!("{source:?} is no regular expression of ECMA-262"))?;
        Regex::new(&translated).map_err(|error| refuse(source, &error))?;
        let matcher = match analyze_pattern(source) {
            Some(PatternAnalysis::Prefix(prefix)) => Matcher::Prefix(prefix.into_owned()),
            Some(PatternAnalysis::Exact(exact)) => Matcher::Exact(exact.into_owned()),
            Some(PatternAnalysis::Alternation(options)) => Matcher::OneOf(options),
            Some(PatternAnalysis::NoWhitespace) => Matcher::NoBlank,
            None => match Runs::of(&translated) {
                Some(runs) => Matcher::Runs(runs),
                None => Matcher::Engine(Engine::new(&translated).ok_or_else(|| too_large(source))?),
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
            Matcher::OneOf(options) => options.iter().any(|option| option == text),
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

fn too_large(source: &str) -> String {
    format!("{source:?} compiles to an automaton that is too large")
}

fn refuse(source: &str, error: &regex::Error) -> String {
    let around = ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|group| source.contains(group));
    let text = error.to_string();
    if around || text.contains("look-around") {
        return format!("{source:?} uses look-around, which cannot be matched in linear time");
    }
    if text.contains("backreferences") {
        return format!("{source:?} uses a back-reference, which cannot be matched in linear time");
    }
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return too_large(source);
    }
    format!("{source:?} is no regular expression that can be matched in linear time")
}
