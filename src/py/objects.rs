//! A document as Python objects: the one function that makes them.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::json::{Items, Kind, Members, Number, Value};

/// More digits than this `int()` refuses to read at once (its default limit is 4,300).
const DIGITS_AT_ONCE: usize = 4_000;

/// A container being filled.
enum Open<'py, 'd> {
    List(Bound<'py, PyList>, Items<'d>),
    Dict(Bound<'py, PyDict>, Members<'d>),
}

/// Makes the Python objects of a value: `dict`, `list`, `str`, `int`, `float`, `bool`, `None`.
///
/// Without recursion: a text's depth costs heap, never stack.
pub(super) fn build<'py>(py: Python<'py>, root: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    let (result, first) = make(py, root)?;
    let mut open: Vec<Open<'_, '_>> = first.into_iter().collect();
    while let Some(top) = open.last_mut() {
        let inner = match top {
            Open::List(list, items) => items.next().map(|item| {
                let (object, inner) = make(py, item)?;
                list.append(object).map(|()| inner)
            }),
            Open::Dict(dict, members) => members.next().map(|(name, member)| {
                let (object, inner) = make(py, member)?;
                dict.set_item(name, object).map(|()| inner)
            }),
        };
        match inner {
            Some(inner) => open.extend(inner?),
            None => drop(open.pop()),
        }
    }
    Ok(result)
}

/// The object of one value; a container is made empty, and given back to be filled.
fn make<'py, 'd>(
    py: Python<'py>,
    value: Value<'d>,
) -> PyResult<(Bound<'py, PyAny>, Option<Open<'py, 'd>>)> {
    let scalar = match value.kind() {
        Kind::Array => {
            let list = PyList::empty(py);
            return Ok((list.clone().into_any(), Some(Open::List(list, value.items()))));
        }
        Kind::Object => {
            let dict = PyDict::new(py);
            return Ok((dict.clone().into_any(), Some(Open::Dict(dict, value.members()))));
        }
        Kind::Null => py.None().into_bound(py),
        Kind::Bool => PyBool::new(py, value.as_bool().unwrap_or_default()).to_owned().into_any(),
        Kind::String => PyString::new(py, value.as_str().unwrap_or_default()).into_any(),
        Kind::Number => match value.as_number() {
            Some(number) => make_number(py, number)?,
            None => py.None().into_bound(py),
        },
    };
    Ok((scalar, None))
}

fn make_number<'py>(py: Python<'py>, number: Number<'_>) -> PyResult<Bound<'py, PyAny>> {
    if !number.is_integer_literal() {
        return Ok(PyFloat::new(py, number.as_f64()).into_any());
    }
    if let Some(small) = number.as_i64() {
        return Ok(small.into_pyobject(py)?.into_any());
    }
    let text = number.text();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let int = py.get_type::<PyInt>();
    let mut total = 0_i32.into_pyobject(py)?.into_any();
    for chunk in digits.as_bytes().chunks(DIGITS_AT_ONCE) {
        let scale = 10_i32.into_pyobject(py)?.pow(chunk.len(), py.None())?;
        // The chunk is ASCII digits: the parser has read them.
        total = total.mul(scale)?.add(int.call1((String::from_utf8_lossy(chunk),))?)?;
    }
    if negative { total.neg() } else { Ok(total) }
}
