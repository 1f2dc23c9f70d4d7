//! What is told about a value that violates its schema: where, which keyword, and never what was sent.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};

/// One way in which a value violates its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// RFC 6901 pointer to the value; may name members that the sender invented.
    pub pointer: String,
    /// The same, cut after the last member that the schema declares: safe to show to anybody.
    pub declared: String,
    /// The schema's keyword.
    pub keyword: &'static str,
    /// Stable, for programs: `schema.` and the keyword in snake case.
    pub code: &'static str,
    /// For people; repeats nothing submitted and no enum, const or pattern.
    pub message: String,
}

/// The code of what is no keyword's.
const DIFFERENCE: &str = "schema.difference";

/// Every keyword that a value can violate, its code, and what is said when there is nothing more to say.
const KEYWORDS: &[(&str, &str, &str)] = &[
    ("$ref", "schema.ref", "cannot be judged: a reference of the schema is broken"),
    ("additionalItems", "schema.additional_items", "has more items than the schema declares"),
    (
        "additionalProperties",
        "schema.additional_properties",
        "has a member that the schema does not declare",
    ),
    ("anyOf", "schema.any_of", "is valid under none of the schemas that it may follow"),
    ("const", "schema.const", "is not the value that the schema requires"),
    (
        "contains",
        "schema.contains",
        "does not contain as many matching items as the schema requires",
    ),
    ("contentEncoding", "schema.content_encoding", "is not encoded as the schema requires"),
    (
        "contentMediaType",
        "schema.content_media_type",
        "has not the media type that the schema requires",
    ),
    (
        "dependentRequired",
        "schema.dependent_required",
        "lacks a member that another member requires",
    ),
    ("depth", "schema.depth", "is nested too deeply for its schema"),
    ("enum", "schema.enum", "is none of the values that the schema allows"),
    ("exclusiveMaximum", "schema.exclusive_maximum", "is too large"),
    ("exclusiveMinimum", "schema.exclusive_minimum", "is too small"),
    ("falseSchema", "schema.false_schema", "may not be there"),
    ("format", "schema.format", "is not in the format that the schema requires"),
    ("maxItems", "schema.max_items", "has too many items"),
    ("maxLength", "schema.max_length", "is too long"),
    ("maxProperties", "schema.max_properties", "has too many members"),
    ("maximum", "schema.maximum", "is too large"),
    ("minItems", "schema.min_items", "has too few items"),
    ("minLength", "schema.min_length", "is too short"),
    ("minProperties", "schema.min_properties", "has too few members"),
    ("minimum", "schema.minimum", "is too small"),
    ("multipleOf", "schema.multiple_of", "is no multiple of what the schema requires"),
    ("not", "schema.not", "is valid under a schema that it must not follow"),
    ("oneOf", "schema.one_of", "is not valid under exactly one of the schemas that it may follow"),
    ("pattern", "schema.pattern", "does not match the pattern that the schema requires"),
    ("propertyNames", "schema.property_names", "has a member whose name the schema does not allow"),
    ("required", "schema.required", "lacks a member that the schema requires"),
    ("steps", "schema.steps", "takes too many steps to judge by its schema"),
    ("type", "schema.type", "is not of the type that the schema requires"),
    ("unevaluatedItems", "schema.unevaluated_items", "has more items than the schema declares"),
    (
        "unevaluatedProperties",
        "schema.unevaluated_properties",
        "has a member that the schema does not declare",
    ),
    ("uniqueItems", "schema.unique_items", "has items that are equal"),
];

impl Violation {
    /// A violation of a keyword at a place; the keyword is one of the table's.
    pub(super) fn new(
        keyword: &str,
        pointer: String,
        declared: String,
        message: Option<String>,
    ) -> Self {
        let row = KEYWORDS.iter().find(|row| row.0 == keyword);
        // A keyword that the table lacks is still a violation.
        let (keyword, code, otherwise) =
            *row.unwrap_or(&("schema", "schema.schema", "is not what the schema requires"));
        Self {
            pointer,
            declared,
            keyword,
            code,
            message: message.unwrap_or_else(|| otherwise.to_owned()),
        }
    }

