//! A parsed text, and how its values are read.
//!
//! A [`Value`] is three words that can be copied: the text, the tape and an index. Nothing here recurses or
//! allocates. An index that is not on the tape, which no caller of this module can make, reads as `null`.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::iter::FusedIterator;
use std::ops::Range;

use super::error::Error;
use super::numbers;
use super::serde;
use super::tape::{Node, Parts, Tag, Tape, narrow, widen};
#[cfg(secval_cpython)]
use crate::bytes::units::Part;

/// A strictly parsed JSON text. Its values borrow from it.
#[derive(Debug)]
pub struct Document<'t> {
    text: Cow<'t, str>,
    tape: Tape,
}

/// The kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool,
    /// Any number.
    Number,
    /// A string.
    String,
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

/// One value of a document: a place on its tape.
#[derive(Debug, Clone, Copy)]
pub struct Value<'d> {
    text: &'d str,
    tape: &'d Parts,
    node: u32,
}

impl<'t> Document<'t> {
    pub(super) fn new(text: Cow<'t, str>, tape: Tape) -> Self {
        Self { text, tape }
    }

    /// The value that the text is.
    pub fn root(&self) -> Value<'_> {
        self.value(0)
    }

    /// The value at an index of the tape: what an observer was told, or what [`Value::node`] gave.
    pub fn value(&self, node: u32) -> Value<'_> {
        Value { text: &self.text, tape: self.tape.read(), node }
    }

    /// The text, as it was given.
    pub fn text(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The same document with a text of its own.
    pub fn into_owned(self) -> Document<'static> {
        Document { text: Cow::Owned(self.text.into_owned()), tape: self.tape }
    }

    /// The buffers, for the next parse.
    pub fn into_tape(self) -> Tape {
        self.tape
    }

    /// The same as a `serde_json` value, numbers digit for digit: for policies and schemas, not for requests.
    ///
    /// More than 512 levels are refused with `json.depth`: such values recurse when they are dropped.
    pub fn to_serde(&self) -> Result<serde_json::Value, Error> {
        serde::convert(self.root())
    }
}

/// A sound text whose member names nobody has compared yet.
///
/// It is no [`Document`], so that nothing can be judged by it: it can only be made into maps, and whoever does
/// finds out ([`Value::tokens`] gives each object's number of members).
#[derive(Debug)]
pub struct Unproven<'t>(Document<'t>);

impl<'t> Unproven<'t> {
    pub(super) fn new(document: Document<'t>) -> Self {
        Self(document)
    }

    /// The value that the text is.
    pub fn root(&self) -> Value<'_> {
        self.0.root()
    }

    /// The buffers, for the next parse.
    pub fn into_tape(self) -> Tape {
        self.0.into_tape()
    }
}

impl Tape {
    /// The value that a text is which this tape was filled with.
    #[inline]
    pub fn root<'d>(&'d self, text: &'d str) -> Value<'d> {
        Value { text, tape: self.read(), node: 0 }
    }

    /// The document of a text which this tape was filled with.
    pub fn into_document(self, text: &str) -> Document<'_> {
        Document::new(Cow::Borrowed(text), self)
    }
}

/// What a text says, piece by piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'d> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer literal that fits.
    Integer(i64),
    /// An integer literal that does not: its text.
    BigInteger(&'d str),
    /// Any other number.
    Float(f64),
    /// A string.
    String(Content<'d>),
    /// A member's name.
    Name(Content<'d>),
    /// An array of so many items.
    Array(usize),
    /// An object of so many members.
    Object(usize),
}

/// A string's content, unescaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'d> {
    source: &'d str,
    from: u32,
    to: u32,
    /// It is known to be ASCII; without this it may be all the same.
    pub ascii: bool,
}

impl<'d> Content<'d> {
    /// Of a string by itself.
    pub fn of(text: &'d str) -> Self {
        Self { source: text, from: 0, to: narrow(text.len()), ascii: false }
    }

    #[inline]
    pub(super) fn within(source: &'d str, node: &Node, ascii: bool) -> Self {
        Self { source, from: node.a, to: node.a.wrapping_add(node.b), ascii }
    }

    /// The content.
    #[inline]
    pub fn text(self) -> &'d str {
        self.source.get(widen(self.from)..widen(self.to)).unwrap_or_default()
    }

    /// The same, and what follows it.
    #[cfg(secval_cpython)]
    #[inline]
    pub(crate) fn part(self) -> Part<'d> {
        Part::of(self.source, widen(self.from)..widen(self.to))
    }

    /// Its bytes: cheaper to get, as nobody asks where characters begin.
    #[inline]
    pub fn bytes(self) -> &'d [u8] {
        self.source.as_bytes().get(widen(self.from)..widen(self.to)).unwrap_or_default()
    }
}

