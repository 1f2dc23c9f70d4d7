//! Which parts of a schema run where, for its author.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::graph::{Graph, NodeId};
use super::node::{Extra, Ix, Node, Rest};
use super::{Entry, Plan};
use crate::json::pointer;

/// Which parts of a schema run where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Places of the plan that are judged while the text is read.
    pub read: usize,
    /// Assertions on whole values, judged when the text has been read: by keyword, where the values are. A place is a pointer
    /// with `*` for every item, or every member that is not declared; of places that are judged by the same part of the plan,
    /// the first.
    pub whole: BTreeMap<&'static str, Vec<String>>,
    /// Keywords because of which the `jsonschema` crate judges the whole schema; nothing runs while reading then.
    pub arbiter: BTreeSet<&'static str>,
    /// Undeclared members are refused; by the plan, if `whole` does not name `closed`.
    pub closed: bool,
}

impl Explanation {
    /// Of a schema that has an entry.
    pub(in crate::schema) fn planned(
        plan: &Plan,
        graph: &Graph,
        entry: Entry,
        closed: bool,
    ) -> Self {
        // What may be anything, or nothing, is no place.
        let mut seen = BTreeSet::from([Ix::ANY, Ix::NOTHING]);
        let mut whole: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut left = VecDeque::from([(entry.ix, String::new())]);
        while let Some((ix, place)) = left.pop_front() {
            let Some(node) = plan.nodes.get(ix.index()).filter(|_| seen.insert(ix)) else {
                continue;
            };
            let implied = find(&plan.members, node.members)
                .is_some_and(|members| !members.demands.implies.is_empty());
            let asked = find(&plan.rests, node.rests).into_iter().flatten();
            let asked: BTreeSet<&str> = (asked.map(|(_, rest)| keyword(rest, graph)))
                .chain(implied.then_some("dependentSchemas"))
                .collect();
            for keyword in asked {
                whole.entry(keyword).or_default().push(place.clone());
            }
            left.extend(plan.next(node).into_iter().map(|(step, next)| (next, step.from(&place))));
        }
        if closed && !entry.closed {
            whole.insert("closed", vec![String::new()]);
        }
        Self { read: seen.len().saturating_sub(2), whole, arbiter: BTreeSet::new(), closed }
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
    /// All nodes from which one of some can be met.
    pub(super) fn leading_to(&self, some: BTreeSet<Ix>) -> BTreeSet<Ix> {
        let mut before: BTreeMap<Ix, Vec<Ix>> = BTreeMap::new();
        for (ix, node) in (0..).map(Ix).zip(&self.nodes) {
            for (_, next) in self.next(node) {
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
    fn next<'p>(&'p self, node: &Node) -> Vec<(Step<'p>, Ix)> {
        let mut next = Vec::new();
        next.extend((node.item != Ix::ANY).then_some((Step::Any, node.item)));
        if let Some(members) = find(&self.members, node.members) {
            next.extend(members.names.declared().map(|(name, ix)| (Step::Member(name), ix)));
            match &members.demands.extra {
                Extra::One(ix) => next.push((Step::Any, *ix)),
                Extra::ByPattern(_, places) => {
                    next.extend(places.iter().map(|ix| (Step::Any, *ix)));
                }
            }
        }
        for (_, rest) in find(&self.rests, node.rests).into_iter().flatten() {
            if let Rest::Chosen(choice) = rest {
                next.extend(choice.places().map(|ix| (Step::None, ix)));
            }
            if let Rest::Tuple { prefix, beyond } = rest {
                next.extend((0..).map(Step::Item).zip(prefix.iter().copied()));
                next.push((Step::Any, *beyond));
            }
        }
        next
    }
}

/// From a value to one that is in it.
enum Step<'p> {
    None,
    Member(&'p str),
    Item(usize),
    /// Any item, or any member that is not declared.
    Any,
}

impl Step<'_> {
    fn from(&self, place: &str) -> String {
        let mut place = place.to_owned();
        match self {
            Self::None => {}
            Self::Member(name) => pointer::push(&mut place, name),
            Self::Item(index) => pointer::push_index(&mut place, *index),
            Self::Any => place.push_str("/*"),
        }
        place
    }
}

fn find<T>(tables: &[T], table: u32) -> Option<&T> {
    tables.get(usize::try_from(table).ok()?)
}

fn keyword(rest: &Rest, graph: &Graph) -> &'static str {
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
        Rest::Alone(id) => graph.get(*id).by_itself(),
        // What has too many patterns of names, or such as take many steps.
        Rest::Follows(_) => "patternProperties",
    }
}
