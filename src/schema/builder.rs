//! Collects schemas and compiles them: finds their faults, and where these are.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;
use std::sync::Arc;

use referencing::Registry;
use serde_json::Value as Serde;

use super::arbiter::{Arbiter, Reach};
use super::dialect::Dialect;
use super::graph::Graph;
use super::resources::{Anchors, Missing, Prepared, encoded, find, rebased};
use super::set::{Compiled, Set};
use super::survey::{Found, Read, Survey};
use super::{CompileError, Options, SchemaId, formats, stack};

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
    verify: Option<NonZeroU64>,
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

    /// Has one of so many values judged again by the arbiter, accepted or not; none by default. Should it not agree, the
    /// value is refused and counted by [`Set::differences`].
    pub fn verify(&mut self, one_of: NonZeroU64) {
        self.verify = Some(one_of);
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
        stack::compiling(|| self.add_here(schema, base, options))
    }

    fn add_here(
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
        Ok(stack::compiling(|| Set::new(self.graph, self.compiled, self.verify)))
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
        let anchors = Anchors::of(self.resources.iter().map(|(_, d)| d).chain([schema]));
        let survey = Survey::new(
            &registry,
            [&prepared.missing, &missing],
            &mut self.graph,
            &mut self.formats,
            options,
        )
        .with(anchors);
        let read = survey.read(schema, resolver, draft);
        if !read.found.is_empty() {
            return Err(self.located(&read.found, &registry, Some(schema), at));
        }
        self.judge_rest(&read, &registry, Some((&base, schema)), options)
            .map_err(|m| vec![at_root(at, m)])?;
        let reach = Reach::of(&self.graph, read.root).map_err(|m| vec![at_root(at, m)])?;
        let arbiter = Arbiter::compile(schema, &prepared.registry, options, reach)
            .map_err(|error| vec![at_root(at, error.masked().to_string())])?;
        Ok(self.push(&read, arbiter, options))
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
        let anchors = Anchors::of(self.resources.iter().map(|(_, document)| document));
        let survey = Survey::new(
            registry,
            [&prepared.missing, &missing],
            &mut self.graph,
            &mut self.formats,
            options,
        )
        .with(anchors);
        let read = survey.read(contents, resolver, draft);
        if !read.found.is_empty() {
            let mut errors = self.located(&read.found, registry, None, at);
            // Pointers into the base resource need not name it.
            let own = format!(" (in {uri:?})");
            for error in &mut errors {
                error.message.truncate(error.message.trim_end_matches(&own).len());
            }
            return Err(errors);
        }
        self.judge_rest(&read, registry, None, options).map_err(|m| vec![at_root(at, m)])?;
        let reach = Reach::of(&self.graph, read.root).map_err(|m| vec![at_root(at, m)])?;
        let arbiter = Arbiter::refer(&reference, registry, options, reach)
            .map_err(|error| vec![at_root(at, error.masked().to_string())])?;
        Ok(self.push(&read, arbiter, options))
    }

    fn push(&mut self, read: &Read, arbiter: Arbiter, options: &Options) -> SchemaId {
        let id = SchemaId(u32::try_from(self.compiled.len()).unwrap_or(u32::MAX));
        let covered = read.schemas.keys().all(|id| self.graph.get(*id).rest.is_empty());
        self.compiled.push(Compiled {
            arbiter,
            root: read.root,
            closed: options.closed,
            covered,
            entry: None,
        });
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

    /// Gives the arbiter those schemas of a closed one that the graph alone cannot judge: which branch a value follows
    /// may depend on them.
    fn judge_rest(
        &mut self,
        read: &Read,
        registry: &Registry<'_>,
        own: Option<(&str, &Serde)>,
        options: &Options,
    ) -> Result<(), String> {
        if !options.closed {
            return Ok(());
        }
        let rest: Vec<_> =
            read.schemas.iter().filter(|(id, _)| !self.graph.get(**id).rest.is_empty()).collect();
        let wanted = rest.iter().map(|(_, schema)| **schema).collect();
        let places = self.places(&wanted, registry, own);
        let mut arbiters = Vec::new();
        for (id, schema) in rest {
            let unknown =
                || "a schema that cannot be closed: it is in no registered resource".to_owned();
            let (uri, pointer) = places.get(schema).ok_or_else(unknown)?;
            let reference = format!("{uri}#{}", encoded(pointer));
            let reach = Reach::of(&self.graph, *id)?;
            let arbiter = Arbiter::refer(&reference, registry, options, reach);
            let arbiter = arbiter.map_err(|error| error.masked().to_string())?;
            arbiters.push((*id, Arc::new(arbiter)));
        }
        for (id, arbiter) in arbiters {
            if let Some(node) = self.graph.nodes.get_mut(id.index()) {
                node.arbiter = Some(arbiter);
            }
        }
        Ok(())
    }

    /// Where values are: the URI of the resource, and the pointer in it.
    fn places<'d>(
        &'d self,
        wanted: &BTreeSet<*const Serde>,
        registry: &Registry<'_>,
        own: Option<(&'d str, &Serde)>,
    ) -> HashMap<*const Serde, (&'d str, String)> {
        let mut places = HashMap::new();
        if wanted.is_empty() {
            return places;
        }
        if let Some((uri, document)) = own {
            find(document, uri, wanted, &mut places);
        }
        for (uri, _) in &self.resources {
            let resolved =
                referencing::uri::from_str(uri).and_then(|base| registry.resolver(base).lookup(""));
            if let Ok(resolved) = resolved {
                find(resolved.contents(), uri, wanted, &mut places);
            }
        }
        places
    }

    /// Faults with their pointers, in the order of the documents.
    fn located(
        &self,
        found: &[Found],
        registry: &Registry<'_>,
        own: Option<&Serde>,
        at: &str,
    ) -> Vec<CompileError> {
        let wanted = found.iter().map(|fault| fault.schema).collect();
        let places = self.places(&wanted, registry, own.map(|document| ("", document)));
        let mut errors: Vec<CompileError> = Vec::new();
        for fault in found {
            let (pointer, message) = match places.get(&fault.schema) {
                Some(("", pointer)) => {
                    (format!("{at}{pointer}{}", fault.below), fault.message.clone())
                }
                Some((uri, pointer)) => {
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
