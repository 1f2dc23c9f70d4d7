//! Which kinds of values: a set in one byte, as fine as a fault of the type can be told without looking closer.

use super::super::graph::{Schema, Types};
use crate::json::{Kind, Value};

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Kinds(pub(super) u8);

impl Kinds {
    pub(super) const NULL: Self = Self(1);
    pub(super) const FALSE: Self = Self(2);
    pub(super) const TRUE: Self = Self(4);
    /// Numbers without fraction and exponent.
    pub(super) const INTEGER: Self = Self(8);
    /// All other numbers.
    pub(super) const FLOAT: Self = Self(16);
    pub(super) const STRING: Self = Self(32);
    pub(super) const ARRAY: Self = Self(64);
    pub(super) const OBJECT: Self = Self(128);

    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(255);

    #[inline]
    pub(super) fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    pub(super) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The one that a value is of.
    pub(super) fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Null => Self::NULL,
            Kind::Bool if value.as_bool() == Some(true) => Self::TRUE,
            Kind::Bool => Self::FALSE,
            Kind::Number => match value.as_number() {
                Some(number) if number.is_integer_literal() => Self::INTEGER,
                Some(_) | None => Self::FLOAT,
            },
            Kind::String => Self::STRING,
            Kind::Array => Self::ARRAY,
            Kind::Object => Self::OBJECT,
        }
    }
}

/// The sorts of values that schemas are compiled for one by one: what a keyword says of one it does not say of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

impl Sort {
    pub(super) const ALL: [Self; 7] = [
        Self::Null,
        Self::False,
        Self::True,
        Self::Number,
        Self::String,
        Self::Array,
        Self::Object,
    ];

    /// The one that a value is of.
    pub(super) fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool if value.as_bool() == Some(true) => Self::True,
            Kind::Bool => Self::False,
            Kind::Number => Self::Number,
            Kind::String => Self::String,
            Kind::Array => Self::Array,
            Kind::Object => Self::Object,
        }
    }

    /// Its place in the list of all.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Null => 0,
            Self::False => 1,
            Self::True => 2,
            Self::Number => 3,
            Self::String => 4,
            Self::Array => 5,
            Self::Object => 6,
        }
    }

    pub(super) fn kinds(self) -> Kinds {
        match self {
            Self::Null => Kinds::NULL,
            Self::False => Kinds::FALSE,
            Self::True => Kinds::TRUE,
            Self::Number => Kinds::INTEGER.with(Kinds::FLOAT),
            Self::String => Kinds::STRING,
            Self::Array => Kinds::ARRAY,
            Self::Object => Kinds::OBJECT,
        }
    }

    /// Whether a value of a schema's own is of it.
    pub(super) fn holds(self, value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Null => self == Self::Null,
            serde_json::Value::Bool(true) => self == Self::True,
            serde_json::Value::Bool(false) => self == Self::False,
            serde_json::Value::Number(_) => self == Self::Number,
            serde_json::Value::String(_) => self == Self::String,
            serde_json::Value::Array(_) => self == Self::Array,
            serde_json::Value::Object(_) => self == Self::Object,
        }
    }

    /// Whether `type`, `enum` and `const` leave any value of it.
    pub(super) fn is_open(self, schema: &Schema) -> bool {
        let flags = match self {
            Self::Null => Types::NULL,
            Self::False | Self::True => Types::BOOL,
            Self::Number => Types::NUMBER | Types::INTEGER | Types::WRITTEN,
            Self::String => Types::STRING,
            Self::Array => Types::ARRAY,
            Self::Object => Types::OBJECT,
        };
        schema.types.is_none_or(|types| types.has(flags))
            && schema
                .options
                .as_ref()
                .is_none_or(|options| options.iter().any(|value| self.holds(value)))
            && schema.constant.as_ref().is_none_or(|value| self.holds(value))
    }
}
