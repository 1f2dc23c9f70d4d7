//! From the graph to the plan.
//!
//! All schemas that apply to one value, through `$ref`, `allOf` and the branches that its kind decides, are laid out as
//! one node; it is known by the set of them, so a recursive schema meets itself again and ends.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::super::graph::{Graph, NodeId, Schema};
use super::super::listed::Listed;
use super::choice::Choice;
use super::follower::index;
use super::kinds::{Kinds, Sort};
use super::node::{Ix, NO_TABLE, Node, Rest};
use super::shape::{Outlines, Shape, Shapes};
use super::{Entry, Plan, same, shape, tables};

/// Nodes of a plan. Sets of schemas can be many more than schemas, if their author nests `allOf` to that end; at half,
/// an application of some thousand operations might not fit, at double, twice the memory can be wasted.
const NODES: usize = 200_000;

/// Schemas that nodes are made of, and names that they declare, of all nodes together. At half, an application of some ten
/// thousand large objects might not fit; at double, hundreds of megabytes more can be wasted.
const ENTRIES: usize = 1 << 20;

pub(super) type Set = BTreeSet<NodeId>;

/// A schema where a plan begins, and whether it is closed.
pub(in crate::schema) type Root = (NodeId, bool);

pub(super) fn compile(graph: &Graph, roots: Vec<Option<Root>>) -> (Plan, Vec<Option<Entry>>) {
    let mut compiler = Compiler::new(graph);
    let mut entries: Vec<Option<Entry>> =
        roots.iter().map(|root| root.map(|(root, closed)| compiler.entry(root, closed))).collect();
    let mut fits = compiler.lay_out_all();
    // Those that the plan cannot close are laid out as they are written, and closed on the tape.
    let open = compiler.plan.leading_to(std::mem::take(&mut compiler.dependent));
    for (entry, root) in entries.iter_mut().zip(&roots) {
        let depends = |entry: &&mut Entry| entry.closed && open.contains(&entry.ix);
        if let (Some(entry), Some((root, _))) = (entry.as_mut().filter(depends), root) {
            *entry = compiler.entry(*root, false);
        }
    }
    fits &= compiler.lay_out_all();
    if !fits && roots.iter().flatten().any(|(_, closed)| *closed) {
        // Closed ones have more nodes, as members that meet are told apart by all who declare them.
        let open = roots.into_iter().map(|root| root.map(|(root, _)| (root, false)));
        return compile(graph, open.collect());
    }
    if !fits {
        return (Compiler::new(graph).plan, roots.iter().map(|_| None).collect());
    }
    compiler.plan.outlines = compiler.shapes.outlines();
    let Plan { nodes, members, .. } = &mut compiler.plan;
    for members in members {
        members.names.settle(nodes);
    }
    (compiler.plan, entries)
}

pub(super) struct Compiler<'g> {
    pub(super) graph: &'g Graph,
    same: Vec<NodeId>,
    shapes: Shapes<'g>,
    plan: Plan,
    known: HashMap<Key, Ix>,
    left: VecDeque<(Ix, Key)>,
    /// Schemas and names of all nodes.
    entries: usize,
    /// Members that no schema declares are refused.
    pub(super) closed: bool,
    /// The schemas of the node that is laid out, and the branch that was chosen for them.
    set: Set,
    decided: Option<NodeId>,
    /// The choice between branches that its objects must make first.
    undecided: Option<Choice>,
    /// What declares the members of the node that is laid out depends on its value.
    pub(super) depends: bool,
    /// All such nodes.
    dependent: BTreeSet<Ix>,
}

/// What a node is known by: its schemas, whether they are closed, and the branch that was chosen for them.
type Key = (Set, bool, Option<NodeId>);

/// The schemas that apply to a value of one sort.
#[derive(Default)]
pub(super) struct Applying<'g> {
    pub(super) schemas: Vec<(NodeId, &'g Schema)>,
    pub(super) rests: Vec<Rest>,
}

impl<'g> Compiler<'g> {
    fn new(graph: &'g Graph) -> Self {
        let plan = Plan {
            // `Ix::ANY` and `Ix::NOTHING`.
            nodes: vec![Node::new(Kinds::ALL), Node::new(Kinds::NONE)],
            numbers: Vec::new(),
            texts: Vec::new(),
            item_counts: Vec::new(),
            members: Vec::new(),
            rests: Vec::new(),
            origins: vec![Box::default(), Box::default()],
            outlines: Outlines::default(),
        };
        // What no schema speaks of stays open.
        let known = [false, true].map(|closed| ((Set::new(), closed, None), Ix::ANY)).into();
        Self {
            graph,
            same: same::representatives(graph),
            shapes: Shapes::new(graph),
            plan,
            known,
            left: VecDeque::new(),
            entries: 0,
            closed: false,
            set: Set::new(),
            decided: None,
            undecided: None,
            depends: false,
            dependent: BTreeSet::new(),
        }
    }

