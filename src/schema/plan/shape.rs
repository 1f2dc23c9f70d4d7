//! What can be said of all values of one sort under a schema, before any of them is seen: that none follows it, that
//! all do, or neither.
//!
//! This is what makes most choices free: `anyOf: [{type: string}, {type: "null"}]` has one branch for each sort.

use std::collections::HashMap;

use super::super::graph::{Counts, Graph, NodeId, Schema, Types};
use super::super::stack;
use super::kinds::Sort;

/// How many values of a sort follow a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    None,
    All,
    Some,
}

/// All shapes that were worked out, for later: two bits for each sort of each node.
#[derive(Debug, Default)]
pub(super) struct Outlines(Vec<u16>);

impl Outlines {
    /// Of a node that nobody asked about nothing is known.
    pub(super) fn of(&self, id: NodeId, sort: Sort) -> Shape {
        match self.0.get(id.index()).map_or(0, |bits| bits >> (2 * sort.number()) & 3) {
            1 => Shape::None,
            2 => Shape::All,
            _ => Shape::Some,
        }
    }
}

/// The shapes of a graph's nodes, each worked out once.
#[derive(Debug)]
pub(super) struct Shapes<'g> {
    graph: &'g Graph,
    known: HashMap<(NodeId, Sort), Shape>,
}

impl<'g> Shapes<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, known: HashMap::new() }
    }

    /// Those that were asked for.
    pub(super) fn outlines(&self) -> Outlines {
        let mut all = vec![0; self.graph.nodes.len()];
        for ((id, sort), shape) in &self.known {
            let bits = match shape {
                Shape::Some => 0,
                Shape::None => 1,
                Shape::All => 2,
            };
            if let Some(known) = all.get_mut(id.index()) {
                *known |= bits << (2 * sort.number());
            }
        }
        Outlines(all)
    }

    pub(super) fn of(&mut self, id: NodeId, sort: Sort) -> Shape {
        if let Some(shape) = self.known.get(&(id, sort)) {
            return *shape;
        }
        // Met again on the way: nothing is known of it yet.
        self.known.insert((id, sort), Shape::Some);
        let graph = self.graph;
        let shape = stack::deeper(|| self.work_out(graph.get(id), sort));
        self.known.insert((id, sort), shape);
        shape
    }

    fn work_out(&mut self, schema: &Schema, sort: Sort) -> Shape {
        match schema.always {
            Some(true) => return Shape::All,
            Some(false) => return Shape::None,
            None => {}
        }
        if !sort.is_open(schema) {
            return Shape::None;
        }
        let mut certain = schema.rest.is_empty() && is_free(schema, sort);
        let mut each = schema
            .reference
            .iter()
            .chain(&schema.all_of)
            .map(|id| self.of(*id, sort))
            .collect::<Vec<_>>();
        each.extend(schema.not.map(|id| match self.of(id, sort) {
            Shape::None => Shape::All,
            Shape::All => Shape::None,
            Shape::Some => Shape::Some,
        }));
        if !schema.any_of.is_empty() {
            let shapes: Vec<_> = schema.any_of.iter().map(|id| self.of(*id, sort)).collect();
            each.push(if shapes.contains(&Shape::All) {
                Shape::All
            } else if shapes.contains(&Shape::Some) {
                Shape::Some
            } else {
                Shape::None
            });
        }
        if !schema.one_of.is_empty() {
            each.push(exactly_one(schema.one_of.iter().map(|id| self.of(*id, sort))));
        }
        if let Some(condition) = schema.condition {
            let mut branch = |id: Option<NodeId>| id.map_or(Shape::All, |id| self.of(id, sort));
            let (test, then, otherwise) =
                (branch(Some(condition.test)), branch(condition.then), branch(condition.otherwise));
            each.push(match test {
                Shape::All => then,
                Shape::None => otherwise,
                Shape::Some if then == otherwise => then,
                Shape::Some => Shape::Some,
            });
        }
        for shape in each {
            match shape {
                Shape::None => return Shape::None,
                Shape::All => {}
                Shape::Some => certain = false,
            }
        }
        if certain { Shape::All } else { Shape::Some }
    }
}

fn exactly_one(shapes: impl Iterator<Item = Shape>) -> Shape {
    let (mut all, mut some) = (0_usize, false);
    for shape in shapes {
        match shape {
            Shape::None => {}
            Shape::All => all += 1,
            Shape::Some => some = true,
        }
    }
    match (all, some) {
        (0, false) | (2.., _) => Shape::None,
        (1, false) => Shape::All,
        (_, true) => Shape::Some,
    }
}

/// Whether a schema says nothing beside its `$ref`.
pub(super) fn is_reference_alone(schema: &Schema) -> bool {
    schema.always.is_none()
        && schema.types.is_none()
        && schema.all_of.is_empty()
        && schema.any_of.is_empty()
        && schema.one_of.is_empty()
        && schema.not.is_none()
        && schema.condition.is_none()
        && schema.rest.is_empty()
        // If it does, what is closed is closed by it, however little it says.
        && !schema.describes_members
        && Sort::ALL.iter().all(|sort| sort.is_open(schema) && is_free(schema, *sort))
}

/// Whether no keyword of the schema's own limits the sort, beyond `type`, and `enum` and `const` of single values.
fn is_free(schema: &Schema, sort: Sort) -> bool {
    let listed = schema.options.is_some() || schema.constant.is_some();
    match sort {
        // There is one value of the sort, and `enum` and `const` leave it open.
        Sort::Null | Sort::False | Sort::True => true,
        Sort::Number => {
            !listed
                && schema.types.is_none_or(|types| types.has(Types::NUMBER))
                && schema.bounds.is_empty()
                && schema.multiple_of.is_none()
                && schema.format.is_none()
        }
        Sort::String => {
            !listed
                && schema.length == Counts::default()
                && schema.pattern.is_none()
                && schema.format.is_none()
        }
        Sort::Array => {
            !listed
                && schema.prefix.is_empty()
                && schema.items.is_none()
                && schema.unevaluated_items.is_none()
                && schema.contains.is_none()
                && !schema.unique
                && schema.item_count == Counts::default()
        }
        Sort::Object => {
            !listed
                && schema.properties.is_empty()
                && schema.patterns.is_empty()
                && schema.additional.is_none()
                && schema.unevaluated_members.is_none()
                && schema.names.is_none()
                && schema.required.is_empty()
                && schema.needs.is_empty()
                && schema.implies.is_empty()
                && schema.member_count == Counts::default()
        }
    }
}
