//! A document as a tree whose nodes know their line, and places in it.

use std::path::PathBuf;

use super::Source;
use crate::json::pointer;
use crate::policy::fault::{Fault, Faults};

/// One value.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// From 1; of a member, the line of its name. 0 for a value from memory.
    pub(super) line: usize,
    pub(super) data: Data,
    /// A plain YAML scalar that readers of YAML 1.1 take for another value.
    pub(super) doubtful: bool,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Node>),
    /// In the order of the text; names are unique.
    Object(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn new(line: usize, data: Data) -> Self {
        Self { line, data, doubtful: false }
    }

    /// `None` when it is deeper than allowed.
    pub(super) fn from_serde(value: &serde_json::Value, depth: usize) -> Option<Self> {
        use serde_json::Value;

        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(value) => Data::Number(value.clone()),
            Value::String(value) => Data::String(value.clone()),
            Value::Array(items) => {
                let depth = depth.checked_sub(1)?;
                Data::Array(
                    items.iter().map(|v| Self::from_serde(v, depth)).collect::<Option<_>>()?,
                )
            }
            Value::Object(members) => {
                let depth = depth.checked_sub(1)?;
                let member = |(name, value): (&String, _)| {
                    Some((name.clone(), Self::from_serde(value, depth)?))
                };
                Data::Object(members.iter().map(member).collect::<Option<_>>()?)
            }
        };
        Some(Self::new(0, data))
    }

    fn to_serde(&self) -> serde_json::Value {
        use serde_json::Value;

        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::String(value) => Value::String(value.clone()),
            Data::Array(items) => items.iter().map(Self::to_serde).collect(),
            Data::Object(members) => {
                Value::Object(members.iter().map(|(n, v)| (n.clone(), v.to_serde())).collect())
            }
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let Data::Object(members) = &self.data else { return None };
        members.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

/// A value of a document, and where it stands: what is needed to judge it, and to say what is wrong with it.
#[derive(Debug, Clone)]
pub(in crate::policy) struct At<'s> {
    source: &'s Source,
    node: &'s Node,
    pointer: String,
}

impl<'s> At<'s> {
    pub(super) fn root(source: &'s Source, node: &'s Node) -> Self {
        Self { source, node, pointer: String::new() }
    }

