//! Python objects as a document, so that a value is judged by the very code that judges text.
//!
//! `None`, `bool`, `int`, `float`, `Decimal`, `str`, `list`, `tuple` and `dict` with `str` keys are JSON values;
//! anything else is a `TypeError`. What JSON cannot say (NaN, lone surrogates, too deep, cyclic) is an error
//! of the value, with the code that the same fault has in text.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::json::{Document, Error, Limits, Writer};
use crate::reason::Reason;

/// Why a Python value is no document.
pub(super) enum Fault {
    /// Not a JSON value, or over a ceiling.
    Json(Error),
    /// Not a type that JSON has, or Python itself failed.
    Python(PyErr),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Json(error)
    }
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// A container being read: a snapshot, so that nobody can change it under our hands.
enum Open<'py> {
    Array(std::vec::IntoIter<Bound<'py, PyAny>>),
    Object(std::vec::IntoIter<(Bound<'py, PyAny>, Bound<'py, PyAny>)>),
}

/// Makes a document of a Python value. Without recursion.
pub(super) fn document(
    root: &Bound<'_, PyAny>,
    limits: &Limits,
) -> Result<Document<'static>, Fault> {
    let mut writer = Writer::new(limits);
    let mut open: Vec<Open<'_>> = write(&mut writer, root)?.into_iter().collect();
    while let Some(top) = open.last_mut() {
        let next = match top {
            Open::Array(items) => items.next(),
            Open::Object(members) => match members.next() {
                Some((name, member)) => {
                    writer.name(&text(&name)?)?;
                    Some(member)
                }
                None => None,
            },
        };
        if let Some(value) = next {
            open.extend(write(&mut writer, &value)?);
            continue;
        }
        match open.pop() {
            Some(Open::Array(_)) => writer.end_array()?,
            Some(Open::Object(_)) => writer.end_object()?,
            None => {}
        }
    }
    Ok(writer.finish()?)
}

fn write<'py>(writer: &mut Writer, value: &Bound<'py, PyAny>) -> Result<Option<Open<'py>>, Fault> {
    if value.is_none() {
        writer.null()?;
    } else if let Ok(boolean) = value.cast::<PyBool>() {
        writer.bool(boolean.is_true())?;
    } else if value.is_instance_of::<PyString>() {
        writer.string(&text(value)?)?;
    } else if let Ok(int) = value.cast::<PyInt>() {
        writer.number(&int_text(int)?)?;
    } else if let Ok(float) = value.cast::<PyFloat>() {
        writer.number(&float_text(float.value())?)?;
    } else if let Ok(list) = value.cast::<PyList>() {
        writer.begin_array()?;
        return Ok(Some(Open::Array(list.iter().collect::<Vec<_>>().into_iter())));
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        writer.begin_array()?;
        return Ok(Some(Open::Array(tuple.iter().collect::<Vec<_>>().into_iter())));
    } else if let Ok(dict) = value.cast::<PyDict>() {
        writer.begin_object()?;
        // One C call: no Python code can run, and change the dictionary, before it is copied.
        return Ok(Some(Open::Object(dict.iter().collect::<Vec<_>>().into_iter())));
    } else if let Some(number) = decimal_text(value)? {
        writer.number(&number)?;
    } else {
        let kind = value.get_type().name()?.to_string();
        let message = format!("JSON has no value for an object of type {kind}");
        return Err(PyTypeError::new_err(message).into());
    }
    Ok(None)
}

fn text(value: &Bound<'_, PyAny>) -> Result<String, Fault> {
    let Ok(string) = value.cast::<PyString>() else {
        let kind = value.get_type().name()?.to_string();
        let message = format!("member names are str, not {kind}");
        return Err(PyTypeError::new_err(message).into());
    };
    match string.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Error::new(Reason::JsonSurrogate, 0).into()),
    }
}

fn int_text(int: &Bound<'_, PyInt>) -> Result<String, Fault> {
    if let Ok(small) = int.extract::<i64>() {
        return Ok(small.to_string());
    }
    // Before its digits are written out, which takes quadratic time: 3.3 bits are one digit.
    let bits: u64 = int.call_method0("bit_length")?.extract()?;
    if bits > 13_000 {
        return Err(Error::new(Reason::JsonNumberChars, 0).into());
    }
    // `int`'s own: a subclass may print itself in another way.
    let digits = int.py().get_type::<PyInt>().call_method1("__repr__", (int,))?;
    Ok(digits.extract()?)
}

fn float_text(float: f64) -> Result<String, Fault> {
    if !float.is_finite() {
        return Err(Error::new(Reason::JsonNumberRange, 0).into());
    }
    // `{:?}` is the shortest text that reads back as the same double, and always has a point or an exponent.
    Ok(format!("{float:?}"))
}

/// The text of a finite `decimal.Decimal`; `None` for everything else.
fn decimal_text(value: &Bound<'_, PyAny>) -> Result<Option<String>, Fault> {
    let py = value.py();
    if !value.is_instance(py.import("decimal")?.getattr("Decimal")?.as_any())? {
        return Ok(None);
    }
    if !value.call_method0("is_finite")?.is_truthy()? {
        return Err(Error::new(Reason::JsonNumberRange, 0).into());
    }
    // `1E+3` and `0E-7` are JSON numbers as they stand.
    Ok(Some(value.str()?.to_string()))
}
