//! Why a value was refused: which keyword, and where.
//!
//! While it reads, the follower keeps of its first refusal two or three numbers: the value, and what was asked about it.
//! Everything else is worked out here, of refused values alone, from the schemas that the asking node of the plan was
//! made of: each of their assertions is asked again, until one fails.
//!
//! It is the first fault that the plan met, and one that the arbiter lists too, with one difference: where a value's
//! kind, or a constant in it, leaves one branch of an `anyOf` or `oneOf` open, the fault within that branch is told, and
//! not that the value follows none; so is the fault within a schema for what is unevaluated. What it costs is bounded: the plan's answer stands, so the search gives up after [`STEPS`], and then
//! tells where it was.

use std::collections::BTreeSet;

use super::super::assertion::Failed;
use super::super::graph::{Graph, NodeId, Schema};
use super::super::judge::Judge;
use super::super::pattern::Pattern;
use super::super::questions::Questions;
use super::Plan;
use super::kinds::Sort;
use super::node::{Ix, Rest};
use super::shape::Shape;
use crate::json::{Kind, Number, Value, pointer};

/// Schemas that the search asks about values. At half, faults deep within branches of large schemas are told of less
/// precisely; at double, a body that was written to be refused costs up to a tenth of a millisecond more.
const STEPS: u64 = 4_000;

/// Looks through a long text: as many as its place may take.
const PASSES: u64 = 8;

/// A value that was refused, by its node on the tape, and what was asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) struct Refusal {
    pub(super) node: u32,
    pub(super) asked: Asked,
}

impl Refusal {
    /// Whether it was not answered, since that would have taken too many steps.
    pub(in crate::schema) fn gave_up(self) -> bool {
        self.asked == Asked::TooMuch
    }
}

/// What a value was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// What it is by itself, by its node of the plan; `parent` is that of the value that it is in.
    Place { own: Ix, parent: Ix },
    /// One of the assertions on whole values of a node.
    Whole(Ix, usize),
    /// An assertion of a schema on the value by itself, of which the keyword tells all.
    Keyword(&'static str),
    /// One that a member's name brings: table, and which.
    Implied(u32, usize),
    /// More than one judgement answers.
    TooMuch,
    /// Something that cannot be told.
    Unknown,
}

/// Where a value violates what.
#[derive(Debug)]
pub(in crate::schema) struct Cause<'g> {
    pub(in crate::schema) pointer: String,
    pub(in crate::schema) failed: Failed<'g>,
}

impl Plan {
    /// The cause of a refusal of this document.
    #[cold]
    pub(in crate::schema) fn cause<'g>(
        &self,
        graph: &'g Graph,
        document: Value<'_>,
        refusal: Refusal,
    ) -> Cause<'g> {
        let outline = Outline { plan: self, graph };
        let asked = document.at(refusal.node);
        let text = asked.as_str().or(asked.as_number().map(Number::text));
        let text = text.map_or(0, |text| Questions::of_bytes(text.len()) * PASSES);
        let mut search = Search { outline, judge: Judge::limited(graph, STEPS + text) };
        let way = way(document, refusal.node);
        let value = document.at(refusal.node);
        let parent = way.iter().rev().nth(1).map(|(_, node)| document.at(*node));
        let (found, failed) = match refusal.asked {
            Asked::Place { own: Ix::NOTHING, parent: above } => {
                let token = way.last().map(|(token, _)| token);
                parent.zip(token).map_or((value, Failed::of("falseSchema")), |(parent, token)| {
                    search.outline.nothing(
                        above,
                        (parent, token),
                        value,
                        &mut search.judge.questions,
                    )
                })
            }
            Asked::Place { own, .. } => {
                (value, search.own(own, value).unwrap_or(Failed::of("schema")))
            }
            Asked::Whole(ix, which) => {
                let node = self.nodes.get(ix.index()).map_or(u32::MAX, |node| node.rests);
                let rests = usize::try_from(node).ok().and_then(|rests| self.rests.get(rests));
                match rests.and_then(|rests| rests.get(which)) {
                    Some((_, rest)) => search.rest(rest, value),
                    None => (value, Failed::of("schema")),
                }
            }
            Asked::Implied(table, which) => {
                let members = usize::try_from(table).ok().and_then(|at| self.members.get(at));
                match members.and_then(|members| members.demands.implies.get(which)) {
                    Some((_, id)) => search.within(*id, value),
                    None => (value, Failed::of("schema")),
                }
            }
            Asked::Keyword(keyword) => (value, Failed::of(keyword)),
            Asked::TooMuch => (value, Failed::of("steps")),
            Asked::Unknown => (value, Failed::of("schema")),
        };
        Cause { pointer: written(document, found.node(), way, refusal.node), failed }
    }
}

