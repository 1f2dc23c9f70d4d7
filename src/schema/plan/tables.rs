//! What is said of each sort of values, gathered from all schemas that apply to it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;

use super::super::formats::Check;
use super::super::graph::{Bound, Counts, Graph, NodeId, Schema, Types};
use super::super::number::Decimal;
use super::super::pattern::Pattern;
use super::compile::{Applying, Compiler, Set};
use super::kinds::Kinds;
use super::names::{Names, START, bit};
use super::node::{Demands, Extra, Ix, Members, NumberList, Numbers, Rest, TextList, Texts};

/// Patterns of one object for which every combination is laid out: at one more, twice as many places.
const PATTERNS: usize = 4;

/// Assertions that are asked of one text or one number while it is read. Where there are more, they are asked on the tape,
/// which counts them: else a body of many numbers, or of one long text, would pay for each of all of them. At half, what two
/// schemas with four keywords each say of a number is asked there; at double, a body that was written to that end takes
/// twice as long.
const AT_ONCE: usize = 8;

/// What is said of numbers; takes the kind out of which no number is left.
pub(super) fn numbers(applying: &mut Applying<'_>, kinds: &mut Kinds) -> Option<Numbers> {
    let mut numbers = Numbers {
        integers: false,
        bounds: Vec::new(),
        sure: None,
        sure_between: None,
        multiples: Vec::new(),
        formats: Vec::new(),
        list: None,
    };
    for (_, schema) in &applying.schemas {
        if let Some(types) = schema.types.filter(|types| !types.has(Types::NUMBER)) {
            numbers.integers = true;
            if !types.has(Types::INTEGER) {
                *kinds = Kinds::INTEGER;
            }
        }
        schema.bounds.iter().for_each(|bound| tighten(&mut numbers.bounds, bound));
        numbers.multiples.extend(schema.multiple_of.clone());
        if let Some(Check::Number(format)) = &schema.format {
            numbers.formats.push(*format);
        }
        for values in listed(schema) {
            let values = values.iter().filter_map(serde_json::Value::as_number);
            let list = NumberList::new(values.map(serde_json::Number::as_str));
            numbers.list = Some(match numbers.list.take() {
                Some(other) => other.and(&list),
                None => list,
            });
        }
    }
    let Numbers { bounds, multiples, formats, list, .. } = &numbers;
    match bounds.len() + multiples.len() + formats.len() + usize::from(list.is_some()) {
        0 if !numbers.integers => None,
        0..=AT_ONCE => Some(numbers.settled()),
        _ => {
            applying.ask_one_by_one();
            None
        }
    }
}

/// Adds a bound, if it leaves less than those that are there.
fn tighten(bounds: &mut Vec<(Bound, String)>, (bound, limit): &(Bound, String)) {
    let new = Decimal::parse(limit);
    let is_implied_by = |(other, known): &(Bound, String)| {
        let known = Decimal::parse(known);
        match (bound, other) {
            (Bound::Minimum, Bound::Minimum | Bound::ExclusiveMinimum)
            | (Bound::ExclusiveMinimum, Bound::ExclusiveMinimum) => new <= known,
            (Bound::ExclusiveMinimum, Bound::Minimum) => new < known,
            (Bound::Maximum, Bound::Maximum | Bound::ExclusiveMaximum)
            | (Bound::ExclusiveMaximum, Bound::ExclusiveMaximum) => known <= new,
            (Bound::ExclusiveMaximum, Bound::Maximum) => known < new,
            _ => false,
        }
    };
    if bounds.iter().any(is_implied_by) {
        return;
    }
    bounds.retain(|(other, _)| other.is_lower() != bound.is_lower());
    bounds.push((*bound, limit.clone()));
}

/// The values that `enum` and `const` leave, a list each.
fn listed(schema: &Schema) -> impl Iterator<Item = &[serde_json::Value]> {
    let constant = schema.constant.as_ref().map(std::slice::from_ref);
    schema.options.as_deref().map(|listed| &**listed).into_iter().chain(constant)
}

