//! Closed schemas: members that no schema declares are refused, wherever in a value they are.
//!
//! First the schema judges as it is written; this is asked of values that it allows. At each object, the schemas that
//! apply to it are looked at together: through `$ref` and `allOf`, and through those branches of `anyOf`, `oneOf`, `if`
//! and `dependentSchemas` that it follows. If any of them speaks about members (has a keyword for objects, or names the
//! type `object`), then every member must be declared by one of them: by `properties` or `patternProperties`, or by an
//! `additionalProperties` or `unevaluatedProperties` that is written out. `{}` and `true` say "anything", and what
//! only they apply to stays open.
//!
//! This is `unevaluatedProperties: false` at every object, with two differences: all drafts have it, and schemas that
//! meet at a nested object declare its members together.
//!
//! Where no branch is in question the plan does the same while the text is read; this is the slow way, which it is held to.

use std::collections::BTreeSet;

use super::graph::{Graph, NodeId};
use super::judge::Judge;
use super::pattern::Pattern;
use super::stack;
use crate::json::{Kind, Value, pointer};

/// It takes too many questions to tell.
#[derive(Debug)]
pub(super) struct TooLong;

/// Pointers to the objects that have undeclared members, up to a limit, in the order of the value.
pub(super) fn undeclared(
    graph: &Graph,
    root: NodeId,
    value: Value<'_>,
    limit: usize,
) -> Result<Vec<String>, TooLong> {
    let mut walk = Walk { graph, judge: Judge::new(graph), limit, found: Vec::new() };
    if limit > 0 {
        walk.value(&[root], value, &Trail::Root);
    }
    if walk.judge.is_spent() {
        return Err(TooLong);
    }
    if walk.judge.is_unsure() {
        // Cannot be, as such schemas do not compile; refused all the same.
        return Ok(vec![String::new()]);
    }
    Ok(walk.found)
}

struct Walk<'g> {
    graph: &'g Graph,
    judge: Judge<'g>,
    limit: usize,
    found: Vec<String>,
}

/// The way from the root to a value: written out only where something is found.
enum Trail<'t> {
    Root,
    Member(&'t Self, &'t str),
    Item(&'t Self, usize),
}

impl Trail<'_> {
    fn pointer(&self) -> String {
        let mut tokens = Vec::new();
        let mut at = self;
        loop {
            at = match at {
                Trail::Root => break,
                Trail::Member(above, name) => {
                    tokens.push((*name).to_owned());
                    above
                }
                Trail::Item(above, index) => {
                    tokens.push(index.to_string());
                    above
                }
            };
        }
        let mut text = String::new();
        tokens.iter().rev().for_each(|token| pointer::push(&mut text, token));
        text
    }
}

impl Walk<'_> {
    fn value(&mut self, schemas: &[NodeId], value: Value<'_>, trail: &Trail<'_>) {
        match value.kind() {
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => {}
            Kind::Array => stack::deeper(|| {
                let applying = self.applying(schemas, value);
                self.array(&applying, value, trail);
            }),
            Kind::Object => stack::deeper(|| {
                let applying = self.applying(schemas, value);
                self.object(&applying, value, trail);
            }),
        }
    }

    /// The schemas that apply to a value, which follows them all.
    fn applying(&mut self, schemas: &[NodeId], value: Value<'_>) -> BTreeSet<NodeId> {
        let mut all = BTreeSet::new();
        let mut left = schemas.to_vec();
        while let Some(id) = left.pop() {
            self.judge.questions.spend(2);
            if !all.insert(id) {
                continue;
            }
            let schema = self.graph.get(id);
            left.extend(schema.reference);
            left.extend(&schema.all_of);
            let branches = schema.any_of.iter().chain(&schema.one_of);
            left.extend(branches.filter(|id| self.judge.follows(value, **id)));
            if let Some(condition) = schema.condition {
                if self.judge.follows(value, condition.test) {
                    left.push(condition.test);
                    left.extend(condition.then);
                } else {
                    left.extend(condition.otherwise);
                }
            }
            let implied =
                schema.implies.iter().filter(|(name, _)| self.judge.questions.has(value, name));
            left.extend(implied.map(|(_, id)| *id));
        }
        all
    }

    fn object(&mut self, applying: &BTreeSet<NodeId>, object: Value<'_>, trail: &Trail<'_>) {
        let closed = applying.iter().any(|id| self.graph.get(*id).describes_members);
        let mut told = false;
        for (name, member) in object.members() {
            self.judge.questions.spend(applying.len() as u64);
            let below = self.declaring(applying, name);
            if closed && below.is_none() && !told {
                told = true;
                self.found.push(trail.pointer());
            }
            if self.is_done() {
                return;
            }
            if let Some(below) = below {
                self.value(&below, member, &Trail::Member(trail, name));
            }
        }
    }

    /// The schemas that declare a member of this name; `None` if none does.
    fn declaring(&mut self, applying: &BTreeSet<NodeId>, name: &str) -> Option<Vec<NodeId>> {
        let (mut below, mut last) = (Vec::new(), Vec::new());
        let Self { graph, judge, .. } = self;
        let questions = &mut judge.questions;
        for id in applying {
            let schema = graph.get(*id);
            questions.spend(schema.beside.len() as u64);
            let before = below.len();
            below.extend(schema.property(name));
            below.extend(schema.patterned(|pattern| pattern.is_match_within(name, questions)));
            if below.len() == before {
                below.extend(schema.additional);
            }
            let mut matching = |pattern: &Pattern| pattern.is_match_within(name, questions);
            if schema.beside.is_empty() {
                // What is evaluated depends on the value: not what the others declare.
                last.extend(schema.unevaluated_members);
            } else {
                below.extend(graph.unevaluated_member(schema, Some(name), &mut matching));
            }
        }
        if below.is_empty() {
            below = last;
        }
        (!below.is_empty()).then_some(below)
    }

    fn array(&mut self, applying: &BTreeSet<NodeId>, array: Value<'_>, trail: &Trail<'_>) {
        for (index, item) in array.items().enumerate() {
            self.judge.questions.spend(applying.len() as u64);
            let mut below = Vec::new();
            let mut last = Vec::new();
            for id in applying {
                let schema = self.graph.get(*id);
                below.extend(schema.prefix.get(index).copied().or(schema.items));
                let contained = schema.contains.map(|contains| contains.schema);
                below.extend(contained.filter(|id| self.judge.follows(item, *id)));
                if schema.beside.is_empty() {
                    last.extend(schema.unevaluated_items);
                } else {
                    below.extend(self.graph.unevaluated_item(schema, index));
                }
            }
            if below.is_empty() {
                below = last;
            }
            self.value(&below, item, &Trail::Item(trail, index));
            if self.is_done() {
                return;
            }
        }
    }

    /// Whether enough was found, or nothing more may be asked.
    fn is_done(&self) -> bool {
        self.found.len() >= self.limit || self.judge.is_spent()
    }
}