    fn entry(&mut self, root: NodeId, closed: bool) -> Entry {
        self.closed = closed;
        Entry { ix: self.node([root].into_iter().collect()), closed }
    }

    /// Lays out all nodes that are asked for; `false` if they become too many.
    fn lay_out_all(&mut self) -> bool {
        while let Some((ix, (set, closed, decided))) = self.left.pop_front() {
            (self.set, self.closed, self.decided) = (set.clone(), closed, decided);
            let node = self.lay_out(&set);
            if self.depends {
                self.dependent.insert(ix);
            }
            if let Some(slot) = self.plan.nodes.get_mut(ix.index()) {
                *slot = node;
            }
            let members = self.plan.members.get(index(node.members));
            let names = members.map_or(0, |members| members.names.places().count());
            self.entries += set.len() + names;
            if self.plan.nodes.len() > NODES || self.entries > ENTRIES {
                return false;
            }
        }
        true
    }

    /// The node of all schemas of a set.
    pub(super) fn node(&mut self, set: Set) -> Ix {
        self.place(set, None)
    }

    fn place(&mut self, set: Set, decided: Option<NodeId>) -> Ix {
        let first = |id: NodeId| self.target(id);
        let set: Set = set
            .into_iter()
            .map(first)
            .filter(|id| self.graph.get(*id).always != Some(true))
            .collect();
        if set.iter().any(|id| self.graph.get(*id).always == Some(false)) {
            return Ix::NOTHING;
        }
        let key = (set, self.closed, decided);
        if let Some(ix) = self.known.get(&key) {
            return *ix;
        }
        let ix = Ix(table_index(self.plan.nodes.len()));
        if let Some(nothing) = self.plan.nodes.get(Ix::NOTHING.index()).copied() {
            // Until it is laid out.
            self.plan.nodes.push(nothing);
        }
        self.plan.origins.push(key.0.iter().copied().chain(decided).collect());
        self.known.insert(key.clone(), ix);
        self.left.push_back((ix, key));
        ix
    }

    /// The schema that stands for this one: the first that says the same, where a reference leads.
    fn target(&self, mut id: NodeId) -> NodeId {
        // References that never end do not compile; the graph's size is more than any way has steps.
        for _ in 0..self.graph.nodes.len() {
            id = self.same.get(id.index()).copied().unwrap_or(id);
            let schema = self.graph.get(id);
            match schema.reference {
                Some(next) if shape::is_reference_alone(schema) => id = next,
                _ => break,
            }
        }
        id
    }

    fn lay_out(&mut self, set: &Set) -> Node {
        let mut node = Node::new(Kinds::NONE);
        let mut rests = Vec::new();
        self.depends = false;
        for sort in Sort::ALL {
            let depends = self.depends;
            let applying = self.applying(set, sort);
            let undecided = self.undecided.take();
            let Some(mut applying) = applying else { continue };
            let mut kinds = sort.kinds();
            if let Some(choice) = undecided {
                // What declares a member is known when the branch is: such objects are followed then, and not before.
                self.depends = depends;
                (node.looked, node.whole) = (node.looked.with(kinds), node.whole.with(kinds));
                rests.push((kinds, Rest::Chosen(choice)));
                continue;
            }
            let asks = match sort {
                Sort::Null | Sort::False | Sort::True => false,
                Sort::Number => {
                    let numbers = tables::numbers(&mut applying, &mut kinds);
                    node.settle(numbers.as_ref(), None);
                    node.numbers = push(&mut self.plan.numbers, numbers);
                    node.numbers != NO_TABLE
                }
                Sort::String => {
                    let texts = tables::texts(&mut applying);
                    node.settle(None, texts.as_ref());
                    node.texts = push(&mut self.plan.texts, texts);
                    node.texts != NO_TABLE
                }
                Sort::Array => {
                    let (item, counts) = self.items(&mut applying);
                    node.item = item;
                    node.item_counts = push(&mut self.plan.item_counts, counts);
                    item != Ix::ANY || node.item_counts != NO_TABLE
                }
                Sort::Object => {
                    let members = self.members(&mut applying);
                    node.members = push(&mut self.plan.members, members);
                    node.members != NO_TABLE
                }
            };
            if !asks && applying.rests.is_empty() {
                node.plain = node.plain.with(kinds);
                continue;
            }
            node.looked = node.looked.with(kinds);
            if !applying.rests.is_empty() {
                node.whole = node.whole.with(kinds);
            }
            rests.extend(applying.rests.into_iter().map(|rest| (kinds, rest)));
        }
        node.rests = push(&mut self.plan.rests, (!rests.is_empty()).then_some(rests));
        node
    }

