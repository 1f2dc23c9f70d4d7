//! A request as Python hands it over, kept alive so that the core can borrow it.
//!
//! What every server gives, a list or tuple of pairs of `bytes` (or of `str` that is ASCII), is read where it
//! lies: one tuple that holds the pairs, one vector of slices, nothing a header. Everything else is copied.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyMapping, PyString, PyTuple};

use super::text::octets;
use crate::gate::{Asked, Head, Version};

/// What stands for text that no HTTP message can carry (`str` beyond Latin-1): no rule lets a NUL pass.
const NOT_BYTES: &[u8] = b"\0";

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
    let pairs = snapshot(lines.headers)?;
    if let Some(headers) = in_place(&pairs) {
        return with_headers(lines, circumstances, &headers, judge);
    }
    let objects: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)> =
        pairs.iter().map(|object| pair(&object)).collect::<PyResult<_>>()?;
    let encode =
        |(name, value)| Ok((encoded(name, "header name")?, encoded(value, "header value")?));
    let texts: Vec<_> = objects.iter().map(|(n, v)| encode((n, v))).collect::<PyResult<_>>()?;
    let headers: Vec<(&[u8], &[u8])> =
        texts.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
    with_headers(lines, circumstances, &headers, judge)
}

fn with_headers<T>(
    lines: &Lines<'_, '_>,
    circumstances: &Circumstances<'_, '_>,
    headers: &[(&[u8], &[u8])],
    judge: impl FnOnce(&Head<'_>) -> T,
) -> PyResult<T> {
    let method = encoded(lines.method, "method")?;
    let target = lines.target.map(|target| encoded(target, "target")).transpose()?;
    let query = circumstances.query.map(|query| encoded(query, "query")).transpose()?;
    // Lone surrogates in a decoded path become U+FFFD, which no decoded path may hold.
    let path = circumstances.path.map(|path| path.to_string_lossy());
    let head = Head {
        // A method that is no UTF-8 is no token either, and refused as such.
        method: std::str::from_utf8(&method).unwrap_or_default(),
        target: match &target {
            Some(raw) => Asked::Raw(raw),
            None => Asked::Decoded {
                path: path.as_deref().unwrap_or_default(),
                query: query.as_deref().unwrap_or_default(),
            },
        },
        dispatch: path.as_deref(),
        headers,
        peer: circumstances.peer,
        scheme: circumstances.scheme,
        // A version that nobody has heard of gets the strictest rules.
        version: Version::parse(circumstances.http_version).unwrap_or(Version::Http11),
        websocket: circumstances.websocket,
    };
    Ok(judge(&head))
}

/// `headers` as a tuple of its own, which nobody can change while it is read. A mapping cannot hold repeats, and
/// so would hide them: it is a `TypeError`.
fn snapshot<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    if let Ok(list) = headers.cast_exact::<PyList>() {
        return Ok(list.to_tuple());
    }
    if let Ok(tuple) = headers.cast_exact::<PyTuple>() {
        return Ok(tuple.clone());
    }
    if headers.cast::<PyMapping>().is_ok() {
        return Err(PyTypeError::new_err(
            "headers is an iterable of (name, value) pairs; a mapping cannot hold a repeated header",
        ));
    }
    let pairs = headers.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    PyTuple::new(headers.py(), pairs)
}

/// A header of a server that makes lists of them (daphne, hypercorn's HTTP/2), or of an unusual type.
fn pair<'py>(object: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    object.cast::<PyList>().map_or_else(|_| object.extract(), |list| list.to_tuple().extract())
}

/// The headers where they lie, if all of them are pairs of `bytes` or ASCII `str`.
fn in_place<'a>(pairs: &'a Bound<'_, PyTuple>) -> Option<Vec<(&'a [u8], &'a [u8])>> {
    let mut headers = Vec::with_capacity(pairs.len());
    for pair in pairs.as_slice() {
        let [name, value] = pair.cast_exact::<PyTuple>().ok()?.as_slice() else { return None };
        headers.push((plain(name)?, plain(value)?));
    }
    Some(headers)
}

#[inline]
fn plain<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a [u8]> {
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Some(bytes.as_bytes());
    }
    let text = object.cast_exact::<PyString>().ok()?.to_str().ok()?;
    text.is_ascii().then_some(text.as_bytes())
}

/// Bytes as they are; a `str` as the Latin-1 that servers make of bytes.
fn encoded<'a>(object: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    if let Some(bytes) = plain(object) {
        return Ok(Cow::Borrowed(bytes));
    }
    if let Ok(string) = object.cast::<PyString>() {
        // Lone surrogates are not Latin-1 either.
        let text = string.to_str().unwrap_or("\u{fffd}");
        let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        return Ok(bytes.map_or(Cow::Borrowed(NOT_BYTES), Cow::Owned));
    }
    let kind = || object.get_type().name().map(|name| name.to_string());
    match octets(object)? {
        Some(bytes) => Ok(bytes),
        None => Err(PyTypeError::new_err(format!("{what} is bytes or str, not {}", kind()?))),
    }
}
