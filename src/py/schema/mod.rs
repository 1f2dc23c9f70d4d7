//! `secval.Schema` and `secval.Violation`.

#[cfg(secval_cpython)]
mod quick;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyString};

#[cfg(secval_cpython)]
use super::objects::{Shared, direct};
#[cfg(secval_cpython)]
use super::text::lets_go;
use super::text::{Text, Unchanging, octets, work_on};
use super::{errors, objects, values};
use crate::json::{self, Document, Error, Tape};
use crate::schema::{
    self, Dialect, FormatRule, Formats, Options, SchemaId, Set, SetBuilder, Unmade,
};

#[cfg(secval_cpython)]
pub(super) use quick::install;

/// Violations that `validate` and `loads` report at most.
const REPORTED: usize = 100;

/// One way in which a value violates its schema.
///
/// Attributes:
///     pointer: RFC 6901 pointer to the value. It may name members that the sender invented.
///     keyword: The schema's keyword, or `json` for a text that is malformed.
///     code: Stable, for programs.
///     message: For people; repeats no submitted value and nothing that the schema keeps to itself.
#[pyclass(frozen, eq, hash, get_all, module = "secval._core")]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Violation {
    pointer: String,
    keyword: String,
    code: String,
    message: String,
}

#[pymethods]
impl Violation {
    #[new]
    fn new(pointer: String, keyword: String, code: String, message: String) -> Self {
        Self { pointer, keyword, code, message }
    }

    fn __getnewargs__(&self) -> (&str, &str, &str, &str) {
        (&self.pointer, &self.keyword, &self.code, &self.message)
    }

    fn __repr__(&self) -> String {
        format!(
            "Violation(keyword={:?}, code={:?}, message={:?})",
            self.keyword, self.code, self.message
        )
    }
}

impl Violation {
    /// Of a value that stands alone, and so has no pointer.
    pub(super) fn plain(keyword: &str, code: &str, message: &str) -> Self {
        Self::new(String::new(), keyword.to_owned(), code.to_owned(), message.to_owned())
    }
}

impl From<schema::Violation> for Violation {
    fn from(violation: schema::Violation) -> Self {
        let schema::Violation { pointer, keyword, code, message, .. } = violation;
        Self { pointer, keyword: keyword.into(), code: code.into(), message }
    }
}

/// A malformed text, as a violation.
fn malformed(error: Error) -> Violation {
    let (reason, offset) = (error.reason(), error.offset());
    let message = format!("{} (byte {offset})", reason.title());
    Violation::new(String::new(), "json".to_owned(), reason.code().to_owned(), message)
}

/// A value that JSON cannot say, as a violation.
fn unsayable(error: Error, place: json::Place) -> Violation {
    let reason = error.reason();
    let (code, message) = (reason.code().to_owned(), reason.title().to_owned());
    Violation::new(place.pointer, "json".to_owned(), code, message)
}

/// A JSON Schema, compiled once: draft 4, 6, 7, 2019-09 or 2020-12.
///
/// Nothing is ever fetched; patterns run in linear time; formats are asserted, and an unknown format is an
/// error. Bytes-like data are JSON text, read strictly with the default `Limits`; anything else, `str` too, is
/// a value judged as it is.
///
/// Args:
///     schema: A mapping, a bool, or JSON text.
///     dialect: For a schema without `$schema`: "draft4", "draft6", "draft7", "2019-09" or "2020-12" (default).
///     closed: Refuse members that are not declared, across `allOf` and `$ref`.
///     formats: True asserts the standard formats, False none; a mapping adds formats of your own, a pattern
///         or "any".
///     registry: Schemas by URI, for `$ref`.
///     verify: One of so many values is judged by the general validator too. Should the two ever differ, the value
///         is refused (code `schema.difference`), counted by `differences`, and logged as an error.
///
/// Raises:
///     PolicyError: The schema cannot be enforced as written; every fault has its pointer.
///     JSONError: The schema's text is malformed.
#[pyclass(frozen, module = "secval._core")]
pub(super) struct Schema {
    set: Arc<Set>,
    id: SchemaId,
    limits: json::Limits,
    #[cfg(secval_cpython)]
    declared: Shared<direct::Declared>,
}

