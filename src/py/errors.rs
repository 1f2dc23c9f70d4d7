//! The one table of which exception is raised: the classes are Python's own, in `secval.errors`.

use pyo3::BoundObject;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use super::schema::{Listing, Violation};
use super::text::work_on;
use crate::json;
use crate::policy;
use crate::schema::CompileError;

/// The classes of `secval.errors`, each imported when it is first raised.
struct Class {
    name: &'static str,
    cell: PyOnceLock<Py<PyType>>,
}

static JSON: Class = Class::new("JSONError");
static NOT_JUDGED: Class = Class::new("NotJudged");
static POLICY: Class = Class::new("PolicyError");
static SLOTS_TAKEN: Class = Class::new("SlotsTaken");
static USAGE: Class = Class::new("UsageError");
static VALIDATION: Class = Class::new("ValidationError");

impl Class {
    const fn new(name: &'static str) -> Self {
        Self { name, cell: PyOnceLock::new() }
    }

    /// An instance of the class, or whatever went wrong while making it: an error either way.
    fn raise<'py>(
        &'static self,
        py: Python<'py>,
        arguments: impl IntoPyObject<'py, Target = PyTuple>,
    ) -> PyErr {
        let made = self.cell.import(py, "secval.errors", self.name).and_then(|class| {
            let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
            class.call1(arguments.into_bound())
        });
        made.map_or_else(|error| error, PyErr::from_value)
    }
}

/// `JSONError`: line, column and pointer are worked out here, and the text is not kept.
pub(super) fn json(py: Python<'_>, error: json::Error, text: &[u8]) -> PyErr {
    let place = work_on(py, text.len(), || json::place(text, error.offset()));
    let reason = error.reason();
    let (code, title, offset) = (reason.code(), reason.title(), error.offset());
    let json::Place { position, line, column, pointer } = place;
    JSON.raise(py, (code, title, offset, position, line, column, pointer))
}

/// `ValidationError` with all violations.
pub(super) fn validation(py: Python<'_>, violations: Vec<Violation>) -> PyErr {
    VALIDATION.raise(py, (violations,))
}

/// `ValidationError` with the first violation, and with what lists all of them when somebody asks.
pub(super) fn first_violation(py: Python<'_>, first: Violation, listing: Listing) -> PyErr {
    VALIDATION.raise(py, ([first], listing))
}

/// `UsageError`: the caller's fault.
pub(super) fn usage(py: Python<'_>, message: impl Into<String>) -> PyErr {
    USAGE.raise(py, (message.into(),))
}

/// `SlotsTaken`: none was free, for so many seconds at most.
pub(super) fn slots_taken(py: Python<'_>, retry_after: f64, table_full: bool) -> PyErr {
    SLOTS_TAKEN.raise(py, (retry_after, table_full))
}

/// `NotJudged`: what was asked for was let through without being judged.
pub(super) fn not_judged(py: Python<'_>, message: &str) -> PyErr {
    NOT_JUDGED.raise(py, (message,))
}

/// `PolicyError` with every fault of the policy.
pub(super) fn policy(py: Python<'_>, faults: &[policy::Fault]) -> PyErr {
    let rows: Vec<_> = faults
        .iter()
        .map(|fault| (fault.file.clone(), fault.pointer.clone(), fault.line, fault.message.clone()))
        .collect();
    POLICY.raise(py, (rows,))
}

/// `PolicyError` for a schema of its own: it has pointers, and neither file nor lines.
pub(super) fn compile(py: Python<'_>, errors: &[CompileError]) -> PyErr {
    let rows: Vec<_> = errors
        .iter()
        .map(|error| ("schema", error.pointer.clone(), 0, error.message.clone()))
        .collect();
    POLICY.raise(py, (rows,))
}