    /// There may be others than the one that was told.
    pub(super) fn unlisted() -> Self {
        let message = "may violate its schema elsewhere too: to list that takes too many steps";
        Self::new("steps", String::new(), String::new(), Some(message.to_owned()))
    }

    /// The plan and the arbiter do not agree on a value.
    pub(super) fn difference() -> Self {
        Self {
            code: DIFFERENCE,
            message: "is judged in two ways by secval's two validators".to_owned(),
            ..Self::new("schema", String::new(), String::new(), None)
        }
    }

    /// Whether it is no violation that is known of, but a defect of this library: the plan and the arbiter do not agree.
    pub fn is_difference(&self) -> bool {
        self.code == DIFFERENCE
    }

    /// What the arbiter found, told in our words.
    pub(super) fn of(error: &ValidationError<'_>, declared: String) -> Self {
        let pointer = error.instance_path().as_str().to_owned();
        let keyword = if matches!(error.kind(), Kind::FalseSchema) {
            refusing(error.schema_path().as_str())
        } else {
            error.kind().keyword()
        };
        Self::new(keyword, pointer, declared, details(error.kind()))
    }
}

/// The keyword whose value is the schema `false` at this place, if it says what is refused.
fn refusing(schema_path: &str) -> &'static str {
    let mut tokens = schema_path.rsplit('/');
    let last = tokens.next();
    // A property may have the name of a keyword.
    if tokens
        .next()
        .is_some_and(|above| above.ends_with("roperties") || above == "dependentSchemas")
    {
        return "falseSchema";
    }
    match last {
        Some("additionalProperties") => "additionalProperties",
        Some("unevaluatedProperties") => "unevaluatedProperties",
        Some("unevaluatedItems") => "unevaluatedItems",
        Some("propertyNames") => "propertyNames",
        _ => "falseSchema",
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of all other kinds there is nothing more to say"
)]
/// What more can be said of a kind without repeating what was sent, or what the schema keeps to itself.
fn details(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::AdditionalItems { limit } => format!("has more than {limit} items"),
        Kind::ExclusiveMaximum { limit } => format!("is not less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("is not greater than {limit}"),
        Kind::Maximum { limit } => format!("is greater than {limit}"),
        Kind::Minimum { limit } => format!("is less than {limit}"),
        Kind::MaxItems { limit } => format!("has more than {limit} items"),
        Kind::MinItems { limit } => format!("has less than {limit} items"),
        Kind::MaxLength { limit } => format!("is longer than {limit} characters"),
        Kind::MinLength { limit } => format!("is shorter than {limit} characters"),
        Kind::MaxProperties { limit } => format!("has more than {limit} members"),
        Kind::MinProperties { limit } => format!("has less than {limit} members"),
        Kind::Custom { keyword, message } if keyword == "multipleOf" => message.clone(),
        Kind::Format { format } => format!("is no valid {format}"),
        Kind::Required { property } => format!("lacks the required member {property}"),
        Kind::Type { kind } => format!("is not of type {}", types(kind)),
        Kind::OneOfMultipleValid { .. } => {
            "is valid under more than one of the schemas that it may follow".to_owned()
        }
        _ => return None,
    })
}

fn types(kind: &TypeKind) -> String {
    let names: Vec<&str> = match kind {
        TypeKind::Single(one) => vec![one.as_str()],
        TypeKind::Multiple(set) => set.iter().map(JsonType::as_str).collect(),
    };
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_keywords_in_snake_case() {
        for (keyword, code, _) in KEYWORDS {
            let mut snake = String::from("schema.");
            for letter in keyword.trim_start_matches('$').chars() {
                if letter.is_uppercase() {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            assert_eq!(*code, snake);
        }
    }
}
