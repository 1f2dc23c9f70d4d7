//! A request as Python hands it over, kept alive so that the core can borrow it.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PyString};

use super::text::octets;
use crate::gate::{Asked, Head, Version};

/// The lines of a request, as objects.
pub(super) struct Lines<'a, 'py> {
    pub(super) method: &'a Bound<'py, PyAny>,
    pub(super) target: Option<&'a Bound<'py, PyAny>>,
    pub(super) headers: &'a Bound<'py, PyAny>,
}

/// What a server knows of a request besides its lines.
pub(super) struct Circumstances<'a, 'py> {
    pub(super) peer: Option<&'a str>,
    pub(super) scheme: &'a str,
    pub(super) path: Option<&'a Bound<'py, PyString>>,
    pub(super) query: Option<&'a Bound<'py, PyAny>>,
    pub(super) http_version: &'a str,
    pub(super) websocket: bool,
}

/// Calls `judge` with the head that the objects stand for.
pub(super) fn with_head<T>(
    lines: &Lines<'_, '_>,
    circumstances: &Circumstances<'_, '_>,
    judge: impl FnOnce(&Head<'_>) -> T,
) -> PyResult<T> {
    let method = encoded(lines.method, "method")?;
    let target = lines.target.map(|target| encoded(target, "target")).transpose()?;
    let query = circumstances.query.map(|query| encoded(query, "query")).transpose()?;
    // Lone surrogates in a decoded path become U+FFFD, which no path may hold.
    let path = circumstances.path.map(|path| path.to_string_lossy());
    let pairs = pairs(lines.headers)?;
    let texts = pairs
        .iter()
        .map(|(name, value)| Ok((encoded(name, "header name")?, encoded(value, "header value")?)))
        .collect::<PyResult<Vec<_>>>()?;
    let headers: Vec<(&[u8], &[u8])> =
        texts.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
    let head = Head {
        // A method that is no UTF-8 is no token either, and refused as such.
        method: std::str::from_utf8(&method).unwrap_or_default(),
        target: match (&target, &path) {
            (Some(raw), _) => Asked::Raw(raw),
            (None, path) => Asked::Decoded {
                path: path.as_deref().unwrap_or_default(),
                query: query.as_deref().unwrap_or_default(),
            },
        },
        dispatch: path.as_deref(),
        headers: &headers,
        peer: circumstances.peer,
        scheme: circumstances.scheme,
        // A version that nobody has heard of gets the strictest rules.
        version: Version::parse(circumstances.http_version).unwrap_or(Version::Http11),
        websocket: circumstances.websocket,
    };
    Ok(judge(&head))
}

/// `headers` as pairs. A mapping cannot hold repeats, and so would hide them: it is a `TypeError`.
fn pairs<'py>(
    headers: &Bound<'py, PyAny>,
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if headers.cast::<PyMapping>().is_ok() {
        return Err(PyTypeError::new_err(
            "headers is an iterable of (name, value) pairs; a mapping cannot hold a repeated header",
        ));
    }
    headers.try_iter()?.map(|pair| pair?.extract()).collect()
}

/// Bytes as they are; a `str` as the Latin-1 that servers make of bytes.
fn encoded<'a>(object: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    if let Ok(string) = object.cast::<PyString>() {
        if let Ok(text) = string.to_str()
            && text.is_ascii()
        {
            return Ok(Cow::Borrowed(text.as_bytes()));
        }
        let bytes = string.call_method1("encode", ("latin-1", "xmlcharrefreplace"))?;
        return Ok(Cow::Owned(bytes.cast::<PyBytes>()?.as_bytes().to_vec()));
    }
    let kind = || object.get_type().name().map(|name| name.to_string());
    match octets(object)? {
        Some(bytes) => Ok(bytes),
        None => Err(PyTypeError::new_err(format!("{what} is bytes or str, not {}", kind()?))),
    }
}
