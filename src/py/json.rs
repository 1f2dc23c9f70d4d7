//! `secval.loads` and `secval.Limits`.

use std::borrow::Cow;

use pyo3::prelude::*;

use super::text::{Text, work_on};
use super::{errors, objects};
use crate::json::{self, Error, Tape};
use crate::reason::Reason;

/// Ceilings of the JSON reader; `None` is no ceiling.
///
/// Args:
///     max_depth: Levels of nesting; a text of this many is allowed.
///     max_bytes: Bytes of the whole text.
///     max_nodes: Values of all kinds.
///     max_members: Members of one object, or items of one array.
///     max_string_bytes: UTF-8 bytes of one string or member name, unescaped.
///     max_number_chars: Characters of one number.
#[pyclass(frozen, eq, hash, get_all, module = "secval._core")]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Limits {
    max_depth: usize,
    max_bytes: Option<usize>,
    max_nodes: Option<usize>,
    max_members: Option<usize>,
    max_string_bytes: Option<usize>,
    max_number_chars: usize,
}

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (max_depth=64, max_bytes=None, max_nodes=None, max_members=None, max_string_bytes=None, max_number_chars=1024))]
    #[expect(clippy::too_many_arguments, reason = "this is the options type: each is one ceiling")]
    fn new(
        max_depth: usize,
        max_bytes: Option<usize>,
        max_nodes: Option<usize>,
        max_members: Option<usize>,
        max_string_bytes: Option<usize>,
        max_number_chars: usize,
    ) -> Self {
        Self { max_depth, max_bytes, max_nodes, max_members, max_string_bytes, max_number_chars }
    }

    fn __getnewargs__(
        &self,
    ) -> (usize, Option<usize>, Option<usize>, Option<usize>, Option<usize>, usize) {
        let Self {
            max_depth,
            max_bytes,
            max_nodes,
            max_members,
            max_string_bytes,
            max_number_chars,
        } = *self;
        (max_depth, max_bytes, max_nodes, max_members, max_string_bytes, max_number_chars)
    }

    fn __repr__(&self) -> String {
        let optional =
            |ceiling: Option<usize>| ceiling.map_or("None".to_owned(), |n| n.to_string());
        format!(
            "Limits(max_depth={}, max_bytes={}, max_nodes={}, max_members={}, max_string_bytes={}, max_number_chars={})",
            self.max_depth,
            optional(self.max_bytes),
            optional(self.max_nodes),
            optional(self.max_members),
            optional(self.max_string_bytes),
            self.max_number_chars,
        )
    }
}

impl From<&Limits> for json::Limits {
    fn from(limits: &Limits) -> Self {
        Self {
            max_depth: limits.max_depth,
            max_bytes: limits.max_bytes,
            max_nodes: limits.max_nodes,
            max_members: limits.max_members,
            max_string_bytes: limits.max_string_bytes,
            max_number_chars: limits.max_number_chars,
        }
    }
}

/// Reads one JSON value strictly (RFC 8259), as `json.loads` would, and refuses what it lets pass: repeated
/// member names, NaN and Infinity, numbers that are no finite double, lone surrogates, a byte order mark, any
/// encoding but UTF-8.
///
/// Args:
///     text: `str`, `bytes`, or any bytes-like object.
///     limits: Ceilings; by default 64 levels and 1,024 characters a number.
///
/// Returns:
///     `dict`, `list`, `str`, `int`, `float`, `bool` or `None`. Integers are exact.
///
/// Raises:
///     JSONError: The text is refused; `code`, `offset`, `line`, `column` and `pointer` say why and where.
#[pyfunction]
#[pyo3(signature = (text, *, limits=None), text_signature = "(text, *, limits=Limits())")]
pub(super) fn loads<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyAny>,
    limits: Option<&Bound<'py, Limits>>,
) -> PyResult<Bound<'py, PyAny>> {
    let limits = limits.map_or_else(json::Limits::default, |limits| limits.get().into());
    let text = Text::of(text)?;
    let bytes = text.bytes.as_ref();
    let parsed =
        work_on(py, bytes.len(), || json::parse(Cow::Borrowed(bytes), &limits, Tape::default()));
    match parsed {
        Ok(document) => objects::build(py, document.root()),
        Err(error) => Err(errors::json(py, respell(error, text.surrogates), bytes)),
    }
}

/// A `str` with lone surrogates reached the parser as bytes that are no UTF-8: its fault is the surrogate.
pub(super) fn respell(error: Error, surrogates: bool) -> Error {
    if surrogates && error.reason() == Reason::JsonUtf8 {
        return Error::new(Reason::JsonSurrogate, error.offset());
    }
    error
}
