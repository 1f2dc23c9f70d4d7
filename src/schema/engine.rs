//! Searching a text for what a pattern describes, in a time that is known beforehand.
//!
//! Most patterns are laid out as an automaton in full: one step for each byte of a text, whatever it says. Of some,
//! `a.{99}b` or `(\p{L}{1,50}x){3}`, the automaton would be too large. It is made as far as a text needs it then, which
//! may be another state for every byte; and where that does not pay, all ways through the pattern are followed side by
//! side, up to as many for each byte as the pattern has parts. So such a search says what it takes, and is not begun where
//! that is more than may be asked.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::Input;
use regex_automata::dfa::{self, Automaton};
use regex_automata::hybrid;
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_syntax::hir::Hir;

use super::questions::Questions;

/// Bytes of a pattern's parts. At half, `(\p{L}{1,50}x){9}` is refused; at double, a pattern takes twice the memory.
const PARTS: usize = 10 << 20;

/// Bytes of an automaton that is laid out in full. At half, `^\p{L}+$` is made as texts need it; at double, a policy with a
/// thousand of the largest takes a gigabyte.
const LAID_OUT: usize = 1 << 19;

/// Bytes of memory that it takes to lay one out. At half, classes of all letters are made as texts need them; at double,
/// a pattern that turns out to be too large takes twice the milliseconds to compile.
const LAYING_OUT: usize = 1 << 20;

/// Parts of a pattern, times the classes of bytes that it tells apart, up to which laying it out is tried. At half, `^.{1,300}$`
/// is made as texts need it; at double, hundreds of patterns like `^\p{L}{1,50}$` take twice the seconds to compile, and
/// turn out to be too large.
const TRIED: usize = 1 << 16;

/// Bytes of an automaton that is made as texts need it, for each thread that does so at once. At half, patterns that could
/// be kept whole are made again and again; at double, idle threads hold twice as much.
const MADE: usize = 1 << 21;

/// Bytes of it that are made in the time of a question.
const MADE_AT_ONCE: usize = 2;

/// Steps on ways through a pattern in the same time.
const STEPS_AT_ONCE: u64 = 2;

/// Bytes that a state must be good for, on average, or the automaton is not made any further: below, to follow all ways
/// is as fast.
const WORTH: usize = 10;

/// How a pattern is searched for.
#[derive(Debug)]
pub(super) enum Engine {
    /// Along an automaton that is there in full.
    Laid(Box<dfa::dense::DFA<Vec<u32>>>),
    Made(Box<Made>),
}

/// What it takes where the automaton is too large.
pub(super) struct Made {
    automaton: hybrid::dfa::DFA,
    ways: PikeVM,
    /// Parts of the pattern: the most ways that are followed side by side.
    parts: u64,
    memory: Pool<Memory, MakeMemory>,
}

struct Memory {
    automaton: hybrid::dfa::Cache,
    ways: pikevm::Cache,
}

type MakeMemory = Box<dyn Fn() -> Memory + Send + Sync + UnwindSafe + RefUnwindSafe>;

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl Engine {
    /// For a pattern; `None` if it has too many parts.
    pub(super) fn new(pattern: &Hir) -> Option<Self> {
        let parts =
            thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(PARTS));
        let nfa = thompson::Compiler::new().configure(parts).build_from_hir(pattern).ok()?;
        let limits = dfa::dense::Config::new()
            .start_kind(dfa::StartKind::Unanchored)
            .dfa_size_limit(Some(LAID_OUT))
            .determinize_size_limit(Some(LAYING_OUT));
        let size = nfa.states().len().saturating_mul(nfa.byte_classes().alphabet_len());
        let lay_out = || dfa::dense::Builder::new().configure(limits).build_from_nfa(&nfa).ok();
        Some(match (size <= TRIED).then(lay_out).flatten() {
            Some(laid) => Self::Laid(Box::new(laid)),
            // Too large, or with boundaries of words in all scripts, which take a look at more than one byte.
            None => Self::Made(Box::new(Made::new(nfa)?)),
        })
    }

    /// The most steps that a search takes for each byte, beyond the first look at it.
    pub(super) fn steps(&self) -> u64 {
        match self {
            Self::Laid(_) => 0,
            Self::Made(made) => made.parts,
        }
    }

    /// Whether a text has it, somewhere. If a look at each byte is not all that it takes, there may be no
    /// answer: then all questions are spent.
    pub(super) fn is_in(&self, text: &str, questions: &mut Questions) -> bool {
        match self {
            // Fails only of bytes at which it was told to quit: there are none.
            Self::Laid(automaton) => {
                matches!(automaton.try_search_fwd(&Input::new(text).earliest(true)), Ok(Some(_)))
            }
            Self::Made(made) => made.is_in(text, questions),
        }
    }
}

