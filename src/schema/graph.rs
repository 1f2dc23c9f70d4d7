//! Schemas, read once into a graph of nodes that all drafts share.
//!
//! What differs between drafts (array `items`, boolean exclusive bounds, keywords that a `$ref` hides, where `contains`
//! counts) is settled while reading ([`survey`](super::survey)); whoever walks the graph needs to know no draft.
//! `$ref` is an edge, so recursive schemas are cycles. Keywords that only the arbiter judges are named in
//! [`Schema::rest`].

use std::collections::HashMap;
use std::sync::Arc;

use super::arbiter::Arbiter;
use super::divisor::Divisor;
use super::formats::Check;
use super::listed::Listed;
use super::pattern::Pattern;

/// Properties up to which a name is looked for one by one.
const SCANNED: usize = 8;

/// A node of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) u32);

/// All schemas of a set.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Schema>,
}

impl Graph {
    pub(super) fn get(&self, id: NodeId) -> &Schema {
        static NONE: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(Schema::default);
        // Every id was given out by the list it is an index of.
        self.nodes.get(id.index()).unwrap_or(&NONE)
    }
}

impl Graph {
    /// What `unevaluatedProperties` says of a member; `matching` tells which patterns its name matches, and `name` is
    /// `None` where no schema declares it.
    pub(super) fn unevaluated_member(
        &self,
        schema: &Schema,
        name: Option<&str>,
        matching: &mut dyn FnMut(&Pattern) -> bool,
    ) -> Option<NodeId> {
        let id = schema.unevaluated_members?;
        let mut declares = |other: &Schema| {
            name.is_some_and(|name| other.property(name).is_some())
                || other.patterns.iter().any(|(pattern, _)| matching(pattern))
                || other.additional.is_some()
                || (other.unevaluated_members.is_some() && !std::ptr::eq(other, schema))
        };
        let unevaluated = !schema.beside.iter().any(|other| declares(self.get(*other)));
        (unevaluated && !schema.beside.is_empty()).then_some(id)
    }

    /// What `unevaluatedItems` says of an item.
    pub(super) fn unevaluated_item(&self, schema: &Schema, index: usize) -> Option<NodeId> {
        let id = schema.unevaluated_items?;
        let declares = |other: &Schema| {
            index < other.prefix.len()
                || other.items.is_some()
                || (other.unevaluated_items.is_some() && !std::ptr::eq(other, schema))
        };
        let unevaluated = !schema.beside.iter().any(|other| declares(self.get(*other)));
        (unevaluated && !schema.beside.is_empty()).then_some(id)
    }

    /// The schemas that apply whenever one does, itself first; `None` if what else applies depends on the value.
    pub(super) fn certain(&self, id: NodeId) -> Option<Vec<NodeId>> {
        let (mut all, mut left) = (Vec::new(), vec![id]);
        while let Some(id) = left.pop() {
            if all.contains(&id) {
                continue;
            }
            let schema = self.get(id);
            let dynamic = !schema.any_of.is_empty()
                || !schema.one_of.is_empty()
                || schema.condition.is_some()
                || !schema.implies.is_empty()
                || schema.contains.is_some()
                || !schema.rest_in_place.is_empty();
            if dynamic {
                return None;
            }
            left.extend(schema.reference);
            left.extend(&schema.all_of);
            all.push(id);
        }
        Some(all)
    }
}

impl NodeId {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// JSON's types, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Types(pub(super) u8);

impl Types {
    pub(super) const NULL: u8 = 1;
    pub(super) const BOOL: u8 = 2;
    /// Integers by value.
    pub(super) const INTEGER: u8 = 4;
    /// All numbers.
    pub(super) const NUMBER: u8 = 8;
    pub(super) const STRING: u8 = 16;
    pub(super) const ARRAY: u8 = 32;
    pub(super) const OBJECT: u8 = 64;
    /// Integers that are written without fraction and exponent: draft 4's.
    pub(super) const WRITTEN: u8 = 128;

    pub(super) fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// Which bound of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Bound {
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
}

impl Bound {
    pub(super) fn is_lower(self) -> bool {
        matches!(self, Self::Minimum | Self::ExclusiveMinimum)
    }
}

/// `contains` and its counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contains {
    pub(super) schema: NodeId,
    pub(super) least: u64,
    pub(super) most: Option<u64>,
}

/// `if`, `then`, `else`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    pub(super) test: NodeId,
    pub(super) then: Option<NodeId>,
    pub(super) otherwise: Option<NodeId>,
}

/// Limits on how much of something there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Counts {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