    /// All schemas that apply to values of a sort; `None` if no value of it can follow them.
    fn applying(&mut self, set: &Set, sort: Sort) -> Option<Applying<'g>> {
        let mut applying = Applying::default();
        let mut seen = Set::new();
        let mut left: Vec<NodeId> = set.iter().rev().copied().collect();
        while let Some(id) = left.pop() {
            if !seen.insert(id) {
                continue;
            }
            let schema = self.graph.get(id);
            if self.shapes.of(id, sort) == Shape::None {
                return None;
            }
            left.extend(schema.reference);
            left.extend(&schema.all_of);
            self.choices(schema, sort, &mut left, &mut applying.rests)?;
            if matches!(sort, Sort::Array | Sort::Object) {
                // The value must be in both.
                let listed = |list| Rest::Values("enum", list);
                applying.rests.extend(schema.options.clone().map(listed));
                let alone = |one| Rest::Values("const", Arc::new(Listed::new(vec![one])));
                applying.rests.extend(schema.constant.clone().map(alone));
            }
            applying.schemas.push((id, schema));
        }
        Some(applying)
    }

    /// What branches leave for a sort: one branch that applies, nothing, or a question about the whole value.
    fn choices(
        &mut self,
        schema: &Schema,
        sort: Sort,
        left: &mut Vec<NodeId>,
        rests: &mut Vec<Rest>,
    ) -> Option<()> {
        if !schema.any_of.is_empty() {
            let open = self.open(&schema.any_of, sort);
            let all = open.iter().any(|id| self.shapes.of(*id, sort) == Shape::All);
            match open.as_slice() {
                [] => return None,
                [one] => left.push(*one),
                _ if self.decide("anyOf", &open, sort) => {}
                _ if all => {}
                _ => {
                    let chosen = self.chosen("anyOf", &open, sort);
                    rests.push(chosen.unwrap_or(Rest::AnyOf(open)));
                }
            }
        }
        if !schema.one_of.is_empty() {
            let open = self.open(&schema.one_of, sort);
            match open.as_slice() {
                [] => return None,
                [one] => left.push(*one),
                _ if self.decide("oneOf", &open, sort) => {}
                _ => {
                    let chosen = self.chosen("oneOf", &open, sort);
                    rests.push(chosen.unwrap_or(Rest::OneOf(open)));
                }
            }
        }
        if let Some(not) = schema.not {
            match self.shapes.of(not, sort) {
                Shape::None => {}
                Shape::All => return None,
                Shape::Some => rests.push(Rest::Not(not)),
            }
        }
        if let Some(condition) = schema.condition {
            let test = self.shapes.of(condition.test, sort);
            self.depends |= test == Shape::Some && has_children(sort);
            match test {
                // It declares members too.
                Shape::All => left.extend(condition.then.into_iter().chain([condition.test])),
                Shape::None => left.extend(condition.otherwise),
                Shape::Some if condition.then.is_none() && condition.otherwise.is_none() => {}
                Shape::Some => rests.push(Rest::If(condition)),
            }
        }
        Some(())
    }
}

impl Compiler<'_> {
    /// The branches that values of a sort may follow.
    fn open(&mut self, branches: &[NodeId], sort: Sort) -> Vec<NodeId> {
        if let Some(decided) = self.decided.filter(|id| branches.contains(id)) {
            return vec![decided];
        }
        let open = branches.iter().filter(|id| self.shapes.of(**id, sort) != Shape::None);
        open.copied().collect()
    }

    /// Whether the objects of a closed schema choose between branches before anything else is asked of them. One choice
    /// alone: more would be laid out in every combination.
    fn decide(&mut self, keyword: &'static str, open: &[NodeId], sort: Sort) -> bool {
        if !has_children(sort) {
            return false;
        }
        if self.closed && sort == Sort::Object && self.decided.is_none() && self.undecided.is_none()
        {
            let (graph, set) = (self.graph, self.set.clone());
            let place = |id| self.place(set.clone(), Some(id));
            self.undecided = Choice::between(graph, keyword, open, place);
            if self.undecided.is_some() {
                return true;
            }
        }
        self.depends = true;
        false
    }

    /// The branch that a constant chooses, where one does.
    fn chosen(&mut self, keyword: &'static str, open: &[NodeId], sort: Sort) -> Option<Rest> {
        if sort != Sort::Object {
            return None;
        }
        let graph = self.graph;
        let node = |id| self.node([id].into_iter().collect());
        Choice::between(graph, keyword, open, node).map(Rest::Chosen)
    }
}

/// Whether values of a sort have others in them.
fn has_children(sort: Sort) -> bool {
    matches!(sort, Sort::Array | Sort::Object)
}

/// Adds a table, if there is one: its index.
fn push<T>(tables: &mut Vec<T>, table: Option<T>) -> u32 {
    let index = table.as_ref().map_or(NO_TABLE, |_| table_index(tables.len()));
    tables.extend(table);
    index
}

fn table_index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NO_TABLE)
}
