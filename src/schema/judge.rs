//! Whether a value follows a node of the graph: every keyword that the graph knows, read off the document.
//!
//! The slow and obvious way, for what must know which of several schemas a value follows. It agrees with the arbiter on
//! whole schemas by test. Depth costs heap ([`stack`]); schemas that branch into themselves are judged once for each
//! value, not once for each way that leads there.

use std::collections::HashMap;

use super::equality;
use super::formats::Check;
use super::graph::{Bound, Counts, Graph, NodeId, Schema, Types};
use super::number::Decimal;
use super::stack;
use crate::json::{Kind, Number, Value};

/// References followed before answers are remembered: most schemas never get there, and remembering costs more than
/// judging a small value twice.
const REMEMBERED_AFTER: u32 = 64;

/// One judgement; remembers within it.
#[derive(Debug)]
pub(super) struct Judge<'g> {
    graph: &'g Graph,
    followed: u32,
    answers: HashMap<(NodeId, u32), bool>,
    unsure: bool,
}

/// What stands at a place: a value, or a member's name.
#[derive(Debug, Clone, Copy)]
enum Subject<'d> {
    Value(Value<'d>),
    Name(&'d str),
}

impl<'g> Judge<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, followed: 0, answers: HashMap::new(), unsure: false }
    }

    /// Whether the value follows the schema.
    pub(super) fn follows(&mut self, value: Value<'_>, id: NodeId) -> bool {
        self.subject(Subject::Value(value), id)
    }

    /// Whether a member's name, taken as a value, follows the schema.
    pub(super) fn follows_name(&mut self, name: &str, id: NodeId) -> bool {
        self.subject(Subject::Name(name), id)
    }

    /// Whether some answer depended on a keyword that the graph does not know. None of the answers counts then.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure
    }

    fn subject(&mut self, subject: Subject<'_>, id: NodeId) -> bool {
        let schema = self.graph.get(id);
        if let Some(always) = schema.always {
            return always;
        }
        if let Some(rest) = &schema.arbiter {
            return match subject {
                Subject::Value(value) => rest.is_valid(value) == Ok(true),
                Subject::Name(name) => rest.is_valid_name(name),
            };
        }
        self.unsure |= !schema.rest.is_empty();
        is_of_type(schema, subject)
            && is_allowed(schema, subject)
            && self.content(schema, subject)
            && self.choices(schema, subject)
    }

    fn content(&mut self, schema: &Schema, subject: Subject<'_>) -> bool {
        match subject {
            Subject::Name(name) => text(schema, name),
            Subject::Value(value) => match value.kind() {
                Kind::Null | Kind::Bool => true,
                Kind::Number => value.as_number().is_none_or(|n| number(schema, n)),
                Kind::String => value.as_str().is_none_or(|t| text(schema, t)),
                Kind::Array => stack::deeper(|| self.items(schema, value)),
                Kind::Object => stack::deeper(|| self.members(schema, value)),
            },
        }
    }

    fn items(&mut self, schema: &Schema, array: Value<'_>) -> bool {
        if !within(schema.item_count, array.len()) {
            return false;
        }
        for (index, item) in array.items().enumerate() {
            let id = schema.prefix.get(index).copied().or(schema.items);
            if id.is_some_and(|id| !self.follows(item, id)) {
                return false;
            }
        }
        if let Some(contains) = schema.contains {
            let matching =
                array.items().filter(|item| self.follows(*item, contains.schema)).count();
            if !within(Counts { least: Some(contains.least), most: contains.most }, matching) {
                return false;
            }
        }
        !schema.unique || equality::all_distinct(array)
    }

    fn members(&mut self, schema: &Schema, object: Value<'_>) -> bool {
        if !within(schema.member_count, object.len()) || !has_all(object, &schema.required) {
            return false;
        }
        for (name, list) in &schema.needs {
            if object.get(name).is_some() && !has_all(object, list) {
                return false;
            }
        }
        for (name, member) in object.members() {
            if schema.names.is_some_and(|id| !self.subject(Subject::Name(name), id)) {
                return false;
            }
            let mut evaluated = false;
            if let Some(id) = schema.property(name) {
                evaluated = true;
                if !self.follows(member, id) {
                    return false;
                }
            }
            for (pattern, id) in &schema.patterns {
                if pattern.is_match(name) {
                    evaluated = true;
                    if !self.follows(member, *id) {
                        return false;
                    }
                }
            }
            if !evaluated && schema.additional.is_some_and(|id| !self.follows(member, id)) {
                return false;
            }
        }
        true
    }

    fn choices(&mut self, schema: &Schema, subject: Subject<'_>) -> bool {
        if schema.reference.is_some_and(|id| !self.reference(subject, id))
            || schema.all_of.iter().any(|id| !self.subject(subject, *id))
            || (!schema.any_of.is_empty()
                && !schema.any_of.iter().any(|id| self.subject(subject, *id)))
            || schema.not.is_some_and(|id| self.subject(subject, id))
        {
            return false;
        }
        // A second match decides: the others need no look.
        let matching = |judge: &mut Self| {
            schema.one_of.iter().filter(|id| judge.subject(subject, **id)).take(2).count()
        };
        if !schema.one_of.is_empty() && matching(self) != 1 {
            return false;
        }
        if let Some(condition) = schema.condition {
            let branch = if self.subject(subject, condition.test) {
                condition.then
            } else {
                condition.otherwise
            };
            if branch.is_some_and(|id| !self.subject(subject, id)) {
                return false;
            }
        }
        let Subject::Value(value) = subject else { return true };
        schema
            .implies
            .iter()
            .all(|(name, id)| value.get(name).is_none() || self.follows(value, *id))
    }

    fn reference(&mut self, subject: Subject<'_>, id: NodeId) -> bool {
        self.followed = self.followed.saturating_add(1);
        let key = match subject {
            Subject::Value(value) if matches!(value.kind(), Kind::Array | Kind::Object) => {
                (id, value.node())
            }
            Subject::Value(_) | Subject::Name(_) => return self.subject(subject, id),
        };
        if self.followed < REMEMBERED_AFTER {
            return self.subject(subject, id);
        }
        if let Some(answer) = self.answers.get(&key) {
            return *answer;
        }
        let answer = self.subject(subject, id);
        self.answers.insert(key, answer);
        answer
    }
}

