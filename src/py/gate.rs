//! `secval.Gate`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::limiter::ManualClock;
use super::pending::Pending;
use super::request::{Circumstances, Lines, with_head};
use super::verdict::Verdict;
use super::{errors, text, values};
use crate::clock::SystemClock;
use crate::gate::{self, Answer};
use crate::json::Limits;
use crate::policy::{Policy, Source, summary};

/// A handle on a compiled policy: judges requests, does no I/O while it does, and calls nobody.
///
/// Make one with `Gate.from_file` or `Gate.from_openapi`; share it between threads as you like.
#[pyclass(frozen, module = "secval._core")]
pub(super) struct Gate {
    inner: gate::Gate,
    /// Where the policy came from, for `reload`.
    path: Option<PathBuf>,
    /// Held while the files are read and the policy is swapped: of two reloads, the later one wins.
    reloading: Mutex<()>,
}

#[pymethods]
impl Gate {
    /// Compiles a `secval.toml` (with the OpenAPI document that it names), or an OpenAPI document alone.
    ///
    /// Args:
    ///     path: Of the file.
    ///     alone: Count in this process alone, whatever `[rate] shared` says: for trying a policy.
    ///     clock: A `secval.testing.ManualClock`, for tests of quotas and dates. With it the gate counts alone.
    ///
    /// Raises:
    ///     PolicyError: With every fault of every file, each with file, pointer and line.
    ///     UsageError: The shared table cannot be made, or attached to.
    #[classmethod]
    #[pyo3(signature = (path, *, alone=false, clock=None))]
    fn from_file(
        _cls: &Bound<'_, pyo3::types::PyType>,
        py: Python<'_>,
        path: PathBuf,
        alone: bool,
        clock: Option<&Bound<'_, ManualClock>>,
    ) -> PyResult<Self> {
        let policy =
            py.detach(|| Policy::load(&path)).map_err(|faults| errors::policy(py, &faults))?;
        Self::of(py, policy, Some(path), Counting { alone, clock })
    }

    /// Compiles an OpenAPI document.
    ///
    /// Args:
    ///     document_or_path: The document as a mapping, or the path of a JSON or YAML file.
    ///     config: What the document does not say (`secval.Config`).
    ///     alone: Count in this process alone, whatever the configuration says: for trying a policy.
    ///     clock: A `secval.testing.ManualClock`, for tests of quotas and dates. With it the gate counts alone.
    ///
    /// Raises:
    ///     PolicyError: With every fault.
    ///     UsageError: The shared table cannot be made, or attached to.
    #[classmethod]
    #[pyo3(signature = (document_or_path, *, config=None, alone=false, clock=None))]
    fn from_openapi(
        _cls: &Bound<'_, pyo3::types::PyType>,
        document_or_path: &Bound<'_, PyAny>,
        config: Option<&Bound<'_, PyAny>>,
        alone: bool,
        clock: Option<&Bound<'_, ManualClock>>,
    ) -> PyResult<Self> {
        let py = document_or_path.py();
        let document = read_document(document_or_path)?;
        let config = config.map(read_config).transpose()?;
        let policy =
            Policy::compile(document, config).map_err(|faults| errors::policy(py, &faults))?;
        Self::of(py, policy, None, Counting { alone, clock })
    }

