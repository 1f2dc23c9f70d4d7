//! What one schema says of a value by itself: without looking into the value, and without asking other schemas.
//!
//! The first assertion that fails is told with what the schema demands, from which the message is made when somebody
//! wants one. Nothing that was submitted is in it.

use super::equality;
use super::formats::Check;
use super::graph::{Bound, Counts, Schema, Types};
use super::number::Decimal;
use super::questions::Questions;
use crate::json::{Kind, Number, Value};

/// What stands at a place: a value, or a member's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'d> {
    Value(Value<'d>),
    Name(&'d str),
}

/// An assertion that failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'g> {
    pub(super) keyword: &'static str,
    demand: Demand<'g>,
}

/// What the schema demands, as far as it may be told.
#[derive(Debug, Clone, Copy)]
enum Demand<'g> {
    Untold,
    Limit(&'g str),
    Count(u64),
    Types(Types),
    Member(&'g str),
    Format(&'g str),
}

impl<'g> Failed<'g> {
    /// Of a keyword about which there is nothing more to say.
    pub(super) fn of(keyword: &'static str) -> Self {
        Self { keyword, demand: Demand::Untold }
    }

    /// An array with more items than so many that the schema declares.
    pub(super) fn items_beyond(declared: usize) -> Self {
        Self { keyword: "additionalItems", demand: Demand::Count(declared as u64) }
    }

    /// The keyword, if that is all that there is to say.
    pub(super) fn keyword_alone(&self) -> Option<&'static str> {
        matches!(self.demand, Demand::Untold).then_some(self.keyword)
    }

    fn with(keyword: &'static str, demand: Demand<'g>) -> Self {
        Self { keyword, demand }
    }

    /// For people, where there is more to say than the keyword does.
    pub(super) fn message(&self) -> Option<String> {
        Some(match (self.keyword, self.demand) {
            ("minimum", Demand::Limit(limit)) => format!("is less than {limit}"),
            ("maximum", Demand::Limit(limit)) => format!("is greater than {limit}"),
            ("exclusiveMinimum", Demand::Limit(limit)) => format!("is not greater than {limit}"),
            ("exclusiveMaximum", Demand::Limit(limit)) => format!("is not less than {limit}"),
            ("multipleOf", Demand::Limit(limit)) => format!("is no multiple of {limit}"),
            ("minLength", Demand::Count(count)) => format!("is shorter than {count} characters"),
            ("maxLength", Demand::Count(count)) => format!("is longer than {count} characters"),
            ("minItems", Demand::Count(count)) => format!("has less than {count} items"),
            ("maxItems" | "additionalItems", Demand::Count(count)) => {
                format!("has more than {count} items")
            }
            ("minProperties", Demand::Count(count)) => format!("has less than {count} members"),
            ("maxProperties", Demand::Count(count)) => format!("has more than {count} members"),
            ("type", Demand::Types(types)) => format!("is not of type {}", type_names(types)),
            ("required", Demand::Member(name)) => {
                format!("lacks the required member {}", serde_json::Value::from(name))
            }
            ("format", Demand::Format(name)) => format!("is no valid {name}"),
            _ => return None,
        })
    }
}

fn type_names(types: Types) -> String {
    const NAMES: [(u8, &str); 7] = [
        (Types::NULL, "null"),
        (Types::BOOL, "boolean"),
        (Types::INTEGER | Types::WRITTEN, "integer"),
        (Types::NUMBER, "number"),
        (Types::STRING, "string"),
        (Types::ARRAY, "array"),
        (Types::OBJECT, "object"),
    ];
    let names: Vec<&str> =
        NAMES.iter().filter(|(flag, _)| types.has(*flag)).map(|(_, name)| *name).collect();
    names.join(" or ")
}

/// The first assertion of a schema that a value violates.
pub(super) fn failed<'g>(
    schema: &'g Schema,
    subject: Subject<'_>,
    questions: &mut Questions,
) -> Option<Failed<'g>> {
    if let Some(types) = schema.types.filter(|types| !is_of_type(*types, subject)) {
        return Some(Failed::with("type", Demand::Types(types)));
    }
    if let Some(options) = &schema.options {
        let listed = match subject {
            Subject::Value(value) => questions.spend_on(|work| options.has(value, work)),
            Subject::Name(name) => options.has_name(name),
        };
        if !listed {
            return Some(Failed::of("enum"));
        }
    }
    if let Some(constant) = &schema.constant {
        let equal = match subject {
            Subject::Value(value) => {
                questions.spend_on(|work| equality::equals(value, constant, work))
            }
            Subject::Name(name) => constant.as_str() == Some(name),
        };
        if !equal {
            return Some(Failed::of("const"));
        }
    }
    match subject {
        Subject::Name(name) => text(schema, name, questions),
        Subject::Value(value) => match value.kind() {
            Kind::Null | Kind::Bool => None,
            Kind::Number => value.as_number().and_then(|n| number(schema, n, questions)),
            Kind::String => value.as_str().and_then(|t| text(schema, t, questions)),
            Kind::Array => counted(["minItems", "maxItems"], schema.item_count, || value.len()),
            Kind::Object => members(schema, value, questions),
        },
    }
}

