//! Our documents, as the `jsonschema` crate reads them: through its `Json` and `Node` traits, without a copy.
//!
//! What the crate would copy a value for is answered here instead: equality and uniqueness compare exactly and in
//! near-linear time, and the instance that an error of the crate would carry is always `null`, so that no submitted
//! value can reach a message.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};

use super::equality;
use super::number::Decimal;
use crate::json::{Items, Kind, Members, Number, Value};
use crate::seed::FastState;

/// The representation's name, for the crate.
#[derive(Debug)]
pub struct Tree;

/// A value of a document, or a member's name where `propertyNames` judges it as a value.
#[derive(Debug, Clone, Copy)]
pub enum Instance<'d> {
    /// A value.
    Value(Value<'d>),
    /// A name.
    Name(&'d str),
}

thread_local! {
    /// Looks at values that the crate may still take.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Lets the crate look at values so many times; `None` if it wanted more.
///
/// It remembers no answers: a recursive schema that branches costs it time exponential in the depth of the value. When
/// its looks are spent, all values seem to be `null`, so that it finds nothing more to go into, and ends.
pub(super) fn looking<T>(times: u64, work: impl FnOnce() -> T) -> Option<T> {
    struct Restore(u64);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let restore = Restore(LEFT.replace(times));
    let done = work();
    let enough = LEFT.get() > 0;
    drop(restore);
    enough.then_some(done)
}

/// Takes one look, if there is one left.
#[inline]
fn look() -> bool {
    let left = LEFT.get();
    LEFT.set(left.saturating_sub(1));
    left > 1
}

/// Members beyond which an object is indexed at its first look-up: the crate looks up one name after the other,
/// and a scan for each would make that the product of both counts. Below it, the index costs more than it saves.
const INDEXED: usize = 32;

impl Json for Tree {
    type Node<'a> = Instance<'a>;
    type PreparedKey = String;
    type StringBuffer = String;

    // One pass over the members always beats a scan for each name.
    const KEYS_PER_LOOKUP: usize = usize::MAX / 64;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut String,
        string: &str,
        f: impl FnOnce(Instance<'_>) -> T,
    ) -> T {
        buffer.clear();
        buffer.push_str(string);
        f(Instance::Name(buffer))
    }
}

/// An object, and an index of its names once they are looked up often.
#[derive(Debug)]
pub struct Fields<'d> {
    value: Value<'d>,
    len: usize,
    index: OnceCell<HashMap<&'d str, Value<'d>, FastState>>,
}

/// An array.
#[derive(Debug)]
pub struct Elements<'d> {
    value: Value<'d>,
    len: usize,
}

/// The members of an object, as the crate sees them.
#[derive(Debug)]
pub struct FieldsIter<'d>(Members<'d>);

/// The items of an array, as the crate sees them.
#[derive(Debug)]
pub struct ElementsIter<'d>(Items<'d>);

impl<'d> Iterator for FieldsIter<'d> {
    type Item = (&'d str, Instance<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name, Instance::Value(value)))
    }
}

impl<'d> Iterator for ElementsIter<'d> {
    type Item = Instance<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Instance::Value)
    }
}

impl<'d> Node<'d, Tree> for Instance<'d> {
    type Object = Fields<'d>;
    type Array = Elements<'d>;
    type Number = Number<'d>;

    fn as_object(&self) -> Option<Fields<'d>> {
        match self {
            Self::Value(value) if value.kind() == Kind::Object && look() => {
                let len = value.len();
                Some(Fields { value: *value, len, index: OnceCell::new() })
            }
            Self::Value(_) | Self::Name(_) => None,
        }
    }

    fn as_array(&self) -> Option<Elements<'d>> {
        match self {
            Self::Value(value) if value.kind() == Kind::Array && look() => {
                Some(Elements { value: *value, len: value.len() })
            }
            Self::Value(_) | Self::Name(_) => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'d, str>> {
        match self {
            Self::Value(value) => value.as_str().filter(|_| look()).map(Cow::Borrowed),
            Self::Name(name) => Some(Cow::Borrowed(name)),
        }
    }

    fn as_number(&self) -> Option<Number<'d>> {
        match self {
            Self::Value(value) => value.as_number().filter(|_| look()),
            Self::Name(_) => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Value(value) => value.as_bool(),
            Self::Name(_) => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Value(value) if value.kind() == Kind::Null)
    }

    fn json_type(&self) -> JsonType {
        match self {
            Self::Name(_) => JsonType::String,
            Self::Value(_) if !look() => JsonType::Null,
            Self::Value(value) => match value.kind() {
                Kind::Null => JsonType::Null,
                Kind::Bool => JsonType::Boolean,
                Kind::Number => JsonType::Number,
                Kind::String => JsonType::String,
                Kind::Array => JsonType::Array,
                Kind::Object => JsonType::Object,
            },
        }
    }

    fn equals_value(&self, expected: &serde_json::Value) -> bool {
        match self {
            Self::Value(value) => look() && equality::equals(*value, expected),
            Self::Name(name) => expected.as_str() == Some(name),
        }
    }

    fn to_value(&self) -> Cow<'d, serde_json::Value> {
        Cow::Owned(match self {
            Self::Value(value) => equality::to_serde(*value),
            Self::Name(name) => serde_json::Value::from(*name),
        })
    }

    fn lazy_value(&self) -> jsonschema_value::LazyInstance<'d> {
        jsonschema_value::LazyInstance::Ready(Cow::Owned(serde_json::Value::Null))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            // Within one call there is one document, and a node's index on its tape is its own.
            Self::Value(value) => Some(NodeIdentity::tagged(0, value.node())),
            Self::Name(_) => None,
        }
    }
}

impl<'d> Object<'d, Tree> for Fields<'d> {
    type Node = Instance<'d>;
    type MemberName = &'d str;
    type MembersIter = FieldsIter<'d>;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, key: &String) -> Option<Instance<'d>> {
        let value = if self.len <= INDEXED {
            self.value.get(key)
        } else {
            self.index.get_or_init(|| self.value.members().collect()).get(key.as_str()).copied()
        };
        value.map(Instance::Value)
    }

    fn members(&self) -> FieldsIter<'d> {
        FieldsIter(self.value.members())
    }
}

impl<'d> Array<'d, Tree> for Elements<'d> {
    type Node = Instance<'d>;
    type ElementsIter = ElementsIter<'d>;

    fn len(&self) -> usize {
        self.len
    }

    fn elements(&self) -> ElementsIter<'d> {
        ElementsIter(self.value.items())
    }

    fn is_unique(&self) -> bool {
        equality::all_distinct(self.value)
    }
}

impl JsonNumber for Number<'_> {
    fn as_u64(&self) -> Option<u64> {
        (*self).as_u64()
    }

    fn as_i64(&self) -> Option<i64> {
        (*self).as_i64()
    }

    fn as_f64(&self) -> Option<f64> {
        Some((*self).as_f64()).filter(|value| value.is_finite())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.text())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(equality::to_number(self.text()))
    }

    fn is_integer(&self) -> bool {
        self.is_integer_literal() || Decimal::parse(self.text()).is_integer()
    }

    fn is_written_as_integer(&self) -> bool {
        self.is_integer_literal()
    }
}
