//! `secval.Decision`.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use pyo3::prelude::*;

use crate::limit;

/// The answer to a hit; true when it was admitted. The numbers are those of the quota that refuses (the one
/// that lasts longest, if several do), or else of the quota with the least left.
//
// Atomics, so that an object that nobody has any more can become another answer (see `quick.rs`); nobody ever sees one
// change. All accesses are relaxed: the GIL orders them.
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct Decision {
    allowed: AtomicBool,
    table_full: AtomicBool,
    limit: AtomicU32,
    remaining: AtomicU32,
    reset_after_ms: AtomicU64,
    retry_after_ms: AtomicU64,
}

impl From<limit::Decision> for Decision {
    fn from(decision: limit::Decision) -> Self {
        Self {
            allowed: decision.allowed.into(),
            table_full: decision.table_full.into(),
            limit: decision.limit.into(),
            remaining: decision.remaining.into(),
            reset_after_ms: decision.reset_after_ms.into(),
            retry_after_ms: decision.retry_after_ms.into(),
        }
    }
}

impl Decision {
    /// Turns into another answer: for whoever alone has this one.
    #[cfg(secval_cpython)]
    #[inline]
    pub(super) fn turn_into(&self, decision: limit::Decision) {
        self.allowed.store(decision.allowed, Relaxed);
        self.table_full.store(decision.table_full, Relaxed);
        self.limit.store(decision.limit, Relaxed);
        self.remaining.store(decision.remaining, Relaxed);
        self.reset_after_ms.store(decision.reset_after_ms, Relaxed);
        self.retry_after_ms.store(decision.retry_after_ms, Relaxed);
    }
}

#[pymethods]
impl Decision {
    /// Whether the hit was admitted, and counted.
    #[getter]
    fn allowed(&self) -> bool {
        self.allowed.load(Relaxed)
    }

    /// The quota's limit.
    #[getter]
    fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// What is left of it.
    #[getter]
    fn remaining(&self) -> u32 {
        self.remaining.load(Relaxed)
    }

    /// Seconds until it is whole again, if nobody hits.
    #[getter]
    fn reset_after(&self) -> f64 {
        seconds(self.reset_after_ms.load(Relaxed))
    }

    /// Seconds after which the same hit is admitted, if nobody else hits: 0.0 when it was admitted, `inf` when it
    /// costs more than the limit.
    #[getter]
    fn retry_after(&self) -> f64 {
        seconds(self.retry_after_ms.load(Relaxed))
    }

    /// Whether it was refused because the table has no room for a new key, not because a quota is used up.
    #[getter]
    fn table_full(&self) -> bool {
        self.table_full.load(Relaxed)
    }

    fn __bool__(&self) -> bool {
        self.allowed()
    }

    fn __repr__(&self) -> String {
        let name = |yes: bool| if yes { "True" } else { "False" };
        format!(
            "Decision(allowed={}, limit={}, remaining={}, reset_after={}, retry_after={}, table_full={})",
            name(self.allowed()),
            self.limit(),
            self.remaining(),
            self.reset_after(),
            self.retry_after(),
            name(self.table_full()),
        )
    }
}

/// Milliseconds as seconds; what never comes is infinitely far.
#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "windows are at most 2^35 ms"
)]
pub(super) fn seconds(ms: u64) -> f64 {
    if ms == u64::MAX { f64::INFINITY } else { ms as f64 / 1_000.0 }
}
