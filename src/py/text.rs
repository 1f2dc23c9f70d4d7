//! Python's bytes and text, as bytes of ours.
//!
//! Only exact `bytes`, and a `str`'s own UTF-8, are read in place, and only they may be read with the GIL
//! released: nobody can change them. Every other buffer is copied first.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::json::{self, Error, Limits, Tape};
use crate::reason::Reason;

/// Texts shorter than this are judged with the GIL held: handing it over costs more than a few microseconds.
/// At half, more requests pay for the switch; at double, other threads wait some 10 µs longer.
const DETACH_FROM: usize = 32 * 1024;

/// JSON text that a caller gave.
pub(super) struct Text<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    kind: Kind,
}

/// Bytes that stay as they are: an object's that nobody can change, or ours.
pub(super) enum Unchanging {
    Bytes(Py<PyBytes>),
    Str(Py<PyString>),
    Own(Vec<u8>),
}

impl Unchanging {
    /// What was read of an object.
    pub(super) fn of(object: &Bound<'_, PyAny>, read: &[u8]) -> Self {
        if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            return Self::Bytes(bytes.clone().unbind());
        }
        match object.cast::<PyString>() {
            Ok(text) if text.to_str().is_ok() => Self::Str(text.clone().unbind()),
            Ok(_) | Err(_) => Self::Own(read.to_vec()),
        }
    }

    pub(super) fn get<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(py),
            // It is UTF-8: it was read in place before.
            Self::Str(text) => text.to_str(py).unwrap_or_default().as_bytes(),
            Self::Own(bytes) => bytes,
        }
    }
}

/// What the text was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bytes,
    Str,
    /// A `str` with lone surrogates, which no UTF-8 can spell; they are encoded all the same, as if they were
    /// characters, so that the parser finds their place.
    Surrogates,
}

impl<'a> Text<'a> {
    /// Reads `str` or bytes-like.
    #[inline]
    pub(super) fn of(object: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        match object.cast_exact::<PyBytes>() {
            Ok(bytes) => Ok(Self { bytes: Cow::Borrowed(bytes.as_bytes()), kind: Kind::Bytes }),
            Err(_) => Self::of_other(object),
        }
    }

    #[inline(never)]
    fn of_other(object: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(string) = object.cast::<PyString>() {
            if let Ok(text) = string.to_str() {
                return Ok(Self { bytes: Cow::Borrowed(text.as_bytes()), kind: Kind::Str });
            }
            let encode = object.py().get_type::<PyString>().getattr("encode")?;
            let bytes = encode.call1((string, "utf-8", "surrogatepass"))?;
            let bytes = Cow::Owned(bytes.cast::<PyBytes>()?.as_bytes().to_vec());
            return Ok(Self { bytes, kind: Kind::Surrogates });
        }
        match octets(object)? {
            Some(bytes) => Ok(Self { bytes, kind: Kind::Bytes }),
            None => Err(PyTypeError::new_err(format!(
                "expected str or a bytes-like object, not {}",
                object.get_type().name()?
            ))),
        }
    }

    /// The fault in the caller's terms: a `str` is no encoding, so it has none that is wrong.
    pub(super) fn explain(&self, error: Error, limits: &Limits) -> Error {
        match (self.kind, error.reason()) {
            (Kind::Surrogates, Reason::JsonUtf8) => {
                Error::new(Reason::JsonSurrogate, error.offset())
            }
            (Kind::Str, Reason::JsonUtf16) => {
                let text = String::from_utf8_lossy(&self.bytes);
                json::parse_str(text, limits, Tape::default()).map_or_else(|e| e, |_| error)
            }
            _ => error,
        }
    }
}

/// The bytes of a bytes-like object; `None` when it is not one.
#[inline]
pub(super) fn octets<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Option<Cow<'a, [u8]>>> {
    match object.cast_exact::<PyBytes>() {
        Ok(bytes) => Ok(Some(Cow::Borrowed(bytes.as_bytes()))),
        Err(_) => other_octets(object),
    }
}

#[inline(never)]
fn other_octets<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Option<Cow<'a, [u8]>>> {
    if let Ok(bytes) = object.cast_exact::<PyByteArray>() {
        return Ok(Some(Cow::Owned(bytes.to_vec())));
    }
    if object.is_instance_of::<PyString>() {
        return Ok(None);
    }
    let view = match PyMemoryView::from(object) {
        Ok(view) => view,
        Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => return Ok(None),
        // A view that was released, a buffer that cannot be had: not the same as no buffer.
        Err(error) => return Err(error),
    };
    // `tobytes` copies any shape and format in C order.
    let bytes = view.call_method0("tobytes")?;
    Ok(Some(Cow::Owned(bytes.cast::<PyBytes>()?.as_bytes().to_vec())))
}

/// Runs `work` on `size` bytes, without the GIL if that is worth it.
pub(super) fn work_on<T: Send>(py: Python<'_>, size: usize, work: impl FnOnce() -> T + Send) -> T {
    if lets_go(size) { py.detach(work) } else { work() }
}

/// Whether work on `size` bytes is worth letting go of the GIL.
pub(super) fn lets_go(size: usize) -> bool {
    size >= DETACH_FROM
}

/// The bytes of a bytes-like object, or a `TypeError` that names it.
pub(super) fn bytes<'a>(object: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    let kind = || object.get_type().name().map(|name| name.to_string());
    match octets(object)? {
        Some(bytes) => Ok(bytes),
        None => Err(PyTypeError::new_err(format!("{what} is bytes-like, not {}", kind()?))),
    }
}
