//! A document as Python objects: `dict`, `list`, `str`, `int`, `float`, `bool`, `None`.
//!
//! The objects are ordinary and nobody else's. They are made in the order of the text, on a pile and without recursion: a
//! text's depth costs heap, never stack. A container is filled before anything else can run: nobody ever sees one that is
//! half full.
//!
//! On the versions of CPython that this was tested with:
//!
//! | file | what |
//! |---|---|
//! | `builder.rs` | objects of a document: the tape is gone through once |
//! | `direct.rs`, `pieces.rs` | objects while a text is judged: there is no second pass |
//! | `memory.rs` | names and shapes that were met before |
//! | `cpython.rs` | what is unsafe: how `str`, lists and dicts are made |
//!
//! On all others, on free-threaded builds and for the stable ABI, it is `portable.rs`, which uses public API only.

#[cfg(secval_cpython)]
mod builder;
#[cfg(secval_cpython)]
mod cpython;
#[cfg(secval_cpython)]
pub(super) mod direct;
#[cfg(secval_cpython)]
mod memory;
#[cfg(secval_cpython)]
mod pieces;
#[cfg(not(secval_cpython))]
mod portable;

#[cfg(secval_cpython)]
pub(super) use cpython::{Shared, prepare};

use pyo3::exceptions::PySystemError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use crate::json::{Unproven, Value};

#[cfg(secval_cpython)]
use builder as maker;
#[cfg(not(secval_cpython))]
use portable as maker;

/// More digits than this `int()` refuses to read at once (its default limit is 4,300).
const DIGITS_AT_ONCE: usize = 4_000;

/// How dicts are made: there is nothing to try out.
#[cfg(not(secval_cpython))]
pub(super) fn prepare(_: Python<'_>) -> &'static str {
    "portable"
}

/// Makes the Python objects of a value.
pub(super) fn build<'py>(py: Python<'py>, root: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match maker::build(py, root)? {
        Some(made) => Ok(made),
        None => Err(PySystemError::new_err("a document has a repeated name")),
    }
}

/// Makes the Python objects of a text; nothing if a dict came out smaller than its object, which says that a
/// name is repeated.
pub(super) fn build_unproven<'py>(
    py: Python<'py>,
    text: &Unproven<'_>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    maker::build(py, text.root())
}

/// The `int` of an integer literal of any length.
pub(super) fn big_integer<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(value) = text.parse::<u64>() {
        return Ok(value.into_pyobject(py)?.into_any());
    }
    if text.len() <= DIGITS_AT_ONCE {
        return py.get_type::<PyInt>().call1((text,));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let int = py.get_type::<PyInt>();
    let mut parts = Vec::new();
    // From the right, so that all parts but the first have the same length.
    for part in digits.as_bytes().rchunks(DIGITS_AT_ONCE) {
        // ASCII digits: the parser has read them.
        parts.push(int.call1((PyString::new(py, &String::from_utf8_lossy(part)),))?);
    }
    let mut scale = 10_i32.into_pyobject(py)?.into_any().pow(DIGITS_AT_ONCE, py.None())?;
    // Neighbours are put together, then those pairs, and so on: factors of like length multiply fastest.
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(2));
        for pair in parts.chunks(2) {
            joined.push(match pair {
                [low, high] => high.mul(&scale)?.add(low)?,
                rest => rest.first().cloned().unwrap_or_else(|| scale.clone()),
            });
        }
        parts = joined;
        if parts.len() > 1 {
            scale = scale.mul(&scale)?;
        }
    }
    let total = parts.pop().unwrap_or(scale);
    if negative { total.neg() } else { Ok(total) }
}

/// What cannot be: a container that has less on the pile than it holds.
pub(super) fn torn() -> PyErr {
    PySystemError::new_err("a document's tape is torn")
}