/// One step of the way to a value.
#[derive(Debug, Clone, Copy)]
enum Token<'d> {
    Root,
    Member(&'d str),
    Item(usize),
}

/// From the root to a node: each value on the way, and how it is reached from the one before.
fn way(root: Value<'_>, node: u32) -> Vec<(Token<'_>, u32)> {
    let mut way = vec![(Token::Root, root.node())];
    let mut at = root;
    while at.node() != node {
        // Children lie on the tape in their order: the last one that begins at the node or before it.
        let next = match at.kind() {
            Kind::Array => {
                let items = at.items().enumerate().map(|(n, item)| (Token::Item(n), item));
                items.take_while(|(_, item)| item.node() <= node).last()
            }
            Kind::Object => {
                let members = at.members().map(|(name, member)| (Token::Member(name), member));
                members.take_while(|(_, member)| member.node() <= node).last()
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        };
        let Some((token, value)) = next else { break };
        way.push((token, value.node()));
        at = value;
    }
    way
}

/// The pointer to a node; `known` is the way to another one, most often the same.
fn written(root: Value<'_>, node: u32, known: Vec<(Token<'_>, u32)>, of: u32) -> String {
    let way = if node == of { known } else { way(root, node) };
    let mut text = String::new();
    for (token, _) in way {
        match token {
            Token::Root => {}
            Token::Member(name) => pointer::push(&mut text, name),
            Token::Item(index) => pointer::push_index(&mut text, index),
        }
    }
    text
}

/// What the schemas that a node was made of say, as far as the sort of a value alone tells.
#[derive(Clone, Copy)]
struct Outline<'p, 'g> {
    plan: &'p Plan,
    graph: &'g Graph,
}

struct Search<'p, 'g> {
    outline: Outline<'p, 'g>,
    judge: Judge<'g>,
}

/// Where to look next.
enum Next<'d, 'g> {
    Here(Value<'d>, Failed<'g>),
    Within(NodeId, Value<'d>),
}

impl<'g> Outline<'_, 'g> {
    /// The schemas that a node was made of.
    fn origins(&self, ix: Ix) -> Vec<NodeId> {
        self.plan.origins.get(ix.index()).map(|ids| ids.to_vec()).unwrap_or_default()
    }

    /// Goes through all schemas that apply to values of a sort, as far as the sort alone tells, until `ask` has enough.
    /// With each comes what its choices leave no value of the sort to follow.
    fn applying(
        &self,
        mut left: Vec<NodeId>,
        sort: Sort,
        mut ask: impl FnMut(&'g Schema, Option<Failed<'g>>) -> bool,
    ) {
        let mut seen = BTreeSet::new();
        left.reverse();
        while let Some(id) = left.pop() {
            if !seen.insert(id) {
                continue;
            }
            let schema = self.graph.get(id);
            left.extend(schema.reference);
            left.extend(&schema.all_of);
            let choice = self.choices(schema, sort, &mut left);
            if !ask(schema, choice) {
                return;
            }
        }
    }

    /// What choices leave of a sort: branches that apply, or the keyword that no value of it follows.
    fn choices(&self, schema: &Schema, sort: Sort, left: &mut Vec<NodeId>) -> Option<Failed<'g>> {
        let shape = |id: NodeId| self.plan.outlines.of(id, sort);
        if schema.always == Some(false) {
            return Some(Failed::of("falseSchema"));
        }
        if !schema.any_of.is_empty() {
            match self.open(&schema.any_of, sort).as_slice() {
                [] => return Some(Failed::of("anyOf")),
                [one] => left.push(*one),
                _ => {}
            }
        }
        if !schema.one_of.is_empty() {
            let open = self.open(&schema.one_of, sort);
            let all = open.iter().filter(|id| shape(**id) == Shape::All).count();
            match open.as_slice() {
                _ if all > 1 => return Some(Failed::of("oneOf")),
                [] => return Some(Failed::of("oneOf")),
                [one] => left.push(*one),
                _ => {}
            }
        }
        if schema.not.is_some_and(|id| shape(id) == Shape::All) {
            return Some(Failed::of("not"));
        }
        if let Some(condition) = schema.condition {
            match shape(condition.test) {
                Shape::All => left.extend(condition.then),
                Shape::None => left.extend(condition.otherwise),
                Shape::Some => {}
            }
        }
        None
    }

    /// The branches that values of a sort may follow.
    fn open(&self, branches: &[NodeId], sort: Sort) -> Vec<NodeId> {
        let open = branches.iter().filter(|id| self.plan.outlines.of(**id, sort) != Shape::None);
        open.copied().collect()
    }

    /// A child for which its parent's schemas leave no value at all.
    fn nothing<'d>(
        &self,
        parent_ix: Ix,
        (parent, token): (Value<'d>, &Token<'_>),
        child: Value<'d>,
        questions: &mut Questions,
    ) -> (Value<'d>, Failed<'g>) {
        let mut found = None;
        self.applying(self.origins(parent_ix), Sort::of(parent), |schema, _| {
            let below = match token {
                Token::Member(name) => member(self.graph, schema, name, questions),
                Token::Item(index) => item(self.graph, schema, *index).into_iter().collect(),
                Token::Root => Vec::new(),
            };
            found = below.into_iter().find(|(_, id)| self.is_nothing(*id));
            found.is_none()
        });
        match found {
            Some((keyword @ Some(_), id)) if self.graph.get(id).always == Some(false) => {
                (parent, keyword.unwrap_or(Failed::of("falseSchema")))
            }
            // Nobody says that it may not be there: the schema is closed.
            None if parent.kind() == Kind::Object => (parent, Failed::of("unevaluatedProperties")),
            Some(_) | None => (child, Failed::of("falseSchema")),
        }
    }

    /// Whether a schema is `false`, or a reference that leads there.
    fn is_nothing(&self, mut id: NodeId) -> bool {
        // References that never end do not compile.
        for _ in 0..self.graph.nodes.len() {
            let schema = self.graph.get(id);
            match schema.reference {
                Some(next) if schema.always.is_none() => id = next,
                Some(_) | None => return schema.always == Some(false),
            }
        }
        false
    }
}

