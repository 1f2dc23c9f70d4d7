//! Python objects by public API alone: for every version, build and ABI.

#![forbid(unsafe_code)]

use std::ops::Range;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyList, PyString};

use super::{big_integer, torn};
use crate::json::{Token, Value};

/// A container that is made when the pile ends where its children do, names among them.
struct Open {
    object: bool,
    children: Range<usize>,
}

/// Makes the objects of a value; nothing if a dict came out smaller than its object.
pub(super) fn build<'py>(py: Python<'py>, root: Value<'_>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (mut pile, mut open) = (Vec::new(), Vec::new());
    for token in root.tokens() {
        let mut begin = |object, count: usize| {
            let from = pile.len();
            open.push(Open { object, children: from..from.saturating_add(count) });
        };
        match token {
            Token::Array(count) => begin(false, count),
            Token::Object(count) => begin(true, count.saturating_mul(2)),
            Token::Null => pile.push(py.None().into_bound(py)),
            Token::Bool(value) => pile.push(PyBool::new(py, value).to_owned().into_any()),
            Token::Integer(value) => pile.push(value.into_pyobject(py)?.into_any()),
            Token::BigInteger(text) => pile.push(big_integer(py, text)?),
            Token::Float(value) => pile.push(PyFloat::new(py, value).into_any()),
            Token::String(content) | Token::Name(content) => {
                pile.push(PyString::new(py, content.text()).into_any());
            }
        }
        while let Some(full) = open.pop_if(|open| open.children.end == pile.len()) {
            let children = pile.drain(full.children);
            let made = if full.object {
                let Some(dict) = dict(py, children)? else { return Ok(None) };
                dict
            } else {
                PyList::new(py, children)?.into_any()
            };
            pile.push(made);
        }
        if open.is_empty() {
            return pile.pop().map(Some).ok_or_else(torn);
        }
    }
    Err(torn())
}

/// A dict of names and values, one after the other; nothing if a name is repeated.
fn dict<'py>(
    py: Python<'py>,
    mut children: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (dict, count) = (PyDict::new(py), children.len() / 2);
    while let (Some(name), Some(value)) = (children.next(), children.next()) {
        dict.set_item(name, value)?;
    }
    Ok((dict.len() == count).then_some(dict.into_any()))
}
