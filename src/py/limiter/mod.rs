//! `secval.Limiter`, and what it takes and gives: [`quota`], [`decision`], [`clock`]; and what an
//! operator asks of a shared table, [`inspect`].

mod clock;
mod decision;
mod inspect;
mod key;
#[cfg(secval_cpython)]
mod quick;
mod quota;
mod slot;

pub(super) use clock::ManualClock;
pub(super) use decision::Decision;
pub(super) use inspect::{inspect_limiter, remove_limiter, stats};
#[cfg(secval_cpython)]
pub(super) use quick::install;
pub(super) use quota::Quota;
pub(super) use slot::Slot;

use std::sync::Arc;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use super::errors;
use crate::clock::{Clock, SystemClock};
use crate::limit::{self, LimiterError, Options, Rule, Sharing, SlotRule, Slots, Subject};
use key::Hashing;

/// There is only the general way of calling.
#[cfg(not(secval_cpython))]
#[expect(clippy::unnecessary_wraps, reason = "what it stands in for can fail")]
pub(super) fn install(_py: Python<'_>) -> PyResult<()> {
    Ok(())
}

/// Sliding-window quotas: never more than the limit in any window, for any number of keys, in bounded memory. And slots:
/// never more than so many at once.
///
/// Args:
///     quotas: `"10/second; 1000/hour"`, or a sequence of `Quota`. A hit must fit all of them, or counts in none. May
///         be left out where there are `slots`.
///     slots: How many slots a key has, 1 to 1024: see `slot`.
///     lease: Seconds, 0.001 to 366 days, after which a slot is free again, though its holder has neither given it
///         back nor renewed it: he may be dead.
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
    slots: Option<(Slots, SlotRule)>,
    hashing: Hashing,
    #[cfg(secval_cpython)]
    answers: quick::Answers,
}

