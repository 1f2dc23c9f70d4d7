//! `secval.Pending`.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::verdict::Verdict;
use super::{errors, text};
use crate::gate;

/// A request whose head was admitted and whose body is awaited. Made by `Gate.head` only.
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
    ///     None, or a `Verdict` as soon as there is nothing to wait for; then stop reading.
    fn feed(&self, chunk: &Bound<'_, PyAny>) -> PyResult<Option<Verdict>> {
        let chunk = text::bytes(chunk, "chunk")?;
        Ok(self.with(|pending| pending.feed(&chunk)).map(Verdict::from))
    }

    /// The body is complete: judges it.
    ///
    /// Raises:
    ///     UsageError: A verdict was given before.
    fn finish(&self, py: Python<'_>) -> PyResult<Verdict> {
        let size = self.with(|pending| pending.buffered());
        spent(py, text::work_on(py, size, || self.with(gate::Pending::finish)))
    }

    /// The client left before the body was complete; the verdict says so.
    ///
    /// Raises:
    ///     UsageError: A verdict was given before.
    fn abandon(&self, py: Python<'_>) -> PyResult<Verdict> {
        spent(py, self.with(gate::Pending::abandon))
    }
}

fn spent(py: Python<'_>, verdict: Option<gate::Verdict>) -> PyResult<Verdict> {
    let spent = || errors::usage(py, "the verdict on this request was given before");
    verdict.map(Verdict::from).ok_or_else(spent)
}

impl Pending {
    fn with<T>(&self, work: impl FnOnce(&mut gate::Pending) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
