//! Which parts of a schema run where, for its author.

use std::collections::{BTreeMap, BTreeSet};

use super::super::graph::{Graph, NodeId};
use super::node::{Extra, Ix, Node, Rest};
use super::{Entry, Plan};

/// Which parts of a schema run where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Places of the plan that are judged while the text is read.
    pub read: usize,
    /// Assertions on whole values, judged when the text has been read, by keyword: how many there are. `$ref` are
    /// schemas that are judged as a whole.
    pub whole: BTreeMap<&'static str, usize>,
    /// Keywords because of which the `jsonschema` crate judges the whole schema; nothing runs while reading then.
    pub arbiter: BTreeSet<&'static str>,
    /// Undeclared members are refused; by the plan, if `whole` does not name `closed`.
    pub closed: bool,
}

impl Explanation {
    /// Of a schema that has an entry.
    pub(in crate::schema) fn planned(plan: &Plan, entry: Entry, closed: bool) -> Self {
        let mut seen = plan.reached(entry.ix);
        let mut whole = BTreeMap::new();
        for node in seen.iter().filter_map(|ix| plan.nodes.get(ix.index())) {
            if let Some(members) = find(&plan.members, node.members) {
                *whole.entry("dependentSchemas").or_insert(0) += members.demands.implies.len();
            }
            for (_, rest) in find(&plan.rests, node.rests).into_iter().flatten() {
                *whole.entry(keyword(rest)).or_insert(0) += 1;
            }
        }
        whole.retain(|_, count| *count > 0);
        if closed && !entry.closed {
            whole.insert("closed", 1);
        }
        seen.remove(&Ix::ANY);
        seen.remove(&Ix::NOTHING);
        Self { read: seen.len(), whole, arbiter: BTreeSet::new(), closed }
    }

    /// Of a schema that the arbiter judges.
    pub(in crate::schema) fn arbitrated(graph: &Graph, root: NodeId, closed: bool) -> Self {
        let mut seen = BTreeSet::new();
        let mut left = vec![root];
        let mut arbiter = BTreeSet::new();
        while let Some(id) = left.pop() {
            if seen.insert(id) {
                let schema = graph.get(id);
                arbiter.extend(&schema.rest);
                left.extend(schema.in_place().chain(schema.below()));
            }
        }
        Self { read: 0, whole: BTreeMap::new(), arbiter, closed }
    }
}

impl Plan {
    /// All nodes that can be met from one on.
    fn reached(&self, from: Ix) -> BTreeSet<Ix> {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(ix) = left.pop() {
            if seen.insert(ix) {
                left.extend(self.nodes.get(ix.index()).into_iter().flat_map(|n| self.next(n)));
            }
        }
        seen
    }

    /// All nodes from which one of some can be met.
    pub(super) fn leading_to(&self, some: BTreeSet<Ix>) -> BTreeSet<Ix> {
        let mut before: BTreeMap<Ix, Vec<Ix>> = BTreeMap::new();
        for (ix, node) in (0..).map(Ix).zip(&self.nodes) {
            for next in self.next(node) {
                before.entry(next).or_default().push(ix);
            }
        }
        let (mut seen, mut left) = (BTreeSet::new(), Vec::from_iter(some));
        while let Some(ix) = left.pop() {
            if seen.insert(ix) {
                left.extend(before.get(&ix).into_iter().flatten());
            }
        }
        seen
    }

    /// Where a node leads.
    fn next(&self, node: &Node) -> Vec<Ix> {
        let mut next = Vec::new();
        next.extend((node.item != Ix::ANY).then_some(node.item));
        if let Some(members) = find(&self.members, node.members) {
            next.extend(members.names.places());
            match &members.demands.extra {
                Extra::One(ix) => next.push(*ix),
                Extra::ByPattern(_, places) => next.extend(places),
            }
        }
        for (_, rest) in find(&self.rests, node.rests).into_iter().flatten() {
            if let Rest::Chosen(choice) = rest {
                next.extend(choice.places());
            }
            if let Rest::Tuple { prefix, beyond } = rest {
                next.extend(prefix.iter().chain([beyond]));
            }
        }
        next
    }
}

fn find<T>(tables: &[T], table: u32) -> Option<&T> {
    tables.get(usize::try_from(table).ok()?)
}

fn keyword(rest: &Rest) -> &'static str {
    match rest {
        Rest::AnyOf(_) => "anyOf",
        Rest::OneOf(_) => "oneOf",
        Rest::Not(_) => "not",
        Rest::If(_) => "if",
        Rest::Values(keyword, _) => keyword,
        Rest::Unique => "uniqueItems",
        Rest::Names(_) => "propertyNames",
        Rest::Contains(_) => "contains",
        Rest::Chosen(choice) => choice.keyword,
        Rest::Tuple { .. } => "prefixItems",
        Rest::Alone(_) | Rest::Follows(_) => "$ref",
    }
}
