//! `secval.Pending`.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::verdict::Verdict;
use super::{errors, text};
use crate::gate::{self, Spent};

/// A request whose head was admitted and whose body is awaited. Made by `Gate.head` only; gives one verdict.
///
/// Feed it the body as it comes. If `feed` returns a verdict, stop feeding: it is a refusal, or (in mode
/// `monitor`) allowed but not judged, and then `verdict.raw` and whatever is still to come go on to the
/// application untouched. Otherwise `finish` judges the whole, and `verdict.raw` is all of it.
#[pyclass(frozen, module = "secval._core")]
pub(super) struct Pending(Mutex<gate::Pending>);

impl From<gate::Pending> for Pending {
    fn from(pending: gate::Pending) -> Self {
        Self(Mutex::new(pending))
    }
}

#[pymethods]
impl Pending {
    /// What is missing: "body".
    #[getter]
    #[expect(clippy::unused_self, reason = "other needs will come, and then it depends")]
    fn needs(&self) -> &'static str {
        "body"
    }

    /// The most bytes that may come.
    #[getter]
    fn limit(&self) -> usize {
        self.with(|pending| pending.limit())
    }

    /// Takes the next piece of the body.
    ///
    /// Returns:
    ///     None, or a `Verdict` as soon as there is nothing to wait for; then stop feeding.
    ///
    /// Raises:
    ///     UsageError: A verdict was given before.
    fn feed(&self, chunk: &Bound<'_, PyAny>) -> PyResult<Option<Verdict>> {
        let bytes = text::bytes(chunk, "chunk")?;
        let fed = self.with(|pending| pending.feed(&bytes));
        fed.map(|verdict| verdict.map(Verdict::from)).map_err(|spent| raise(chunk.py(), spent))
    }

    /// The body is complete: judges it.
    ///
    /// Raises:
    ///     UsageError: A verdict was given before.
    fn finish(&self, py: Python<'_>) -> PyResult<Verdict> {
        let size = self.with(|pending| pending.buffered());
        let verdict = text::work_on(py, size, || self.with(gate::Pending::finish));
        verdict.map(Verdict::from).map_err(|spent| raise(py, spent))
    }

    /// The client left before the body was complete; the verdict says so.
    ///
    /// Raises:
    ///     UsageError: A verdict was given before.
    fn abandon(&self, py: Python<'_>) -> PyResult<Verdict> {
        let verdict = self.with(gate::Pending::abandon);
        verdict.map(Verdict::from).map_err(|spent| raise(py, spent))
    }
}

fn raise(py: Python<'_>, spent: Spent) -> PyErr {
    errors::usage(py, spent.to_string())
}

impl Pending {
    fn with<T>(&self, work: impl FnOnce(&mut gate::Pending) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
