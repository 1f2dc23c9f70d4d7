//! Python objects by public API alone: for every version, build and ABI.

#![forbid(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyList, PyString};

use super::objects::{big_integer, torn};
use crate::json::{Token, Value};

/// Makes the objects of a value; nothing if a dict came out smaller than its object.
pub(super) fn build<'py>(py: Python<'py>, root: Value<'_>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut pile: Vec<Bound<'py, PyAny>> = Vec::new();
    for token in root.tokens_from_behind() {
        let made = match token {
            Token::Null => py.None().into_bound(py),
            Token::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            Token::Integer(value) => value.into_pyobject(py)?.into_any(),
            Token::BigInteger(text) => big_integer(py, text)?,
            Token::Float(value) => PyFloat::new(py, value).into_any(),
            Token::String(content) | Token::Name(content) => {
                PyString::new(py, content.text()).into_any()
            }
            Token::Array(count) => {
                let from = pile.len().checked_sub(count).ok_or_else(torn)?;
                PyList::new(py, pile.drain(from..).rev())?.into_any()
            }
            Token::Object(count) => {
                let dict = PyDict::new(py);
                for _ in 0..count {
                    let (Some(name), Some(value)) = (pile.pop(), pile.pop()) else {
                        return Err(torn());
                    };
                    dict.set_item(name, value)?;
                }
                if dict.len() < count {
                    return Ok(None);
                }
                dict.into_any()
            }
        };
        pile.push(made);
    }
    pile.pop().map(Some).ok_or_else(torn)
}
