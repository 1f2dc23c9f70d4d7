//! `secval.Verdict`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use super::{errors, objects};
use crate::gate;
use crate::reason::Reason;

/// The gate's answer to one request. Python objects are made of it only when asked for, and once.
#[pyclass(frozen, module = "secval._core")]
pub(super) struct Verdict {
    inner: gate::Verdict,
    json: PyOnceLock<Py<PyAny>>,
    params: PyOnceLock<Py<PyAny>>,
}

impl From<gate::Verdict> for Verdict {
    fn from(verdict: gate::Verdict) -> Self {
        Self { inner: verdict, json: PyOnceLock::new(), params: PyOnceLock::new() }
    }
}

#[pymethods]
impl Verdict {
    /// Whether the request may pass.
    #[getter]
    fn allowed(&self) -> bool {
        self.inner.is_allowed()
    }

    /// The stable code of why it may not, or None.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        self.inner.reason().map(Reason::code)
    }

    /// In mode `monitor`: the code of why it would have been refused, or None.
    #[getter]
    fn would_refuse(&self) -> Option<&'static str> {
        self.inner.would_refuse().map(Reason::code)
    }

    /// Whether parameters and body were judged and passed. False for a refusal, and where the mode let the
    /// request through all the same: then its body has to be handed on as it comes.
    #[getter]
    fn judged(&self) -> bool {
        self.inner.is_judged()
    }

    /// The HTTP status to answer with; 200 for a request that may pass.
    #[getter]
    fn status(&self) -> u16 {
        self.inner.status()
    }

    /// Headers for the answer, whoever gives it, as pairs.
    #[getter]
    fn headers(&self) -> Vec<(&'static str, &str)> {
        self.inner.headers().iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The `application/problem+json` document of a refusal (RFC 9457), as bytes; empty otherwise.
    fn problem<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.problem())
    }

    /// The operation, `METHOD template`, once it is known and the client may know of it.
    #[getter]
    fn operation(&self) -> Option<String> {
        self.inner.operation().map(crate::policy::Operation::name)
    }

    /// Declared parameters by place and name: `verdict.params["path"]["id"]`.
    ///
    /// Raises:
    ///     NotJudged: The request was refused, or let through without being judged.
    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let document = self.inner.parameters();
        let document =
            document.ok_or_else(|| errors::not_judged(py, "the parameters were not judged"))?;
        let made = self
            .params
            .get_or_try_init(py, || objects::build(py, document.root()).map(Bound::unbind));
        Ok(made?.bind(py).clone())
    }

    /// The parsed body; None when there was none.
    ///
    /// Raises:
    ///     NotJudged: The request was refused, or let through without being judged.
    #[getter]
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if !self.inner.is_judged() {
            return Err(errors::not_judged(py, "the body was not judged"));
        }
        let Some(document) = self.inner.document() else { return Ok(py.None().into_bound(py)) };
        let made = self
            .json
            .get_or_try_init(py, || objects::build(py, document.root()).map(Bound::unbind));
        Ok(made?.bind(py).clone())
    }

    /// The bytes of the body that the gate has read.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.raw())
    }

    /// The client's address, or None where there is none.
    #[getter]
    fn client(&self) -> Option<String> {
        self.inner.client().map(|address| address.to_string())
    }

    /// The request's id.
    #[getter]
    fn request_id(&self) -> &str {
        self.inner.request_id()
    }

    /// Microseconds spent in the gate, without the time that the body took to arrive.
    #[getter]
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "2^53 ns are 104 days")]
    fn elapsed_us(&self) -> f64 {
        self.inner.elapsed_ns() as f64 / 1_000.0
    }

    /// Closes the record: the status that was answered (None if the handler failed), and the bytes sent.
    /// Counted once, under `answered.2xx` and so on.
    #[pyo3(signature = (status=None, sent=None))]
    fn done(&self, status: Option<u16>, sent: Option<u64>) {
        self.inner.done(status, sent);
    }

    fn __bool__(&self) -> bool {
        self.inner.is_allowed()
    }

    fn __repr__(&self) -> String {
        match self.inner.reason() {
            Some(reason) => format!("<Verdict refused {} {}>", reason.status(), reason.code()),
            None => "<Verdict allowed>".to_owned(),
        }
    }
}
