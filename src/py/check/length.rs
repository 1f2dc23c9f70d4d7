//! `secval.Length`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyMemoryView, PyTuple};

use super::{Outcome, listed, raised};
use crate::check::{self, Misfit};
use crate::py::errors;
use crate::py::schema::Violation;

const KEYWORD: &str = "length";

/// How long a value may be, both bounds inside.
///
/// Text counts in code points, bytes-like objects in bytes, and any other sized object in items. What has no
/// length is never inside.
///
/// Args:
///     max: The most allowed; None for no end.
///     min: The least allowed.
///
/// Raises:
///     UsageError: Bounds that refuse nothing or everything, or are no whole numbers from 0.
#[pyclass(frozen, eq, hash, module = "secval._core")]
#[derive(PartialEq, Eq, Hash)]
pub(in crate::py) struct Length(check::Length);

#[pymethods]
impl Length {
    #[new]
    #[pyo3(signature = (*, max=None, min=None), text_signature = "(*, max=None, min=0)")]
    fn new(
        py: Python<'_>,
        max: Option<&Bound<'_, PyAny>>,
        min: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let min = min.map(|bound| read(bound, "min")).transpose()?.unwrap_or(0);
        let max = max.map(|bound| read(bound, "max")).transpose()?;
        let length = check::Length::new(min, max);
        length.map(Self).map_err(|fault| errors::usage(py, format!("Length: {fault}")))
    }

    /// The most allowed, or None.
    #[getter]
    fn max(&self) -> Option<usize> {
        self.0.max()
    }

    /// The least allowed.
    #[getter]
    fn min(&self) -> usize {
        self.0.min()
    }

    fn __contains__(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.judge(value)?.is_ok())
    }

    /// What is wrong with the value: nothing, or one violation.
    #[pyo3(signature = (value, /))]
    fn check(&self, value: &Bound<'_, PyAny>) -> PyResult<Vec<Violation>> {
        Ok(listed(KEYWORD, self.judge(value)?))
    }

    /// Raises `ValidationError` unless the value's length is allowed.
    #[pyo3(signature = (value, /))]
    fn validate(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        raised(value.py(), KEYWORD, self.judge(value)?)
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let options = PyDict::new(py);
        options.set_item("max", self.0.max())?;
        options.set_item("min", self.0.min())?;
        Ok((PyTuple::empty(py), options))
    }

    fn __repr__(&self) -> String {
        let max = self.0.max().map_or_else(|| "None".to_owned(), |max| max.to_string());
        format!("Length(max={max}, min={})", self.0.min())
    }
}

impl Length {
    fn judge(&self, value: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        let Some(length) = measure(value)? else {
            return Ok(Err(("length.type", "has no length")));
        };
        Ok(self.0.check(length).map_err(|misfit| match misfit {
            Misfit::Short => ("length.short", "is shorter than allowed"),
            Misfit::Long => ("length.long", "is longer than allowed"),
        }))
    }
}

/// How long a value is; `None` if it has no length.
fn measure(value: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    if value.is_instance_of::<PyMemoryView>() {
        // Its `len` counts the first dimension.
        return value.getattr("nbytes")?.extract().map(Some);
    }
    match value.len() {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(bound: &Bound<'_, PyAny>, name: &str) -> PyResult<usize> {
    let whole = bound.is_instance_of::<PyInt>() && !bound.is_instance_of::<PyBool>();
    let read = if whole { bound.extract().ok() } else { None };
    read.ok_or_else(|| {
        errors::usage(bound.py(), format!("Length: {name} is not a whole number from 0"))
    })
}