    /// Judges a whole request.
    ///
    /// Args:
    ///     method: As in the request line.
    ///     target: As in the request line, still percent-encoded, with its query. None where a server gives
    ///         only the decoded `path`; the policy must then say `[request] decoded_target = true`.
    ///     headers: Pairs of name and value, in order, repeats included. A mapping is a `TypeError`.
    ///     body: All of it.
    ///     peer: The socket's address, never a header; None for a unix socket.
    ///     scheme: "http", "https", "ws" or "wss".
    ///     path: Decoded: what the application will dispatch on. The target must decode to exactly this.
    ///     query: Raw, where `target` is None.
    ///     http_version: "1.0", "1.1", "2" or "3".
    ///     websocket: Whether this is the handshake of a websocket.
    #[pyo3(signature = (method, target, headers, body=None, *, peer, scheme="https", path=None, query=None, http_version="1.1", websocket=false),
           text_signature = "($self, method, target, headers, body=b'', *, peer, scheme='https', path=None, query=None, http_version='1.1', websocket=False)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "a request has these parts; all but four are named"
    )]
    fn judge(
        &self,
        py: Python<'_>,
        method: &Bound<'_, PyAny>,
        target: Option<&Bound<'_, PyAny>>,
        headers: &Bound<'_, PyAny>,
        body: Option<&Bound<'_, PyAny>>,
        peer: Option<&str>,
        scheme: &str,
        path: Option<&Bound<'_, PyString>>,
        query: Option<&Bound<'_, PyAny>>,
        http_version: &str,
        websocket: bool,
    ) -> PyResult<Verdict> {
        let lines = Lines { method, target, headers };
        let around = Circumstances { peer, scheme, path, query, http_version, websocket };
        let body = body.map(|body| text::bytes(body, "body")).transpose()?.unwrap_or_default();
        let judge =
            |head: &gate::Head<'_>| text::work_on(py, body.len(), || self.inner.judge(head, &body));
        with_head(&lines, &around, judge).map(Verdict::from)
    }

    /// Judges a request without its body.
    ///
    /// Args: as for `judge`.
    ///
    /// Returns:
    ///     A `Verdict`, which is final, or a `Pending`, which needs the body.
    #[pyo3(signature = (method, target, headers, *, peer, scheme="https", path=None, query=None, http_version="1.1", websocket=false))]
    #[expect(
        clippy::too_many_arguments,
        reason = "a request has these parts; all but three are named"
    )]
    fn head<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyAny>,
        target: Option<&Bound<'py, PyAny>>,
        headers: &Bound<'py, PyAny>,
        peer: Option<&str>,
        scheme: &str,
        path: Option<&Bound<'py, PyString>>,
        query: Option<&Bound<'py, PyAny>>,
        http_version: &str,
        websocket: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let lines = Lines { method, target, headers };
        let around = Circumstances { peer, scheme, path, query, http_version, websocket };
        match with_head(&lines, &around, |head| self.inner.head(head))? {
            Answer::Final(verdict) => Ok(Bound::new(py, Verdict::from(*verdict))?.into_any()),
            Answer::Pending(pending) => Ok(Bound::new(py, Pending::from(*pending))?.into_any()),
        }
    }

    /// The Hosts that the API answers to; `["*"]` for any.
    #[getter]
    fn hosts(&self) -> Vec<String> {
        self.inner.with_policy(|policy| policy.hosts.names())
    }

    /// The schemes that it is served under: "http", "https".
    #[getter]
    fn schemes(&self) -> Vec<&'static str> {
        self.inner.with_policy(|policy| policy.schemes.names())
    }

    /// The shared table that the policy's quotas are counted in, by its name (`secval limiter inspect NAME`); None if
    /// each process counts alone, or there is no quota.
    #[getter]
    fn shared(&self) -> Option<String> {
        self.inner.with_policy(|policy| policy.shared_table().map(str::to_owned))
    }

    /// Whether there are quotas of which the policy does not say which processes count together, so that each one
    /// counts alone. The adapters warn of it.
    #[getter]
    fn sharing_unsaid(&self) -> bool {
        self.inner.with_policy(Policy::is_sharing_unsaid)
    }

    /// What each operation demands, as a list of dicts.
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let summary = self.inner.with_policy(summary::operations);
        let loads = py.import("json")?.getattr("loads")?;
        loads.call1((summary.to_string(),))
    }

    /// How often each decision was made: `allowed`, `refused.CODE`, `would_refuse.CODE`; what was answered in the
    /// end, `answered.2xx` and so on (`answered.none`: nobody did), and `sent.bytes`, as `Verdict.done` told.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = PyDict::new(py);
        for (name, count) in self.inner.counters() {
            counters.set_item(name, count)?;
        }
        Ok(counters)
    }

    /// Sizes and counters of the table that the rates count in, as of `Limiter.stats`: `overflowed` and `full` say that it
    /// should be larger (`[rate] capacity`, `overflow`). Looks at the whole table.
    fn rate_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        super::limiter::stats(py, self.inner.rate_stats())
    }

    /// Compiles the policy's files again and judges by them from now on. A policy with a fault changes nothing.
    ///
    /// Raises:
    ///     PolicyError: The files have faults; the old policy stays in force.
    ///     UsageError: The gate was not made from a file.
    fn reload(&self, py: Python<'_>) -> PyResult<()> {
        let Some(path) = &self.path else {
            return Err(errors::usage(py, "only a gate made by Gate.from_file can be reloaded"));
        };
        let replaced = py.detach(|| {
            let _held = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
            Policy::load(path).map(|policy| self.inner.replace(policy))
        });
        let replaced = replaced.map_err(|faults| errors::policy(py, &faults))?;
        replaced.map_err(|fault| errors::usage(py, fault.to_string()))
    }
}

/// Who counts, as a caller says it.
#[derive(Clone, Copy)]
struct Counting<'c, 'py> {
    alone: bool,
    clock: Option<&'c Bound<'py, ManualClock>>,
}

impl Gate {
    fn of(
        py: Python<'_>,
        policy: Policy,
        path: Option<PathBuf>,
        counting: Counting<'_, '_>,
    ) -> PyResult<Self> {
        let gate = match counting {
            Counting { clock: Some(clock), .. } => gate::Gate::alone(policy, clock.get().source()),
            Counting { alone: true, .. } => gate::Gate::alone(policy, Arc::new(SystemClock)),
            Counting { alone: false, .. } => gate::Gate::new(policy, Arc::new(SystemClock)),
        };
        let gate = gate.map_err(|fault| errors::usage(py, fault.to_string()))?;
        Ok(Self { inner: gate, path, reloading: Mutex::new(()) })
    }
}

fn read_document(document: &Bound<'_, PyAny>) -> PyResult<Source> {
    let py = document.py();
    if let Ok(path) = document.extract::<PathBuf>() {
        return Source::file(&path).map_err(|faults| errors::policy(py, &faults));
    }
    let limits = Limits { max_depth: 512, ..Limits::default() };
    match values::document(document, &limits) {
        Ok(value) => {
            let value = value.to_serde().map_err(|e| errors::json(py, e, value.text()))?;
            Source::memory("openapi", &value).map_err(|faults| errors::policy(py, &faults))
        }
        Err(values::Fault::Python(error)) => Err(error),
        Err(values::Fault::Json(error, place)) => {
            let (reason, pointer) = (error.reason(), place.pointer);
            Err(errors::usage(py, format!("the document is no JSON: {reason} at {pointer:?}")))
        }
    }
}

fn read_config(config: &Bound<'_, PyAny>) -> PyResult<Source> {
    let text: String = config.call_method0("to_json")?.extract()?;
    Source::json("config", &text).map_err(|faults| errors::policy(config.py(), &faults))
}
