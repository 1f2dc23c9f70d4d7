//! Reads schemas into the [`Graph`](super::graph), and finds every fault in them that can be seen before a value is.
//!
//! References are resolved by the arbiter's own resolver, so that both follow the same edges. The walk goes by a list
//! of what is left, not by recursion: the depth of a schema costs heap.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use referencing::{Draft, Registry, Resolver};
use serde_json::{Map, Value};

use super::Options;
use super::dialect::Dialect;
use super::divisor::Divisor;
use super::formats::{self, Meaning};
use super::graph::{Bound, Condition, Contains, Counts, Graph, NodeId, Schema, Types};
use super::listed::Listed;
use super::meta;
use super::number::Decimal;
use super::pattern::Pattern;
use super::resources::{Anchors, Missing};

/// A fault, at a place below a schema that is known by its address.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) schema: *const Value,
    /// Pointer from there.
    pub(super) below: String,
    pub(super) message: String,
}

/// What a walk has read.
pub(super) struct Read {
    pub(super) root: NodeId,
    /// Every node, and the schema that it was read from.
    pub(super) schemas: BTreeMap<NodeId, *const Value>,
    pub(super) found: Vec<Found>,
}

/// What one walk reads, and what it has found so far.
pub(super) struct Survey<'r, 's> {
    registry: &'r Registry<'r>,
    missing: [&'s Missing; 2],
    graph: &'s mut Graph,
    formats: &'s mut formats::Registry,
    options: &'s Options,
    known: HashMap<(*const Value, Draft), NodeId>,
    anchors: Anchors,
    patterns: HashMap<(String, bool), Arc<Pattern>>,
    valid: HashSet<*const Value>,
    left: Vec<Left<'r>>,
    found: Vec<Found>,
}

/// A schema that is known and not yet read.
struct Left<'r> {
    id: NodeId,
    place: Place<'r>,
}

/// A schema, and what its references are relative to.
struct Place<'r> {
    contents: &'r Value,
    resolver: Resolver<'r>,
    draft: Draft,
}

impl<'r, 's> Survey<'r, 's> {
    pub(super) fn new(
        registry: &'r Registry<'r>,
        missing: [&'s Missing; 2],
        graph: &'s mut Graph,
        formats: &'s mut formats::Registry,
        options: &'s Options,
    ) -> Self {
        Self {
            registry,
            missing,
            graph,
            formats,
            options,
            known: HashMap::new(),
            anchors: Anchors::default(),
            patterns: HashMap::new(),
            valid: HashSet::new(),
            left: Vec::new(),
            found: Vec::new(),
        }
    }

    /// The same, knowing all anchors that references may depend on.
    pub(super) fn with(self, anchors: Anchors) -> Self {
        Self { anchors, ..self }
    }

    /// Reads a schema and all that it refers to.
    pub(super) fn read(
        mut self,
        contents: &'r Value,
        resolver: Resolver<'r>,
        draft: Draft,
    ) -> Read {
        let draft = draft.detect(contents);
        let root = self.target(Place { contents, resolver, draft });
        while let Some(Left { id, place }) = self.left.pop() {
            let schema = self.schema(&place);
            if let Some(slot) = self.graph.nodes.get_mut(id.index()) {
                *slot = schema;
            }
        }
        self.settle();
        let schemas: BTreeMap<NodeId, *const Value> =
            self.known.iter().map(|((at, _), id)| (*id, *at)).collect();
        for id in circles(self.graph, schemas.keys().copied()) {
            if let Some(schema) = schemas.get(&id) {
                let message =
                    "refers to itself for the same value, so that judging it would never end"
                        .to_owned();
                self.found.push(Found { schema: *schema, below: String::new(), message });
            }
        }
        if self.options.closed {
            self.refuse_open_ends(&schemas);
        }
        Read { root, schemas, found: self.found }
    }

    /// Takes `unevaluatedProperties` and `unevaluatedItems` from the arbiter where what is evaluated is certain.
    fn settle(&mut self) {
        const UNEVALUATED: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];
        for id in self.known.values() {
            let schema = self.graph.get(*id);
            if !schema.rest.iter().any(|keyword| UNEVALUATED.contains(keyword)) {
                continue;
            }
            let beside = self.graph.certain(*id);
            if let Some((beside, schema)) = beside.zip(self.graph.nodes.get_mut(id.index())) {
                schema.beside = beside;
                schema.rest.retain(|keyword| !UNEVALUATED.contains(keyword));
            }
        }
    }

