//! Formats: which there are, and what asserts them.
//!
//! The standard formats are the `jsonschema` crate's. Those that only a later draft defines are asserted under earlier
//! ones too: a schema that says `uuid` means it. A name that nobody knows is a fault of the schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::json;

use super::dialect::Dialect;
use super::instance::{Instance, Tree};
use super::number::Decimal;
use super::pattern::Pattern;
use super::questions::Questions;
use super::quick::{self, Quick};
use super::rfc3339;
use crate::json::Number;

/// What a format of the policy's own means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatRule {
    /// Known, and not asserted.
    Any,
    /// Strings match this pattern.
    Pattern(String),
}

/// Which formats are asserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats {
    /// Whether the standard ones are, and unknown ones are compile errors.
    pub asserted: bool,
    /// The policy's own, by name.
    pub custom: BTreeMap<String, FormatRule>,
    /// Whether OpenAPI's registry is known as well: `int32`, `double` and their like are asserted of numbers, and
    /// `password`, `binary` and their like are annotations.
    pub openapi: bool,
}

impl Default for Formats {
    fn default() -> Self {
        Self { asserted: true, custom: BTreeMap::new(), openapi: false }
    }
}

impl Formats {
    /// The type of the values that a format judges, `number` or `string`; `None` for one that judges none.
    pub fn judges(&self, name: &str) -> Option<&'static str> {
        match self.custom.get(name) {
            Some(FormatRule::Any) => None,
            None if !self.asserted || (self.openapi && ANNOTATIONS.contains(&name)) => None,
            None if self.openapi && NumberFormat::find(name).is_some() => Some("number"),
            Some(FormatRule::Pattern(_)) | None => Some("string"),
        }
    }
}

/// A format of OpenAPI's registry that speaks of numbers: integers in a range, or numbers that a double or a single
/// holds without overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NumberFormat {
    name: &'static str,
    integer: bool,
    least: &'static str,
    most: &'static str,
}

const fn integer(name: &'static str, least: &'static str, most: &'static str) -> NumberFormat {
    NumberFormat { name, integer: true, least, most }
}

/// <https://spec.openapis.org/registry/format/>, July 2025.
const NUMBERS: &[NumberFormat] = &[
    integer("int8", "-128", "127"),
    integer("uint8", "0", "255"),
    integer("int16", "-32768", "32767"),
    integer("uint16", "0", "65535"),
    integer("int32", "-2147483648", "2147483647"),
    integer("uint32", "0", "4294967295"),
    integer("int64", "-9223372036854775808", "9223372036854775807"),
    integer("uint64", "0", "18446744073709551615"),
    integer("double-int", "-9007199254740991", "9007199254740991"),
    NumberFormat {
        name: "float",
        integer: false,
        least: "-3.4028234663852886e38",
        most: "3.4028234663852886e38",
    },
    NumberFormat {
        name: "double",
        integer: false,
        least: "-1.7976931348623157e308",
        most: "1.7976931348623157e308",
    },
];

/// The same registry's formats that say how a value is written or shown, not which are valid, and those of
/// structured fields and of decimals, whose grammar depends on where they stand.
const ANNOTATIONS: &[&str] = &[
    "base64url",
    "binary",
    "byte",
    "char",
    "commonmark",
    "date-time-local",
    "decimal",
    "decimal128",
    "html",
    "http-date",
    "media-range",
    "password",
    "sf-binary",
    "sf-boolean",
    "sf-decimal",
    "sf-integer",
    "sf-string",
    "sf-token",
    "time-local",
];

impl NumberFormat {
    pub(super) fn find(name: &str) -> Option<Self> {
        NUMBERS.iter().find(|format| format.name == name).copied()
    }

    pub(super) fn name(self) -> &'static str {
        self.name
    }

    pub(super) fn allows(self, number: Number<'_>) -> bool {
        let value = Decimal::parse(number.text());
        (!self.integer || number.is_integer_literal() || value.is_integer())
            && Decimal::parse(self.least) <= value
            && value <= Decimal::parse(self.most)
    }
}

/// What asserts a format.
#[derive(Debug, Clone)]
pub(super) enum Check {
    Standard(Arc<Standard>),
    Pattern(Arc<Pattern>),
    Number(NumberFormat),
}

impl Check {
    /// The most steps that it takes for each byte of a text, beyond the first look at it. Where questions are not counted,
    /// only those are asked that take none.
    pub(super) fn steps(&self) -> u64 {
        match self {
            Self::Number(_) => 0,
            Self::Pattern(pattern) => pattern.steps(),
            Self::Standard(standard) => standard.steps(),
        }
    }

    /// Whether a text is valid. Of one that takes more than a look at each byte, there may be no answer: then all questions
    /// are spent.
    pub(super) fn is_valid_within(&self, text: &str, questions: &mut Questions) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Pattern(pattern) => pattern.is_match_within(text, questions),
            Self::Standard(standard) => standard.is_valid_within(text, questions),
        }
    }
}

/// A standard format.
#[derive(Debug)]
pub(super) struct Standard {
    name: String,
    quick: Option<Quick>,
    full: Full,
}

type IsValid = fn(&str) -> bool;

