//! `secval.Limiter`, and what it takes and gives: [`quota`], [`decision`], [`clock`].

mod clock;
mod decision;
mod quota;

pub(super) use clock::ManualClock;
pub(super) use decision::Decision;
pub(super) use quota::Quota;

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{errors, text};
use crate::clock::{Clock, SystemClock};
use crate::limit::{self, Charge, LimiterError, Rule};

/// Sliding-window quotas: never more than the limit in any window, for any number of keys, in bounded memory.
///
/// Args:
///     quotas: `"10/second; 1000/hour"`, or a sequence of `Quota`. A hit must fit all of them, or counts in none.
///     capacity: How many keys are live at once, at most; about 116 bytes each. A full table refuses newcomers
///         and never forgets a key that is in use.
///     shared: Not offered yet.
///     clock: A `secval.testing.ManualClock`, for tests.
///
/// Raises:
///     UsageError: A quota that cannot be read or enforced, with the byte at which it is wrong; a capacity
///         that makes no table; `shared`.
///
/// Example:
///     >>> limiter = secval.Limiter("2/minute")
///     >>> [bool(limiter.hit("alice")) for _ in range(3)]
///     [True, True, False]
#[pyclass(frozen, module = "secval._core")]
pub(super) struct Limiter {
    inner: limit::Limiter,
    rules: Vec<Rule>,
    quotas: Vec<Quota>,
}

#[pymethods]
impl Limiter {
    #[new]
    #[pyo3(signature = (quotas, *, capacity=65_536, shared=None, clock=None))]
    fn new(
        quotas: &Bound<'_, PyAny>,
        capacity: usize,
        shared: Option<&Bound<'_, PyAny>>,
        clock: Option<&Bound<'_, ManualClock>>,
    ) -> PyResult<Self> {
        let py = quotas.py();
        if shared.is_some() {
            return Err(errors::usage(py, "Limiter: counts are not shared between processes yet"));
        }
        let quotas = quota::list(quotas)?;
        let clock =
            clock.map_or_else(|| Arc::new(SystemClock) as Arc<dyn Clock>, |it| it.get().source());
        let usage = |error: LimiterError| errors::usage(py, format!("Limiter: {error}"));
        let limiter = limit::Limiter::new(capacity, clock).map_err(usage)?;
        let rule = |quota: &Quota| limiter.rule("", quota.inner());
        let rules = quotas.iter().map(rule).collect::<Result<_, _>>().map_err(usage)?;
        Ok(Self { inner: limiter, rules, quotas })
    }

    /// The quotas, in the order given.
    #[getter]
    fn quotas(&self) -> Vec<Quota> {
        self.quotas.clone()
    }

    /// Counts a hit, if it fits every quota; otherwise counts nothing.
    ///
    /// Args:
    ///     key: Whom to count: str (as its UTF-8) or bytes, of any length. Only a keyed hash of it is kept.
    ///     cost: How much this hit counts, at least 1. More than a quota's limit is always refused.
    #[pyo3(signature = (key, cost=1))]
    fn hit(&self, key: &Bound<'_, PyAny>, cost: u32) -> PyResult<Decision> {
        let key = bytes_of(key, cost)?;
        Ok(self.inner.hit(&self.charges(&key, cost)).into())
    }

    /// What `hit` would answer now, without counting anything.
    #[pyo3(signature = (key, cost=1))]
    fn peek(&self, key: &Bound<'_, PyAny>, cost: u32) -> PyResult<Decision> {
        let key = bytes_of(key, cost)?;
        Ok(self.inner.peek(&self.charges(&key, cost)).into())
    }

    fn __repr__(&self) -> String {
        let quotas: Vec<String> =
            self.quotas.iter().map(|quota| quota.inner().to_string()).collect();
        format!("Limiter('{}')", quotas.join("; "))
    }
}

impl Limiter {
    fn charges<'k>(&self, key: &'k [u8], cost: u32) -> Vec<Charge<'k>> {
        self.rules.iter().map(|&rule| Charge { rule, key, cost }).collect()
    }
}

/// The key's bytes; the cost is looked at here too, so that both methods refuse the same calls.
fn bytes_of<'a>(key: &'a Bound<'_, PyAny>, cost: u32) -> PyResult<Cow<'a, [u8]>> {
    if cost == 0 {
        return Err(errors::usage(key.py(), "Limiter: a hit costs at least 1; see peek"));
    }
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
