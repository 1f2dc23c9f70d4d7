//! Schemas against their meta-schemas: every fault, not only the first.

use std::collections::HashSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use jsonschema::meta::MetaValidator;
use referencing::{Draft, Registry};
use serde_json::{Map, Value, json};

use super::dialect::Dialect;

/// What a draft's meta-schema says against a schema: pointers below it, and messages.
///
/// A schema within it that names another draft is judged by that draft's meta-schema. A meta-schema that is none
/// of the five is judged when the arbiter compiles it.
pub(super) fn faults(
    schema: &Value,
    draft: Draft,
    registry: &Registry<'_>,
    is_missing: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let mut left = vec![(String::new(), schema.clone(), draft)];
    let mut found = Vec::new();
    while let Some((at, schema, draft)) = left.pop() {
        let Some(dialect) = Dialect::of(draft) else {
            found.extend(custom(&schema, registry, &is_missing).map(|message| (at, message)));
            continue;
        };
        let mut embedded = Vec::new();
        let own = without_embedded(&schema, draft, &at, &mut embedded);
        if let Ok(validator) = validator(dialect) {
            found.extend(validator.iter_errors(&own).map(|error| {
                let place = error.instance_path().as_str();
                (format!("{at}{place}"), message(&error, &own, place))
            }));
        }
        left.append(&mut embedded);
    }
    found
}

/// What is wrong, and where a meta-schema says no more than that nothing fits, what would.
fn message(error: &ValidationError<'_>, schema: &Value, place: &str) -> String {
    if matches!(error.kind(), ValidationErrorKind::AnyOf { .. }) {
        let mut tokens = place.rsplit('/');
        match (tokens.next(), tokens.next()) {
            (Some("type"), _) => return no_type(schema.pointer(place)),
            (Some("items"), _) => return "expected a schema, or a list of schemas".to_owned(),
            (_, Some("dependencies")) => {
                return "expected a schema, or a list of member names".to_owned();
            }
            _ => {}
        }
    }
    error.masked().to_string()
}

/// What `type` may be.
fn no_type(value: Option<&Value>) -> String {
    const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
    let (mut seen, mut twice) = (HashSet::new(), None);
    let names = match value {
        Some(Value::Array(names)) => names.as_slice(),
        other => other.map_or(&[][..], std::slice::from_ref),
    };
    let mut unknown = names.iter().filter(|name| {
        if !seen.insert(name.to_string()) {
            twice = Some((*name).clone());
        }
        !name.as_str().is_some_and(|name| TYPES.contains(&name))
    });
    let what = match (unknown.next(), value) {
        (Some(name), _) => format!("{name} is no type"),
        (None, Some(Value::Array(names))) if names.is_empty() => "no type at all".to_owned(),
        (None, _) => match twice {
            Some(name) => format!("{name} is there twice"),
            None => "no type".to_owned(),
        },
    };
    format!("{what}: expected one of {}, or a list of them", TYPES.join(", "))
}

/// Remembers all schemas within one that was judged.
pub(super) fn remember(schema: &Value, draft: Draft, valid: &mut HashSet<*const Value>) {
    let mut left = vec![(schema, draft)];
    while let Some((schema, draft)) = left.pop() {
        if valid.insert(schema) {
            let draft = draft.detect(schema);
            left.extend(draft.subresources_of(schema).map(|schema| (schema, draft)));
        }
    }
}

fn validator(dialect: Dialect) -> Result<MetaValidator<'static>, ValidationError<'static>> {
    jsonschema::meta::validator_for(&json!({ "$schema": dialect.uri() }))
}

fn custom(
    schema: &Value,
    registry: &Registry<'_>,
    is_missing: impl Fn(&str) -> bool,
) -> Option<String> {
    let uri = schema.get("$schema")?.as_str()?;
    if !registry.contains_resource(uri.trim_end_matches('#')) || is_missing(uri) {
        // Told where the schema is read, at its `$schema`.
        return None;
    }
    let judged = jsonschema::meta::options().with_registry(registry).validate(schema);
    judged.err().map(|error| error.masked().to_string())
}

/// A copy without the schemas that are resources of another draft (Core 2020-12, 9.3.3): these go to the list.
fn without_embedded(
    value: &Value,
    draft: Draft,
    at: &str,
    embedded: &mut Vec<(String, Value, Draft)>,
) -> Value {
    match value {
        Value::Object(members) => {
            let copied = members.iter().map(|(name, member)| {
                let below = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                let other = draft.detect(member);
                let named =
                    ["$id", "id"].iter().any(|id| member.get(id).is_some_and(Value::is_string));
                if other != draft && named {
                    embedded.push((below, member.clone(), other));
                    return (name.clone(), json!({}));
                }
                (name.clone(), without_embedded(member, draft, &below, embedded))
            });
            Value::Object(copied.collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let copied = items.iter().enumerate();
            copied
                .map(|(n, item)| without_embedded(item, draft, &format!("{at}/{n}"), embedded))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
