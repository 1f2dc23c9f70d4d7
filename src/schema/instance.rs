//! Our documents, as the `jsonschema` crate reads them: through its `Json` and `Node` traits, without a copy.
//!
//! What the crate would copy a value for is answered here instead: equality and uniqueness compare exactly and in
//! near-linear time, and the instance that an error of the crate would carry is always `null`, so that no submitted
//! value can reach a message.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};

use super::divisor::Divisor;
use super::equality;
use super::formats::Standard;
use super::number::Decimal;
use super::pattern::Pattern;
use super::questions::{MemberIndex, Questions};
use crate::json::{Items, Kind, Members, Number, Value};

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

impl<'d> Instance<'d> {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&'d str> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Name(name) => Some(name),
        }
    }
}

thread_local! {
    /// Looks at values that the crate may still take.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    /// What looks at texts and names may take.
    static PRICES: Cell<Prices> = const { Cell::new(Prices { steps: 0, patterns: 0 }) };
    /// The large objects that it has looked names up in.
    static MEMBERS: RefCell<MemberIndex> = RefCell::default();
}

/// What looks at texts and names may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prices {
    /// The most steps for each byte of a text, beyond the first look at it.
    pub(super) steps: u64,
    /// The most patterns that a name is matched with.
    pub(super) patterns: u64,
}

/// Lets the crate look at one document's values so many times: what it did, and how many times; `None` if it wanted more.
///
/// It remembers no answers: a recursive schema that branches costs it time exponential in the depth of the value. When
/// its looks are spent, all values seem to be `null`, so that it finds nothing more to go into, and ends.
pub(super) fn looking<T>(times: u64, prices: Prices, work: impl FnOnce() -> T) -> Option<(T, u64)> {
    struct Restore(u64, Prices, MemberIndex);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
            PRICES.set(self.1);
            MEMBERS.set(std::mem::take(&mut self.2));
        }
    }
    let restore = Restore(LEFT.replace(times), PRICES.replace(prices), MEMBERS.take());
    let done = work();
    let left = LEFT.get();
    drop(restore);
    (left > 0).then_some((done, times.saturating_sub(left)))
}

/// Looks that it takes to write down a violation.
const WRITING: u64 = 8;

/// Takes what it costs to write down a violation.
pub(super) fn write_down() {
    take(WRITING);
}

/// Looks that it takes to compute with a number that no double holds, and products of two digits in the time of a look.
const COMPUTING: u64 = 16;
const COMPUTED: u64 = 512;

/// Nodes that are spelled in the time of a look.
const SPELLED: u64 = 4;

/// Bytes of a text that are read in the time of a look, and steps along a pattern.
const BYTES: u64 = 16;
const STEPPED: u64 = 8;

/// Patterns that a name is matched with in the time of a look.
const MATCHED: u64 = 2;

/// What a text costs beyond a look: whoever has it may match it with a pattern.
#[inline]
fn reading(text: &str) -> u64 {
    let bytes = text.len() as u64;
    match PRICES.get().steps {
        0 => bytes / BYTES,
        steps => (bytes / BYTES).saturating_add(bytes.saturating_mul(steps) / STEPPED),
    }
}

/// Takes one look, if there is one left.
#[inline]
fn look() -> bool {
    take(1)
}

/// Takes a look through a text, if there is one left.
#[inline]
fn look_through(text: &str) -> bool {
    take(reading(text).saturating_add(1))
}

/// Questions that the time of a look is.
const QUESTIONS: u64 = 4;

/// Checks a format, if there are looks left for what that costs.
pub(super) fn check(standard: &Standard, text: &str) -> bool {
    take(standard.cost(text) / QUESTIONS) && standard.is_valid(text)
}

/// Divides a number, if there are looks left.
pub(super) fn divides(divisor: &Divisor, number: Number<'_>) -> bool {
    let text = number.text();
    take(1 + text.len() as u64 / BYTES) && divisor.divides(Decimal::parse(text))
}

/// Matches a pattern, within the looks that are left: if it takes more, none are.
pub(super) fn matches(pattern: &Pattern, text: &str) -> bool {
    let left = LEFT.get().saturating_mul(QUESTIONS);
    let mut questions = Questions::new(left);
    let is_match =
        take(reading(text).saturating_add(1)) && pattern.is_match_within(text, &mut questions);
    take(left.saturating_sub(questions.left()) / QUESTIONS);
    is_match
}

