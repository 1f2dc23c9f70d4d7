//! A JSON Schema compiled once; bytes or documents judged against it (being built).

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json::{self, Document, Limits, Tape, Value};

/// A draft of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Draft 4.
    Draft4,
    /// Draft 6.
    Draft6,
    /// Draft 7.
    Draft7,
    /// 2019-09.
    Draft201909,
    /// 2020-12.
    Draft202012,
}

impl Dialect {
    /// Reads `draft4`, `draft6`, `draft7`, `2019-09`, `2020-12`.
    pub fn from_name(_name: &str) -> Option<Self> {
        todo!()
    }
}

/// What a format of the policy's own means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatRule {
    /// Known, and not asserted.
    Any,
    /// Strings match this pattern.
    Pattern(String),
}

/// Which formats are asserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats {
    /// Whether the standard ones are, and unknown ones are compile errors.
    pub asserted: bool,
    /// The policy's own, by name.
    pub custom: BTreeMap<String, FormatRule>,
}

impl Default for Formats {
    fn default() -> Self {
        Self { asserted: true, custom: BTreeMap::new() }
    }
}

/// How a schema is compiled.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For schemas without `$schema`; 2020-12 when not given.
    pub dialect: Option<Dialect>,
    /// Refuse members that are not declared.
    pub closed: bool,
    /// Formats.
    pub formats: Formats,
}

/// A fault of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// Pointer into the schema (or, for a `base`, into that resource).
    pub pointer: String,
    /// What is wrong. For the schema's author: may name what the schema says.
    pub message: String,
}

/// A compiled schema of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SchemaId(u32);

/// Why bytes are refused.
#[derive(Debug)]
pub enum Fault {
    /// No strict JSON.
    Json(json::Error),
    /// Not what the schema says: the first violation.
    Schema(Box<Violation>),
}

/// One way in which a value violates its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// RFC 6901 pointer to the value; may name members that the sender invented.
    pub pointer: String,
    /// The same, cut after the last member that the schema declares: safe to show to anybody.
    pub declared: String,
    /// The schema's keyword.
    pub keyword: &'static str,
    /// Stable, for programs: `schema.` and the keyword in snake case.
    pub code: &'static str,
    /// For people; repeats nothing submitted and no enum, const or pattern.
    pub message: String,
}

/// Collects the schemas of an application.
#[derive(Debug, Default)]
pub struct SetBuilder {}

impl SetBuilder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
    /// A document that `$ref`s may name by its URI. Nothing is ever fetched.
    pub fn resource(&mut self, _uri: &str, _document: serde_json::Value) {
        todo!()
    }
    /// Compiles a schema. With `base`, the schema is the value at `base`'s fragment pointer inside a resource
    /// (`openapi:/#/paths/~1a/get/…/schema`), and `schema` is ignored for `None`... see the contract.
    pub fn add(
        &mut self,
        _schema: &serde_json::Value,
        _base: Option<&str>,
        _options: &Options,
    ) -> Result<SchemaId, Vec<CompileError>> {
        todo!()
    }
    /// The set; judges from now on.
    pub fn build(self) -> Result<Set, Vec<CompileError>> {
        todo!()
    }
}

/// The compiled schemas of an application. Never changes.
#[derive(Debug)]
pub struct Set {}

#[expect(clippy::unused_self, reason = "being built")]
impl Set {
    /// Parses strictly and judges in one go: the document, or the first fault.
    pub fn judge<'t>(
        &self,
        _id: SchemaId,
        _text: Cow<'t, [u8]>,
        _limits: &Limits,
        _reuse: Tape,
    ) -> Result<Document<'t>, Fault> {
        todo!()
    }
    /// Judges a value: the first violation.
    pub fn judge_value(&self, _id: SchemaId, _value: Value<'_>) -> Result<(), Violation> {
        todo!()
    }
    /// All violations, up to `limit`.
    pub fn violations(&self, _id: SchemaId, _value: Value<'_>, _limit: usize) -> Vec<Violation> {
        todo!()
    }
}
