//! Branches that a constant tells apart: `oneOf: [{properties: {kind: {const: "card"}}, …}, …]`.
//!
//! If all branches require a member, and no two allow the same value of it, a value can follow only the branch that allows
//! its own: there is nothing to try, and nothing to count.

use std::collections::{BTreeSet, HashMap};

use super::super::equality;
use super::super::graph::{Graph, NodeId, Schema};
use super::super::questions::Questions;
use super::node::Ix;
use crate::json::Value;
use crate::seed::FastState;

/// Which branch an object follows, if any.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) keyword: &'static str,
    /// The member that tells.
    name: String,
    /// By the member's value, spelled out.
    places: HashMap<Vec<u8>, Ix, FastState>,
}

impl Choice {
    /// The choice between branches, if a member tells them apart; `node` is asked for their nodes.
    pub(super) fn between(
        graph: &Graph,
        keyword: &'static str,
        branches: &[NodeId],
        mut node: impl FnMut(NodeId) -> Ix,
    ) -> Option<Self> {
        let (name, told) = told_apart(graph, branches)?;
        let places = told.into_iter().map(|(value, branch)| (value, node(branch))).collect();
        Some(Self { keyword, name, places })
    }

    /// The place of the plan that an object follows; `None` if it follows no branch.
    pub(super) fn place(&self, object: Value<'_>, questions: &mut Questions) -> Option<Ix> {
        let value = questions.member(object, &self.name).filter(|value| value.is_empty())?;
        self.places.get(&equality::spelled(value)).copied()
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Ix> + '_ {
        self.places.values().copied()
    }
}

/// The values that lead to each branch.
type Told = Vec<(Vec<u8>, NodeId)>;

/// The first member that all branches require and that has no value in two of them, with all its values.
fn told_apart(graph: &Graph, branches: &[NodeId]) -> Option<(String, Told)> {
    let all: Vec<Vec<&Schema>> = branches.iter().map(|id| certain(graph, *id)).collect();
    let names = all.first()?.iter().flat_map(|schema| &schema.required);
    for name in names {
        let mut seen = BTreeSet::new();
        let mut told = Vec::new();
        for (id, schemas) in branches.iter().zip(&all) {
            told.extend(values(graph, schemas, name).into_iter().flatten().map(|v| (v, *id)));
        }
        let each = all.iter().all(|schemas| values(graph, schemas, name).is_some());
        if each && told.iter().all(|(value, _)| seen.insert(value.clone())) {
            return Some((name.clone(), told));
        }
    }
    None
}

/// The schemas that apply whenever one does.
fn certain(graph: &Graph, id: NodeId) -> Vec<&Schema> {
    let (mut seen, mut left, mut all) = (BTreeSet::new(), vec![id], Vec::new());
    while let Some(id) = left.pop() {
        if seen.insert(id) {
            let schema = graph.get(id);
            left.extend(schema.reference);
            left.extend(&schema.all_of);
            all.push(schema);
        }
    }
    all
}

/// All values that schemas leave a member which they require, if these are a few scalars.
fn values(graph: &Graph, schemas: &[&Schema], name: &str) -> Option<Vec<Vec<u8>>> {
    if !schemas.iter().any(|schema| schema.required.iter().any(|other| other == name)) {
        return None;
    }
    let below = schemas.iter().filter_map(|schema| schema.property(name));
    let listed = below.flat_map(|id| certain(graph, id)).find_map(|schema| {
        let constant = schema.constant.as_ref().map(std::slice::from_ref);
        constant.or(schema.options.as_deref().map(|listed| &**listed))
    });
    let scalar = |value: &serde_json::Value| !value.is_array() && !value.is_object();
    let spelled = |value| scalar(value).then(|| equality::spelled_expected(value));
    listed?.iter().map(spelled).collect()
}
