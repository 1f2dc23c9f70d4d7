//! Python objects as a document, so that a value is judged by the very code that judges text.
//!
//! `None`, `bool`, `int`, `float`, `Decimal`, `str`, `list`, `tuple` and `dict` with `str` keys are JSON values,
//! and so are their subclasses, read as what they hold, whatever methods they override. Anything else is a
//! `TypeError`. What JSON cannot say (NaN, lone surrogates, too deep, cyclic) is an error of the value, with
//! the code that the same fault has in text. A `float` keeps its point: 1.0 becomes `1.0`, never `1`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

use crate::json::{self, Document, Error, Limits, Place, Writer};
use crate::reason::Reason;

/// Integers of more bits are refused before their digits are written out, which takes quadratic time and which
/// Python itself refuses above 4,300 digits. This is some 3,900 digits: far above the ceiling on a number.
const INT_BITS: u64 = 13_000;

/// Values, and bytes of the text that they would be, where no other ceiling is set: parts that a value shares are written
/// wherever they are, and a few lines can make more of them than fit any memory. At half, tables of millions of rows are
/// refused; at double, it takes seconds and gigabytes to say no.
const MOST_VALUES: usize = 1 << 25;
const MOST_BYTES: usize = 1 << 30;

/// Why a Python value is no document.
pub(super) enum Fault {
    /// Not a JSON value, or over a ceiling: why, and where in the value (its pointer is what counts; line and
    /// column are those of the text that it would be).
    Json(Error, Place),
    /// Not a type that JSON has, or Python itself failed.
    Python(PyErr),
}

/// The same, before its place is worked out.
enum Broken {
    Json(Error),
    Reason(Reason),
    Python(PyErr),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Json(error)
    }
}

impl From<PyErr> for Broken {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// A container being read: a snapshot, so that nobody can change it under our hands.
enum Open<'py> {
    Array(std::vec::IntoIter<Bound<'py, PyAny>>),
    Object(std::vec::IntoIter<(Bound<'py, PyAny>, Bound<'py, PyAny>)>),
}

/// Makes a document of a Python value. Without recursion: a cycle ends at the ceiling on depth.
pub(super) fn document(
    root: &Bound<'_, PyAny>,
    limits: &Limits,
) -> Result<Document<'static>, Fault> {
    let limits = Limits {
        max_nodes: limits.max_nodes.or(Some(MOST_VALUES)),
        max_bytes: limits.max_bytes.or(Some(MOST_BYTES)),
        ..*limits
    };
    let mut writer = Writer::new(&limits);
    let error = match write_all(&mut writer, root) {
        Ok(()) => match writer.finish() {
            Ok(document) => return Ok(document),
            Err(error) => return Err(Fault::Json(error, json::place(b"", 0))),
        },
        Err(Broken::Json(error)) => error,
        Err(Broken::Reason(reason)) => writer.refuse(reason),
        Err(Broken::Python(error)) => return Err(Fault::Python(error)),
    };
    Err(Fault::Json(error, writer.place(error)))
}

fn write_all(writer: &mut Writer, root: &Bound<'_, PyAny>) -> Result<(), Broken> {
    let mut open: Vec<Open<'_>> = write(writer, root)?.into_iter().collect();
    while let Some(top) = open.last_mut() {
        let next = match top {
            Open::Array(items) => items.next(),
            Open::Object(members) => match members.next() {
                Some((name, member)) => {
                    let Ok(string) = name.cast::<PyString>() else { return Err(no_name(&name)) };
                    writer.name(text(string)?)?;
                    Some(member)
                }
                None => None,
            },
        };
        if let Some(value) = next {
            open.extend(write(writer, &value)?);
            continue;
        }
        match open.pop() {
            Some(Open::Array(_)) => writer.end_array()?,
            Some(Open::Object(_)) => writer.end_object()?,
            None => {}
        }
    }
    Ok(())
}

