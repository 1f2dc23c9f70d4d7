//! `secval.AllowList`.

use std::hash::{Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyMemoryView, PyString,
    PyTuple,
};

use super::{Outcome, listed, raised};
use crate::check;
use crate::py::errors;
use crate::py::schema::Violation;

const KEYWORD: &str = "allow_list";
const UNLISTED: (&str, &str) = ("allow_list.unlisted", "is not one of the allowed values");

/// A Python value with its hash, equal only to values of its own type: `True` and `1.0` are no `1`.
struct Member {
    value: Py<PyAny>,
    /// The address of the type, which lives as long as the value.
    kind: usize,
    hash: isize,
}

impl Member {
    /// `None` for what can be no member: unhashable, a container, or equal to nothing, as NaN is.
    fn of(value: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let value = plain(value)?;
        // Inside a container, types would not be told apart.
        if value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyFrozenSet>() {
            return Ok(None);
        }
        // Also false for a signalling NaN, whose comparison raises.
        if !value.eq(&value).unwrap_or(false) {
            return Ok(None);
        }
        let Ok(hash) = value.hash() else { return Ok(None) };
        let kind = value.get_type().as_ptr().addr();
        Ok(Some(Self { value: value.unbind(), kind, hash }))
    }
}

/// The plain value of an instance of a subclass (a member of `StrEnum`, say); other values as they are.
fn plain<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyInt>() {
        return Ok(value.clone());
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(value.clone());
    }
    if value.is_instance_of::<PyString>() {
        return py.get_type::<PyString>().call_method1("__str__", (value,));
    }
    if value.is_instance_of::<PyInt>() {
        return py.get_type::<PyInt>().call_method1("__int__", (value,));
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return Ok(PyFloat::new(py, float.value()).into_any());
    }
    Ok(value.clone())
}

impl Hash for Member {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_isize(self.hash);
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        if self.kind != other.kind || self.hash != other.hash {
            return false;
        }
        // A comparison that fails finds nothing, and what is not found is refused.
        self.value.is(&other.value)
            || Python::attach(|py| self.value.bind(py).eq(&other.value).unwrap_or(false))
    }
}

impl Eq for Member {}

/// The values that are allowed, and no others.
///
/// A value is allowed if it equals one of them and is of the same type: `True` is no `1`, and neither is `1.0`.
/// Text is compared code point by code point, without folding case or normalising. A member of `StrEnum` or
/// `IntEnum` counts as its value. What cannot be asked for in a set (a list, NaN) is not allowed.
///
/// Args:
///     values: Single, hashable values: text, numbers, dates, enum members, `None`. Not a string, and no
///         tuples in it.
///     allow_empty: Without it, a list without values is an error: it refuses everything.
///
/// Raises:
///     UsageError: No values, a string in place of a collection, or a value that can be no member.
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct AllowList(check::AllowList<Member>);

#[pymethods]
impl AllowList {
    #[new]
    #[pyo3(signature = (values, *, allow_empty=false))]
    fn new(values: &Bound<'_, PyAny>, allow_empty: bool) -> PyResult<Self> {
        let members = read(values)?;
        if members.is_empty() && allow_empty {
            return Ok(Self(check::AllowList::empty()));
        }
        let list = check::AllowList::new(members);
        list.map(Self).map_err(|fault| errors::usage(values.py(), format!("AllowList: {fault}")))
    }

    fn __contains__(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(Member::of(value)?.is_some_and(|member| self.0.contains(&member)))
    }

    /// What is wrong with the value: nothing, or one violation.
    #[pyo3(signature = (value, /))]
    fn check(&self, value: &Bound<'_, PyAny>) -> PyResult<Vec<Violation>> {
        Ok(listed(KEYWORD, self.judge(value)?))
    }

    /// Raises `ValidationError` unless the value is allowed.
    #[pyo3(signature = (value, /))]
    fn validate(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        raised(value.py(), KEYWORD, self.judge(value)?)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> isize {
        // In no order, so combined without one.
        self.0.iter().fold(0, |sum, member| sum.wrapping_add(member.hash))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let options = PyDict::new(py);
        options.set_item("allow_empty", true)?;
        let values: Vec<_> = self.0.iter().map(|member| member.value.clone_ref(py)).collect();
        ((values,), options).into_pyobject(py)
    }

    fn __repr__(&self) -> String {
        format!("<secval.AllowList of {} values>", self.0.len())
    }
}

impl AllowList {
    fn judge(&self, value: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        Ok(if self.__contains__(value)? { Ok(()) } else { Err(UNLISTED) })
    }
}

fn read(values: &Bound<'_, PyAny>) -> PyResult<Vec<Member>> {
    let py = values.py();
    let text = values.is_instance_of::<PyString>()
        || values.is_instance_of::<PyBytes>()
        || values.is_instance_of::<PyByteArray>()
        || values.is_instance_of::<PyMemoryView>();
    if text {
        return Err(errors::usage(py, "AllowList: a collection of values, not one text"));
    }
    let mut members = Vec::new();
    for (index, value) in values.try_iter()?.enumerate() {
        let Some(member) = Member::of(&value?)? else {
            let message = format!(
                "AllowList: value {index} can be no member: it is NaN, a container, or not hashable"
            );
            return Err(errors::usage(py, message));
        };
        members.push(member);
    }
    Ok(members)
}
