//! Patterns that say what each part of a short text is made of: `^[A-Z]{2}$`, `^[a-z0-9_-]{3,16}$`, `^\d{4}-\d{2}$`.
//!
//! Whole texts, runs of ASCII characters of one class each, and at most one run whose length is open: how long that one is
//! follows from the text's length, so that there is nothing to search for. All other patterns are the regex engine's.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use smallvec::SmallVec;

/// A pattern of such runs.
#[derive(Debug)]
pub(super) struct Runs {
    list: SmallVec<[Run; 3]>,
    /// Characters of all runs, at least and at most.
    least: usize,
    most: usize,
}

/// Characters of one class.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// A bit for each ASCII character.
    class: u128,
    least: usize,
    most: usize,
}

impl Runs {
    /// Of a pattern as the regex engine reads it, if it is of this form.
    pub(super) fn of(pattern: &Hir) -> Option<Self> {
        let HirKind::Concat(parts) = pattern.kind() else { return None };
        let [first, parts @ .., last] = parts.as_slice() else { return None };
        let whole = matches!(first.kind(), HirKind::Look(Look::Start))
            && matches!(last.kind(), HirKind::Look(Look::End));
        if !whole {
            return None;
        }
        let mut runs = SmallVec::<[Run; 3]>::new();
        for part in parts {
            if let HirKind::Literal(literal) = part.kind() {
                for byte in &literal.0 {
                    runs.push(Run { class: bit(*byte)?, least: 1, most: 1 });
                }
            } else if let HirKind::Repetition(repetition) = part.kind() {
                let least = usize::try_from(repetition.min).ok()?;
                let most = repetition.max.map_or(Ok(usize::MAX), usize::try_from).ok()?;
                runs.push(Run { class: class(&repetition.sub)?, least, most });
            } else {
                runs.push(Run { class: class(part)?, least: 1, most: 1 });
            }
        }
        let open = runs.iter().filter(|run| run.least != run.most).count();
        let least = runs.iter().try_fold(0_usize, |sum, run| sum.checked_add(run.least))?;
        let most = runs.iter().fold(0_usize, |sum, run| sum.saturating_add(run.most));
        (open <= 1).then_some(Self { list: runs, least, most })
    }

    #[inline]
    pub(super) fn is_match(&self, text: &str) -> bool {
        if !(self.least..=self.most).contains(&text.len()) {
            return false;
        }
        // What the run of open length has beyond its least.
        let extra = text.len().saturating_sub(self.least);
        let mut rest = text.as_bytes();
        self.list.iter().all(|run| {
            let length = run.least.saturating_add(if run.most > run.least { extra } else { 0 });
            let Some((own, others)) = rest.split_at_checked(length) else { return false };
            rest = others;
            own.iter().all(|byte| byte.is_ascii() && run.class >> byte & 1 == 1)
        })
    }
}

/// The characters that a part stands for, if all are ASCII.
fn class(part: &Hir) -> Option<u128> {
    if let HirKind::Literal(literal) = part.kind() {
        let [byte] = *literal.0 else { return None };
        return bit(byte);
    }
    let HirKind::Class(Class::Unicode(class)) = part.kind() else { return None };
    class.iter().try_fold(0, |bits, range| {
        let (start, end) = (u8::try_from(range.start()).ok()?, u8::try_from(range.end()).ok()?);
        (start..=end).try_fold(bits, |bits, byte| Some(bits | bit(byte)?))
    })
}

/// A character's bit, if it is ASCII.
fn bit(byte: u8) -> Option<u128> {
    1_u128.checked_shl(u32::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;
    use regex_syntax::parse;

    use super::*;

    const PATTERNS: [&str; 9] = [
        "^[A-Z]{2}$",
        "^[a-c0-1_-]{3,6}$",
        "^[0-9]{2}-[0-9]{1}$",
        "^a+[bc]{2}$",
        "^ab*c$",
        "^[a-c]?$",
        "^[a-c]{2,}x1$",
        "^#[0-9a-c]{3}$",
        "^x{0}[a-b]+?$",
    ];

    #[test]
    fn other_patterns_are_left_to_the_engine() {
        for pattern in [
            "[a-c]{2}",
            "^[a-c]{2}",
            "^a+b+$",
            "^(ab)+$",
            "^[^a]$",
            "^[é]$",
            "^a|b$",
            "^.$",
            "(?m)^[a-b]$",
        ] {
            assert!(Runs::of(&parse(pattern).unwrap()).is_none(), "{pattern}");
        }
        for pattern in PATTERNS {
            assert!(Runs::of(&parse(pattern).unwrap()).is_some(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn runs_match_what_the_engine_matches(text in "[a-cxA-B0-1#_é\n-]{0,7}", like in prop::sample::select(&PATTERNS[..])
            .prop_flat_map(|pattern| prop::string::string_regex(pattern.trim_matches(['^', '$'])).unwrap()))
        {
            for pattern in PATTERNS {
                let engine = Regex::new(pattern).unwrap();
                let runs = Runs::of(&parse(pattern).unwrap()).unwrap();
                for text in [&text, &like, &format!("{like}\n")] {
                    prop_assert_eq!(runs.is_match(text), engine.is_match(text), "{} {:?}", pattern, text);
                }
            }
        }
    }
}