/// One schema: what each of its keywords says.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// `true` or `false` instead of keywords.
    pub(super) always: Option<bool>,
    pub(super) types: Option<Types>,
    pub(super) options: Option<Arc<Listed>>,
    pub(super) constant: Option<serde_json::Value>,

    /// Limits as they are written.
    pub(super) bounds: Vec<(Bound, String)>,
    pub(super) multiple_of: Option<Arc<Divisor>>,

    pub(super) length: Counts,
    pub(super) pattern: Option<Arc<Pattern>>,
    pub(super) format: Option<Check>,

    pub(super) prefix: Vec<NodeId>,
    /// For the items after the prefix; `additionalItems` where a draft calls it so.
    pub(super) items: Option<NodeId>,
    /// The keyword that `items` came from.
    pub(super) items_keyword: &'static str,
    pub(super) contains: Option<Contains>,
    pub(super) unique: bool,
    pub(super) item_count: Counts,

    pub(super) properties: Vec<(String, NodeId)>,
    /// The same, for looking up.
    pub(super) by_name: HashMap<String, NodeId>,
    pub(super) patterns: Vec<(Arc<Pattern>, NodeId)>,
    pub(super) additional: Option<NodeId>,
    pub(super) names: Option<NodeId>,
    pub(super) required: Vec<String>,
    pub(super) needs: Vec<(String, Vec<String>)>,
    pub(super) implies: Vec<(String, NodeId)>,
    pub(super) member_count: Counts,
    /// A keyword is there that only makes sense for objects, or `type` names them: the schema speaks about members.
    pub(super) describes_members: bool,

    pub(super) reference: Option<NodeId>,
    pub(super) all_of: Vec<NodeId>,
    pub(super) any_of: Vec<NodeId>,
    pub(super) one_of: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
    pub(super) condition: Option<Condition>,

    /// `unevaluatedProperties` and `unevaluatedItems`. Named in `rest` too, they are judged by the arbiter.
    pub(super) unevaluated_members: Option<NodeId>,
    pub(super) unevaluated_items: Option<NodeId>,
    /// Where they are not: all schemas that apply whenever this one does, itself included. What is evaluated depends on
    /// no value then.
    pub(super) beside: Vec<NodeId>,

    /// Keywords that only the arbiter judges, and their schemas.
    pub(super) rest: Vec<&'static str>,
    /// This schema alone, for the arbiter to judge: only where there is such a keyword, and a branch depends on it.
    pub(super) arbiter: Option<Arc<Arbiter>>,
    pub(super) rest_in_place: Vec<NodeId>,
}

impl Schema {
    /// What `properties` says of a name.
    pub(super) fn property(&self, name: &str) -> Option<NodeId> {
        if self.properties.len() <= SCANNED {
            return self
                .properties
                .iter()
                .find(|(declared, _)| declared == name)
                .map(|(_, id)| *id);
        }
        self.by_name.get(name).copied()
    }

    /// A keyword that says something of a text or a number by itself; the one that takes most, if there are several.
    pub(super) fn by_itself(&self) -> &'static str {
        match self {
            Self { pattern: Some(_), .. } => "pattern",
            Self { format: Some(_), .. } => "format",
            Self { multiple_of: Some(_), .. } => "multipleOf",
            Self { options: Some(_), .. } => "enum",
            Self { constant: Some(_), .. } => "const",
            Self { bounds, .. } if bounds.iter().any(|(bound, _)| bound.is_lower()) => "minimum",
            Self { bounds, .. } if !bounds.is_empty() => "maximum",
            Self { length, .. } if length.least.is_some() => "minLength",
            Self { length, .. } if length.most.is_some() => "maxLength",
            _ => "type",
        }
    }

    /// What `patternProperties` says of a name.
    pub(super) fn patterned(
        &self,
        mut matching: impl FnMut(&Pattern) -> bool,
    ) -> impl Iterator<Item = NodeId> {
        self.patterns.iter().filter(move |(pattern, _)| matching(pattern)).map(|(_, id)| *id)
    }

    /// Schemas that may apply to the same value.
    pub(super) fn in_place(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.in_place_always().chain(self.rest_in_place.iter().copied())
    }

    /// The same, but for references that depend on the way that led to them.
    pub(super) fn in_place_always(&self) -> impl Iterator<Item = NodeId> + '_ {
        let condition = self
            .condition
            .into_iter()
            .flat_map(|c| [Some(c.test), c.then, c.otherwise].into_iter().flatten());
        (self.reference.into_iter())
            .chain(self.all_of.iter().copied())
            .chain(self.any_of.iter().copied())
            .chain(self.one_of.iter().copied())
            .chain(self.not)
            .chain(condition)
            .chain(self.implies.iter().map(|(_, id)| *id))
    }

    /// Schemas that apply to a value's members or items.
    pub(super) fn below(&self) -> impl Iterator<Item = NodeId> + '_ {
        (self.prefix.iter().copied())
            .chain(self.items)
            .chain(self.contains.map(|contains| contains.schema))
            .chain(self.properties.iter().map(|(_, id)| *id))
            .chain(self.patterns.iter().map(|(_, id)| *id))
            .chain(self.additional)
            .chain(self.names)
            .chain(self.unevaluated_members)
            .chain(self.unevaluated_items)
    }
}
