//! Whom a call counts: a key of Python's, as the subject of a table.
//!
//! A key is hashed with a secret, so that nobody outside can aim at another key's place. Tables of one process and its
//! forks take Python's own hash, which is that (SipHash, with a secret of the process's, that forks inherit), and which
//! a `str` remembers: the key's text need not even be fetched. Whether it is a secret is looked at: `PYTHONHASHSEED` makes
//! it a known one. Everywhere else the table's own hash is taken, which all processes that share the table agree on.
//!
//! Either way a `str` is its UTF-8, so that `"alice"` and `b"alice"` are one key.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

use crate::limit::{Limiter, Sharing, Subject};
use crate::py::text;

/// Which hash a table goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    /// The table's.
    Own,
    /// Python's.
    Python,
}

impl Hashing {
    /// The hash for a table that is shared so.
    pub(super) fn of(py: Python<'_>, sharing: Sharing<'_>) -> PyResult<Self> {
        static SECRET: PyOnceLock<bool> = PyOnceLock::new();
        if !matches!(sharing, Sharing::Process | Sharing::Forks) {
            return Ok(Self::Own);
        }
        let secret = *SECRET.get_or_try_init(py, || is_secret(py))?;
        Ok(if secret { Self::Python } else { Self::Own })
    }

    /// The subject of a key.
    pub(super) fn subject(self, limiter: &Limiter, key: &Bound<'_, PyAny>) -> PyResult<Subject> {
        if self == Self::Own {
            return Ok(limiter.subject(&content(key)?));
        }
        // Of ASCII, the hash of the text is that of its UTF-8.
        let hash = match key.cast_exact::<PyString>() {
            Ok(text) if text.to_str()?.is_ascii() => text.hash(),
            _ if key.is_exact_instance_of::<PyBytes>() => key.hash(),
            _ => PyBytes::new(key.py(), &content(key)?).hash(),
        };
        Ok(limiter.subject_of(hash?.cast_unsigned() as u64))
    }
}

/// The bytes of a key.
fn content<'a>(key: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(string) = key.cast::<PyString>() {
        return string.to_str().map(|text| Cow::Borrowed(text.as_bytes()));
    }
    match text::octets(key)? {
        Some(bytes) => Ok(bytes),
        None => Err(PyTypeError::new_err(format!(
            "a key is str or bytes, not {}",
            key.get_type().name()?
        ))),
    }
}

/// Whether Python's hash of text is 64 bits of SipHash, for texts of all lengths, with a secret that nobody knows.
fn is_secret(py: Python<'_>) -> PyResult<bool> {
    let sys = py.import("sys")?;
    let flags = sys.getattr("flags")?;
    if sys.getattr("implementation")?.getattr("name")?.extract::<String>()? != "cpython"
        || flags.getattr("hash_randomization")?.extract::<i64>()? == 0
    {
        return Ok(false);
    }
    let seed = py.import("os")?.getattr("environ")?.call_method1("get", ("PYTHONHASHSEED",))?;
    if !seed.is_none() && seed.extract::<String>()? != "random" {
        return Ok(false);
    }
    let hash = sys.getattr("hash_info")?;
    let algorithm: String = hash.getattr("algorithm")?.extract()?;
    let number = |name: &str| hash.getattr(name)?.extract::<i64>();
    Ok(algorithm.starts_with("siphash")
        && number("hash_bits")? == 64
        && number("width")? == 64
        && number("cutoff")? == 0)
}