/// Takes as many looks as something costs; `false` if none are left then.
#[inline]
fn take(looks: u64) -> bool {
    let left = LEFT.get().saturating_sub(looks);
    LEFT.set(left);
    left > 0
}

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

/// An object.
#[derive(Debug)]
pub struct Fields<'d> {
    value: Value<'d>,
    len: usize,
}

/// An array.
#[derive(Debug)]
pub struct Elements<'d> {
    value: Value<'d>,
    len: usize,
}

/// The members of an object, as the crate sees them.
#[derive(Debug)]
pub struct FieldsIter<'d> {
    members: Members<'d>,
    /// Looks that each name takes, and whether its bytes take more.
    patterns: u64,
    steps: bool,
}

/// The items of an array, as the crate sees them.
#[derive(Debug)]
pub struct ElementsIter<'d>(Items<'d>);

impl<'d> Iterator for FieldsIter<'d> {
    type Item = (&'d str, Instance<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.members.next()?;
        let mut looks = self.patterns;
        if self.steps || name.len() as u64 >= BYTES {
            looks = looks.saturating_add(reading(name));
        }
        let left = LEFT.get();
        if looks > 0 {
            take(looks);
        }
        // Nothing more is asked of members, and nothing told of them, when there are no looks left.
        (left > looks).then_some((name, Instance::Value(value)))
    }
}

impl<'d> Iterator for ElementsIter<'d> {
    type Item = Instance<'d>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // The same of items.
        self.0.next().filter(|_| LEFT.get() > 0).map(Instance::Value)
    }
}

impl<'d> Node<'d, Tree> for Instance<'d> {
    type Object = Fields<'d>;
    type Array = Elements<'d>;
    type Number = Number<'d>;

    fn as_object(&self) -> Option<Fields<'d>> {
        match self {
            Self::Value(value) if value.kind() == Kind::Object && look() => {
                Some(Fields { value: *value, len: value.len() })
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
            Self::Value(value) => {
                value.as_str().filter(|text| look_through(text)).map(Cow::Borrowed)
            }
            Self::Name(name) => look_through(name).then_some(Cow::Borrowed(*name)),
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
            Self::Name(_) | Self::Value(_) if !look() => JsonType::Null,
            Self::Name(_) => JsonType::String,
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
            Self::Value(value) => {
                let mut work = 0;
                let equal = look() && equality::equals(*value, expected, &mut work);
                take(work);
                equal
            }
            Self::Name(name) => look() && expected.as_str() == Some(name),
        }
    }

    fn to_value(&self) -> Cow<'d, serde_json::Value> {
        // Asked for to be written into an error, of which nothing of it is told.
        write_down();
        Cow::Owned(match self {
            Self::Value(value) => {
                take((value.size() as u64).saturating_add(value.as_str().map_or(0, reading)));
                equality::to_serde(*value)
            }
            Self::Name(name) => serde_json::Value::from(*name),
        })
    }

    fn lazy_value(&self) -> jsonschema_value::LazyInstance<'d> {
        write_down();
        jsonschema_value::LazyInstance::Ready(Cow::Owned(serde_json::Value::Null))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        // Whoever follows a reference asks.
        take(1);
        Some(match self {
            // Within one call there is one document, and a node's index on its tape is its own.
            Self::Value(value) => NodeIdentity::tagged(0, value.node()),
            // Nothing is within a name: only one of them is judged at a time.
            Self::Name(_) => NodeIdentity::tagged(1, 0),
        })
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
        take(1);
        let value = MEMBERS.with_borrow_mut(|members| members.get(self.value, key));
        value.map(Instance::Value)
    }

    fn members(&self) -> FieldsIter<'d> {
        let Prices { steps, patterns } = PRICES.get();
        let patterns = patterns / MATCHED;
        FieldsIter { members: self.value.members(), patterns, steps: steps > 0 }
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
        let mut work = 0;
        let distinct = equality::all_distinct(self.value, &mut work);
        take(work / SPELLED);
        distinct
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
        // Whoever asks for the digits computes with them, in the square of their number.
        let digits = self.text().len() as u64;
        take(COMPUTING.saturating_add(digits.saturating_mul(digits) / COMPUTED));
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
