//! The `jsonschema` crate, which has the last word on what a schema says, and lists violations.
//!
//! It recurses over the value and the schema together, so it runs on a stack that is known to be large enough: as many
//! frames as the schema's height, or, where references make a cycle, as the value's depth times what can apply to one
//! value.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jsonschema::{Keyword, PatternOptions, ValidationError, ValidationOptions, Validator};
use referencing::Registry;
use serde_json::{Value as Serde, json};

use super::dialect::Dialect;
use super::divisor::Divisor;
use super::formats::{self, Check, FormatRule, Formats, Meaning, NumberFormat};
use super::graph::{Graph, NodeId};
use super::instance::{self, Instance, Prices, Tree};
use super::pattern::Pattern;
use super::{Options, stack};
use crate::json::{Kind, Value};

/// Bytes of stack for one step from a schema to one that applies within it: measured below, with room to spare. At
/// half, a deep value could overflow it in a debug build; at double, deep values map twice as much.
const STEP: usize = if cfg!(debug_assertions) { 24 << 10 } else { 6 << 10 };

/// Levels of a value that the arbiter reads. It compares each open reference with all that are open around it, so
/// depth costs it time squared; at double, the deepest value costs four times as much.
pub(super) const DEEPEST: usize = 1024;

/// One compiled schema of the crate's.
#[derive(Debug)]
pub(super) struct Arbiter {
    validator: Validator<Tree>,
    reach: Reach,
}

/// What the crate can come to under a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    height: Height,
    prices: Prices,
}

impl Reach {
    /// `Err` says why the crate could not judge by the schema in any reasonable time.
    pub(super) fn of(graph: &Graph, root: NodeId) -> Result<Self, String> {
        let ways = most_ways(graph, root);
        if ways > WAYS {
            return Err(format!(
                "has a part that says more than {WAYS} times what applies to one value: its \
                 references lead to the same schemas again and again"
            ));
        }
        Ok(Self { height: height(graph, root), prices: prices(graph, root) })
    }
}

/// Schemas that may apply to one value, each as often as references lead to it: the crate goes all ways. At half, unions
/// of some thousand branches are refused; at double, a body of a few bytes may take twice the milliseconds.
const WAYS: u64 = 1 << 14;

/// How far the crate can recurse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Height {
    /// At most so many steps, whatever the value.
    Steps(usize),
    /// So many steps for each level of the value.
    PerLevel(usize),
}

/// Looks at values that the arbiter may take to tell whether one is valid, and some more for each node of the document. At
/// half, schemas of a few dozen branches cannot be judged by it; at double, a body that was written to that end takes twice
/// the tenth of a second.
const LOOKS: u64 = 1 << 19;

/// Those for each node: a keyword takes one or two.
const LOOKS_PER_NODE: u64 = 8;

/// Looks for a list of violations, and some more for each node, but no more than so many: a branch that many values do not
/// follow is told of each. At half, of bodies of a megabyte the first fault alone is told; at double, a body that was
/// written to that end takes twice as long.
const LISTING: u64 = 1 << 18;
const LISTING_PER_NODE: u64 = 8;
const LISTING_AT_MOST: u64 = 1 << 20;

fn listing(value: Value<'_>) -> u64 {
    let by_size = (value.size() as u64).saturating_mul(LISTING_PER_NODE);
    by_size.saturating_add(LISTING).min(LISTING_AT_MOST)
}

/// Why the arbiter has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The value is nested too deeply.
    TooDeep,
    /// It took too many looks at values.
    TooLong,
    /// The crate panicked: it loses a reference that it has begun to follow, where dynamic ones lead in circles.
    Broken,
}