    /// RFC 6901 pointer into the document.
    pub(in crate::policy) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// A fault of this value.
    pub(in crate::policy) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault {
            file: self.source.name.clone(),
            line: self.node.line,
            pointer: self.pointer.clone(),
            message: message.into(),
        }
    }

    fn child(&self, token: &str, node: &'s Node) -> Self {
        let mut pointer = self.pointer.clone();
        pointer::push(&mut pointer, token);
        Self { source: self.source, node, pointer }
    }

    /// The member of this name; `None` also when this is no object.
    pub(in crate::policy) fn get(&self, name: &str) -> Option<Self> {
        self.node.member(name).map(|node| self.child(name, node))
    }

    /// The members in the order of the text; none when this is no object.
    pub(in crate::policy) fn members(&self) -> impl Iterator<Item = (&'s str, Self)> {
        let members: &[_] = if let Data::Object(members) = &self.node.data { members } else { &[] };
        members.iter().map(|(name, node)| (name.as_str(), self.child(name, node)))
    }

    /// The items in their order; none when this is no array.
    pub(in crate::policy) fn items(&self) -> impl Iterator<Item = Self> {
        let items: &[_] = if let Data::Array(items) = &self.node.data { items } else { &[] };
        items.iter().enumerate().map(|(index, node)| self.child(&index.to_string(), node))
    }

    /// The value at an RFC 6901 pointer of the whole document.
    pub(in crate::policy) fn find(&self, pointer: &str) -> Option<Self> {
        let mut at = Self::root(self.source, &self.source.root);
        if pointer.is_empty() {
            return Some(at);
        }
        for token in pointer.strip_prefix('/')?.split('/') {
            let token = token.replace("~1", "/").replace("~0", "~");
            let node = if let Data::Array(items) = &at.node.data {
                // `01` and `+1` are no indices (RFC 6901, 4).
                let index = token.parse::<usize>().ok().filter(|i| i.to_string() == token)?;
                items.get(index)?
            } else {
                at.node.member(&token)?
            };
            at = at.child(&token, node);
        }
        Some(at)
    }

    /// A string's text.
    pub(in crate::policy) fn str(&self) -> Option<&'s str> {
        if let Data::String(text) = &self.node.data { Some(text) } else { None }
    }

    /// A bool's value.
    pub(in crate::policy) fn bool(&self) -> Option<bool> {
        if let Data::Bool(value) = self.node.data { Some(value) } else { None }
    }

    /// A whole number that is not negative.
    pub(in crate::policy) fn whole(&self) -> Option<u64> {
        let Data::Number(value) = &self.node.data else { return None };
        value.to_string().parse().ok()
    }

    pub(in crate::policy) fn is_object(&self) -> bool {
        matches!(self.node.data, Data::Object(_))
    }

    pub(in crate::policy) fn is_array(&self) -> bool {
        matches!(self.node.data, Data::Array(_))
    }

    /// The name of its JSON type, for kinds of parameters: a number without a fraction is an `integer`.
    pub(in crate::policy) fn kind(&self) -> &'static str {
        match &self.node.data {
            Data::Null => "null",
            Data::Bool(_) => "boolean",
            Data::Number(value)
                if value.to_string().bytes().all(|b| b == b'-' || b.is_ascii_digit()) =>
            {
                "integer"
            }
            Data::Number(_) => "number",
            Data::String(_) => "string",
            Data::Array(_) => "array",
            Data::Object(_) => "object",
        }
    }

    /// A plain YAML scalar that other readers take for another value: nothing may depend on it.
    pub(in crate::policy) fn is_doubtful(&self) -> bool {
        self.node.doubtful
    }

    /// The same as a `serde_json` value.
    pub(in crate::policy) fn to_serde(&self) -> serde_json::Value {
        self.node.to_serde()
    }

    /// The path that this string names, relative to the document's own folder.
    pub(in crate::policy) fn path(&self) -> Option<PathBuf> {
        self.str().map(|text| self.source.resolve(text))
    }

    /// The string, or a fault.
    pub(in crate::policy) fn need_str(&self, faults: &mut Faults) -> Option<&'s str> {
        if self.str().is_none() {
            faults.push(self.fault(format!("expected a string, found {}", self.describe())));
        }
        self.str()
    }

    /// The bool, or a fault.
    pub(in crate::policy) fn need_bool(&self, faults: &mut Faults) -> Option<bool> {
        if self.bool().is_none() {
            let hint = if self.is_doubtful() {
                " (YAML 1.2 reads yes, no, on and off as text)"
            } else {
                ""
            };
            let found = self.describe();
            faults.push(self.fault(format!("expected true or false, found {found}{hint}")));
        }
        self.bool()
    }

    /// The members, or a fault.
    pub(in crate::policy) fn need_object(&self, faults: &mut Faults) -> Option<()> {
        if !self.is_object() {
            faults.push(self.fault(format!("expected an object, found {}", self.describe())));
        }
        self.is_object().then_some(())
    }

    /// The items, or a fault.
    pub(in crate::policy) fn need_array(&self, faults: &mut Faults) -> Option<()> {
        if !self.is_array() {
            faults.push(self.fault(format!("expected a list, found {}", self.describe())));
        }
        self.is_array().then_some(())
    }

    /// The items that are strings, with their places; a fault for whatever is none.
    pub(in crate::policy) fn need_strings(
        &self,
        faults: &mut Faults,
    ) -> Option<Vec<(&'s str, Self)>> {
        self.need_array(faults)?;
        Some(self.items().filter_map(|item| Some((item.need_str(faults)?, item))).collect())
    }

    fn describe(&self) -> &'static str {
        match &self.node.data {
            Data::Null => "nothing (null)",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::Array(_) => "a list",
            Data::Object(_) => "an object",
        }
    }
}
