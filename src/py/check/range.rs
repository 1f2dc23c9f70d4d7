//! `secval.Range`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::comparable::{Comparable, Kind};
use super::{Outcome, listed, raised};
use crate::check::{self, Side};
use crate::py::errors;
use crate::py::schema::Violation;

const KEYWORD: &str = "range";

/// Everything from `min` to `max`, both inside.
///
/// The bounds say what kind of value there may be: ints (a bool is none, and neither is `1.0`); floats, among
/// which ints count too; Decimals, among which ints count too; dates (a datetime is none); datetimes with a
/// zone, compared as instants; datetimes without one. Numbers compare exactly, without rounding. NaN is never
/// inside, nor is a value of another kind.
///
/// Args:
///     min: The least value allowed; None for no end.
///     max: The greatest value allowed; None for no end.
///
/// Raises:
///     UsageError: No bound at all, `min` greater than `max`, NaN, bounds of kinds that do not go together, or
///         of a kind that has no range.
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct Range {
    ends: check::Range<Comparable>,
    kind: Kind,
    /// As they were given, for those who ask.
    bounds: (Option<Py<PyAny>>, Option<Py<PyAny>>),
}

#[pymethods]
impl Range {
    #[new]
    #[pyo3(signature = (*, min=None, max=None))]
    fn new(
        py: Python<'_>,
        min: Option<Bound<'_, PyAny>>,
        max: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let usage = |message: &str| errors::usage(py, format!("Range: {message}"));
        let (low, high) = (read(min.as_ref(), "min")?, read(max.as_ref(), "max")?);
        let kinds = [&low, &high].map(|bound| bound.as_ref().map(|(kind, _)| *kind));
        let kind = match kinds {
            [Some(low), Some(high)] => low
                .joined(high)
                .ok_or_else(|| usage("min and max are of kinds that do not go together"))?,
            [Some(kind), None] | [None, Some(kind)] => kind,
            [None, None] => return Err(usage(&check::RangeFault::Boundless.to_string())),
        };
        let ends = check::Range::new(low.map(|(_, it)| it), high.map(|(_, it)| it));
        let ends = ends.map_err(|fault| usage(&fault.to_string()))?;
        Ok(Self { ends, kind, bounds: (min.map(Bound::unbind), max.map(Bound::unbind)) })
    }

    /// The least value allowed, or None.
    #[getter]
    fn min(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.bounds.0.as_ref().map(|bound| bound.clone_ref(py))
    }

    /// The greatest value allowed, or None.
    #[getter]
    fn max(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.bounds.1.as_ref().map(|bound| bound.clone_ref(py))
    }

    fn __contains__(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.judge(value)?.is_ok())
    }

    /// What is wrong with the value: nothing, or one violation.
    #[pyo3(signature = (value, /))]
    fn check(&self, value: &Bound<'_, PyAny>) -> PyResult<Vec<Violation>> {
        Ok(listed(KEYWORD, self.judge(value)?))
    }

    /// Raises `ValidationError` unless the value is inside.
    #[pyo3(signature = (value, /))]
    fn validate(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        raised(value.py(), KEYWORD, self.judge(value)?)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.kind == other.kind && self.ends == other.ends
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (&self.bounds.0, &self.bounds.1).into_pyobject(py)?.hash()
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let options = PyDict::new(py);
        options.set_item("min", &self.bounds.0)?;
        options.set_item("max", &self.bounds.1)?;
        Ok((PyTuple::empty(py), options))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let show = |bound: &Option<Py<PyAny>>| match bound {
            Some(bound) => bound.bind(py).repr().map(|text| text.to_string()),
            None => Ok("None".to_owned()),
        };
        Ok(format!("Range(min={}, max={})", show(&self.bounds.0)?, show(&self.bounds.1)?))
    }
}

impl Range {
    fn judge(&self, value: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        let value = Comparable::of(value)?.filter(|(kind, _)| self.kind.holds(*kind));
        let Some((_, value)) = value else {
            return Ok(Err(("range.type", "is not of the range's type")));
        };
        Ok(self.ends.check(&value).map_err(|side| match side {
            Side::Below => ("range.below", "is less than the minimum"),
            Side::Above => ("range.above", "is greater than the maximum"),
            Side::Nowhere => ("range.nan", "is not a number"),
        }))
    }
}

fn read(bound: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<(Kind, Comparable)>> {
    let Some(bound) = bound else { return Ok(None) };
    let read = Comparable::of(bound)?.ok_or_else(|| {
        let message =
            format!("Range: {name} is not an int, a float, a Decimal, a date or a datetime");
        errors::usage(bound.py(), message)
    });
    read.map(Some)
}
