//! From the graph to the plan.
//!
//! All schemas that apply to one value, through `$ref`, `allOf` and the branches that its kind decides, are laid out as
//! one node; it is known by the set of them, so a recursive schema meets itself again and ends.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::super::formats::Check;
use super::super::graph::{Counts, Graph, NodeId, Schema, Types};
use super::super::pattern::Pattern;
use super::kinds::{Kinds, Sort};
use super::names::Names;
use super::node::{
    Extra, Items, Ix, Members, NO_TABLE, Node, Numbers, Rest, TextList, Texts, integer_range,
};
use super::same;
use super::shape::{Shape, Shapes};
use super::{Entry, Plan};

/// Nodes of a plan. Sets of schemas can be many more than schemas, if their author nests `allOf` to that end; at half,
/// an application of some thousand operations might not fit, at double, twice the memory can be wasted.
const NODES: usize = 200_000;

/// Patterns of one object for which every combination is laid out: at one more, twice as many places.
const PATTERNS: usize = 4;

type Set = BTreeSet<NodeId>;

pub(super) fn compile(
    graph: &Graph,
    roots: impl IntoIterator<Item = Option<NodeId>>,
) -> (Plan, Vec<Option<Entry>>) {
    let mut compiler = Compiler::new(graph);
    let roots: Vec<Option<Ix>> = roots
        .into_iter()
        .map(|root| root.map(|root| compiler.node([root].into_iter().collect())))
        .collect();
    while let Some((ix, set)) = compiler.left.pop_front() {
        let node = compiler.lay_out(&set);
        if let Some(slot) = compiler.plan.nodes.get_mut(ix.index()) {
            *slot = node;
        }
        if compiler.plan.nodes.len() > NODES {
            return (Compiler::new(graph).plan, roots.iter().map(|_| None).collect());
        }
    }
    (compiler.plan, roots.into_iter().map(|root| root.map(Entry)).collect())
}

struct Compiler<'g> {
    graph: &'g Graph,
    same: Vec<NodeId>,
    shapes: Shapes<'g>,
    plan: Plan,
    known: HashMap<Set, Ix>,
    left: VecDeque<(Ix, Set)>,
}

/// The schemas that apply to a value of one sort.
#[derive(Default)]
struct Applying<'g> {
    schemas: Vec<(NodeId, &'g Schema)>,
    rests: Vec<Rest>,
}

impl<'g> Compiler<'g> {
    fn new(graph: &'g Graph) -> Self {
        let node = |plain| Node {
            plain,
            looked: Kinds::NONE,
            whole: Kinds::NONE,
            numbers: NO_TABLE,
            texts: NO_TABLE,
            items: NO_TABLE,
            members: NO_TABLE,
            rests: NO_TABLE,
        };
        let plan = Plan {
            // `Ix::ANY` and `Ix::NOTHING`.
            nodes: vec![node(Kinds::ALL), node(Kinds::NONE)],
            numbers: Vec::new(),
            texts: Vec::new(),
            items: Vec::new(),
            members: Vec::new(),
            rests: Vec::new(),
        };
        let known = HashMap::from([(Set::new(), Ix::ANY)]);
        let same = same::representatives(graph);
        Self { graph, same, shapes: Shapes::new(graph), plan, known, left: VecDeque::new() }
    }

    /// The node of all schemas of a set.
    fn node(&mut self, set: Set) -> Ix {
        let first = |id: NodeId| self.same.get(id.index()).copied().unwrap_or(id);
        let set: Set = set
            .into_iter()
            .map(first)
            .filter(|id| self.graph.get(*id).always != Some(true))
            .collect();
        if set.iter().any(|id| self.graph.get(*id).always == Some(false)) {
            return Ix::NOTHING;
        }
        if let Some(ix) = self.known.get(&set) {
            return *ix;
        }
        let ix = Ix(table_index(self.plan.nodes.len()));
        if let Some(nothing) = self.plan.nodes.get(Ix::NOTHING.index()).copied() {
            // Until it is laid out.
            self.plan.nodes.push(nothing);
        }
        self.known.insert(set.clone(), ix);
        self.left.push_back((ix, set));
        ix
    }