impl Arbiter {
    pub(super) fn compile(
        schema: &Serde,
        registry: &Registry<'_>,
        options: &Options,
        reach: Reach,
    ) -> Result<Self, ValidationError<'static>> {
        let mut build =
            configured(&options.formats, options.dialect.unwrap_or(Dialect::Draft202012))
                .with_registry(registry)
                .offline()
                .with_pattern_options(PatternOptions::regex());
        if let Some(dialect) = options.dialect.filter(|_| schema.get("$schema").is_none()) {
            build = build.with_draft(dialect.draft());
        }
        Ok(Self { validator: build.build(schema)?, reach })
    }

    /// The schema at a place of a registered resource.
    pub(super) fn refer(
        uri: &str,
        registry: &Registry<'_>,
        options: &Options,
        reach: Reach,
    ) -> Result<Self, ValidationError<'static>> {
        // An identifier of its own: without one it would take the place of a resource that has none either.
        let dialect = options.dialect.unwrap_or(Dialect::Draft202012);
        let build = configured(&options.formats, dialect)
            .with_registry(registry)
            .offline()
            .with_pattern_options(PatternOptions::regex())
            .with_draft(dialect.draft())
            .with_base_uri("secval:/reference");
        Ok(Self { validator: build.build(&json!({ "$ref": uri }))?, reach })
    }

    /// Whether it is valid.
    pub(super) fn is_valid(&self, value: Value<'_>) -> Result<bool, Unanswered> {
        self.is_valid_within(value, u64::MAX).map(|(valid, _)| valid)
    }

    /// The same within so many looks, and how many it took.
    pub(super) fn is_valid_within(
        &self,
        value: Value<'_>,
        most: u64,
    ) -> Result<(bool, u64), Unanswered> {
        let looks = (value.size() as u64).saturating_mul(LOOKS_PER_NODE).saturating_add(LOOKS);
        let valid = || self.validator.is_valid(Instance::Value(value));
        self.with_stack(value, looks.min(most), valid)
    }

    /// The same of a member's name, taken as a value.
    pub(super) fn is_valid_name_within(
        &self,
        name: &str,
        most: u64,
    ) -> Result<(bool, u64), Unanswered> {
        let valid = || self.validator.is_valid(Instance::Name(name));
        self.looking(LOOKS.min(most), valid)
    }

    /// The first violation.
    pub(super) fn first<T>(
        &self,
        value: Value<'_>,
        tell: impl FnOnce(&ValidationError<'_>) -> T,
    ) -> Result<Option<T>, Unanswered> {
        let first = || self.validator.validate(Instance::Value(value)).err();
        self.with_stack(value, listing(value), || first().map(|error| tell(&error)))
            .map(|(told, _)| told)
    }

    /// The first violations, in the crate's order.
    pub(super) fn violations<T>(
        &self,
        value: Value<'_>,
        limit: usize,
        mut tell: impl FnMut(&ValidationError<'_>) -> T,
    ) -> Result<Vec<T>, Unanswered> {
        let all = || self.validator.iter_errors(Instance::Value(value)).take(limit);
        self.with_stack(value, listing(value), || all().map(|error| tell(&error)).collect())
            .map(|(told, _)| told)
    }

    /// Does some work on a stack that is large enough for the value, and says how many looks it took.
    fn with_stack<T>(
        &self,
        value: Value<'_>,
        looks: u64,
        work: impl FnOnce() -> T,
    ) -> Result<(T, u64), Unanswered> {
        let steps = match self.reach.height {
            Height::Steps(steps) => steps,
            Height::PerLevel(steps) => {
                let depth = depth(value);
                if depth > DEEPEST {
                    return Err(Unanswered::TooDeep);
                }
                depth.saturating_add(1).saturating_mul(steps)
            }
        };
        let bytes = steps.saturating_add(8).saturating_mul(STEP);
        self.looking(looks, || stack::with_bytes(bytes, work))
    }

    fn looking<T>(&self, looks: u64, work: impl FnOnce() -> T) -> Result<(T, u64), Unanswered> {
        let looked = || instance::looking(looks, self.reach.prices, work);
        // The validator is not changed by what it judges.
        let looked = catch_unwind(AssertUnwindSafe(looked)).map_err(|_| Unanswered::Broken)?;
        looked.ok_or(Unanswered::TooLong)
    }
}

/// Levels of nesting; `[]` is one.
fn depth(value: Value<'_>) -> usize {
    let mut deepest = 0;
    let mut left = vec![(value, 1)];
    while let Some((value, level)) = left.pop() {
        match value.kind() {
            Kind::Array => left.extend(value.items().map(|item| (item, level + 1))),
            Kind::Object => left.extend(value.members().map(|(_, member)| (member, level + 1))),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => continue,
        }
        deepest = deepest.max(level);
    }
    deepest
}

/// How far the crate can recurse under a schema.
fn height(graph: &Graph, root: NodeId) -> Height {
    match longest(graph, root, true) {
        Some(steps) => Height::Steps(steps),
        // A cycle of schemas that all apply to one value ends where the crate meets the same pair again.
        None => Height::PerLevel(
            longest(graph, root, false).unwrap_or(graph.nodes.len()).saturating_add(1),
        ),
    }
}

/// The most ways that lead from a schema to schemas which apply to the same value. Those that lead in circles end where
/// they meet.
fn most_ways(graph: &Graph, root: NodeId) -> u64 {
    let mut ways: Vec<Option<u64>> = vec![None; graph.nodes.len()];
    let (mut starts, mut most) = (vec![root], 0);
    while let Some(start) = starts.pop() {
        let mut open = vec![(start, false)];
        while let Some((id, is_done)) = open.pop() {
            let schema = graph.get(id);
            let Some(known) = ways.get_mut(id.index()) else { continue };
            if is_done {
                let below = |id: NodeId| ways.get(id.index()).copied().flatten().unwrap_or(0);
                let all = schema.in_place().map(below).fold(1, u64::saturating_add);
                most = most.max(all);
                ways[id.index()] = Some(all);
            } else if known.is_none() {
                // Until all of its own are known, it ends a circle.
                *known = Some(0);
                open.push((id, true));
                open.extend(schema.in_place().map(|id| (id, false)));
                starts.extend(schema.below());
            }
        }
    }
    most
}

/// What looks at texts and names take under a schema, and under those that it leads to.
fn prices(graph: &Graph, root: NodeId) -> Prices {
    let (mut seen, mut left) = (BTreeSet::new(), vec![root]);
    let mut most = Prices { steps: 0, patterns: 0 };
    while let Some(id) = left.pop() {
        if seen.insert(id) {
            let schema = graph.get(id);
            // Of values, patterns are our own.
            let of_names = schema.patterns.iter().map(|(pattern, _)| pattern.steps());
            let format = schema.format.iter().map(Check::steps);
            most.steps = of_names.chain(format).fold(most.steps, u64::max);
            most.patterns = most.patterns.max(schema.patterns.len() as u64);
            left.extend(schema.in_place().chain(schema.below()));
        }
    }
    most
}

/// The longest way through the graph, or its longest way within one value; `None` if there is a cycle.
fn longest(graph: &Graph, root: NodeId, below: bool) -> Option<usize> {
    #[derive(Clone, Copy)]
    enum Seen {
        New,
        Open,
        Done(usize),
    }
    let mut seen = vec![Seen::New; graph.nodes.len()];
    let mut most = 0;
    // Depth first, with the way back on the heap; without `below`, members start ways of their own.
    let mut starts = vec![root];
    while let Some(start) = starts.pop() {
        let mut open = vec![(start, false)];
        while let Some((id, left)) = open.pop() {
            let schema = graph.get(id);
            let next = || schema.in_place().chain(schema.below().filter(|_| below));
            match (seen.get(id.index()).copied().unwrap_or(Seen::New), left) {
                (_, true) => {
                    let tallest = next().map(|id| match seen.get(id.index()) {
                        Some(Seen::Done(steps)) => *steps,
                        _ => 0,
                    });
                    let steps = tallest.max().map_or(1, |steps| steps.saturating_add(1));
                    most = most.max(steps);
                    seen[id.index()] = Seen::Done(steps);
                }
                (Seen::New, false) => {
                    seen[id.index()] = Seen::Open;
                    open.push((id, true));
                    open.extend(next().map(|id| (id, false)));
                    if !below {
                        starts.extend(schema.below());
                    }
                }
                (Seen::Open, false) => return None,
                (Seen::Done(_), false) => {}
            }
        }
    }
    Some(most)
}

/// The crate's options for the formats of a compilation.
fn configured(
    formats: &Formats,
    dialect: Dialect,
) -> ValidationOptions<'static, Arc<dyn referencing::Retrieve>, Tree> {
    let mut options = jsonschema::options_for::<Tree>()
        .should_validate_formats(formats.asserted)
        .with_keyword("multipleOf", |_, divisor: &Serde, _| {
            let divisor = divisor.as_number().map_or("", |number| number.as_str());
            Ok(Box::new(Multiple(Divisor::new(divisor))) as Box<dyn for<'i> Keyword<'i, Tree>>)
        })
        .with_keyword("pattern", |_, source: &Serde, _| {
            let pattern = Pattern::compile(source.as_str().unwrap_or_default());
            let pattern = pattern.map_err(ValidationError::custom)?;
            Ok(Box::new(Matching(pattern)) as Box<dyn for<'i> Keyword<'i, Tree>>)
        });
    if !formats.asserted {
        return options;
    }
    options = options.should_ignore_unknown_formats(false);
    let mut registry = formats::Registry::default();
    let mut names: Vec<&str> = [formats::LATER, formats::CHECKED_HERE].concat();
    if formats.openapi {
        names.extend(formats::openapi_annotations());
    }
    for name in names {
        // A schema may name another draft than the compilation does, and so may a resource that it refers to.
        let known = |dialect: &Dialect| options.is_known_format(dialect.draft(), name);
        if Dialect::ALL.iter().all(known) && !formats::CHECKED_HERE.contains(&name) {
            continue;
        }
        match registry.meaning(name, Dialect::Draft202012, formats) {
            Ok(Meaning::Check(Check::Standard(standard))) => {
                let is_valid = move |text: &str| instance::check(&standard, text);
                options = options.with_format(name, is_valid);
            }
            Ok(Meaning::Annotation) => options = options.with_format(name, |_: &str| true),
            _ => {}
        }
    }
    for (name, rule) in &formats.custom {
        options = match rule {
            FormatRule::Any => options.with_format(name, |_: &str| true),
            FormatRule::Pattern(source) => match Pattern::compile(source) {
                Ok(pattern) => {
                    options.with_format(name, move |text: &str| instance::matches(&pattern, text))
                }
                // The survey has said so; until then nothing may pass.
                Err(_) => options.with_format(name, |_: &str| false),
            },
        };
    }
    if formats.openapi { with_number_formats(options, formats, dialect) } else { options }
}