/// Writes a scalar, or begins a container. Those that are told by a flag of their type come first; `float` and
/// `Decimal` are searched for among the bases.
fn write<'py>(writer: &mut Writer, value: &Bound<'py, PyAny>) -> Result<Option<Open<'py>>, Broken> {
    if let Ok(string) = value.cast::<PyString>() {
        writer.string(text(string)?)?;
    } else if value.is_none() {
        writer.null()?;
    } else if let Ok(boolean) = value.cast::<PyBool>() {
        writer.bool(boolean.is_true())?;
    } else if let Ok(int) = value.cast::<PyInt>() {
        write_int(writer, int)?;
    } else if let Ok(dict) = value.cast::<PyDict>() {
        writer.begin_object()?;
        // One C call: no Python code can run, and change the dictionary, before it is copied.
        return Ok(Some(Open::Object(dict.iter().collect::<Vec<_>>().into_iter())));
    } else if let Ok(list) = value.cast::<PyList>() {
        writer.begin_array()?;
        return Ok(Some(Open::Array(list.iter().collect::<Vec<_>>().into_iter())));
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        writer.begin_array()?;
        return Ok(Some(Open::Array(tuple.iter().collect::<Vec<_>>().into_iter())));
    } else if let Ok(float) = value.cast::<PyFloat>() {
        write_float(writer, float.value())?;
    } else if is_decimal(value)? {
        write_decimal(writer, value)?;
    } else {
        let kind = value.get_type().name()?.to_string();
        let message = format!("JSON has no value for an object of type {kind}");
        return Err(PyTypeError::new_err(message).into());
    }
    Ok(None)
}

fn no_name(name: &Bound<'_, PyAny>) -> Broken {
    let kind = name.get_type().name().map(|kind| kind.to_string());
    let error = kind.map(|kind| PyTypeError::new_err(format!("member names are str, not {kind}")));
    error.unwrap_or_else(|error| error).into()
}

fn text<'a>(string: &'a Bound<'_, PyString>) -> Result<&'a str, Broken> {
    string.to_str().map_err(|_| Broken::Reason(Reason::JsonSurrogate))
}

fn write_int(writer: &mut Writer, int: &Bound<'_, PyInt>) -> Result<(), Broken> {
    if let Ok(small) = int.extract::<i64>() {
        return Ok(writer.number(&small.to_string())?);
    }
    // `int`'s own methods: a subclass may measure or print itself in another way.
    let class = int.py().get_type::<PyInt>();
    let bits: u64 = class.call_method1("bit_length", (int,))?.extract()?;
    if bits > INT_BITS {
        return Err(Broken::Reason(Reason::JsonNumberChars));
    }
    let digits = class.call_method1("__repr__", (int,))?;
    Ok(writer.number(digits.cast::<PyString>().map_err(PyErr::from)?.to_str()?)?)
}

fn write_float(writer: &mut Writer, float: f64) -> Result<(), Broken> {
    if !float.is_finite() {
        return Err(Broken::Reason(Reason::JsonNumberRange));
    }
    // `{:?}` is the shortest text that reads back as the same double, and always has a point or an exponent.
    Ok(writer.number(&format!("{float:?}"))?)
}

fn is_decimal(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    value.is_instance(DECIMAL.import(value.py(), "decimal", "Decimal")?)
}

fn write_decimal(writer: &mut Writer, value: &Bound<'_, PyAny>) -> Result<(), Broken> {
    let class = value.py().import("decimal")?.getattr("Decimal")?;
    if !class.call_method1("is_finite", (value,))?.is_truthy()? {
        return Err(Broken::Reason(Reason::JsonNumberRange));
    }
    // `1E+3` and `0E-7` are JSON numbers as they stand.
    let digits = class.call_method1("__str__", (value,))?;
    Ok(writer.number(digits.cast::<PyString>().map_err(PyErr::from)?.to_str()?)?)
}
