//! A parsed text, and how its values are read.

use std::borrow::Cow;

use super::parser::widen;
use super::tape::{Node, Tag, Tape};

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
    tape: &'d Tape,
    node: u32,
}

impl<'t> Document<'t> {
    pub(super) fn new(text: Cow<'t, str>, tape: Tape) -> Self {
        Self { text, tape }
    }

    /// The value that the text is.
    pub fn root(&self) -> Value<'_> {
        Value { text: &self.text, tape: &self.tape, node: 0 }
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

    /// The same as a `serde_json` value: for policies and schemas, not for requests.
    pub fn to_serde(&self) -> serde_json::Value {
        todo!()
    }
}

impl<'d> Value<'d> {
    fn record(self) -> Option<&'d Node> {
        self.tape.nodes.get(widen(self.node))
    }

    /// Its index on the tape: what an observer was told.
    pub fn node(self) -> u32 {
        self.node
    }

    /// Where its first byte is in the text.
    pub fn offset(self) -> usize {
        self.record().map_or(0, |node| widen(node.start))
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        match self.record().map_or(Tag::Null, |node| node.tag) {
            Tag::Null => Kind::Null,
            Tag::Bool => Kind::Bool,
            Tag::Integer | Tag::Float => Kind::Number,
            Tag::String => Kind::String,
            Tag::Array => Kind::Array,
            Tag::Object => Kind::Object,
        }
    }

    /// A bool's value.
    pub fn as_bool(self) -> Option<bool> {
        todo!()
    }

    /// A string's text, unescaped.
    pub fn as_str(self) -> Option<&'d str> {
        todo!()
    }

    /// A number.
    pub fn as_number(self) -> Option<Number<'d>> {
        todo!()
    }

    /// An array's items; empty for anything else.
    pub fn items(self) -> Items<'d> {
        todo!()
    }

    /// An object's members in the order of the text; empty for anything else.
    pub fn members(self) -> Members<'d> {
        todo!()
    }

    /// An object's member of this name.
    pub fn get(self, name: &str) -> Option<Self> {
        self.members().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// A number, as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'d> {
    text: &'d str,
    integer: bool,
}

impl<'d> Number<'d> {
    pub(super) fn new(text: &'d str, integer: bool) -> Self {
        Self { text, integer }
    }

    /// As it stands in the text.
    pub fn text(self) -> &'d str {
        self.text
    }

    /// Whether it has neither fraction nor exponent: a Python `int`.
    pub fn is_integer_literal(self) -> bool {
        self.integer
    }

    /// If it is an integer literal that fits.
    pub fn as_i64(self) -> Option<i64> {
        if self.integer { self.text.parse().ok() } else { None }
    }

    /// If it is an integer literal that fits.
    pub fn as_u64(self) -> Option<u64> {
        if self.integer { self.text.parse().ok() } else { None }
    }

    /// Correctly rounded.
    pub fn as_f64(self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }
}

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'d>(std::marker::PhantomData<&'d str>);

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Members<'d>(std::marker::PhantomData<&'d str>);

impl<'d> Iterator for Members<'d> {
    type Item = (&'d str, Value<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}
