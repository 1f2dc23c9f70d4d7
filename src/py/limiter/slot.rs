//! `secval.Slot`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::{Limiter, decision};
use crate::limit::{self, Lease, Slots, Taken};
use crate::py::errors;

/// A slot of a key, from `Limiter.slot`: true if it was given. Nothing here ever waits, so it serves `async` code too.
///
/// As a context manager it is given back at the end, and a slot that was not given cannot be entered. A slot that
/// nobody has any more is given back, too. It belongs to the process that took it: a fork does not give it back.
///
/// Example:
///     >>> limiter = secval.Limiter(slots=1)
///     >>> with limiter.slot("alice") as slot:
///     ...     bool(slot), bool(limiter.slot("alice"))
///     (True, False)
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct Slot {
    limiter: Py<Limiter>,
    slots: Slots,
    /// The process that took it.
    owner: u32,
    refused: Option<Taken>,
    held: Mutex<Held>,
}

struct Held {
    /// Until it is given back.
    lease: Option<Lease>,
    /// Whether a `with` has it, which gives it back.
    entered: bool,
}

impl Held {
    /// Gives it to a `with`, or says why it cannot.
    fn enter(&mut self) -> Result<(), &'static str> {
        if self.lease.is_none() {
            return Err("Slot: it was given back; take another one");
        }
        if std::mem::replace(&mut self.entered, true) {
            return Err("Slot: another `with` has it; take another one");
        }
        Ok(())
    }
}

impl Slot {
    pub(super) fn new(limiter: Py<Limiter>, slots: Slots, taken: Result<Lease, Taken>) -> Self {
        let (refused, lease) = match taken {
            Ok(lease) => (None, Some(lease)),
            Err(taken) => (Some(taken), None),
        };
        let held = Mutex::new(Held { lease, entered: false });
        Self { limiter, slots, owner: limit::process_id(), refused, held }
    }

    fn is_ours(&self) -> bool {
        self.owner == limit::process_id()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self) -> bool {
        let lease = self.held().lease.take();
        lease.is_some_and(|lease| self.is_ours() && self.limiter.get().inner.release(lease))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[pymethods]
impl Slot {
    /// Whether it was given.
    #[getter]
    fn allowed(&self) -> bool {
        self.refused.is_none()
    }

    /// How many a key has at once.
    #[getter]
    fn limit(&self) -> u32 {
        self.slots.limit
    }

    /// Seconds after which it is free again, if it is neither given back nor renewed.
    #[getter]
    fn lease(&self) -> f64 {
        decision::seconds(self.slots.lease_ms)
    }

    /// Seconds after which a slot is free at the latest, if no lease is renewed and nobody else takes it; 0.0 when
    /// this one was given.
    #[getter]
    fn retry_after(&self) -> f64 {
        decision::seconds(self.refused.map_or(0, |taken| taken.retry_after_ms))
    }

    /// Whether it was refused because the table has no room for a new key, not because all slots are taken.
    #[getter]
    fn table_full(&self) -> bool {
        self.refused.is_some_and(|taken| taken.table_full)
    }

    /// Makes the lease last from now on. False if it is over or given back: the slot may be somebody else's.
    fn renew(&self) -> bool {
        let renewed = |lease: &mut Lease| self.is_ours() && self.limiter.get().inner.renew(lease);
        self.held().lease.as_mut().is_some_and(renewed)
    }

    /// Gives it back. False if there was nothing to give: refused, given back before, or its lease was over.
    fn release(&self) -> bool {
        self.give_back()
    }

    /// Raises:
    ///     SlotsTaken: It was not given.
    ///     UsageError: It was given back already, or another `with` has it and will give it back.
    fn __enter__(this: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        if let Some(taken) = this.refused {
            let after = decision::seconds(taken.retry_after_ms);
            return Err(errors::slots_taken(this.py(), after, taken.table_full));
        }
        let entered = this.held().enter();
        match entered {
            Ok(()) => Ok(this),
            Err(fault) => Err(errors::usage(this.py(), fault)),
        }
    }

    /// Gives it back; lets exceptions pass.
    #[pyo3(signature = (kind=None, error=None, traceback=None, /))]
    fn __exit__(
        &self,
        kind: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) {
        // The names are what `help` shows.
        let _ = (kind, error, traceback);
        self.give_back();
    }

    fn __bool__(&self) -> bool {
        self.allowed()
    }

    fn __repr__(&self) -> String {
        let allowed = if self.allowed() { "True" } else { "False" };
        format!(
            "Slot(allowed={allowed}, limit={}, lease={:?}, retry_after={:?})",
            self.limit(),
            self.lease(),
            self.retry_after()
        )
    }
}
