//! How much of a pointer may be shown: names that a schema declares, and no others.

use std::collections::BTreeSet;

use super::graph::{Graph, NodeId};
use crate::json::{Kind, Value};

/// Cuts a pointer to a part of a value after the last member that the schema declares. Array indices are shown.
pub(super) fn cut(graph: &Graph, root: NodeId, value: Value<'_>, pointer: &str) -> String {
    let mut shown = String::new();
    let mut at = value;
    let mut schemas = applied(graph, [root]);
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let (next, below) = match at.kind() {
            Kind::Array => {
                let Some((index, item)) =
                    name.parse().ok().and_then(|n| Some((n, at.items().nth(n)?)))
                else {
                    break;
                };
                (item, items(graph, &schemas, index))
            }
            Kind::Object => {
                let below = members(graph, &schemas, &name);
                let Some(member) = at.get(&name).filter(|_| !below.is_empty()) else { break };
                (member, below)
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => break,
        };
        shown.push('/');
        shown.push_str(token);
        (at, schemas) = (next, applied(graph, below));
    }
    shown
}

/// All schemas that may apply to the same value as these.
pub(super) fn applied(
    graph: &Graph,
    schemas: impl IntoIterator<Item = NodeId>,
) -> BTreeSet<NodeId> {
    let mut all = BTreeSet::new();
    let mut left: Vec<NodeId> = schemas.into_iter().collect();
    while let Some(id) = left.pop() {
        if all.insert(id) {
            left.extend(graph.get(id).in_place());
        }
    }
    all
}

fn members(graph: &Graph, schemas: &BTreeSet<NodeId>, name: &str) -> Vec<NodeId> {
    let properties = schemas.iter().flat_map(|id| &graph.get(*id).properties);
    properties.filter(|(declared, _)| declared == name).map(|(_, id)| *id).collect()
}

fn items(graph: &Graph, schemas: &BTreeSet<NodeId>, index: usize) -> Vec<NodeId> {
    let of = |id: &NodeId| {
        let schema = graph.get(*id);
        let contains = schema.contains.map(|contains| contains.schema);
        schema.prefix.get(index).copied().or(schema.items).into_iter().chain(contains)
    };
    schemas.iter().flat_map(of).collect()
}
