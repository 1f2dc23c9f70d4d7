//! What is said of each sort of values, gathered from all schemas that apply to it.

use std::collections::HashSet;
use std::sync::Arc;

use smallvec::SmallVec;

use super::super::formats::Check;
use super::super::graph::{Counts, Graph, NodeId, Schema, Types};
use super::super::pattern::Pattern;
use super::compile::{Applying, Compiler, Set};
use super::kinds::Kinds;
use super::names::{Names, START, bit};
use super::node::{Demands, Extra, Ix, Members, NumberList, Numbers, Rest, TextList, Texts};

/// Patterns of one object for which every combination is laid out: at one more, twice as many places.
const PATTERNS: usize = 4;

/// What is said of numbers; takes the kind out of which no number is left.
pub(super) fn numbers(applying: &Applying<'_>, kinds: &mut Kinds) -> Option<Numbers> {
    let mut numbers = Numbers {
        integers: false,
        bounds: Vec::new(),
        sure: None,
        sure_between: None,
        multiples: Vec::new(),
        formats: Vec::new(),
        lists: Vec::new(),
    };
    for (_, schema) in &applying.schemas {
        if let Some(types) = schema.types.filter(|types| !types.has(Types::NUMBER)) {
            numbers.integers = true;
            if !types.has(Types::INTEGER) {
                *kinds = Kinds::INTEGER;
            }
        }
        numbers.bounds.extend(schema.bounds.iter().cloned());
        numbers.multiples.extend(schema.multiple_of.clone());
        if let Some(Check::Number(format)) = &schema.format {
            numbers.formats.push(*format);
        }
        numbers.lists.extend(listed(schema).map(|values| {
            let numbers = values.iter().filter_map(serde_json::Value::as_number);
            NumberList::new(numbers.map(serde_json::Number::as_str))
        }));
    }
    let free = !numbers.integers
        && numbers.bounds.is_empty()
        && numbers.multiples.is_empty()
        && numbers.formats.is_empty()
        && numbers.lists.is_empty();
    (!free).then(|| numbers.settled())
}

/// The values that `enum` and `const` leave, a list each.
fn listed(schema: &Schema) -> impl Iterator<Item = &[serde_json::Value]> {
    let constant = schema.constant.as_ref().map(std::slice::from_ref);
    schema.options.as_deref().map(|listed| &**listed).into_iter().chain(constant)
}

pub(super) fn texts(applying: &Applying<'_>) -> Option<Texts> {
    let (mut length, mut patterns) = (Counts::default(), SmallVec::new());
    let (mut formats, mut lists) = (SmallVec::new(), SmallVec::new());
    for (_, schema) in &applying.schemas {
        length = tighter(length, schema.length);
        patterns.extend(schema.pattern.clone());
        formats.extend(schema.format.clone().filter(|check| !matches!(check, Check::Number(_))));
        lists.extend(listed(schema).map(|values| {
            let texts = values.iter().filter_map(serde_json::Value::as_str);
            TextList::new(texts.map(str::to_owned).collect())
        }));
    }
    let free = length == Counts::default()
        && patterns.is_empty()
        && formats.is_empty()
        && lists.is_empty();
    (!free).then_some(Texts { length, patterns, formats, lists })
}

fn tighter(a: Counts, b: Counts) -> Counts {
    let most = match (a.most, b.most) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Counts { least: a.least.max(b.least), most }
}

