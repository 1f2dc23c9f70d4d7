//! `secval.loads` and `secval.Limits`.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt};

use super::text::{Text, work_on};
use super::{errors, objects};
use crate::json::{self, Error, Tape};
use crate::reason::Reason;

/// Ceilings of the JSON reader. What is at a ceiling is allowed; None, where it is the default, is no ceiling.
///
/// Args:
///     max_depth: Levels of nesting: `[]` is one.
///     max_bytes: Bytes of the whole text, in UTF-8. Without a ceiling of yours it is 4,294,967,295.
///     max_nodes: Values of all kinds.
///     max_members: Members of one object, or items of one array.
///     max_string_bytes: UTF-8 bytes of one string or member name, unescaped.
///     max_number_chars: Characters of one number, up to 262,144: to make an `int` of n digits takes more than n steps.
///
/// Raises:
///     UsageError: A ceiling is negative, over 4,294,967,295 (or its own most), or 0 where nothing at all would pass.
#[pyclass(frozen, eq, hash, get_all, module = "secval._core")]
#[derive(PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_field_names,
    reason = "they are Python's attributes too, and secval.toml's keys"
)]
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
    #[pyo3(signature = (*, max_depth=Given::Default, max_bytes=None, max_nodes=None, max_members=None, max_string_bytes=None, max_number_chars=Given::Default),
           text_signature = "(*, max_depth=64, max_bytes=None, max_nodes=None, max_members=None, max_string_bytes=None, max_number_chars=1024)")]
    #[expect(clippy::too_many_arguments, reason = "this is the options type: each is one ceiling")]
    fn new(
        max_depth: Given<'_>,
        max_bytes: Option<Bound<'_, PyAny>>,
        max_nodes: Option<Bound<'_, PyAny>>,
        max_members: Option<Bound<'_, PyAny>>,
        max_string_bytes: Option<Bound<'_, PyAny>>,
        max_number_chars: Given<'_>,
    ) -> PyResult<Self> {
        let ceiling = |name: &str, least, given: Option<Bound<'_, PyAny>>| {
            given.map(|given| ceiling(name, least..=u32::MAX, &given)).transpose()
        };
        let default = json::Limits::default();
        Ok(Self {
            max_depth: max_depth.or("max_depth", 0..=u32::MAX, default.max_depth)?,
            max_bytes: ceiling("max_bytes", 1, max_bytes)?,
            max_nodes: ceiling("max_nodes", 1, max_nodes)?,
            max_members: ceiling("max_members", 0, max_members)?,
            max_string_bytes: ceiling("max_string_bytes", 0, max_string_bytes)?,
            max_number_chars: max_number_chars.or(
                "max_number_chars",
                1..=MOST_NUMBER_CHARS,
                default.max_number_chars,
            )?,
        })
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Bound<'py, PyDict>)> {
        let arguments = PyDict::new(py);
        arguments.set_item("max_depth", self.max_depth)?;
        arguments.set_item("max_bytes", self.max_bytes)?;
        arguments.set_item("max_nodes", self.max_nodes)?;
        arguments.set_item("max_members", self.max_members)?;
        arguments.set_item("max_string_bytes", self.max_string_bytes)?;
        arguments.set_item("max_number_chars", self.max_number_chars)?;
        Ok(((), arguments))
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

/// An argument that has a default other than None, so that None is a mistake.
enum Given<'py> {
    Default,
    Object(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Object(object.to_owned()))
    }
}

impl Given<'_> {
    fn or(self, name: &str, range: RangeInclusive<u32>, default: usize) -> PyResult<usize> {
        match self {
            Self::Default => Ok(default),
            Self::Object(object) => ceiling(name, range, &object),
        }
    }
}

/// [`json::Limits::MOST_NUMBER_CHARS`], which is far below the end of 32 bits.
#[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "a constant that fits")]
const MOST_NUMBER_CHARS: u32 = json::Limits::MOST_NUMBER_CHARS as u32;

/// A ceiling: an int (a bool is none) that lengths of a text can reach.
fn ceiling(name: &str, range: RangeInclusive<u32>, given: &Bound<'_, PyAny>) -> PyResult<usize> {
    match given.cast::<PyInt>() {
        Ok(int) if !given.is_instance_of::<PyBool>() => match int.extract::<u32>() {
            Ok(ceiling) if range.contains(&ceiling) => {
                Ok(usize::try_from(ceiling).unwrap_or(usize::MAX))
            }
            Ok(_) | Err(_) => {
                let message = format!("{name} is an int from {} to {}", range.start(), range.end());
                Err(errors::usage(given.py(), message))
            }
        },
        Ok(_) | Err(_) => {
            let kind = given.get_type().name()?.to_string();
            Err(PyTypeError::new_err(format!("{name} is an int, not {kind}")))
        }
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
    let tape = Tape::spare();
    // Names are compared by the dicts that they are put into; only if that, or anything else, shows a fault is the
    // text read again, to find the first one.
    let read =
        work_on(py, bytes.len(), || json::parse_unproven(Cow::Borrowed(bytes), &limits, tape));
    if let Ok(unproven) = read {
        let built = objects::build_unproven(py, &unproven)?;
        unproven.into_tape().keep();
        if let Some(built) = built {
            return Ok(built);
        }
    }
    let first = work_on(py, bytes.len(), || {
        let strict = json::parse(Cow::Borrowed(bytes), &limits, Tape::spare());
        strict.map(|sound| sound.into_tape().keep())
    });
    let error = first.err().unwrap_or(Error::new(Reason::JsonDuplicateKey, 0));
    Err(errors::json(py, text.explain(error, &limits), bytes))
}
