//! `secval.Quota`.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::limit;
use crate::py::errors;

/// At most `limit` in any window of `window_ms` milliseconds.
///
/// Args:
///     limit: 1 to 16777215.
///     window_ms: 1 to 366 days; at least 6 for limits above 7.
///
/// Raises:
///     UsageError: A number out of these bounds.
#[pyclass(frozen, eq, hash, module = "secval._core")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::py) struct Quota(limit::Quota);

#[pymethods]
impl Quota {
    #[new]
    fn new(py: Python<'_>, limit: u32, window_ms: u64) -> PyResult<Self> {
        let quota = limit::Quota::new(limit, window_ms);
        quota.map(Self).map_err(|kind| errors::usage(py, format!("Quota: {kind}")))
    }

    /// Reads `100/minute`, `50/30ms`, or several joined by `;`.
    ///
    /// Raises:
    ///     UsageError: What is wrong, and the byte at which it is.
    #[classmethod]
    fn parse(cls: &Bound<'_, PyType>, text: &str) -> PyResult<Vec<Self>> {
        parsed(cls.py(), text)
    }

    /// At most so much.
    #[getter]
    fn limit(&self) -> u32 {
        self.0.limit
    }

    /// In any window of so many milliseconds.
    #[getter]
    fn window_ms(&self) -> u64 {
        self.0.window_ms
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Quota({}, {})", self.0.limit, self.0.window_ms)
    }

    fn __getnewargs__(&self) -> (u32, u64) {
        (self.0.limit, self.0.window_ms)
    }
}

impl Quota {
    pub(super) fn inner(self) -> limit::Quota {
        self.0
    }
}

/// Quotas given as text, as one `Quota`, or as a sequence of them.
pub(super) fn list(given: &Bound<'_, PyAny>) -> PyResult<Vec<Quota>> {
    if let Ok(text) = given.cast::<PyString>() {
        return parsed(given.py(), text.to_str()?);
    }
    if let Ok(one) = given.cast::<Quota>() {
        return Ok(vec![*one.get()]);
    }
    let mut quotas = Vec::new();
    for item in given.try_iter()? {
        quotas.push(*item?.cast::<Quota>()?.get());
    }
    let refused = |why: &str| Err(errors::usage(given.py(), format!("Limiter: {why}")));
    if quotas.is_empty() {
        return refused("no quota at all; it would admit everything");
    }
    let windows = quotas.iter().map(|quota| quota.0.window_ms).collect::<HashSet<_>>();
    if windows.len() < quotas.len() {
        return refused("two quotas have the same window: only the smaller one would ever count");
    }
    Ok(quotas)
}

fn parsed(py: Python<'_>, text: &str) -> PyResult<Vec<Quota>> {
    let quotas = limit::Quota::parse_list(text);
    let quotas = quotas.map_err(|error| errors::usage(py, format!("Quota: {error}")))?;
    Ok(quotas.into_iter().map(Quota).collect())
}