impl Compiler<'_> {
    /// What the items of an array follow, and how many there may be.
    pub(super) fn items(&mut self, applying: &mut Applying<'_>) -> (Ix, Option<Counts>) {
        let Applying { schemas, rests } = applying;
        let mut count = Counts::default();
        let graph = self.graph;
        let left = |schema: &Schema, n| schema.items.or_else(|| graph.unevaluated_item(schema, n));
        let beyond = |(_, schema): &(NodeId, &Schema)| left(schema, usize::MAX);
        let mut below: Set = schemas.iter().filter_map(beyond).collect();
        let places = schemas.iter().map(|(_, schema)| schema.prefix.len()).max().unwrap_or(0);
        if places > 0 {
            let at = |n: usize| {
                let item =
                    |schema: &Schema| schema.prefix.get(n).copied().or_else(|| left(schema, n));
                schemas.iter().filter_map(|(_, schema)| item(schema)).collect()
            };
            let prefix = (0..places).map(|n| self.node(at(n))).collect();
            rests.push(Rest::Tuple { prefix, beyond: self.node(std::mem::take(&mut below)) });
        }
        for (_, schema) in schemas.iter() {
            count = tighter(count, schema.item_count);
            if schema.unique {
                rests.push(Rest::Unique);
            }
            // Items that it contains are declared by it as well.
            self.depends |= schema.contains.is_some();
            rests.extend(schema.contains.map(Rest::Contains));
        }
        (self.node(below), (count != Counts::default()).then_some(count))
    }

    pub(super) fn members(&mut self, applying: &mut Applying<'_>) -> Option<Members> {
        let Applying { schemas, rests } = applying;
        let mut count = Counts::default();
        let mut patterns: Vec<Arc<Pattern>> = Vec::new();
        for (_, schema) in schemas.iter() {
            count = tighter(count, schema.member_count);
            self.depends |= !schema.implies.is_empty();
            rests.extend(schema.names.map(Rest::Names));
            for (pattern, _) in &schema.patterns {
                if !patterns.iter().any(|other| other.source() == pattern.source()) {
                    patterns.push(Arc::clone(pattern));
                }
            }
        }
        let mut laid_out: Vec<&Schema> = schemas.iter().map(|(_, schema)| *schema).collect();
        if patterns.len() > PATTERNS {
            // Too many ways to go on: what such a schema says of members is judged on the tape.
            self.depends = true;
            let many = |schema: &Schema| {
                !schema.patterns.is_empty() || schema.unevaluated_members.is_some()
            };
            let left = schemas.iter().filter(|(_, schema)| many(schema));
            rests.extend(left.map(|(id, _)| Rest::Follows(*id)));
            laid_out.retain(|schema| !many(schema));
            patterns.clear();
        }
        let declared = declared(schemas.iter().map(|(_, schema)| *schema));
        let extra = self.extra(&laid_out, patterns);
        let graph = self.graph;
        let places: Vec<(String, Ix)> = (declared.iter())
            .map(|name| {
                let matching = |pattern: &Pattern| pattern.is_match(name);
                let set =
                    laid_out.iter().flat_map(|schema| below(graph, schema, Some(name), &matching));
                ((*name).to_owned(), self.member(&laid_out, set.collect()))
            })
            .collect();
        let free =
            places.is_empty() && count == Counts::default() && matches!(extra, Extra::One(Ix::ANY));
        let names = Names::new(places);
        let mut demands = Demands {
            required: vec![0; names.words()],
            count,
            needs: Vec::new(),
            implies: Vec::new(),
            extra,
        };
        for (_, schema) in schemas.iter() {
            require(&mut demands, &names, schema);
        }
        let required = demands.required.first().copied().unwrap_or(0);
        let simple = demands.required.len() <= 1
            && count == Counts::default()
            && demands.needs.is_empty()
            && demands.implies.is_empty();
        let members = Members { names, required, simple, demands: Box::new(demands) };
        (!free).then_some(members)
    }

    /// The node of a member, given all that schemas say of it. If they are closed and say nothing, it may not be there.
    fn member(&mut self, schemas: &[&Schema], set: Vec<NodeId>) -> Ix {
        let closed = self.closed && schemas.iter().any(|schema| schema.describes_members);
        if closed && set.is_empty() { Ix::NOTHING } else { self.node(set.into_iter().collect()) }
    }

    /// Where members go on that are not declared.
    fn extra(&mut self, schemas: &[&Schema], patterns: Vec<Arc<Pattern>>) -> Extra {
        let graph = self.graph;
        if patterns.is_empty() {
            let set = schemas.iter().flat_map(|schema| below(graph, schema, None, &|_| false));
            return Extra::One(self.member(schemas, set.collect()));
        }
        let places = (0..1_usize << patterns.len()).map(|bits| {
            let matching = |pattern: &Pattern| {
                let same = |other: &Arc<Pattern>| other.source() == pattern.source();
                patterns.iter().position(same).is_some_and(|n| bits >> n & 1 == 1)
            };
            let set = schemas.iter().flat_map(|schema| below(graph, schema, None, &matching));
            self.member(schemas, set.collect())
        });
        let places = places.collect();
        Extra::ByPattern(patterns, places)
    }
}

/// All names that some schema speaks of, each once, in the order of the schemas.
fn declared<'s>(schemas: impl Iterator<Item = &'s Schema>) -> Vec<&'s str> {
    let (mut seen, mut order) = (HashSet::new(), Vec::new());
    for schema in schemas {
        let needs = schema.needs.iter().flat_map(|(name, list)| std::iter::once(name).chain(list));
        let named = (schema.properties.iter().map(|(name, _)| name))
            .chain(&schema.required)
            .chain(needs)
            .chain(schema.implies.iter().map(|(name, _)| name));
        order.extend(named.map(String::as_str).filter(|name| seen.insert(*name)));
    }
    order
}

/// Adds which names must be there.
fn require(demands: &mut Demands, names: &Names, schema: &Schema) {
    let Demands { required, needs, implies, .. } = demands;
    // All of them are declared.
    let position = |name: &String| names.find(name).unwrap_or(START);
    for name in &schema.required {
        let (word, bit) = bit(position(name));
        if let Some(word) = required.get_mut(word) {
            *word |= bit;
        }
    }
    let listed = (schema.needs.iter())
        .map(|(name, list)| (position(name), list.iter().map(position).collect()));
    needs.extend(listed);
    implies.extend(schema.implies.iter().map(|(name, id)| (position(name), *id)));
}

/// What one schema says of a member, given which patterns its name matches.
fn below(
    graph: &Graph,
    schema: &Schema,
    name: Option<&str>,
    matching: &dyn Fn(&Pattern) -> bool,
) -> Vec<NodeId> {
    let mut ids: Vec<NodeId> = name.and_then(|name| schema.property(name)).into_iter().collect();
    ids.extend(schema.patterns.iter().filter(|(pattern, _)| matching(pattern)).map(|(_, id)| *id));
    if ids.is_empty() {
        ids.extend(schema.additional);
    }
    ids.extend(graph.unevaluated_member(schema, name, matching));
    ids
}