/// What `data` is, once looked at.
enum Data<'a> {
    Text(Cow<'a, [u8]>),
    Value(Document<'static>),
    /// A Python value that JSON cannot say.
    Fault(Violation),
}

#[pymethods]
impl Schema {
    #[new]
    #[pyo3(signature = (schema, *, dialect=None, closed=false, formats=None, registry=None, verify=None),
           text_signature = "(schema, *, dialect=None, closed=False, formats=True, registry=None, verify=None)")]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn new(
        schema: &Bound<'_, PyAny>,
        dialect: Option<&str>,
        closed: bool,
        formats: Option<&Bound<'_, PyAny>>,
        registry: Option<&Bound<'_, PyAny>>,
        verify: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = schema.py();
        let dialect = dialect.map(|name| read_dialect(py, name)).transpose()?;
        let options = Options { dialect, closed, formats: read_formats(py, formats)? };
        let mut builder = SetBuilder::new();
        if let Some(one_of) = verify {
            builder.verify(read_verify(one_of)?);
        }
        for (uri, resource) in read_registry(registry)? {
            builder.resource(&uri, read_schema(&resource)?);
        }
        let id = builder.add(&read_schema(schema)?, None, &options);
        let id = id.map_err(|faults| errors::compile(py, &faults))?;
        let set = builder.build().map_err(|faults| errors::compile(py, &faults))?;
        Ok(Self {
            set: Arc::new(set),
            id,
            limits: json::Limits::default(),
            #[cfg(secval_cpython)]
            declared: Shared::new(),
        })
    }

    /// Whether the data is valid. Makes no Python objects of text.
    ///
    /// Args:
    ///     data: JSON text if bytes-like; anything else, `str` too, is a value.
    fn is_valid(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(match self.look(data)? {
            Data::Text(text) => self.look_through(py, &text).is_ok(),
            Data::Value(document) => self.judge_value(py, &document).is_ok(),
            Data::Fault(_) => false,
        })
    }

    /// All violations, up to `limit`; an empty list for valid data. Never raises for bad data: a malformed text
    /// is one violation with the keyword `json`. Where it would take too many steps to list them, the first is followed
    /// by one with the keyword `steps`.
    ///
    /// Raises:
    ///     UsageError: The limit is no int from 0 up.
    #[pyo3(signature = (data, *, limit=None), text_signature = "($self, data, *, limit=100)")]
    fn check(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        limit: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Violation>> {
        let limit = limit.map_or(Ok(REPORTED), read_limit)?;
        Ok(match self.look(data)? {
            Data::Text(text) => list(py, self.judged(), Source::Text(&text), limit),
            Data::Value(document) => list(py, self.judged(), Source::Document(&document), limit),
            Data::Fault(violation) => vec![violation],
        })
    }

    /// Raises what `check` would list.
    ///
    /// Raises:
    ///     ValidationError: With what `check` would list, worked out when its `violations` are read.
    ///     JSONError: A text is malformed.
    fn validate(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.look(data)? {
            Data::Text(text) => {
                self.look_through(py, &text).map_err(|fault| self.raise(data, fault, &text))
            }
            Data::Value(document) => self.judge_value(py, &document).map_err(|violation| {
                self.violated(py, violation, Kept::Document(Box::new(document)))
            }),
            Data::Fault(violation) => Err(errors::validation(py, vec![violation])),
        }
    }

    /// How often the two validators did not agree on a value (see `verify`); any number but 0 is a defect of secval.
    #[getter]
    fn differences(&self) -> u64 {
        self.set.differences()
    }

    /// Which parts of the schema run where.
    ///
    /// Returns:
    ///     A dict: `read`, how many places are judged while the text is read; `whole`, a dict of the keywords that
    ///     are judged on whole values when it has been read, each with a list of places: pointers (RFC 6901) with `*`
    ///     for every item, or every member that is not declared; `arbiter`, a list of the keywords because of which
    ///     the general validator judges the whole schema; `closed`, whether undeclared members are refused (by the
    ///     plan, if `whole` does not name `closed`).
    fn explain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let explained = PyDict::new(py);
        if let Some(explanation) = self.set.explain(self.id) {
            explained.set_item("read", explanation.read)?;
            explained.set_item("whole", explanation.whole)?;
            explained.set_item("arbiter", explanation.arbiter.into_iter().collect::<Vec<_>>())?;
            explained.set_item("closed", explanation.closed)?;
        }
        Ok(explained)
    }

    /// Reads and validates JSON text in one go, and makes its Python objects: what a request handler wants.
    ///
    /// Args:
    ///     text: `str`, `bytes`, or any bytes-like object.
    ///
    /// Raises:
    ///     ValidationError: The value violates the schema.
    ///     JSONError: The text is malformed.
    #[pyo3(signature = (text), text_signature = "($self, text)")]
    fn loads<'py>(&self, py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let object = text;
        let text = Text::of(object)?;
        self.make(py, &text.bytes).map_err(|unmade| self.error(object, unmade, &text))
    }
}

impl Schema {
    fn look<'a>(&self, data: &'a Bound<'_, PyAny>) -> PyResult<Data<'a>> {
        if let Some(text) = octets(data)? {
            return Ok(Data::Text(text));
        }
        match values::document(data, &self.limits) {
            Ok(document) => Ok(Data::Value(document)),
            Err(values::Fault::Json(error, place)) => Ok(Data::Fault(unsayable(error, place))),
            Err(values::Fault::Python(error)) => Err(error),
        }
    }