fn is_of_type(types: Types, subject: Subject<'_>) -> bool {
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

fn number<'g>(
    schema: &'g Schema,
    number: Number<'_>,
    questions: &mut Questions,
) -> Option<Failed<'g>> {
    questions.spend_on_bytes(number.text().len());
    questions.spend(schema.bounds.len() as u64);
    let value = Decimal::parse(number.text());
    for (bound, limit) in &schema.bounds {
        let least = Decimal::parse(limit);
        let (keyword, within) = match bound {
            Bound::Minimum => ("minimum", least <= value),
            Bound::Maximum => ("maximum", value <= least),
            Bound::ExclusiveMinimum => ("exclusiveMinimum", least < value),
            Bound::ExclusiveMaximum => ("exclusiveMaximum", value < least),
        };
        if !within {
            return Some(Failed::with(keyword, Demand::Limit(limit)));
        }
    }
    if let Some(divisor) = &schema.multiple_of
        && !divisor.divides(value)
    {
        return Some(Failed::with("multipleOf", Demand::Limit(divisor.text())));
    }
    match &schema.format {
        Some(Check::Number(format)) if !format.allows(number) => {
            Some(Failed::with("format", Demand::Format(format.name())))
        }
        Some(_) | None => None,
    }
}

fn text<'g>(schema: &'g Schema, text: &str, questions: &mut Questions) -> Option<Failed<'g>> {
    questions.spend_on_bytes(text.len());
    let length = counted(["minLength", "maxLength"], schema.length, || text.chars().count());
    if length.is_some() {
        return length;
    }
    if schema.pattern.as_ref().is_some_and(|pattern| !pattern.is_match_within(text, questions)) {
        return Some(Failed::of("pattern"));
    }
    match &schema.format {
        Some(check) if !check.is_valid_within(text, questions) => Some(match check {
            Check::Standard(standard) => Failed::with("format", Demand::Format(standard.name())),
            Check::Pattern(_) | Check::Number(_) => Failed::of("format"),
        }),
        Some(_) | None => None,
    }
}

fn members<'g>(
    schema: &'g Schema,
    object: Value<'_>,
    questions: &mut Questions,
) -> Option<Failed<'g>> {
    let count = counted(["minProperties", "maxProperties"], schema.member_count, || object.len());
    if count.is_some() {
        return count;
    }
    let mut lacking = |names: &'g [String]| names.iter().find(|name| !questions.has(object, name));
    let mut missing = lacking(&schema.required);
    for (name, list) in &schema.needs {
        if missing.is_none() && lacking(std::slice::from_ref(name)).is_none() {
            missing = lacking(list);
        }
    }
    missing.map(|name| Failed::with("required", Demand::Member(name)))
}

/// Counts only where there is a limit.
fn counted<'g>(
    [least, most]: [&'static str; 2],
    counts: Counts,
    count: impl FnOnce() -> usize,
) -> Option<Failed<'g>> {
    if counts == Counts::default() {
        return None;
    }
    let count = count() as u64;
    match (counts.least, counts.most) {
        (Some(limit), _) if count < limit => Some(Failed::with(least, Demand::Count(limit))),
        (_, Some(limit)) if limit < count => Some(Failed::with(most, Demand::Count(limit))),
        _ => None,
    }
}