fn is_of_type(schema: &Schema, subject: Subject<'_>) -> bool {
    let Some(types) = schema.types else { return true };
    let flag = match subject {
        Subject::Name(_) => Types::STRING,
        Subject::Value(value) => match value.kind() {
            Kind::Null => Types::NULL,
            Kind::Bool => Types::BOOL,
            Kind::String => Types::STRING,
            Kind::Array => Types::ARRAY,
            Kind::Object => Types::OBJECT,
            Kind::Number => return value.as_number().is_some_and(|n| number_is_of_type(types, n)),
        },
    };
    types.has(flag)
}

fn number_is_of_type(types: Types, number: Number<'_>) -> bool {
    types.has(Types::NUMBER)
        || (types.has(Types::WRITTEN | Types::INTEGER) && number.is_integer_literal())
        || (types.has(Types::INTEGER) && Decimal::parse(number.text()).is_integer())
}

/// `enum` and `const`.
fn is_allowed(schema: &Schema, subject: Subject<'_>) -> bool {
    let equals = |expected: &serde_json::Value| match subject {
        Subject::Value(value) => equality::equals(value, expected),
        Subject::Name(name) => expected.as_str() == Some(name),
    };
    schema.options.as_ref().is_none_or(|options| options.iter().any(equals))
        && schema.constant.as_ref().is_none_or(equals)
}

fn number(schema: &Schema, number: Number<'_>) -> bool {
    let value = Decimal::parse(number.text());
    let within = |(bound, limit): &(Bound, String)| {
        let limit = Decimal::parse(limit);
        match bound {
            Bound::Minimum => limit <= value,
            Bound::Maximum => value <= limit,
            Bound::ExclusiveMinimum => limit < value,
            Bound::ExclusiveMaximum => value < limit,
        }
    };
    let format = match &schema.format {
        Some(Check::Number(format)) => format.allows(number),
        Some(Check::Standard(_) | Check::Pattern(_)) | None => true,
    };
    let multiple = |divisor: &String| value.is_multiple_of(Decimal::parse(divisor));
    format && schema.bounds.iter().all(within) && schema.multiple_of.as_ref().is_none_or(multiple)
}

fn text(schema: &Schema, text: &str) -> bool {
    let format = match &schema.format {
        Some(Check::Standard(standard)) => standard.is_valid(text),
        Some(Check::Pattern(pattern)) => pattern.is_match(text),
        Some(Check::Number(_)) | None => true,
    };
    let counted = schema.length != Counts::default();
    format
        && (!counted || within(schema.length, text.chars().count()))
        && schema.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

fn within(counts: Counts, count: usize) -> bool {
    let count = count as u64;
    counts.least.is_none_or(|least| least <= count) && counts.most.is_none_or(|most| count <= most)
}

fn has_all(object: Value<'_>, names: &[String]) -> bool {
    names.iter().all(|name| object.get(name).is_some())
}