impl Made {
    fn new(nfa: NFA) -> Option<Self> {
        let limits = hybrid::dfa::Config::new()
            .cache_capacity(MADE)
            // One state of a large pattern may be larger.
            .skip_cache_capacity_check(true)
            .unicode_word_boundary(true)
            .minimum_cache_clear_count(Some(0))
            .minimum_bytes_per_state(Some(WORTH));
        let parts = nfa.states().len() as u64;
        let automaton =
            hybrid::dfa::Builder::new().configure(limits).build_from_nfa(nfa.clone()).ok()?;
        let ways = PikeVM::builder().build_from_nfa(nfa).ok()?;
        let make = {
            let (automaton, ways) = (automaton.clone(), ways.clone());
            move || Memory { automaton: automaton.create_cache(), ways: ways.create_cache() }
        };
        Some(Self { automaton, ways, parts, memory: Pool::new(Box::new(make)) })
    }

    fn is_in(&self, text: &str, questions: &mut Questions) -> bool {
        if questions.is_spent() {
            return false;
        }
        let mut memory = self.memory.get();
        let (before, emptied) = made(&memory.automaton);
        let input = Input::new(text).earliest(true);
        let found = self.automaton.try_search_fwd(&mut memory.automaton, &input);
        let (after, emptied_now) = made(&memory.automaton);
        let refilled = emptied_now.saturating_sub(emptied).saturating_mul(MADE);
        let grown = after.saturating_add(refilled).saturating_sub(before);
        questions.spend((grown / MADE_AT_ONCE) as u64);
        if let Ok(found) = found {
            return found.is_some();
        }
        // What this text needs is nothing that others will.
        memory.automaton.reset(&self.automaton);
        let steps = self.parts.saturating_mul(text.len() as u64);
        if !questions.afford(steps / STEPS_AT_ONCE) {
            return false;
        }
        self.ways.is_match(&mut memory.ways, input)
    }
}

/// Bytes of the automaton that are made, and how often all of it was thrown away.
fn made(cache: &hybrid::dfa::Cache) -> (usize, usize) {
    (cache.memory_usage(), cache.clear_count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn engine(pattern: &str) -> Engine {
        Engine::new(&regex_syntax::parse(pattern).unwrap()).unwrap()
    }

    fn made(pattern: &str) -> Engine {
        let nfa = thompson::Compiler::new().build(pattern).unwrap();
        Engine::Made(Box::new(Made::new(nfa).unwrap()))
    }

    /// What a search says, and the questions that it took.
    fn search(engine: &Engine, text: &str, most: u64) -> (Option<bool>, u64) {
        let mut questions = Questions::new(most);
        let found = engine.is_in(text, &mut questions);
        ((!questions.is_spent()).then_some(found), most - questions.left())
    }

    /// Letters in an order that no state of an automaton comes back to.
    fn shuffled(count: usize) -> String {
        let mut state = 1_u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if state >> 40 & 1 == 0 { 'a' } else { 'b' }
        };
        (0..count).map(|_| letter()).collect()
    }

    #[test]
    fn ordinary_patterns_are_laid_out() {
        for pattern in
            ["a+b", "^.{1,150}$", r"^\p{L}+$", "^([a-z0-9]+-)*[a-z0-9]+$", "(a|b)*a(a|b){9}"]
        {
            assert_eq!(engine(pattern).steps(), 0, "{pattern}");
        }
        for pattern in ["(a|b)*a(a|b){200}c", r"(\p{L}{1,50}x){3}$", r"\bab\b"] {
            assert!(engine(pattern).steps() > 0, "{pattern}");
        }
    }

    #[test]
    fn what_would_take_too_long_is_not_answered() {
        let engine = engine("(a|b)*a(a|b){200}c");
        let text = shuffled(1 << 17);
        assert_eq!(search(&engine, &text, 1 << 22), (None, 1 << 22));
        // The same where it is affordable, also by one who has asked before.
        let (found, taken) = search(&engine, &text[1 << 16..][..4096], 1 << 22);
        assert_eq!(found, Some(false));
        assert!(4096 < taken && taken < 1 << 21, "{taken}");
        assert_eq!(search(&engine, &format!("{}c", &text[..8192]), 1 << 22).0, Some(true));
    }

    #[test]
    fn a_text_that_an_automaton_suits_takes_little() {
        let engine = engine(r"^(\p{L}{1,50}x){3}$");
        let text = "ax".repeat(1 << 16);
        search(&engine, &text, u64::MAX);
        assert_eq!(search(&engine, &text, 1 << 22), (Some(false), 0), "it is there already");
    }

    #[test]
    fn boundaries_of_words_are_those_of_all_scripts() {
        let engine = engine(r"\bab\b");
        for (text, expected) in [("ab", true), ("ä ab.", true), ("äab", false), ("abc", false)] {
            assert_eq!(search(&engine, text, 1 << 22).0, Some(expected), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn both_ways_find_what_the_regex_crate_finds(
            pattern in r"\^?([ab.ä]|\[a-c\]|\(a\|b\)|\\b|\\p\{L\}|[ab][*+?]|[ab.]\{1,3\}|\(ab\)\{0,2\}){0,5}\$?",
            text in "[abcä \n]{0,12}",
        ) {
            let expected = regex::Regex::new(&pattern).unwrap().is_match(&text);
            for engine in [engine(&pattern), made(&pattern)] {
                prop_assert_eq!(search(&engine, &text, 1 << 22).0, Some(expected), "{} {:?}", pattern, text);
            }
        }
    }
}