#[pymethods]
impl Limiter {
    #[new]
    #[pyo3(signature = (quotas=None, *, slots=None, lease=60.0, capacity=65_536, overflow=None, shared=None, clock=None))]
    #[expect(clippy::too_many_arguments, reason = "Python's are given by name")]
    fn new(
        py: Python<'_>,
        quotas: Option<&Bound<'_, PyAny>>,
        slots: Option<i64>,
        lease: f64,
        capacity: usize,
        overflow: Option<usize>,
        shared: Option<&Bound<'_, PyAny>>,
        clock: Option<&Bound<'_, ManualClock>>,
    ) -> PyResult<Self> {
        let sharing = sharing(shared)?;
        if matches!(sharing, Sharing::Host(_)) && clock.is_some() {
            let message = "Limiter: processes that share a name share the machine's clock";
            return Err(errors::usage(py, message));
        }
        let quotas = match (quotas, slots) {
            (Some(quotas), _) => quota::list(quotas)?,
            (None, Some(_)) => Vec::new(),
            (None, None) => return Err(errors::usage(py, "Limiter: neither quotas nor slots")),
        };
        let lease_ms = clock::milliseconds(py, "lease", lease)?;
        let slots = slots.map(|limit| Slots { limit: u32::try_from(limit).unwrap_or(0), lease_ms });
        let options = Options { capacity, overflow, sharing };
        let clock =
            clock.map_or_else(|| Arc::new(SystemClock) as Arc<dyn Clock>, |it| it.get().source());
        let usage = |error: LimiterError| errors::usage(py, format!("Limiter: {error}"));
        let limiter = limit::Limiter::with(options, clock).map_err(usage)?;
        let rule = |quota: &Quota| limiter.rule("", quota.inner());
        let slots = slots.map(|slots| Ok((slots, limiter.slots("", slots)?)));
        let slots = slots.transpose().map_err(usage)?;
        let hashing = Hashing::of(py, sharing)?;
        let rules = quotas.iter().map(rule).collect::<Result<_, _>>().map_err(usage)?;
        Ok(Self {
            inner: limiter,
            rules,
            quotas,
            slots,
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
    fn hit(
        &self,
        key: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = cost_of)] cost: u32,
    ) -> PyResult<Decision> {
        Ok(self.inner.hit_all(&self.rules, self.charged(key, cost)?, cost).into())
    }

    /// What `hit` would answer now, without counting anything.
    #[pyo3(signature = (key, cost=1))]
    fn peek(
        &self,
        key: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = cost_of)] cost: u32,
    ) -> PyResult<Decision> {
        Ok(self.inner.peek_all(&self.rules, self.charged(key, cost)?, cost).into())
    }

    /// Takes a slot of a key, if one is free: never more than `slots` are held at once, by all threads and processes that
    /// share the table. Never waits.
    ///
    /// Args:
    ///     key: Whom the slots belong to, as for `hit`.
    ///
    /// Returns:
    ///     A `Slot`, which is false if none was free, or the key is banned.
    ///
    /// Raises:
    ///     UsageError: The limiter was made without `slots`.
    fn slot(this: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<Slot> {
        let limiter = this.get();
        let (slots, rule) = limiter.slots(this.py())?;
        let taken = limiter.inner.take(rule, limiter.subject(key)?);
        Ok(Slot::new(this.clone().unbind(), slots, taken))
    }

    /// How many slots of a key are taken now.
    ///
    /// Raises:
    ///     UsageError: The limiter was made without `slots`.
    fn slots_taken(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<u64> {
        let (_, rule) = self.slots(py)?;
        Ok(self.inner.taken(rule, self.subject(key)?))
    }

    /// Refuses all hits of a key from now on, and gives it no slot, in all processes that share the table.
    ///
    /// Args:
    ///     key: Whom to ban.
    ///     seconds: For how long; a longer ban that is in force stays.
    ///
    /// Raises:
    ///     UsageError: The table has no room to remember it: neither a line, nor one of those that only bans have.
    fn ban(&self, key: &Bound<'_, PyAny>, seconds: f64) -> PyResult<()> {
        let ms = clock::milliseconds(key.py(), "ban", seconds)?;
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

    /// Forgets what a key has used of every quota; neither its ban, nor the slots that it has, nor what it has used while
    /// the table had no room for it. For operators: hits that are being decided meanwhile may be forgotten too.
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
    /// neither set nor overflow had room, lines given to keys and taken from dead ones, hits that started again (a
    /// new key's, once it had got its line; others, since somebody else moved), and hits refused because that happened
    /// too often.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        inspect::stats(py, self.inner.stats())
    }

    fn __repr__(&self) -> String {
        let quotas: Vec<String> =
            self.quotas.iter().map(|quota| quota.inner().to_string()).collect();
        let mut parts = Vec::new();
        if !quotas.is_empty() {
            parts.push(format!("'{}'", quotas.join("; ")));
        }
        if let Some((Slots { limit, lease_ms }, _)) = self.slots {
            parts.push(format!("slots={limit}, lease={:?}", decision::seconds(lease_ms)));
        }
        format!("Limiter({})", parts.join(", "))
    }
}

/// Who counts together, as a caller says it.
fn sharing<'a>(given: Option<&'a Bound<'_, PyAny>>) -> PyResult<Sharing<'a>> {
    let Some(given) = given else { return Ok(Sharing::Process) };
    if let Ok(forks) = given.cast::<PyBool>() {
        return Ok(if forks.is_true() { Sharing::Forks } else { Sharing::Process });
    }
    let name = given.extract().map(Sharing::Host);
    name.map_err(|_: PyErr| PyTypeError::new_err("Limiter: `shared` is None, a bool or a name"))
}

/// What a hit counts, as a caller says it.
fn cost_of(given: &Bound<'_, PyAny>) -> PyResult<u32> {
    given.extract().map_err(|error: PyErr| {
        let py = given.py();
        let is_beyond = error.is_instance_of::<PyOverflowError>(py);
        let message = "Limiter: a hit costs 1 to 4294967295";
        if is_beyond { errors::usage(py, message) } else { error }
    })
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
        if self.rules.is_empty() {
            return Err(errors::usage(
                key.py(),
                "Limiter: it has slots, and no quota to count hits by",
            ));
        }
        self.subject(key)
    }

    fn slots(&self, py: Python<'_>) -> PyResult<(Slots, SlotRule)> {
        let none = || errors::usage(py, "Limiter: it was made without `slots`");
        self.slots.ok_or_else(none)
    }
}
