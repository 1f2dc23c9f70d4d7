//! Patterns of `pattern` and `patternProperties`: ECMA-262, in linear time.
//!
//! They are translated as the arbiter translates them, so that both read them alike. What cannot run in linear time,
//! look-around and back-references, is refused at compile time.

use jsonschema_regex::{PatternAnalysis, analyze_pattern, contains_ecma_whitespace, to_rust_regex};
use regex::Regex;

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
    Regex(Regex),
}

impl Pattern {
    /// Compiles it, or tells why not.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        let translated = to_rust_regex(source)
            .map_err(|()| format!("{source:?} is no regular expression of ECMA-262"))?;
        let regex = Regex::new(&translated).map_err(|error| refuse(source, &error))?;
        let matcher = match analyze_pattern(source) {
            Some(PatternAnalysis::Prefix(prefix)) => Matcher::Prefix(prefix.into_owned()),
            Some(PatternAnalysis::Exact(exact)) => Matcher::Exact(exact.into_owned()),
            Some(PatternAnalysis::Alternation(options)) => Matcher::OneOf(options),
            Some(PatternAnalysis::NoWhitespace) => Matcher::NoBlank,
            None => Runs::of(&translated).map_or(Matcher::Regex(regex), Matcher::Runs),
        };
        Ok(Self { source: source.to_owned(), matcher })
    }

    /// As the schema has it.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Matcher::Exact(exact) => text == exact,
            Matcher::OneOf(options) => options.iter().any(|option| option == text),
            Matcher::NoBlank => !contains_ecma_whitespace(text),
            Matcher::Runs(runs) => runs.is_match(text),
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }
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
        return format!("{source:?} compiles to an automaton that is too large");
    }
    format!("{source:?} is no regular expression that can be matched in linear time")
}