    fn lay_out(&mut self, set: &Set) -> Node {
        let mut node = Node {
            plain: Kinds::NONE,
            looked: Kinds::NONE,
            whole: Kinds::NONE,
            numbers: NO_TABLE,
            texts: NO_TABLE,
            items: NO_TABLE,
            members: NO_TABLE,
            rests: NO_TABLE,
        };
        let mut rests = Vec::new();
        for sort in Sort::ALL {
            let Some(mut applying) = self.applying(set, sort) else { continue };
            let free = match sort {
                Sort::Null | Sort::False | Sort::True => true,
                Sort::Number => match self.numbers(&applying) {
                    Some((numbers, written)) => {
                        node.numbers = push(&mut self.plan.numbers, numbers);
                        node.looked = node.looked.with(Kinds::INTEGER);
                        if !written {
                            node.looked = node.looked.with(Kinds::FLOAT);
                        }
                        continue_rests(sort, &mut node, &mut rests, applying.rests);
                        continue;
                    }
                    None => true,
                },
                Sort::String => match texts(&applying) {
                    Some(texts) => {
                        node.texts = push(&mut self.plan.texts, texts);
                        false
                    }
                    None => true,
                },
                Sort::Array => match self.items(&mut applying) {
                    Some(items) => {
                        node.items = push(&mut self.plan.items, items);
                        false
                    }
                    None => true,
                },
                Sort::Object => match self.members(&mut applying) {
                    Some(members) => {
                        node.members = push(&mut self.plan.members, members);
                        false
                    }
                    None => true,
                },
            };
            if free && applying.rests.is_empty() {
                node.plain = node.plain.with(sort.kinds());
            } else {
                node.looked = node.looked.with(sort.kinds());
                continue_rests(sort, &mut node, &mut rests, applying.rests);
            }
        }
        if !rests.is_empty() {
            node.rests = push(&mut self.plan.rests, rests);
        }
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
                applying.rests.extend(schema.options.clone().map(Rest::Values));
                applying.rests.extend(schema.constant.clone().map(|one| Rest::Values(vec![one])));
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
        let shape = |shapes: &mut Shapes<'g>, id: &NodeId| shapes.of(*id, sort);
        if !schema.any_of.is_empty() {
            let open: Vec<NodeId> = (schema.any_of.iter())
                .filter(|id| shape(&mut self.shapes, id) != Shape::None)
                .copied()
                .collect();
            let all = open.iter().any(|id| shape(&mut self.shapes, id) == Shape::All);
            match open.as_slice() {
                [] => return None,
                _ if all => {}
                [one] => left.push(*one),
                _ => rests.push(Rest::AnyOf(open)),
            }
        }
        if !schema.one_of.is_empty() {
            let open: Vec<NodeId> = (schema.one_of.iter())
                .filter(|id| shape(&mut self.shapes, id) != Shape::None)
                .copied()
                .collect();
            match open.as_slice() {
                [] => return None,
                [one] => left.push(*one),
                _ => rests.push(Rest::OneOf(open)),
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
            match self.shapes.of(condition.test, sort) {
                Shape::All => left.extend(condition.then),
                Shape::None => left.extend(condition.otherwise),
                Shape::Some if condition.then.is_none() && condition.otherwise.is_none() => {}
                Shape::Some => rests.push(Rest::If(condition)),
            }
        }
        Some(())
    }

    /// What is said of numbers, and whether only integers that are written as such remain.
    fn numbers(&self, applying: &Applying<'_>) -> Option<(Numbers, bool)> {
        let mut numbers = Numbers {
            integers: false,
            bounds: Vec::new(),
            range: None,
            multiples: Vec::new(),
            formats: Vec::new(),
            lists: Vec::new(),
        };
        let mut written = false;
        for (_, schema) in &applying.schemas {
            if let Some(types) = schema.types.filter(|types| !types.has(Types::NUMBER)) {
                numbers.integers = true;
                written |= !types.has(Types::INTEGER);
            }
            numbers.bounds.extend(schema.bounds.iter().cloned());
            numbers.multiples.extend(schema.multiple_of.clone());
            if let Some(Check::Number(format)) = &schema.format {
                numbers.formats.push(*format);
            }
            let spelled = |values: &mut dyn Iterator<Item = &serde_json::Value>| -> Vec<String> {
                values
                    .filter_map(serde_json::Value::as_number)
                    .map(|n| n.as_str().to_owned())
                    .collect()
            };
            numbers.lists.extend(schema.options.as_ref().map(|list| spelled(&mut list.iter())));
            numbers
                .lists
                .extend(schema.constant.as_ref().map(|one| spelled(&mut std::iter::once(one))));
        }
        let free = !numbers.integers
            && numbers.bounds.is_empty()
            && numbers.multiples.is_empty()
            && numbers.formats.is_empty()
            && numbers.lists.is_empty();
        numbers.range = integer_range(&numbers.bounds);
        (!free).then_some((numbers, written))
    }

    fn items(&mut self, applying: &mut Applying<'_>) -> Option<Items> {
        let Applying { schemas, rests } = applying;
        let (mut count, mut below) = (Counts::default(), Set::new());
        for (id, schema) in schemas.iter() {
            count = tighter(count, schema.item_count);
            if schema.prefix.is_empty() {
                below.extend(schema.items);
            } else {
                rests.push(Rest::Follows(*id));
            }
            if schema.unique {
                rests.push(Rest::Unique);
            }
            rests.extend(schema.contains.map(Rest::Contains));
        }
        let item = self.node(below);
        (item != Ix::ANY || count != Counts::default()).then_some(Items { count, item })
    }

    fn members(&mut self, applying: &mut Applying<'_>) -> Option<Members> {
        let Applying { schemas, rests } = applying;
        let mut declared = BTreeMap::new();
        let mut order: Vec<&str> = Vec::new();
        let mut patterns: Vec<Arc<Pattern>> = Vec::new();
        let mut count = Counts::default();
        for (id, schema) in schemas.iter() {
            count = tighter(count, schema.member_count);
            rests.extend(schema.names.map(|_| Rest::Follows(*id)));
            for (pattern, _) in &schema.patterns {
                if !patterns.iter().any(|other| other.source() == pattern.source()) {
                    patterns.push(Arc::clone(pattern));
                }
            }
            let named = schema.properties.iter().map(|(name, _)| name.as_str());
            let named = named.chain(schema.required.iter().map(String::as_str));
            let needs =
                schema.needs.iter().flat_map(|(name, list)| std::iter::once(name).chain(list));
            let named = named.chain(needs.map(String::as_str));
            for name in named.chain(schema.implies.iter().map(|(name, _)| name.as_str())) {
                if !declared.contains_key(name) {
                    declared.insert(name, order.len());
                    order.push(name);
                }
            }
        }
        let plain = |s: &&Schema| s.patterns.is_empty();
        let additional: Set =
            schemas.iter().map(|(_, s)| *s).filter(plain).filter_map(|s| s.additional).collect();
        let extra = if patterns.len() > PATTERNS {
            let many = schemas.iter().filter(|(_, s)| !s.patterns.is_empty());
            rests.extend(many.map(|(id, _)| Rest::Follows(*id)));
            Extra::One(self.node(additional))
        } else if patterns.is_empty() {
            Extra::One(self.node(additional))
        } else {
            let places = (0..1_usize << patterns.len()).map(|bits| {
                let matching = |p: &Pattern| {
                    patterns
                        .iter()
                        .position(|other| other.source() == p.source())
                        .is_some_and(|n| bits >> n & 1 == 1)
                };
                let set =
                    schemas.iter().flat_map(|(_, schema)| below(schema, None, &matching)).collect();
                self.node(set)
            });
            let places = places.collect();
            Extra::ByPattern(patterns, places)
        };
        let places: Vec<(String, Ix)> = (order.iter())
            .map(|name| {
                let matching = |pattern: &Pattern| pattern.is_match(name);
                let set = schemas
                    .iter()
                    .flat_map(|(_, schema)| below(schema, Some(name), &matching))
                    .collect();
                ((*name).to_owned(), self.node(set))
            })
            .collect();
        let index = |name: &String| declared.get(name.as_str()).copied().unwrap_or(usize::MAX);
        let mut required = vec![0_u64; order.len().div_ceil(64)];
        for name in schemas.iter().flat_map(|(_, schema)| &schema.required) {
            if let Some(word) = required.get_mut(index(name) / 64) {
                *word |= 1 << (index(name) % 64);
            }
        }
        let needs: Vec<_> = (schemas.iter().flat_map(|(_, schema)| &schema.needs))
            .map(|(name, list)| (index(name), list.iter().map(index).collect()))
            .collect();
        let implies: Vec<_> = schemas
            .iter()
            .flat_map(|(_, schema)| &schema.implies)
            .map(|(name, id)| (index(name), *id))
            .collect();
        let free =
            places.is_empty() && count == Counts::default() && matches!(extra, Extra::One(Ix::ANY));
        let names = Names::new(places);
        (!free).then_some(Members { names, required, count, needs, implies, extra })
    }
}

/// What one schema says of a member, given which patterns its name matches.
fn below<'s>(
    schema: &'s Schema,
    name: Option<&str>,
    matching: &dyn Fn(&Pattern) -> bool,
) -> Vec<NodeId> {
    let mut ids: Vec<NodeId> = name.and_then(|name| schema.property(name)).into_iter().collect();
    ids.extend(schema.patterns.iter().filter(|(pattern, _)| matching(pattern)).map(|(_, id)| *id));
    if ids.is_empty() {
        ids.extend(schema.additional);
    }
    ids
}