impl<'g> Search<'_, 'g> {
    /// What a value violates by itself, of all that a node was made of: the same schemas that were laid out for its
    /// sort.
    fn own(&mut self, ix: Ix, value: Value<'_>) -> Option<Failed<'g>> {
        let mut fault = None;
        let Self { outline, judge } = self;
        outline.applying(outline.origins(ix), Sort::of(value), |schema, choice| {
            fault = choice.or_else(|| judge.failed(schema, value));
            fault.is_none() && !judge.is_spent()
        });
        fault
    }

    /// What a value violates of an assertion on it as a whole.
    fn rest<'d>(&mut self, rest: &Rest, value: Value<'d>) -> (Value<'d>, Failed<'g>) {
        let keyword = match rest {
            Rest::AnyOf(_) => "anyOf",
            Rest::OneOf(_) => "oneOf",
            Rest::Not(_) => "not",
            Rest::Values(keyword, _) => keyword,
            Rest::Unique => "uniqueItems",
            Rest::Names(_) => "propertyNames",
            Rest::Contains(_) => "contains",
            Rest::If(condition) => {
                let test = self.judge.follows(value, condition.test);
                let branch = if test { condition.then } else { condition.otherwise };
                return match branch {
                    Some(id) => self.within(id, value),
                    None => (value, Failed::of("schema")),
                };
            }
            Rest::Alone(id) => {
                let failed = self.judge.failed(self.outline.graph.get(*id), value);
                return (value, failed.unwrap_or(Failed::of("schema")));
            }
            Rest::Follows(id) => return self.within(*id, value),
            Rest::Chosen(choice) => choice.keyword,
            // Its items are refused by themselves.
            Rest::Tuple { .. } => "schema",
        };
        (value, Failed::of(keyword))
    }

    /// What a value violates of a schema that it does not follow.
    fn within<'d>(&mut self, id: NodeId, value: Value<'d>) -> (Value<'d>, Failed<'g>) {
        let (mut id, mut value) = (id, value);
        loop {
            let next = self.step(id, value);
            match next.filter(|_| !self.judge.is_spent()) {
                Some(Next::Within(next, below)) => (id, value) = (next, below),
                Some(Next::Here(value, failed)) => return (value, failed),
                // Whatever the judge was asked since, it has not answered.
                None => return (value, Failed::of("schema")),
            }
        }
    }

    fn step<'d>(&mut self, id: NodeId, value: Value<'d>) -> Option<Next<'d, 'g>> {
        let schema = self.outline.graph.get(id);
        let here = |failed| Some(Next::Here(value, failed));
        if schema.always.is_some() {
            return here(Failed::of("falseSchema"));
        }
        if let Some(failed) = self.judge.failed(schema, value) {
            return here(failed);
        }
        if let Some(next) = self.in_place(schema, value) {
            return Some(next);
        }
        match value.kind() {
            Kind::Array => self.items(schema, value),
            Kind::Object => self.members(schema, value),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        }
    }

    fn in_place<'d>(&mut self, schema: &'g Schema, value: Value<'d>) -> Option<Next<'d, 'g>> {
        let here = |keyword| Some(Next::Here(value, Failed::of(keyword)));
        let mut all = schema.reference.iter().chain(&schema.all_of);
        if let Some(id) = all.find(|id| !self.judge.follows(value, **id)) {
            return Some(Next::Within(*id, value));
        }
        for (keyword, branches) in [("anyOf", &schema.any_of), ("oneOf", &schema.one_of)] {
            let followed =
                branches.iter().filter(|id| self.judge.follows(value, **id)).take(2).count();
            match (followed, self.outline.open(branches, Sort::of(value)).as_slice()) {
                (0, [one]) => return Some(Next::Within(*one, value)),
                (0, _) if !branches.is_empty() => return here(keyword),
                (2.., _) if keyword == "oneOf" => return here(keyword),
                _ => {}
            }
        }
        if schema.not.is_some_and(|id| self.judge.follows(value, id)) {
            return here("not");
        }
        let condition = schema.condition.and_then(|condition| {
            let test = self.judge.follows(value, condition.test);
            if test { condition.then } else { condition.otherwise }
        });
        if let Some(id) = condition.filter(|id| !self.judge.follows(value, *id)) {
            return Some(Next::Within(id, value));
        }
        let mut implied = schema.implies.iter();
        let failed = implied.find(|(name, id)| {
            self.judge.questions.has(value, name) && !self.judge.follows(value, *id)
        });
        failed.map(|(_, id)| Next::Within(*id, value))
    }

    fn items<'d>(&mut self, schema: &'g Schema, array: Value<'d>) -> Option<Next<'d, 'g>> {
        for (index, value) in array.items().enumerate() {
            let Some((keyword, id)) = item(self.outline.graph, schema, index) else { continue };
            if !self.judge.follows(value, id) {
                return Some(match keyword {
                    Some(failed) if self.outline.graph.get(id).always == Some(false) => {
                        Next::Here(array, failed)
                    }
                    Some(_) | None => Next::Within(id, value),
                });
            }
        }
        if let Some(contains) = schema.contains {
            let matching = array.items().filter(|item| self.judge.follows(*item, contains.schema));
            let count = matching.count() as u64;
            if count < contains.least || contains.most.is_some_and(|most| most < count) {
                return Some(Next::Here(array, Failed::of("contains")));
            }
        }
        let repeated = schema.unique && !self.judge.all_distinct(array);
        repeated.then_some(Next::Here(array, Failed::of("uniqueItems")))
    }

    fn members<'d>(&mut self, schema: &'g Schema, object: Value<'d>) -> Option<Next<'d, 'g>> {
        for (name, value) in object.members() {
            if schema.names.is_some_and(|id| !self.judge.follows_name(name, id)) {
                return Some(Next::Here(object, Failed::of("propertyNames")));
            }
            let questions = &mut self.judge.questions;
            for (keyword, id) in member(self.outline.graph, schema, name, questions) {
                if !self.judge.follows(value, id) {
                    return Some(match keyword {
                        Some(failed) if self.outline.graph.get(id).always == Some(false) => {
                            Next::Here(object, failed)
                        }
                        Some(_) | None => Next::Within(id, value),
                    });
                }
            }
        }
        None
    }
}

