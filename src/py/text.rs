//! Python's bytes and text, as bytes of ours.
//!
//! Only exact `bytes`, and a `str`'s own UTF-8, are read in place, and only they may be read with the GIL
//! released: nobody can change them. Every other buffer is copied first.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

/// Texts shorter than this are judged with the GIL held: handing it over costs more than a few microseconds.
/// At half, more requests pay for the switch; at double, other threads wait some 10 µs longer.
const DETACH_FROM: usize = 32 * 1024;

/// JSON text that a caller gave.
pub(super) struct Text<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// It was a `str` with lone surrogates, which no UTF-8 can spell.
    pub(super) surrogates: bool,
}

impl<'a> Text<'a> {
    /// Reads `str` or bytes-like.
    pub(super) fn of(object: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(string) = object.cast::<PyString>() {
            if let Ok(text) = string.to_str() {
                return Ok(Self { bytes: Cow::Borrowed(text.as_bytes()), surrogates: false });
            }
            // Encoded all the same, so that the parser finds the place.
            let bytes = string.call_method1("encode", ("utf-8", "surrogatepass"))?;
            let bytes = bytes.cast::<PyBytes>()?.as_bytes().to_vec();
            return Ok(Self { bytes: Cow::Owned(bytes), surrogates: true });
        }
        match octets(object)? {
            Some(bytes) => Ok(Self { bytes, surrogates: false }),
            None => Err(PyTypeError::new_err(format!(
                "expected str or a bytes-like object, not {}",
                object.get_type().name()?
            ))),
        }
    }
}

/// The bytes of a bytes-like object; `None` when it is not one.
pub(super) fn octets<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Option<Cow<'a, [u8]>>> {
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(Some(Cow::Borrowed(bytes.as_bytes())));
    }
    if object.is_instance_of::<PyString>() {
        return Ok(None);
    }
    let Ok(view) = PyMemoryView::from(object) else { return Ok(None) };
    // `tobytes` copies any shape and format in C order.
    let bytes = view.call_method0("tobytes")?;
    Ok(Some(Cow::Owned(bytes.cast::<PyBytes>()?.as_bytes().to_vec())))
}

/// Runs `work` on `size` bytes, without the GIL if that is worth it.
pub(super) fn work_on<T: Send>(py: Python<'_>, size: usize, work: impl FnOnce() -> T + Send) -> T {
    if size >= DETACH_FROM { py.detach(work) } else { work() }
}

/// The bytes of a bytes-like object, or a `TypeError` that names it.
pub(super) fn bytes<'a>(object: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    let kind = || object.get_type().name().map(|name| name.to_string());
    match octets(object)? {
        Some(bytes) => Ok(bytes),
        None => Err(PyTypeError::new_err(format!("{what} is bytes-like, not {}", kind()?))),
    }
}