    /// Judges a text, and makes nothing of it.
    fn look_through(&self, py: Python<'_>, text: &[u8]) -> Result<(), schema::Fault> {
        let mut tape = Tape::spare();
        let judged = self.judge(py, text, &mut tape).map(|_| ());
        tape.keep();
        if let Err(fault) = &judged {
            tell(py, fault);
        }
        judged
    }

    #[inline]
    fn judge<'t>(
        &self,
        py: Python<'_>,
        text: &'t [u8],
        tape: &mut Tape,
    ) -> Result<&'t str, schema::Fault> {
        work_on(py, text.len(), || self.set.judge_on(self.id, text, &self.limits, tape))
    }

    /// Judges a text, and makes its objects.
    fn make<'py>(&self, py: Python<'py>, text: &[u8]) -> Result<Bound<'py, PyAny>, Unmade<PyErr>> {
        #[cfg(secval_cpython)]
        if let Some(made) = self.make_directly(py, text) {
            return made;
        }
        let mut tape = Tape::spare();
        let made = match self.judge(py, text, &mut tape) {
            Ok(text) => objects::build(py, tape.root(text)).map_err(Unmade::Receiver),
            Err(fault) => Err(Unmade::Refused(fault)),
        };
        tape.keep();
        made
    }

    /// The same in one go; nothing if it has to be done one after the other.
    #[cfg(secval_cpython)]
    #[inline]
    fn make_directly<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
    ) -> Option<Result<Bound<'py, PyAny>, Unmade<PyErr>>> {
        if lets_go(text.len()) {
            return None;
        }
        direct::judge(py, self.set.planned(self.id)?, &self.declared, text, &self.limits)
    }

    fn judge_value(
        &self,
        py: Python<'_>,
        document: &Document<'_>,
    ) -> Result<(), schema::Violation> {
        let judge = || self.set.judge_value(self.id, document.root());
        let judged = work_on(py, document.text().len(), judge);
        judged.inspect_err(|violation| note(py, violation))
    }

    /// Why a text was not made into objects.
    #[cold]
    fn error(&self, object: &Bound<'_, PyAny>, unmade: Unmade<PyErr>, text: &Text<'_>) -> PyErr {
        let fault = match unmade {
            Unmade::Refused(schema::Fault::Json(error)) => {
                schema::Fault::Json(text.explain(error, &self.limits))
            }
            Unmade::Refused(fault) => fault,
            Unmade::Receiver(error) => return error,
        };
        tell(object.py(), &fault);
        self.raise(object, fault, &text.bytes)
    }

    /// The exception of a text that was read of an object.
    #[cold]
    fn raise(&self, object: &Bound<'_, PyAny>, fault: schema::Fault, text: &[u8]) -> PyErr {
        match fault {
            schema::Fault::Json(error) => errors::json(object.py(), error, text),
            schema::Fault::Schema(violation) => {
                let kept = Kept::Text(Unchanging::of(object, text));
                self.violated(object.py(), *violation, kept)
            }
        }
    }

    fn violated(&self, py: Python<'_>, first: schema::Violation, kept: Kept) -> PyErr {
        let (set, id) = (Arc::clone(&self.set), self.id);
        let listing = Listing { set, id, limits: self.limits, kept };
        errors::first_violation(py, first.into(), listing)
    }

    fn judged(&self) -> Judged<'_> {
        Judged { set: &self.set, id: self.id, limits: &self.limits }
    }
}

/// What lists the violations of a value that was refused, when it is called: it costs far more than to find the first.
#[pyclass(frozen, module = "secval._core")]
pub(super) struct Listing {
    set: Arc<Set>,
    id: SchemaId,
    limits: json::Limits,
    kept: Kept,
}

/// What was refused.
enum Kept {
    Text(Unchanging),
    Document(Box<Document<'static>>),
}

#[pymethods]
impl Listing {
    /// The violations, up to 100.
    fn __call__(&self, py: Python<'_>) -> Vec<Violation> {
        let Self { set, id, limits, kept } = self;
        let source = match kept {
            Kept::Text(text) => Source::Text(text.get(py)),
            Kept::Document(document) => Source::Document(document),
        };
        list(py, Judged { set, id: *id, limits }, source, REPORTED)
    }
}

/// By what a value is judged.
#[derive(Clone, Copy)]
struct Judged<'s> {
    set: &'s Set,
    id: SchemaId,
    limits: &'s json::Limits,
}

/// What is judged.
#[derive(Clone, Copy)]
enum Source<'d> {
    Text(&'d [u8]),
    Document(&'d Document<'d>),
}