impl<'d> Value<'d> {
    /// What the value says, in the order of the text: a container, then its children; a member's name, then its
    /// value. Where a container ends its number of children tells. Whoever makes something of it needs a pile and no
    /// recursion.
    pub fn tokens(self) -> Tokens<'d> {
        Tokens(self)
    }

    #[inline]
    fn token(self, node: &Node) -> Token<'d> {
        let content = || self.content(node);
        match node.tag {
            Tag::Null => Token::Null,
            Tag::Bool => Token::Bool(node.a == 1),
            Tag::Integer => Token::Integer(node.value().cast_signed()),
            Tag::BigInteger => Token::BigInteger(numbers::text(self.text, node.start)),
            Tag::Float => Token::Float(f64::from_bits(node.value())),
            Tag::String => Token::String(content()),
            Tag::Name => Token::Name(content()),
            Tag::Array => Token::Array(widen(node.a)),
            Tag::Object => Token::Object(widen(node.a)),
        }
    }

    #[inline]
    fn content(self, node: &Node) -> Content<'d> {
        let source = if node.escaped { &self.tape.unescaped } else { self.text };
        Content::within(source, node, self.tape.ascii && !node.escaped)
    }

    fn record(self) -> Option<&'d Node> {
        self.tape.nodes.get(widen(self.node))
    }

    fn tag(self) -> Tag {
        self.record().map_or(Tag::Null, |node| node.tag)
    }

    /// Its index on the tape: what an observer was told.
    pub fn node(self) -> u32 {
        self.node
    }

    /// The value of the same document at an index of its tape.
    #[must_use]
    pub fn at(self, node: u32) -> Self {
        Self { node, ..self }
    }

    /// The name of the member that it is the value of, if it is a member's.
    pub fn name(self) -> Option<&'d str> {
        let before = Self { node: self.node.checked_sub(1)?, ..self };
        let name = before.record().filter(|node| node.tag == Tag::Name)?;
        Some(name.content(self.text, &self.tape.unescaped))
    }

    /// Where its first byte is in the text.
    pub fn offset(self) -> usize {
        self.record().map_or(0, |node| widen(node.start))
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        match self.tag() {
            Tag::Null => Kind::Null,
            Tag::Bool => Kind::Bool,
            Tag::Integer | Tag::BigInteger | Tag::Float => Kind::Number,
            Tag::String | Tag::Name => Kind::String,
            Tag::Array => Kind::Array,
            Tag::Object => Kind::Object,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.tag() == Tag::Null
    }

    /// A bool's value.
    pub fn as_bool(self) -> Option<bool> {
        self.record().filter(|node| node.tag == Tag::Bool).map(|node| node.a == 1)
    }

    /// A string's text, unescaped.
    pub fn as_str(self) -> Option<&'d str> {
        let node = self.record().filter(|node| node.tag == Tag::String)?;
        Some(node.content(self.text, &self.tape.unescaped))
    }

    /// A number.
    pub fn as_number(self) -> Option<Number<'d>> {
        let node = self.record()?;
        Some(Number::new(numbers::text(self.text, node.start), node.number()?))
    }

    /// An array's items; empty for anything else.
    pub fn items(self) -> Items<'d> {
        Items(Children::of(self, Tag::Array))
    }

    /// An object's members in the order of the text; empty for anything else.
    pub fn members(self) -> Members<'d> {
        Members(Children::of(self, Tag::Object))
    }

    /// An object's member of this name. Looks at them one by one.
    pub fn get(self, name: &str) -> Option<Self> {
        self.members().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Items of an array or members of an object; 0 for anything else.
    pub fn len(self) -> usize {
        let container = |node: &&Node| matches!(node.tag, Tag::Array | Tag::Object);
        self.record().filter(container).map_or(0, |node| widen(node.a))
    }

    /// Nodes of the tape that it takes, itself and member names included.
    pub fn size(self) -> usize {
        match self.record() {
            Some(Node { tag: Tag::Array | Tag::Object, b, .. }) => {
                widen(*b).saturating_sub(widen(self.node))
            }
            Some(_) | None => 1,
        }
    }

    /// Whether it has neither items nor members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A number: its text, and its value.
#[derive(Debug, Clone, Copy)]
pub struct Number<'d> {
    source: &'d str,
    from: u32,
    to: u32,
    value: numbers::Number,
}

impl<'d> Number<'d> {
    /// Of a text that is nothing else.
    pub(super) fn new(text: &'d str, value: numbers::Number) -> Self {
        Self::within(text, 0..narrow(text.len()), value)
    }