    /// A closed schema must know all that may declare a member.
    fn refuse_open_ends(&mut self, schemas: &BTreeMap<NodeId, *const Value>) {
        for (id, schema) in schemas {
            for keyword in &self.graph.get(*id).rest {
                if matches!(*keyword, "$dynamicRef" | "$recursiveRef" | "$schema") {
                    let message = format!("a closed schema cannot tell what {keyword} declares");
                    self.found.push(Found {
                        schema: *schema,
                        below: format!("/{keyword}"),
                        message,
                    });
                }
            }
        }
    }

    /// The node of a schema that a reference, or the caller, has found: checked against its meta-schema first.
    fn target(&mut self, place: Place<'r>) -> NodeId {
        if !self.valid.contains(&std::ptr::from_ref(place.contents)) {
            let missing = |uri: &str| self.missing.iter().any(|missing| missing.has(uri));
            for (below, message) in
                meta::faults(place.contents, place.draft, self.registry, missing)
            {
                self.found.push(Found { schema: place.contents, below, message });
            }
            meta::remember(place.contents, place.draft, &mut self.valid);
        }
        self.node(place)
    }

    fn node(&mut self, place: Place<'r>) -> NodeId {
        let key = (std::ptr::from_ref(place.contents), place.draft);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.graph.nodes.len()).unwrap_or(u32::MAX));
        self.graph.nodes.push(Schema::default());
        self.known.insert(key, id);
        self.left.push(Left { id, place });
        id
    }

    /// A schema within another one.
    fn child(&mut self, parent: &Place<'r>, contents: &'r Value) -> NodeId {
        let draft = parent.draft.detect(contents);
        let resource = draft.create_resource_ref(contents);
        let resolver = match resource.id() {
            Some(_) => parent.resolver.in_subresource(resource),
            None => Ok(parent.resolver.clone()),
        };
        match resolver {
            Ok(resolver) => self.node(Place { contents, resolver, draft }),
            Err(error) => {
                self.fault(contents, "", error.to_string());
                self.node(Place { contents, resolver: parent.resolver.clone(), draft })
            }
        }
    }

    fn fault(&mut self, schema: &Value, below: impl Into<String>, message: impl Into<String>) {
        self.found.push(Found { schema, below: below.into(), message: message.into() });
    }

    fn schema(&mut self, place: &Place<'r>) -> Schema {
        let mut schema = Schema::default();
        let members = match place.contents {
            Value::Bool(always) => {
                schema.always = Some(*always);
                return schema;
            }
            Value::Object(members) => members,
            // Its meta-schema has said so.
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => return schema,
        };
        let dialect = self.dialect(place, members, &mut schema);
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            schema.reference = self.follow(place, "$ref", reference);
            if dialect.ref_hides_siblings() {
                return schema;
            }
        }
        read_values(members, dialect, &mut schema);
        read_numbers(members, dialect, &mut schema);
        self.read_strings(place, members, dialect, &mut schema);
        self.read_items(place, members, dialect, &mut schema);
        self.read_members(place, members, dialect, &mut schema);
        self.read_choices(place, members, dialect, &mut schema);
        self.read_rest(place, members, dialect, &mut schema);
        schema
    }

    /// The draft that the schema is written in; of a meta-schema of its own, the draft that it extends.
    fn dialect(
        &mut self,
        place: &Place<'r>,
        members: &Map<String, Value>,
        schema: &mut Schema,
    ) -> Dialect {
        if let Some(dialect) = Dialect::of(place.draft) {
            return dialect;
        }
        schema.rest.push("$schema");
        if let Some(uri) = members.get("$schema").and_then(Value::as_str)
            && (!self.registry.contains_resource(uri.trim_end_matches('#')) || self.is_missing(uri))
        {
            self.fault(
                place.contents,
                "/$schema",
                format!("{uri:?} is no known meta-schema, and not registered"),
            );
        }
        Dialect::Draft202012
    }

    fn follow(&mut self, place: &Place<'r>, keyword: &str, reference: &str) -> Option<NodeId> {
        let target = reference.split('#').next().unwrap_or_default();
        let base = place.resolver.base_uri();
        let uri = place.resolver.resolve_uri(&base.borrow(), target);
        if let Ok(uri) = uri.as_ref()
            && self.is_missing(uri.as_str())
        {
            let message =
                format!("{:?} is not registered, and nothing is ever fetched", uri.as_str());
            self.fault(place.contents, format!("/{keyword}"), message);
            return None;
        }
        match place.resolver.lookup(reference) {
            Ok(resolved) => {
                let (contents, resolver, draft) = resolved.into_inner();
                let draft = draft.detect(contents);
                Some(self.target(Place { contents, resolver, draft }))
            }
            Err(referencing::Error::Unretrievable { uri, .. }) => {
                let message = format!("{uri:?} is not registered, and nothing is ever fetched");
                self.fault(place.contents, format!("/{keyword}"), message);
                None
            }
            Err(error) => {
                self.fault(
                    place.contents,
                    format!("/{keyword}"),
                    format!("{reference:?} leads nowhere: {error}"),
                );
                None
            }
        }
    }

    fn is_missing(&self, uri: &str) -> bool {
        self.missing.iter().any(|missing| missing.has(uri))
    }

    fn pattern(
        &mut self,
        schema: &Value,
        below: String,
        (source, of_names): (&str, bool),
    ) -> Option<Arc<Pattern>> {
        let key = (source.to_owned(), of_names);
        if let Some(pattern) = self.patterns.get(&key) {
            return Some(Arc::clone(pattern));
        }
        let compile = if of_names { Pattern::compile_for_names } else { Pattern::compile };
        match compile(source) {
            Ok(pattern) => {
                let pattern = Arc::new(pattern);
                self.patterns.insert(key, Arc::clone(&pattern));
                Some(pattern)
            }
            Err(message) => {
                self.fault(schema, below, message);
                None
            }
        }
    }

    fn read_strings(
        &mut self,
        place: &Place<'r>,
        members: &'r Map<String, Value>,
        dialect: Dialect,
        schema: &mut Schema,
    ) {
        schema.length = counts(members, "minLength", "maxLength");
        if let Some(source) = members.get("pattern").and_then(Value::as_str) {
            schema.pattern = self.pattern(place.contents, "/pattern".to_owned(), (source, false));
        }
        let Some(name) = members.get("format").and_then(Value::as_str) else { return };
        if !self.options.formats.asserted {
            return;
        }
        match self.formats.meaning(name, dialect, &self.options.formats) {
            Ok(Meaning::Check(check)) => schema.format = Some(check),
            Ok(Meaning::Annotation) => {}
            Ok(Meaning::Unknown) => {
                let message = format!(
                    "{name:?} is no known format; name it in `formats` to say what it means"
                );
                self.fault(place.contents, "/format", message);
            }
            Err(message) => {
                self.fault(place.contents, "/format", format!("the format's pattern: {message}"));
            }
        }
    }

    fn read_items(
        &mut self,
        place: &Place<'r>,
        members: &'r Map<String, Value>,
        dialect: Dialect,
        schema: &mut Schema,
    ) {
        schema.item_count = counts(members, "minItems", "maxItems");
        schema.unique = members.get("uniqueItems") == Some(&Value::Bool(true));
        let list = if dialect >= Dialect::Draft202012 { "prefixItems" } else { "items" };
        let rest = match (members.get(list), dialect >= Dialect::Draft202012) {
            (Some(Value::Array(prefix)), newest) => {
                schema.prefix = prefix.iter().map(|item| self.child(place, item)).collect();
                if newest { "items" } else { "additionalItems" }
            }
            _ => "items",
        };
        schema.items = members.get(rest).map(|items| self.child(place, items));
        schema.items_keyword = rest;
        if dialect < Dialect::Draft6 {
            return;
        }
        if let Some(contents) = members.get("contains") {
            let counted = dialect >= Dialect::Draft201909;
            let count = |name| members.get(name).filter(|_| counted).and_then(count);
            let (least, most) = (count("minContains").unwrap_or(1), count("maxContains"));
            schema.contains = Some(Contains { schema: self.child(place, contents), least, most });
        }
    }

    fn read_members(
        &mut self,
        place: &Place<'r>,
        members: &'r Map<String, Value>,
        dialect: Dialect,
        schema: &mut Schema,
    ) {
        schema.member_count = counts(members, "minProperties", "maxProperties");
        schema.describes_members = DESCRIBING.iter().any(|keyword| members.contains_key(*keyword))
            || schema.types.is_some_and(|types| types.has(Types::OBJECT));
        schema.properties = self.named(place, members.get("properties"));
        schema.by_name = schema.properties.iter().cloned().collect();
        if let Some(Value::Object(patterns)) = members.get("patternProperties") {
            for (source, contents) in patterns {
                let id = self.child(place, contents);
                let below = format!("/patternProperties/{}", escape(source));
                if let Some(pattern) = self.pattern(place.contents, below, (source, true)) {
                    schema.patterns.push((pattern, id));
                }
            }
        }
        schema.additional =
            members.get("additionalProperties").map(|contents| self.child(place, contents));
        schema.required = strings(members.get("required"));
        if dialect >= Dialect::Draft6 {
            schema.names = members.get("propertyNames").map(|contents| self.child(place, contents));
        }
        if dialect >= Dialect::Draft201909 {
            if let Some(Value::Object(needs)) = members.get("dependentRequired") {
                schema.needs =
                    needs.iter().map(|(name, list)| (name.clone(), strings(Some(list)))).collect();
            }
            schema.implies = self.named(place, members.get("dependentSchemas"));
        }
        if let Some(Value::Object(dependencies)) = members.get("dependencies") {
            for (name, dependency) in dependencies {
                if dependency.is_array() {
                    schema.needs.push((name.clone(), strings(Some(dependency))));
                } else {
                    schema.implies.push((name.clone(), self.child(place, dependency)));
                }
            }
        }
    }

    fn read_choices(
        &mut self,
        place: &Place<'r>,
        members: &'r Map<String, Value>,
        dialect: Dialect,
        schema: &mut Schema,
    ) {
        schema.all_of = self.listed(place, members.get("allOf"));
        schema.any_of = self.listed(place, members.get("anyOf"));
        schema.one_of = self.listed(place, members.get("oneOf"));
        schema.not = members.get("not").map(|contents| self.child(place, contents));
        if dialect >= Dialect::Draft7
            && let Some(test) = members.get("if")
        {
            let test = self.child(place, test);
            let mut branch = |name| members.get(name).map(|contents| self.child(place, contents));
            let (then, otherwise) = (branch("then"), branch("else"));
            schema.condition = Some(Condition { test, then, otherwise });
        }
    }

    /// Keywords that the graph names and does not say more about.
    fn read_rest(
        &mut self,
        place: &Place<'r>,
        members: &'r Map<String, Value>,
        dialect: Dialect,
        schema: &mut Schema,
    ) {
        let rest: &[&'static str] = match dialect {
            Dialect::Draft4 => &[],
            Dialect::Draft6 | Dialect::Draft7 => &["contentEncoding", "contentMediaType"],
            Dialect::Draft201909 => &["unevaluatedItems", "unevaluatedProperties", "$recursiveRef"],
            Dialect::Draft202012 => &["unevaluatedItems", "unevaluatedProperties", "$dynamicRef"],
        };
        for keyword in rest.iter().filter(|keyword| members.contains_key(**keyword)) {
            let Some(value) = members.get(*keyword) else { continue };
            if let ("$recursiveRef" | "$dynamicRef", Some(reference)) = (*keyword, value.as_str())
                && self.anchors.settle(place.resolver.base_uri().as_str(), reference)
            {
                // It leads wherever it is read from to the same schema, as `$ref` does.
                schema.all_of.extend(self.follow(place, keyword, reference));
                continue;
            }
            schema.rest.push(keyword);
            match (*keyword, value.as_str()) {
                ("$recursiveRef" | "$dynamicRef", Some(reference)) => {
                    schema.rest_in_place.extend(self.follow(place, keyword, reference));
                }
                ("unevaluatedItems", _) => {
                    schema.unevaluated_items = Some(self.child(place, value));
                }
                ("unevaluatedProperties", _) => {
                    schema.unevaluated_members = Some(self.child(place, value));
                }
                _ => {}
            }
        }
    }

    fn listed(&mut self, place: &Place<'r>, list: Option<&'r Value>) -> Vec<NodeId> {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.map(|contents| self.child(place, contents)).collect()
    }

    fn named(&mut self, place: &Place<'r>, map: Option<&'r Value>) -> Vec<(String, NodeId)> {
        let map = map.and_then(Value::as_object).into_iter().flatten();
        map.map(|(name, contents)| (name.clone(), self.child(place, contents))).collect()
    }
}

