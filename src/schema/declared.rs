//! How much of a pointer may be shown: names that a schema declares, and no others.

use std::collections::{BTreeSet, HashMap};

use super::graph::{Graph, NodeId};
use super::questions::MemberIndex;
use crate::json::{Kind, Value};
use crate::seed::FastState;

/// Items beyond which an array is indexed: many violations may be within it.
const SCANNED: usize = 64;

/// Cuts pointers to parts of a value that a schema judges.
pub(super) struct Cutter<'c> {
    graph: &'c Graph,
    root: NodeId,
    value: Value<'c>,
    members: MemberIndex,
    /// Where the items of large arrays are, by the array's node.
    items: HashMap<u32, Vec<u32>, FastState>,
}

impl<'c> Cutter<'c> {
    pub(super) fn new(graph: &'c Graph, root: NodeId, value: Value<'c>) -> Self {
        let (members, items) = (MemberIndex::default(), HashMap::default());
        Self { graph, root, value, members, items }
    }

    /// The pointer, cut after the last member that the schema declares. Array indices are shown.
    pub(super) fn cut(&mut self, pointer: &str) -> String {
        let graph = self.graph;
        let mut shown = String::new();
        let mut at = self.value;
        let mut schemas = applied(graph, [self.root]);
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            let (next, below) = match at.kind() {
                Kind::Array => {
                    let index = name.parse().ok();
                    let item = index.and_then(|index| Some((index, self.item(at, index)?)));
                    let Some((index, item)) = item else { break };
                    (item, items(graph, &schemas, index))
                }
                Kind::Object => {
                    let below = members(graph, &schemas, &name);
                    let member = self.members.get(at, &name).filter(|_| !below.is_empty());
                    let Some(member) = member else { break };
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

    fn item(&mut self, array: Value<'c>, index: usize) -> Option<Value<'c>> {
        if array.len() <= SCANNED {
            return array.items().nth(index);
        }
        let nodes = || array.items().map(Value::node).collect();
        let nodes = self.items.entry(array.node()).or_insert_with(nodes);
        nodes.get(index).map(|node| array.at(*node))
    }
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
