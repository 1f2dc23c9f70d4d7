//! `secval.Limiter`, and what it takes and gives: [`quota`], [`decision`], [`clock`]; and what an
//! operator asks of a shared table, [`inspect`].

mod clock;
mod decision;
mod inspect;
mod key;
#[cfg(secval_cpython)]
mod quick;
mod quota;

pub(super) use clock::ManualClock;
pub(super) use decision::Decision;
pub(super) use inspect::{inspect_limiter, remove_limiter};
#[cfg(secval_cpython)]
pub(super) use quick::install;
pub(super) use quota::Quota;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::errors;
use crate::clock::{Clock, SystemClock};
use crate::limit::{self, LimiterError, Options, Rule, Sharing, Subject};
use key::Hashing;

/// There is only the general way of calling.
#[cfg(not(secval_cpython))]
#[expect(clippy::unnecessary_wraps, reason = "what it stands in for can fail")]
pub(super) fn install(_py: Python<'_>) -> PyResult<()> {
    Ok(())
}

/// Sliding-window quotas: never more than the limit in any window, for any number of keys, in bounded memory.
///
/// Args:
///     quotas: `"10/second; 1000/hour"`, or a sequence of `Quota`. A hit must fit all of them, or counts in none.
///     capacity: How many keys (times quotas) are live at once, at most; about 124 bytes each, all in all. A key
///         that is in use is never forgotten to make room.
///     overflow: Cells for newcomers that find no room, 8 bytes each; by default as many as `capacity`. They are
///         counted there too high rather than too low. 0: such newcomers are refused.
///     shared: None: the threads of this process count together. True: so do all processes that are forked from it
///         later. A name: so do all processes of this user on this host that give the same name, capacity and
///         overflow.
///     clock: A `secval.testing.ManualClock`, for tests; not for a shared name.
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
    /// One a quota, all different.
    rules: Vec<Rule>,
    quotas: Vec<Quota>,
    hashing: Hashing,
    #[cfg(secval_cpython)]
    answers: quick::Answers,
}

#[pymethods]
impl Limiter {
    #[new]
    #[pyo3(signature = (quotas, *, capacity=65_536, overflow=None, shared=None, clock=None))]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "arguments of Python are converted into values"
    )]
    fn new(
        quotas: &Bound<'_, PyAny>,
        capacity: usize,
        overflow: Option<usize>,
        shared: Option<Shared>,
        clock: Option<&Bound<'_, ManualClock>>,
    ) -> PyResult<Self> {
        let py = quotas.py();
        if matches!(shared, Some(Shared::Name(_))) && clock.is_some() {
            let message = "Limiter: processes that share a name share the machine's clock";
            return Err(errors::usage(py, message));
        }
        let quotas = quota::list(quotas)?;
        let sharing = shared.as_ref().map_or(Sharing::Process, Shared::sharing);
        let options = Options { capacity, overflow, sharing };
        let clock =
            clock.map_or_else(|| Arc::new(SystemClock) as Arc<dyn Clock>, |it| it.get().source());
        let usage = |error: LimiterError| errors::usage(py, format!("Limiter: {error}"));
        let limiter = limit::Limiter::with(options, clock).map_err(usage)?;
        let rule = |quota: &Quota| limiter.rule("", quota.inner());
        let hashing = Hashing::of(py, sharing)?;
        let rules = quotas.iter().map(rule).collect::<Result<_, _>>().map_err(usage)?;
        Ok(Self {
            inner: limiter,
            rules,
            quotas,
            hashing,
            #[cfg(secval_cpython)]
            answers: quick::Answers::default(),
        })
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
        Ok(self.inner.hit_all(&self.rules, self.charged(key, cost)?, cost).into())
    }

    /// What `hit` would answer now, without counting anything.
    #[pyo3(signature = (key, cost=1))]
    fn peek(&self, key: &Bound<'_, PyAny>, cost: u32) -> PyResult<Decision> {
        Ok(self.inner.peek_all(&self.rules, self.charged(key, cost)?, cost).into())
    }

    /// Refuses all hits of a key from now on, in all processes that share the table.
    ///
    /// Args:
    ///     key: Whom to ban.
    ///     seconds: For how long; a longer ban that is in force stays.
    ///
    /// Raises:
    ///     UsageError: The table has no room to remember it.
    fn ban(&self, key: &Bound<'_, PyAny>, seconds: f64) -> PyResult<()> {
        let ms = clock::milliseconds(key.py(), seconds)?;
        if self.inner.ban(self.subject(key)?, ms) {
            return Ok(());
        }
        Err(errors::usage(key.py(), "Limiter: no room to remember the ban; raise `capacity`"))
    }

    /// Lifts a key's ban.
    fn unban(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.inner.unban(self.subject(key)?);
        Ok(())
    }

    /// Seconds for which a key is banned from now on; None if it is not.
    fn banned_for(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
        Ok(self.inner.banned_for(self.subject(key)?).map(decision::seconds))
    }

    /// Forgets what a key has used of every quota; not its ban. For operators: hits that are being decided
    /// meanwhile may be forgotten too.
    fn reset(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let subject = self.subject(key)?;
        self.rules.iter().for_each(|&rule| self.inner.reset(rule, subject));
        Ok(())
    }

    /// Sizes and counters of the table, in all processes that share it, since it was made. Looks at the whole table:
    /// milliseconds for a million keys.
    ///
    /// `capacity`, `lines`, `live`, `overflow_cells`, `overflow_live`, `rules` and `bytes` are what it has now; `denied`,
    /// `banned`, `overflowed`, `full`, `claimed`, `evicted`, `restarted` and `exhausted` are what has happened:
    /// hits refused because a quota was used up or the key banned, hits admitted by the overflow, hits refused because
    /// neither set nor overflow had room, lines given to keys and taken from dead ones, hits that started again
    /// since others moved, and hits refused because that happened too often.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        inspect::stats(py, self.inner.stats())
    }

    fn __repr__(&self) -> String {
        let quotas: Vec<String> =
            self.quotas.iter().map(|quota| quota.inner().to_string()).collect();
        format!("Limiter('{}')", quotas.join("; "))
    }
}

/// Who counts together, as a caller says it.
#[derive(FromPyObject)]
enum Shared {
    #[pyo3(annotation = "bool")]
    Forks(bool),
    #[pyo3(annotation = "str")]
    Name(String),
}

impl Shared {
    fn sharing(&self) -> Sharing<'_> {
        match self {
            Self::Forks(false) => Sharing::Process,
            Self::Forks(true) => Sharing::Forks,
            Self::Name(name) => Sharing::Host(name),
        }
    }
}

impl Limiter {
    fn subject(&self, key: &Bound<'_, PyAny>) -> PyResult<Subject> {
        self.hashing.subject(&self.inner, key)
    }

    /// The key of a hit; its cost is looked at here, so that all methods refuse the same calls.
    fn charged(&self, key: &Bound<'_, PyAny>, cost: u32) -> PyResult<Subject> {
        if cost == 0 {
            return Err(errors::usage(key.py(), "Limiter: a hit costs at least 1; see peek"));
        }
        self.subject(key)
    }
}