/// Nodes that apply to a value because they apply to it.
fn circles(graph: &Graph, nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut state: HashMap<NodeId, bool> = HashMap::new();
    let mut found = Vec::new();
    for start in nodes {
        let mut open = vec![(start, false)];
        while let Some((id, left)) = open.pop() {
            match (state.get(&id), left) {
                (_, true) => {
                    state.insert(id, true);
                }
                (None, false) => {
                    state.insert(id, false);
                    open.push((id, true));
                    open.extend(graph.get(id).in_place_always().map(|id| (id, false)));
                }
                (Some(false), false) => found.push(id),
                (Some(true), false) => {}
            }
        }
    }
    found
}

/// Keywords that only make sense for objects: a schema that has one speaks about members.
const DESCRIBING: &[&str] = &[
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "required",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
];

fn read_values(members: &Map<String, Value>, dialect: Dialect, schema: &mut Schema) {
    let mut types = 0;
    let names: &[Value] = match members.get("type") {
        Some(Value::Array(names)) => names,
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    for name in names {
        types |= match name.as_str() {
            Some("null") => Types::NULL,
            Some("boolean") => Types::BOOL,
            Some("integer") if dialect == Dialect::Draft4 => Types::WRITTEN,
            Some("integer") => Types::INTEGER,
            Some("number") => Types::NUMBER,
            Some("string") => Types::STRING,
            Some("array") => Types::ARRAY,
            Some("object") => Types::OBJECT,
            _ => 0,
        };
    }
    schema.types = members.contains_key("type").then_some(Types(types));
    let options = members.get("enum").and_then(Value::as_array);
    schema.options = options.map(|values| Arc::new(Listed::new(values.clone())));
    if dialect >= Dialect::Draft6 {
        schema.constant = members.get("const").cloned();
    }
}

fn read_numbers(members: &Map<String, Value>, dialect: Dialect, schema: &mut Schema) {
    let limit = |name| match members.get(name) {
        Some(Value::Number(number)) => Some(number.as_str().to_owned()),
        _ => None,
    };
    let flag = |name| members.get(name) == Some(&Value::Bool(true));
    let mut add =
        |bound, limit: Option<String>| schema.bounds.extend(limit.map(|limit| (bound, limit)));
    if dialect == Dialect::Draft4 {
        let exclusive = |name, then, otherwise| if flag(name) { then } else { otherwise };
        add(
            exclusive("exclusiveMinimum", Bound::ExclusiveMinimum, Bound::Minimum),
            limit("minimum"),
        );
        add(
            exclusive("exclusiveMaximum", Bound::ExclusiveMaximum, Bound::Maximum),
            limit("maximum"),
        );
    } else {
        add(Bound::Minimum, limit("minimum"));
        add(Bound::Maximum, limit("maximum"));
        add(Bound::ExclusiveMinimum, limit("exclusiveMinimum"));
        add(Bound::ExclusiveMaximum, limit("exclusiveMaximum"));
    }
    schema.multiple_of = limit("multipleOf").map(|divisor| Arc::new(Divisor::new(&divisor)));
}

fn counts(members: &Map<String, Value>, least: &str, most: &str) -> Counts {
    Counts { least: members.get(least).and_then(count), most: members.get(most).and_then(count) }
}

/// A count, which a schema may write as `2.0`; more than can be counted is the most that can.
fn count(value: &Value) -> Option<u64> {
    let Value::Number(number) = value else { return None };
    if let Some(count) = number.as_u64() {
        return Some(count);
    }
    let exact = Decimal::parse(number.as_str());
    if !exact.is_integer() || exact < Decimal::parse("0") {
        return None;
    }
    if exact > Decimal::parse("18446744073709551615") {
        return Some(u64::MAX);
    }
    spelled(number.as_str())
}

/// An integer below 2^64 that is written with a fraction of zeros or an exponent.
fn spelled(text: &str) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let shift = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let value = match u32::try_from(shift) {
        Ok(shift) => digits.checked_mul(10_u128.checked_pow(shift)?)?,
        Err(_) => digits.checked_div(10_u128.checked_pow(u32::try_from(-shift).ok()?)?)?,
    };
    u64::try_from(value).ok()
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
