//! Which JSON types the text of a parameter may be read as, from what its schema says of types.

use std::collections::HashSet;

use super::refs;
use crate::policy::fault::{Fault, Faults};
use crate::policy::model::Kinds;
use crate::policy::source::At;

/// A set of JSON types, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NONE: Self = Self(0);
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    const INTEGER: Self = Self(4);
    /// A number with a fraction; a schema's `number` is both.
    const FRACTION: Self = Self(8);
    const STRING: Self = Self(16);
    const ARRAY: Self = Self(32);
    const OBJECT: Self = Self(64);
    const ALL: Self = Self(127);

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::INTEGER.or(Self::FRACTION),
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::NONE,
        }
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The kinds of a parameter's schema, or why it has none that a text could be.
pub(super) fn of(schema: &At<'_>) -> Result<Kinds, Fault> {
    let types = types(schema, &mut HashSet::new());
    if types == Types::ALL {
        return Err(
            schema.fault("which type is it? Write `type`: string, integer, number or boolean")
        );
    }
    if types.has(Types::ARRAY.or(Types::OBJECT)) {
        return Err(schema.fault(
            "lists and objects as parameters are not enforced yet: write a schema of a simple type, or of a \
             string with a `pattern`",
        ));
    }
    let kinds = Kinds {
        boolean: types.has(Types::BOOLEAN),
        integer: types.has(Types::INTEGER),
        number: types.has(Types::FRACTION),
        string: types.has(Types::STRING),
    };
    if kinds == Kinds::default() {
        return Err(schema.fault("no text can be of this schema's type: expected a simple type"));
    }
    Ok(kinds)
}

/// The types that a schema leaves open; never less than it does. `path` are the schemas being read.
fn types(schema: &At<'_>, path: &mut HashSet<String>) -> Types {
    if schema.bool() == Some(false) {
        return Types::NONE;
    }
    // A schema inside itself restricts nothing more; such a circle is the schema compiler's fault to find.
    if !path.insert(schema.pointer().to_owned()) {
        return Types::ALL;
    }
    let mut open = Types::ALL;
    if let Some(at) = schema.get("type") {
        let named = match at.str() {
            Some(name) => Types::named(name),
            None => at
                .items()
                .filter_map(|item| item.str())
                .map(Types::named)
                .fold(Types::NONE, Types::or),
        };
        open = open.and(named);
    }
    if let Some(value) = schema.get("const") {
        open = open.and(valued(&value));
    }
    if let Some(values) = schema.get("enum") {
        open = open.and(values.items().map(|value| valued(&value)).fold(Types::NONE, Types::or));
    }
    if let Some(reference) = schema.get("$ref") {
        let target = reference.str().and_then(|text| refs::target(&reference, text).ok());
        open = target.map_or(Types::NONE, |target| open.and(types(&target, path)));
    }
    for all in schema.get("allOf").iter().flat_map(At::items) {
        open = open.and(types(&all, path));
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(list) = schema.get(keyword) {
            let any: Vec<Types> = list.items().map(|one| types(&one, path)).collect();
            open = open.and(any.into_iter().fold(Types::NONE, Types::or));
        }
    }
    path.remove(schema.pointer());
    open
}

/// The types that a text may be read as to be this value: 1.0 is 1.
fn valued(value: &At<'_>) -> Types {
    match Types::named(value.kind()) {
        Types::INTEGER => Types::named("number"),
        other => other,
    }
}

/// Whether a schema has a type at all; faults are found elsewhere.
pub(super) fn read(schema: &At<'_>, faults: &mut Faults) -> Option<Kinds> {
    faults.take(of(schema))
}