/// What asserts a standard format in full.
#[derive(Debug)]
enum Full {
    Own(IsValid),
    Crate(Validator<Tree>),
}

/// Formats that are ours in full: the crate takes `,` and its like for digits.
const OWN: [(&str, IsValid); 3] =
    [("date", rfc3339::is_date), ("date-time", rfc3339::is_date_time), ("time", rfc3339::is_time)];

impl Standard {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The short way, if there is one: what it does not accept must be asked of `is_valid`.
    pub(super) fn quick(&self) -> Option<Quick> {
        self.quick
    }

    pub(super) fn is_valid(&self, text: &str) -> bool {
        self.is_quickly_valid(text) || self.is_valid_in_full(text)
    }

    fn is_quickly_valid(&self, text: &str) -> bool {
        self.quick.is_some_and(|quick| quick(text.as_bytes()))
    }

    fn is_valid_in_full(&self, text: &str) -> bool {
        match &self.full {
            Full::Own(is_valid) => is_valid(text),
            Full::Crate(validator) => validator.is_valid(Instance::Name(text)),
        }
    }

    fn is_valid_within(&self, text: &str, questions: &mut Questions) -> bool {
        self.is_quickly_valid(text)
            || (questions.afford(self.cost(text)) && self.is_valid_in_full(text))
    }

    /// Steps for each byte, beyond the first look at it.
    fn steps(&self) -> u64 {
        match &*self.name {
            // Names of all scripts are mapped and composed.
            "idn-hostname" => 4,
            "regex" => 1,
            _ => 0,
        }
    }

    /// Questions that a text takes.
    pub(super) fn cost(&self, text: &str) -> u64 {
        let bytes = text.len() as u64;
        let (begun, more) = match &*self.name {
            // A group is compared with all that are named before it.
            "regex" => (64, bytes.saturating_mul(bytes) >> 12),
            "idn-hostname" => (16, bytes.saturating_mul(2)),
            "idn-email" => (16, 0),
            _ => (4, 0),
        };
        (bytes / 4).saturating_add(begun).saturating_add(more)
    }
}

/// What a format's name means under the options of one compilation.
pub(super) enum Meaning {
    Check(Check),
    /// Known, asserts nothing.
    Annotation,
    Unknown,
}

/// Formats as one compilation knows them; each is compiled once.
#[derive(Debug, Default)]
pub(super) struct Registry {
    known: BTreeMap<(Dialect, String), Arc<Standard>>,
}

impl Registry {
    /// What the name means. `Err` is a pattern of the policy's that does not compile.
    pub(super) fn meaning(
        &mut self,
        name: &str,
        dialect: Dialect,
        formats: &Formats,
    ) -> Result<Meaning, String> {
        match formats.custom.get(name) {
            Some(FormatRule::Any) => return Ok(Meaning::Annotation),
            Some(FormatRule::Pattern(source)) => {
                let pattern = Pattern::compile(source)?;
                return Ok(Meaning::Check(Check::Pattern(Arc::new(pattern))));
            }
            None => {}
        }
        if formats.openapi {
            if let Some(number) = NumberFormat::find(name) {
                return Ok(Meaning::Check(Check::Number(number)));
            }
            if ANNOTATIONS.contains(&name) {
                return Ok(Meaning::Annotation);
            }
        }
        Ok(self
            .standard(name, dialect)
            .map_or(Meaning::Unknown, |s| Meaning::Check(Check::Standard(s))))
    }

    /// A standard format by the rules of a draft, or of the latest if the draft does not have it.
    fn standard(&mut self, name: &str, dialect: Dialect) -> Option<Arc<Standard>> {
        let options = jsonschema::options_for::<Tree>();
        let native = options.is_known_format(dialect.draft(), name);
        let dialect = if native { dialect } else { Dialect::Draft202012 };
        if !options.is_known_format(dialect.draft(), name) {
            return None;
        }
        let key = (dialect, name.to_owned());
        if let Some(standard) = self.known.get(&key) {
            return Some(Arc::clone(standard));
        }
        let own = OWN.iter().find(|(own, _)| *own == name).map(|(_, is_valid)| *is_valid);
        let full = if let Some(is_valid) = own {
            Full::Own(is_valid)
        } else {
            let options =
                options.offline().with_draft(dialect.draft()).should_validate_formats(true);
            Full::Crate(options.build(&json!({ "format": name })).ok()?)
        };
        let standard = Arc::new(Standard { name: name.to_owned(), quick: quick::of(name), full });
        self.known.insert(key, Arc::clone(&standard));
        Some(standard)
    }
}

/// Names of the standard formats that are not the crate's own check alone, in any draft.
pub(super) const CHECKED_HERE: &[&str] = &["date", "date-time", "regex", "time"];

/// Names of the standard formats that some draft lacks, for telling the crate about them.
pub(super) const LATER: &[&str] = &[
    "duration",
    "idn-hostname",
    "iri",
    "iri-reference",
    "json-pointer",
    "relative-json-pointer",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// Names of OpenAPI's registry that a compilation with `openapi` knows beyond the standard ones.
pub(super) fn openapi_annotations() -> &'static [&'static str] {
    ANNOTATIONS
}