    #[inline]
    pub(super) fn within(source: &'d str, place: Range<u32>, value: numbers::Number) -> Self {
        Self { source, from: place.start, to: place.end, value }
    }

    /// As it stands in the text.
    pub fn text(self) -> &'d str {
        self.source.get(widen(self.from)..widen(self.to)).unwrap_or_default()
    }

    /// Whether it has neither fraction nor exponent: a Python `int`.
    pub fn is_integer_literal(self) -> bool {
        !matches!(self.value, numbers::Number::Float(_))
    }

    /// If it is an integer literal that fits.
    pub fn as_i64(self) -> Option<i64> {
        match self.value {
            numbers::Number::Integer(value) => Some(value),
            numbers::Number::Big | numbers::Number::Float(_) => None,
        }
    }

    /// If it is an integer literal that fits.
    pub fn as_u64(self) -> Option<u64> {
        match self.value {
            numbers::Number::Integer(value) => u64::try_from(value).ok(),
            numbers::Number::Big => self.text().parse().ok(),
            numbers::Number::Float(_) => None,
        }
    }

    /// Correctly rounded. An integer literal beyond the doubles, which is exact as it stands, gives an infinity.
    pub fn as_f64(self) -> f64 {
        match self.value {
            numbers::Number::Float(value) => value,
            numbers::Number::Integer(_) | numbers::Number::Big => {
                self.text().parse().unwrap_or(f64::NAN)
            }
        }
    }
}

/// What a value says, piece by piece, in the order of the text. Beyond the value's end it says what follows there: who
/// asks counts.
#[derive(Debug, Clone)]
pub struct Tokens<'d>(Value<'d>);

impl<'d> Tokens<'d> {
    /// Goes on without the next piece, whatever it is: without a name, as a rule, that is known already.
    #[inline]
    pub fn skip_one(&mut self) {
        self.0.node = self.0.node.wrapping_add(1);
    }

    /// The names of an object's members, of the object that was given last.
    pub fn names(&self) -> Names<'d> {
        Names(self.0)
    }
}

impl<'d> Iterator for Tokens<'d> {
    type Item = Token<'d>;

    #[inline]
    fn next(&mut self) -> Option<Token<'d>> {
        let node = self.0.record()?;
        self.0.node = self.0.node.wrapping_add(1);
        Some(self.0.token(node))
    }
}

/// The names of an object's members, one after the other; as often as the object has members.
#[derive(Debug, Clone)]
pub struct Names<'d>(Value<'d>);

impl<'d> Iterator for Names<'d> {
    type Item = Content<'d>;

    #[inline]
    fn next(&mut self) -> Option<Content<'d>> {
        let name = self.0.record()?;
        let value = Value { node: self.0.node.wrapping_add(1), ..self.0 };
        self.0.node = match value.record()? {
            Node { tag: Tag::Array | Tag::Object, b, .. } => *b,
            _ => value.node.wrapping_add(1),
        };
        Some(self.0.content(name))
    }
}

/// What is left of a container: the index of the next child, and how many there are.
#[derive(Debug, Clone, Copy)]
struct Children<'d> {
    next: Value<'d>,
    left: u32,
}

impl<'d> Children<'d> {
    fn of(container: Value<'d>, tag: Tag) -> Self {
        let left = container.record().filter(|node| node.tag == tag).map_or(0, |node| node.a);
        Self { next: Value { node: container.node.saturating_add(1), ..container }, left }
    }

    /// The child whose value is `skip` nodes further on: a member's name comes before its value.
    fn step(&mut self, skip: u32) -> Option<(Value<'d>, Value<'d>)> {
        self.left = self.left.checked_sub(1)?;
        let first = self.next;
        let value = Value { node: first.node.saturating_add(skip), ..first };
        self.next.node = match value.record() {
            Some(Node { tag: Tag::Array | Tag::Object, b, .. }) => *b,
            Some(_) | None => value.node.saturating_add(1),
        };
        Some((first, value))
    }
}

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'d>(Children<'d>);

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step(0).map(|(_, value)| value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (widen(self.0.left), Some(widen(self.0.left)))
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Members<'d>(Children<'d>);

impl<'d> Iterator for Members<'d> {
    type Item = (&'d str, Value<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.step(1)?;
        let text = name.record().map_or("", |node| node.content(name.text, &name.tape.unescaped));
        Some((text, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (widen(self.0.left), Some(widen(self.0.left)))
    }
}

impl ExactSizeIterator for Items<'_> {}
impl ExactSizeIterator for Members<'_> {}
impl FusedIterator for Items<'_> {}
impl FusedIterator for Members<'_> {}