fn continue_rests(sort: Sort, node: &mut Node, all: &mut Vec<(Kinds, Rest)>, rests: Vec<Rest>) {
    if !rests.is_empty() {
        node.whole = node.whole.with(sort.kinds());
    }
    all.extend(rests.into_iter().map(|rest| (sort.kinds(), rest)));
}

fn texts(applying: &Applying<'_>) -> Option<Texts> {
    let mut texts = Texts {
        length: Counts::default(),
        patterns: Vec::new(),
        formats: Vec::new(),
        lists: Vec::new(),
    };
    for (_, schema) in &applying.schemas {
        texts.length = tighter(texts.length, schema.length);
        texts.patterns.extend(schema.pattern.clone());
        texts
            .formats
            .extend(schema.format.clone().filter(|check| !matches!(check, Check::Number(_))));
        let spelled = |values: &mut dyn Iterator<Item = &serde_json::Value>| {
            TextList::new(values.filter_map(serde_json::Value::as_str).map(str::to_owned).collect())
        };
        texts.lists.extend(schema.options.as_ref().map(|list| spelled(&mut list.iter())));
        texts.lists.extend(schema.constant.as_ref().map(|one| spelled(&mut std::iter::once(one))));
    }
    let free = texts.length == Counts::default()
        && texts.patterns.is_empty()
        && texts.formats.is_empty()
        && texts.lists.is_empty();
    (!free).then_some(texts)
}

fn tighter(a: Counts, b: Counts) -> Counts {
    let most = match (a.most, b.most) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Counts { least: a.least.max(b.least), most }
}

fn push<T>(table: &mut Vec<T>, entry: T) -> u32 {
    let index = table_index(table.len());
    table.push(entry);
    index
}

fn table_index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NO_TABLE)
}
