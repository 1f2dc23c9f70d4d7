//! Equal schemas are one: every operation of an application repeats the same few objects, and a plan that stores each
//! of them once stays in the processor's cache.
//!
//! Two nodes are the same if what they say themselves is, and their children are. As schemas may refer to themselves,
//! this is read from the other end: all nodes that say the same are taken as one, and groups are split as long as
//! their members' children are in different groups (Moore's minimisation of automata).

use std::collections::HashMap;
use std::hash::Hash;

use super::super::formats::Check;
use super::super::graph::{Graph, NodeId, Schema};

/// Rounds of splitting. Each is one look at every node, and a tree of schemas takes as many as it is high; at half,
/// deep schemas would be stored several times, at double, a chain of references costs its compiler twice as much.
const ROUNDS: usize = 128;

/// The group of each node: nodes with the same `own` and children in the same groups are in one. `None` if it would
/// take too many rounds to tell; then each node is its own group.
fn groups<K: Hash + Eq>(
    own: impl IntoIterator<Item = K>,
    children: &[Vec<usize>],
) -> Option<Vec<usize>> {
    let mut known = HashMap::new();
    let mut group: Vec<usize> = own.into_iter().map(|key| number(&mut known, key)).collect();
    let mut count = known.len();
    for _ in 0..ROUNDS {
        let mut known = HashMap::new();
        let split = group.iter().zip(children).map(|(own, children)| {
            let below: Vec<usize> =
                children.iter().filter_map(|child| group.get(*child).copied()).collect();
            number(&mut known, (*own, below))
        });
        let next: Vec<usize> = split.collect();
        if known.len() == count {
            return Some(group);
        }
        (group, count) = (next, known.len());
    }
    None
}

fn number<K: Hash + Eq>(known: &mut HashMap<K, usize>, key: K) -> usize {
    let next = known.len();
    *known.entry(key).or_insert(next)
}

/// For each node of a graph, the first one that says the same.
pub(super) fn representatives(graph: &Graph) -> Vec<NodeId> {
    let mut own = Vec::with_capacity(graph.nodes.len());
    let mut children = Vec::with_capacity(graph.nodes.len());
    for (index, schema) in graph.nodes.iter().enumerate() {
        let mut below = Vec::new();
        own.push(spell(index, schema, &mut below));
        children.push(below);
    }
    let identity = || (0..graph.nodes.len()).collect();
    let groups = groups(own, &children).unwrap_or_else(identity);
    let mut first = HashMap::new();
    let node = |index: usize| NodeId(u32::try_from(index).unwrap_or(u32::MAX));
    groups
        .iter()
        .enumerate()
        .map(|(index, group)| *first.entry(*group).or_insert_with(|| node(index)))
        .collect()
}

/// What a schema says itself, and its children in a fixed order. Every field is named: a new one does not compile
/// until it is told here whether it makes a difference.
#[allow(clippy::too_many_lines, reason = "one line a field, so that none can be forgotten")]
fn spell(index: usize, schema: &Schema, below: &mut Vec<usize>) -> String {
    let Schema {
        always,
        types,
        options,
        constant,
        bounds,
        multiple_of,
        length,
        pattern,
        format,
        prefix,
        items,
        items_keyword,
        contains,
        unique,
        item_count,
        properties,
        by_name: _,
        patterns,
        additional,
        names,
        required,
        needs,
        implies,
        member_count,
        describes_members,
        reference,
        all_of,
        any_of,
        one_of,
        not,
        condition,
        unevaluated_members,
        unevaluated_items,
        // Follows from the children.
        beside: _,
        rest,
        arbiter,
        rest_in_place,
    } = schema;
    if !rest.is_empty() || arbiter.is_some() {
        // The arbiter's business: like no other.
        return format!("arbiter {index}");
    }
    let mut list = |ids: &mut dyn Iterator<Item = NodeId>| {
        let before = below.len();
        below.extend(ids.map(NodeId::index));
        below.len() - before
    };
    let own = format!(
        "{always:?} {types:?} {:?} {constant:?} {bounds:?} {multiple_of:?} {length:?} {:?} {:?} \
         {items_keyword} {unique} {item_count:?} {required:?} {needs:?} {member_count:?} {describes_members} ",
        options.as_deref().map(|listed| &**listed),
        pattern.as_ref().map(|pattern| pattern.source()),
        format.as_ref().map(spell_check),
    );
    let counts = [
        list(&mut prefix.iter().copied()),
        list(&mut items.iter().copied()),
        list(&mut additional.iter().copied()),
        list(&mut names.iter().copied()),
        list(&mut reference.iter().copied()),
        list(&mut all_of.iter().copied()),
        list(&mut any_of.iter().copied()),
        list(&mut one_of.iter().copied()),
        list(&mut not.iter().copied()),
        list(&mut unevaluated_members.iter().copied()),
        list(&mut unevaluated_items.iter().copied()),
        list(&mut rest_in_place.iter().copied()),
        list(&mut properties.iter().map(|(_, id)| *id)),
        list(&mut implies.iter().map(|(_, id)| *id)),
        list(&mut patterns.iter().map(|(_, id)| *id)),
        list(&mut contains.iter().map(|contains| contains.schema)),
        list(&mut condition.iter().flat_map(|c| [Some(c.test), c.then, c.otherwise]).flatten()),
    ];
    let named: Vec<&str> = (properties.iter().chain(implies).map(|(name, _)| name.as_str()))
        .chain(patterns.iter().map(|(pattern, _)| pattern.source()))
        .collect();
    let counted = contains.map(|contains| (contains.least, contains.most));
    let branches = condition.map(|c| (c.then.is_some(), c.otherwise.is_some()));
    format!("{own} {counts:?} {named:?} {counted:?} {branches:?}")
}

/// A format's check, told from all others that check differently.
fn spell_check(check: &Check) -> String {
    match check {
        // Each is made once for all schemas of a set.
        Check::Standard(standard) => format!("standard {:p}", std::sync::Arc::as_ptr(standard)),
        Check::Pattern(pattern) => format!("pattern {:?}", pattern.source()),
        Check::Number(format) => format!("{format:?}"),
    }
}