/// Takes over the keyword `format`: the crate's asserts of strings alone.
fn with_number_formats(
    options: ValidationOptions<'static, Arc<dyn referencing::Retrieve>, Tree>,
    formats: &Formats,
    dialect: Dialect,
) -> ValidationOptions<'static, Arc<dyn referencing::Retrieve>, Tree> {
    let formats = formats.clone();
    options.with_keyword("format", move |_: &serde_json::Map<String, Serde>, value: &Serde, _| {
        let name = value.as_str().unwrap_or_default();
        let mut registry = formats::Registry::default();
        let check = match registry.meaning(name, dialect, &formats) {
            Ok(Meaning::Check(check)) => Some(check),
            Ok(Meaning::Annotation) => None,
            Ok(Meaning::Unknown) | Err(_) => return Err(ValidationError::custom("unknown format")),
        };
        Ok(Box::new(FormatKeyword(check)) as Box<dyn for<'i> Keyword<'i, Tree>>)
    })
}

/// Takes over the keyword `multipleOf`: the crate takes time for what an exponent says.
struct Multiple(Divisor);

impl<'i> Keyword<'i, Tree> for Multiple {
    fn validate(&self, instance: Instance<'i>) -> Result<(), ValidationError<'i>> {
        let message = || format!("is no multiple of {}", self.0.text());
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom(message())) }
    }

    fn is_valid(&self, instance: Instance<'i>) -> bool {
        let Instance::Value(value) = instance else { return true };
        value.as_number().is_none_or(|number| instance::divides(&self.0, number))
    }
}

/// Takes over the keyword `pattern`: for the crate `.` is a carriage return too, and it has no bound on what a text takes.
struct Matching(Pattern);

impl<'i> Keyword<'i, Tree> for Matching {
    fn validate(&self, instance: Instance<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("pattern")) }
    }

    fn is_valid(&self, instance: Instance<'i>) -> bool {
        instance.text().is_none_or(|text| instance::matches(&self.0, text))
    }
}

struct FormatKeyword(Option<Check>);

impl<'i> Keyword<'i, Tree> for FormatKeyword {
    fn validate(&self, instance: Instance<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("format")) }
    }

    fn is_valid(&self, instance: Instance<'i>) -> bool {
        match (&self.0, instance.text(), instance) {
            (Some(Check::Standard(standard)), Some(text), _) => instance::check(standard, text),
            (Some(Check::Pattern(pattern)), Some(text), _) => instance::matches(pattern, text),
            (Some(Check::Number(format)), _, Instance::Value(value)) => {
                value.as_number().is_none_or(|number| NumberFormat::allows(*format, number))
            }
            _ => true,
        }
    }
}