/// What a schema says of a child; if it is `false`, what is told of the parent.
type Said<'g> = (Option<Failed<'g>>, NodeId);

fn item<'g>(graph: &'g Graph, schema: &'g Schema, index: usize) -> Option<Said<'g>> {
    if let Some(id) = schema.prefix.get(index) {
        return Some((None, *id));
    }
    let beyond = schema.items_keyword == "additionalItems";
    let failed = beyond.then(|| Failed::items_beyond(schema.prefix.len()));
    let said = schema.items.map(|id| (failed, id));
    let unevaluated = || graph.unevaluated_item(schema, index);
    said.or_else(|| unevaluated().map(|id| (Some(Failed::of("unevaluatedItems")), id)))
}

fn member<'g>(
    graph: &'g Graph,
    schema: &'g Schema,
    name: &str,
    questions: &mut Questions,
) -> Vec<Said<'g>> {
    let mut said: Vec<_> = schema.property(name).map(|id| (None, id)).into_iter().collect();
    let mut matching = |pattern: &Pattern| pattern.is_match_within(name, questions);
    said.extend(schema.patterned(&mut matching).map(|id| (None, id)));
    if said.is_empty() {
        let additional = Failed::of("additionalProperties");
        said.extend(schema.additional.map(|id| (Some(additional), id)));
    }
    let unevaluated = graph.unevaluated_member(schema, Some(name), &mut matching);
    said.extend(unevaluated.map(|id| (Some(Failed::of("unevaluatedProperties")), id)));
    said
}