/// All violations, up to a limit.
fn list(py: Python<'_>, judged: Judged<'_>, source: Source<'_>, limit: usize) -> Vec<Violation> {
    let Judged { set, id, limits } = judged;
    let size = match source {
        Source::Text(text) => text.len(),
        Source::Document(document) => document.text().len(),
    };
    let violations = work_on(py, size, || match source {
        Source::Document(document) => Ok(set.violations(id, document.root(), limit)),
        Source::Text(text) => set.violations_of(id, text, limits, limit),
    });
    match violations {
        Ok(violations) => {
            let noted = violations.into_iter().inspect(|violation| note(py, violation));
            noted.map(Violation::from).collect()
        }
        Err(error) => vec![malformed(error)],
    }
}

fn tell(py: Python<'_>, fault: &schema::Fault) {
    if let schema::Fault::Schema(violation) = fault {
        note(py, violation);
    }
}

/// Logs a violation that is a defect of secval.
fn note(py: Python<'_>, violation: &schema::Violation) {
    if !violation.is_difference() {
        return;
    }
    let logged = py.import("secval._log").and_then(|log| log.call_method0("difference"));
    if let Err(error) = logged {
        // The value is refused all the same.
        error.write_unraisable(py, None);
    }
}

fn read_dialect(py: Python<'_>, name: &str) -> PyResult<Dialect> {
    Dialect::from_name(name).ok_or_else(|| {
        errors::usage(
            py,
            "dialect is one of \"draft4\", \"draft6\", \"draft7\", \"2019-09\", \"2020-12\"",
        )
    })
}

/// However large: there are never more violations than that.
fn read_limit(limit: &Bound<'_, PyAny>) -> PyResult<usize> {
    let whole = limit.is_instance_of::<PyInt>() && !limit.is_instance_of::<PyBool>();
    if !whole || limit.lt(0)? {
        return Err(errors::usage(limit.py(), "limit is an int from 0 up"));
    }
    Ok(limit.extract().unwrap_or(usize::MAX))
}

fn read_verify(one_of: &Bound<'_, PyAny>) -> PyResult<NonZeroU64> {
    let whole = one_of.is_instance_of::<PyInt>() && !one_of.is_instance_of::<PyBool>();
    let one_of_so_many = one_of.extract().ok().filter(|_| whole).and_then(NonZeroU64::new);
    one_of_so_many.ok_or_else(|| errors::usage(one_of.py(), "verify is an int from 1 up"))
}

fn read_formats(py: Python<'_>, formats: Option<&Bound<'_, PyAny>>) -> PyResult<Formats> {
    let Some(formats) = formats else { return Ok(Formats::default()) };
    if let Ok(asserted) = formats.cast::<PyBool>() {
        return Ok(Formats { asserted: asserted.is_true(), ..Formats::default() });
    }
    let Ok(given) = formats.extract::<BTreeMap<String, String>>() else {
        return Err(errors::usage(
            py,
            "formats is a bool, or a dict of format names to patterns or \"any\"",
        ));
    };
    let rule =
        |text: String| if text == "any" { FormatRule::Any } else { FormatRule::Pattern(text) };
    let custom = given.into_iter().map(|(name, text)| (name, rule(text))).collect();
    Ok(Formats { custom, ..Formats::default() })
}

fn read_registry<'py>(
    registry: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let Some(registry) = registry else { return Ok(Vec::new()) };
    let items = registry.call_method0("items")?;
    items.try_iter()?.map(|item| item?.extract()).collect()
}

/// A schema as a value: from JSON text, or from a mapping or a bool.
fn read_schema(schema: &Bound<'_, PyAny>) -> PyResult<serde_json::Value> {
    let py = schema.py();
    let limits = json::Limits { max_depth: 256, ..json::Limits::default() };
    let document = if schema.is_instance_of::<PyString>() || octets(schema)?.is_some() {
        let text = Text::of(schema)?;
        let parsed = json::parse(Cow::Borrowed(&*text.bytes), &limits, Tape::default());
        parsed.map(Document::into_owned).map_err(|error| errors::json(py, error, &text.bytes))?
    } else {
        let copied = if schema.is_instance_of::<PyDict>() || schema.is_instance_of::<PyBool>() {
            schema.clone()
        } else if schema.hasattr("keys")? {
            py.get_type::<PyDict>().call1((schema,))?
        } else {
            let kind = schema.get_type().name()?.to_string();
            let message = format!("a schema is a mapping, a bool or JSON text, not {kind}");
            return Err(PyTypeError::new_err(message));
        };
        match values::document(&copied, &limits) {
            Ok(document) => document,
            Err(values::Fault::Python(error)) => return Err(error),
            Err(values::Fault::Json(error, place)) => {
                let (reason, pointer) = (error.reason(), place.pointer);
                let message = format!("the schema is no JSON: {reason} at {pointer:?}");
                return Err(errors::usage(py, message));
            }
        }
    };
    document.to_serde().map_err(|error| errors::json(py, error, document.text()))
}
