//! The builder of a set of schemas, and the set.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use referencing::{Registry, Retrieve, Uri};
use serde_json::{Value as Serde, json};

use super::arbiter::{self, Arbiter};
use super::dialect::Dialect;
use super::graph::{Graph, NodeId};
use super::survey::{Found, Survey};
use super::{CompileError, Fault, Options, SchemaId, Violation, declared, formats};
use crate::json::{self, Document, Limits, Tape, Value};

/// The base of a schema that names none; the crate's own default.
const NO_BASE: &str = "json-schema:///";

/// Collects the schemas of an application.
#[derive(Debug, Default)]
pub struct SetBuilder {
    resources: Vec<(String, Serde)>,
    prepared: HashMap<Dialect, Arc<Prepared>>,
    formats: formats::Registry,
    graph: Graph,
    compiled: Vec<Compiled>,
    same: HashMap<String, SchemaId>,
}

/// The resources, indexed under a draft.
#[derive(Debug)]
struct Prepared {
    registry: Registry<'static>,
    missing: Missing,
}

#[derive(Debug)]
struct Compiled {
    arbiter: Arbiter,
    root: NodeId,
}

impl SetBuilder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A document that `$ref`s may name by its URI. Nothing is ever fetched: what is not given here does not exist.
    pub fn resource(&mut self, uri: &str, document: Serde) {
        self.resources.push((uri.trim_end_matches('#').to_owned(), document));
        self.prepared.clear();
    }

    /// Compiles a schema; the same schema is compiled once.
    ///
    /// Without `base` the schema is a document of its own. With `base`, the URI of a resource and a pointer as its
    /// fragment (`openapi:/document#/paths/~1a/get/…/schema`), it stands at that place: its references are relative to
    /// that resource, and its faults are told by pointers into that resource. It need not be the value that is there:
    /// what a compiler of policies has changed in it counts.
    pub fn add(
        &mut self,
        schema: &Serde,
        base: Option<&str>,
        options: &Options,
    ) -> Result<SchemaId, Vec<CompileError>> {
        let (uri, pointer) = base.map_or((None, ""), |base| match base.split_once('#') {
            Some((uri, pointer)) => (Some(uri), pointer),
            None => (Some(base), ""),
        });
        let key = format!("{uri:?} {options:?} {schema}");
        if let Some(id) = self.same.get(&key) {
            return Ok(*id);
        }
        let id = match uri {
            None => self.compile(schema, "", options),
            Some(uri) => {
                let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
                let there = self.resources.iter().find(|(other, _)| other == uri);
                match there.and_then(|(_, document)| document.pointer(&pointer)) {
                    Some(value) if value == schema => self.compile_there(uri, &pointer, options),
                    _ => self.compile(&rebased(schema, uri, false), &pointer, options),
                }
            }
        }?;
        self.same.insert(key, id);
        Ok(id)
    }

    /// The set; judges from now on.
    pub fn build(self) -> Result<Set, Vec<CompileError>> {
        Ok(Set { graph: self.graph, compiled: self.compiled })
    }

    /// Compiles a document of its own; its faults are told by pointers below `at`.
    fn compile(
        &mut self,
        schema: &Serde,
        at: &str,
        options: &Options,
    ) -> Result<SchemaId, Vec<CompileError>> {
        let dialect = options.dialect.unwrap_or(Dialect::Draft202012);
        let prepared = self.prepare(dialect)?;
        let draft = dialect.draft().detect(schema);
        let resource = draft.create_resource_ref(schema);
        let base = resource.id().unwrap_or(NO_BASE).to_owned();
        let fault = |error: referencing::Error| vec![at_root(at, error.to_string())];
        let missing = Missing::default();
        let registry = prepared.registry.add(&base, resource).map_err(fault)?;
        let registry = registry.retriever(missing.clone()).draft(draft).prepare().map_err(fault)?;
        let resolver = registry.resolver(referencing::uri::from_str(&base).map_err(fault)?);
        let survey = Survey::new(
            &registry,
            [&prepared.missing, &missing],
            &mut self.graph,
            &mut self.formats,
            options,
        );
        let (root, found) = survey.read(schema, resolver, draft);
        if !found.is_empty() {
            return Err(self.located(&found, &registry, Some(schema), at));
        }
        let height = arbiter::height(&self.graph, root);
        let arbiter = Arbiter::compile(schema, &prepared.registry, options, height)
            .map_err(|error| vec![at_root(at, error.masked().to_string())])?;
        Ok(self.push(Compiled { arbiter, root }))
    }

    /// Compiles a value that stands in a resource.
    fn compile_there(
        &mut self,
        uri: &str,
        at: &str,
        options: &Options,
    ) -> Result<SchemaId, Vec<CompileError>> {
        let dialect = options.dialect.unwrap_or(Dialect::Draft202012);
        let prepared = self.prepare(dialect)?;
        let fault = |error: referencing::Error| vec![at_root(at, error.to_string())];
        let reference = format!("{uri}#{}", encoded(at));
        let resolver = prepared.registry.resolver(referencing::uri::from_str(uri).map_err(fault)?);
        let resolved = resolver.lookup(&reference).map_err(fault)?;
        let (contents, resolver, draft) = resolved.into_inner();
        let missing = Missing::default();
        let registry = &prepared.registry;
        let survey = Survey::new(
            registry,
            [&prepared.missing, &missing],
            &mut self.graph,
            &mut self.formats,
            options,
        );
        let (root, found) = survey.read(contents, resolver, draft);
        if !found.is_empty() {
            let mut errors = self.located(&found, registry, None, at);
            // Pointers into the base resource need not name it.
            let own = format!(" (in {uri:?})");
            for error in &mut errors {
                error.message.truncate(error.message.trim_end_matches(&own).len());
            }
            return Err(errors);
        }
        let height = arbiter::height(&self.graph, root);
        let arbiter = Arbiter::compile(&json!({ "$ref": reference }), registry, options, height)
            .map_err(|error| vec![at_root(at, error.masked().to_string())])?;
        Ok(self.push(Compiled { arbiter, root }))
    }

    fn push(&mut self, compiled: Compiled) -> SchemaId {
        let id = SchemaId(u32::try_from(self.compiled.len()).unwrap_or(u32::MAX));
        self.compiled.push(compiled);
        id
    }

    fn prepare(&mut self, dialect: Dialect) -> Result<Arc<Prepared>, Vec<CompileError>> {
        if let Some(prepared) = self.prepared.get(&dialect) {
            return Ok(Arc::clone(prepared));
        }
        let missing = Missing::default();
        let mut builder = Registry::new().retriever(missing.clone()).draft(dialect.draft());
        for (uri, document) in &self.resources {
            // A resource is of the draft that it names, whatever the schema is that refers to it.
            let added = builder
                .add(uri, dialect.draft().detect(document).create_resource(document.clone()));
            builder = added
                .map_err(|error| vec![at_root("", format!("the resource {uri:?}: {error}"))])?;
        }
        let registry = builder.prepare();
        let registry =
            registry.map_err(|error| vec![at_root("", format!("the resources: {error}"))])?;
        let prepared = Arc::new(Prepared { registry, missing });
        self.prepared.insert(dialect, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Faults with their pointers, in the order of the documents.
    fn located(
        &self,
        found: &[Found],
        registry: &Registry<'_>,
        own: Option<&Serde>,
        at: &str,
    ) -> Vec<CompileError> {
        let wanted: BTreeSet<_> = found.iter().map(|fault| fault.schema).collect();
        let mut places = HashMap::new();
        if let Some(document) = own {
            find(document, None, &wanted, &mut places);
        }
        for (uri, _) in &self.resources {
            let resolved =
                referencing::uri::from_str(uri).and_then(|base| registry.resolver(base).lookup(""));
            if let Ok(resolved) = resolved {
                find(resolved.contents(), Some(uri), &wanted, &mut places);
            }
        }
        let mut errors: Vec<CompileError> = Vec::new();
        for fault in found {
            let (pointer, message) = match places.get(&fault.schema) {
                Some((None, pointer)) => {
                    (format!("{at}{pointer}{}", fault.below), fault.message.clone())
                }
                Some((Some(uri), pointer)) => {
                    (format!("{pointer}{}", fault.below), format!("{} (in {uri:?})", fault.message))
                }
                None => (at.to_owned(), fault.message.clone()),
            };
            let error = CompileError { pointer, message };
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        errors
    }
}

fn at_root(pointer: &str, message: String) -> CompileError {
    CompileError { pointer: pointer.to_owned(), message }
}

/// Where values are, by their addresses: which document, and the pointer in it.
fn find<'d>(
    document: &Serde,
    uri: Option<&'d str>,
    wanted: &BTreeSet<*const Serde>,
    places: &mut HashMap<*const Serde, (Option<&'d str>, String)>,
) {
    let mut left = vec![(document, String::new())];
    while let Some((value, pointer)) = left.pop() {
        if wanted.contains(&std::ptr::from_ref(value)) {
            places.insert(value, (uri, pointer.clone()));
        }
        let below = |token: &str| {
            let mut below = pointer.clone();
            json::pointer::push(&mut below, token);
            below
        };
        match value {
            Serde::Object(members) => {
                left.extend(members.iter().map(|(name, member)| (member, below(name))))
            }
            Serde::Array(items) => {
                left.extend(
                    items.iter().enumerate().map(|(n, item)| (item, below(&n.to_string()))),
                );
            }
            _ => {}
        }
    }
}

/// A copy whose local references lead into a resource.
fn rebased(schema: &Serde, uri: &str, names: bool) -> Serde {
    /// Members that hold data.
    const DATA: &[&str] = &["enum", "const", "default", "example", "examples"];
    /// Members whose members are named by the author.
    const NAMED: &[&str] = &[
        "properties",
        "patternProperties",
        "dependentSchemas",
        "dependencies",
        "$defs",
        "definitions",
    ];
    match schema {
        Serde::Object(members) => {
            let copied = members.iter().map(|(name, member)| {
                let copy = match member {
                    Serde::String(reference)
                        if !names && name == "$ref" && reference.starts_with('#') =>
                    {
                        Serde::from(format!("{uri}{reference}"))
                    }
                    _ if !names && DATA.contains(&name.as_str()) => member.clone(),
                    _ => rebased(member, uri, !names && NAMED.contains(&name.as_str())),
                };
                (name.clone(), copy)
            });
            Serde::Object(copied.collect())
        }
        Serde::Array(items) => items.iter().map(|item| rebased(item, uri, false)).collect(),
        _ => schema.clone(),
    }
}

/// A pointer as a URI's fragment.
fn encoded(pointer: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    /// All that RFC 3986 does not allow in a fragment, and the percent sign.
    const ESCAPED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(pointer, ESCAPED).to_string()
}

/// What references asked for and nobody has given: stands in for fetching. Each becomes the schema `false`, which no
/// value follows, and the survey refuses whatever refers to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Missing(Arc<Mutex<BTreeSet<String>>>);

impl Missing {
    pub(super) fn has(&self, uri: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uri.trim_end_matches('#'))
    }
}

impl Retrieve for Missing {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Serde, Box<dyn std::error::Error + Send + Sync>> {
        let mut uris = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uris.insert(uri.as_str().trim_end_matches('#').to_owned());
        Ok(Serde::Bool(false))
    }
}

/// The compiled schemas of an application. Never changes.
#[derive(Debug)]
pub struct Set {
    graph: Graph,
    compiled: Vec<Compiled>,
}

impl Set {
    /// Parses strictly and judges in one go: the document, or the first fault.
    pub fn judge<'t>(
        &self,
        id: SchemaId,
        text: Cow<'t, [u8]>,
        limits: &Limits,
        reuse: Tape,
    ) -> Result<Document<'t>, Fault> {
        let document = json::parse(text, limits, reuse).map_err(Fault::Json)?;
        match self.judge_value(id, document.root()) {
            Ok(()) => Ok(document),
            Err(violation) => Err(Fault::Schema(Box::new(violation))),
        }
    }

    /// Judges a value: the first violation.
    pub fn judge_value(&self, id: SchemaId, value: Value<'_>) -> Result<(), Violation> {
        let Some(compiled) = self.compiled(id) else { return Err(unknown()) };
        match compiled.arbiter.is_valid(value) {
            Some(true) => Ok(()),
            Some(false) => Err(self.first(compiled, value)),
            None => Err(too_deep()),
        }
    }

    /// All violations, up to `limit`.
    pub fn violations(&self, id: SchemaId, value: Value<'_>, limit: usize) -> Vec<Violation> {
        let Some(compiled) = self.compiled(id) else { return vec![unknown()] };
        let tell = |error: &jsonschema::ValidationError<'_>| {
            let declared =
                declared::cut(&self.graph, compiled.root, value, error.instance_path().as_str());
            Violation::of(error, declared)
        };
        compiled.arbiter.violations(value, limit, tell).unwrap_or_else(|| vec![too_deep()])
    }

    fn first(&self, compiled: &Compiled, value: Value<'_>) -> Violation {
        let tell = |error: &jsonschema::ValidationError<'_>| {
            let declared =
                declared::cut(&self.graph, compiled.root, value, error.instance_path().as_str());
            Violation::of(error, declared)
        };
        compiled.arbiter.first(value, tell).flatten().unwrap_or_else(unknown)
    }

    fn compiled(&self, id: SchemaId) -> Option<&Compiled> {
        self.compiled.get(usize::try_from(id.0).unwrap_or(usize::MAX))
    }
}

/// For an id of another set, or an answer that cannot be: refused.
fn unknown() -> Violation {
    Violation::new("schema", String::new(), String::new(), None)
}

fn too_deep() -> Violation {
    Violation::new("depth", String::new(), String::new(), None)
}
