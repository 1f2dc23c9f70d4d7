//! The closed list of schema keywords, by dialect.

use crate::policy::fault::Faults;
use crate::policy::source::At;
use crate::schema::Dialect;

/// What becomes of a schema keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// The schema compiler enforces it; what its value is made of.
    Enforced(Shape),
    /// It demands nothing of a value.
    Annotation,
    /// It would demand something that is not enforced.
    Refused(&'static str),
    /// The same, unless it is false.
    RefusedUnlessFalse(&'static str),
}

/// What a keyword's value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// No schemas.
    Value,
    /// A schema.
    Schema,
    /// A list of schemas.
    List,
    /// Schemas by name.
    Map,
    /// A schema, or a list of them.
    SchemaOrList,
    /// By name, a schema or a list of names.
    MapOrNames,
    /// A reference to a schema.
    Reference,
}

/// The dialects in their order, for "from this one on".
fn rank(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::Draft4 => 4,
        Dialect::Draft6 => 6,
        Dialect::Draft7 => 7,
        Dialect::Draft201909 => 8,
        Dialect::Draft202012 => 9,
    }
}

const OWN_BASE: &str = "not enforced yet: write `$ref` with a JSON Pointer into this document";

const CONTENT: &str =
    "what a string contains is not judged: remove it, or demand what can be with `pattern`";

/// What becomes of a keyword in a dialect; `None` when it is in no list.
pub(super) fn keyword(name: &str, dialect: Dialect) -> Option<Keyword> {
    if let Some(shape) = enforced(name, rank(dialect)) {
        return Some(Keyword::Enforced(shape));
    }
    Some(match name {
        // `$defs` and `definitions` are read where something refers to them; `writeOnly` limits answers, which are
        // not judged yet.
        "title" | "description" | "$comment" | "default" | "example" | "examples"
        | "deprecated" | "externalDocs" | "xml" | "$defs" | "definitions" | "writeOnly" => {
            Keyword::Annotation
        }
        "readOnly" => Keyword::RefusedUnlessFalse(
            "not enforced yet in requests: give requests a schema of their own, without the member",
        ),
        "discriminator" => Keyword::Refused(
            "not enforced yet: write what tells the schemas apart as `const` or `enum` in each, and remove it",
        ),
        "nullable" => Keyword::Refused("a keyword of OpenAPI 3.0: write `type: [\"…\", \"null\"]`"),
        "$id" | "id" | "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$recursiveAnchor"
        | "$recursiveRef" => Keyword::Refused(OWN_BASE),
        "$schema" | "$vocabulary" => Keyword::Refused(
            "not enforced yet in a part of a document: the dialect of all is `jsonSchemaDialect`",
        ),
        "contentEncoding" | "contentMediaType" | "contentSchema" => Keyword::Refused(CONTENT),
        _ if super::keywords::is_extension(name) => Keyword::Annotation,
        _ => return None,
    })
}

fn enforced(name: &str, rank: u8) -> Option<Shape> {
    let (from, to, shape) = match name {
        "$ref" => (4, 9, Shape::Reference),
        "type" | "enum" | "multipleOf" | "maximum" | "exclusiveMaximum" | "minimum"
        | "exclusiveMinimum" | "maxLength" | "minLength" | "pattern" | "maxItems" | "minItems"
        | "uniqueItems" | "maxProperties" | "minProperties" | "required" | "format" => {
            (4, 9, Shape::Value)
        }
        "const" => (6, 9, Shape::Value),
        "maxContains" | "minContains" | "dependentRequired" => (8, 9, Shape::Value),
        "not" | "additionalProperties" => (4, 9, Shape::Schema),
        "contains" | "propertyNames" => (6, 9, Shape::Schema),
        "if" | "then" | "else" => (7, 9, Shape::Schema),
        "unevaluatedItems" | "unevaluatedProperties" => (8, 9, Shape::Schema),
        "items" => (4, 9, if rank == 9 { Shape::Schema } else { Shape::SchemaOrList }),
        "additionalItems" => (4, 8, Shape::Schema),
        "allOf" | "anyOf" | "oneOf" => (4, 9, Shape::List),
        "prefixItems" => (9, 9, Shape::List),
        "properties" | "patternProperties" => (4, 9, Shape::Map),
        "dependentSchemas" => (8, 9, Shape::Map),
        "dependencies" => (4, 7, Shape::MapOrNames),
        _ => return None,
    };
    (from..=to).contains(&rank).then_some(shape)
}

/// The dialect of a document's schemas: `jsonSchemaDialect`, or OpenAPI's own, which is 2020-12.
pub(super) fn of(document: &At<'_>, faults: &mut Faults) -> Dialect {
    let Some(at) = document.get("jsonSchemaDialect") else { return Dialect::Draft202012 };
    let dialect = at.str().and_then(named);
    if dialect.is_none() {
        faults.push(at.fault(
            "expected OpenAPI 3.1's own dialect, or JSON Schema 2020-12, 2019-09, draft-07, draft-06 or \
             draft-04, by its URI",
        ));
    }
    dialect.unwrap_or(Dialect::Draft202012)
}

/// The dialect that a URI names.
pub(super) fn named(uri: &str) -> Option<Dialect> {
    Some(match uri.strip_suffix('#').unwrap_or(uri) {
        "https://spec.openapis.org/oas/3.1/dialect/base"
        | "https://json-schema.org/draft/2020-12/schema" => Dialect::Draft202012,
        "https://json-schema.org/draft/2019-09/schema" => Dialect::Draft201909,
        "http://json-schema.org/draft-07/schema" => Dialect::Draft7,
        "http://json-schema.org/draft-06/schema" => Dialect::Draft6,
        "http://json-schema.org/draft-04/schema" => Dialect::Draft4,
        _ => return None,
    })
}