/// What is said of texts.
pub(super) fn texts(applying: &mut Applying<'_>) -> Option<Texts> {
    let (mut length, mut patterns) = (Counts::default(), SmallVec::new());
    let (mut formats, mut list) = (SmallVec::new(), None);
    for (_, schema) in &applying.schemas {
        length = tighter(length, schema.length);
        patterns.extend(schema.pattern.clone());
        formats.extend(schema.format.clone().filter(|check| !matches!(check, Check::Number(_))));
        for values in listed(schema) {
            let texts = values.iter().filter_map(serde_json::Value::as_str);
            let texts: BTreeSet<String> = texts.map(str::to_owned).collect();
            list = Some(match list.take() {
                Some(other) => &other & &texts,
                None => texts,
            });
        }
    }
    let light = patterns.iter().all(|pattern: &Arc<Pattern>| pattern.is_light())
        && formats.iter().all(|check: &Check| check.steps() == 0);
    let list = list.map(|texts| TextList::new(texts.into_iter().collect()));
    match patterns.len() + formats.len() + usize::from(list.is_some()) {
        0 if length == Counts::default() => None,
        0..=AT_ONCE if light => Some(Texts { length, patterns, formats, list }),
        _ => {
            applying.ask_one_by_one();
            None
        }
    }
}

impl Applying<'_> {
    /// Has each schema asked by itself, on the tape.
    fn ask_one_by_one(&mut self) {
        self.rests.extend(self.schemas.iter().map(|(id, _)| Rest::Alone(*id)));
    }
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
        if patterns.len() > PATTERNS || !patterns.iter().all(|pattern| pattern.is_light()) {
            // Too many ways to go on, or patterns whose questions are counted: what such a schema says of members is judged
            // on the tape.
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
            bring: vec![0; names.words()],
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
    // All of them are declared.
    let position = |name: &String| names.find(name).unwrap_or(START);
    let bits = |list: &[String], bits: &mut [u64]| {
        for (word, bit) in list.iter().map(|name| bit(position(name))) {
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        }
    };
    let Demands { required, bring, needs, implies, .. } = demands;
    bits(&schema.required, required);
    for (name, list) in &schema.needs {
        bits(std::slice::from_ref(name), bring);
        let mut needed = vec![0; names.words()];
        bits(list, &mut needed);
        needs.push((position(name), needed.into()));
    }
    for (name, id) in &schema.implies {
        bits(std::slice::from_ref(name), bring);
        implies.push((position(name), *id));
    }
}

/// What one schema says of a member, given which patterns its name matches.
fn below(
    graph: &Graph,
    schema: &Schema,
    name: Option<&str>,
    matching: &dyn Fn(&Pattern) -> bool,
) -> Vec<NodeId> {
    let mut ids: Vec<NodeId> = name.and_then(|name| schema.property(name)).into_iter().collect();
    ids.extend(schema.patterned(&matching));
    if ids.is_empty() {
        ids.extend(schema.additional);
    }
    ids.extend(graph.unevaluated_member(schema, name, &mut |pattern| matching(pattern)));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_bounds_says_what_all_of_them_say() {
        const KINDS: [Bound; 4] =
            [Bound::Minimum, Bound::Maximum, Bound::ExclusiveMinimum, Bound::ExclusiveMaximum];
        const LIMITS: [&str; 4] = ["-1", "1", "1.0", "15e-1"];
        let bounds: Vec<(Bound, String)> =
            (KINDS.iter()).flat_map(|kind| LIMITS.map(|limit| (*kind, limit.to_owned()))).collect();
        let holds = |(bound, limit): &(Bound, String), value: Decimal<'_>| {
            let order = value.cmp(&Decimal::parse(limit));
            match bound {
                Bound::Minimum => order.is_ge(),
                Bound::Maximum => order.is_le(),
                Bound::ExclusiveMinimum => order.is_gt(),
                Bound::ExclusiveMaximum => order.is_lt(),
            }
        };
        let (mut allowed, mut asked) = (0, 0);
        for (a, b, c) in triples(&bounds) {
            let mut left = Vec::new();
            for bound in [a, b, c] {
                tighten(&mut left, bound);
            }
            assert!(left.len() <= 2, "{left:?}");
            for value in ["-2", "-1", "0", "1", "12e-1", "1.5", "2"].map(Decimal::parse) {
                let expected = [a, b, c].iter().all(|bound| holds(bound, value));
                assert_eq!(
                    left.iter().all(|bound| holds(bound, value)),
                    expected,
                    "{a:?} {b:?} {c:?}"
                );
                (allowed, asked) = (allowed + usize::from(expected), asked + 1);
            }
        }
        assert!(asked / 20 < allowed && allowed < asked / 2, "{allowed} of {asked}");
    }

    /// All triples, in every order.
    fn triples<T>(all: &[T]) -> impl Iterator<Item = (&T, &T, &T)> {
        all.iter()
            .flat_map(move |a| all.iter().flat_map(move |b| all.iter().map(move |c| (a, b, c))))
    }
}
