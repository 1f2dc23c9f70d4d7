//! `secval.Decision`.

use pyo3::prelude::*;

use crate::limit;
use crate::sync::Ordered;

/// The answer to a hit; true when it was admitted. The numbers are those of the quota that refuses (the one
/// that lasts longest, if several do), or else of the quota with the least left.
//
// An object that nobody has any more can become another answer (see `quick.rs`): the GIL keeps that and all readings in
// order, and nobody ever sees one change.
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct Decision {
    /// 1: admitted; 2: the table is full.
    flags: Ordered,
    limit: Ordered,
    remaining: Ordered,
    reset_after_ms: Ordered,
    retry_after_ms: Ordered,
}

/// Of [`Decision::flags`].
const ALLOWED: u64 = 1;
const TABLE_FULL: u64 = 2;

fn flags(decision: limit::Decision) -> u64 {
    let allowed = if decision.allowed { ALLOWED } else { 0 };
    if decision.table_full { allowed | TABLE_FULL } else { allowed }
}

impl From<limit::Decision> for Decision {
    fn from(decision: limit::Decision) -> Self {
        Self {
            flags: Ordered::new(flags(decision)),
            limit: Ordered::new(decision.limit.into()),
            remaining: Ordered::new(decision.remaining.into()),
            reset_after_ms: Ordered::new(decision.reset_after_ms),
            retry_after_ms: Ordered::new(decision.retry_after_ms),
        }
    }
}

impl Decision {
    /// Turns into another answer: for whoever alone has this one.
    #[cfg(secval_cpython)]
    #[inline]
    pub(super) fn turn_into(&self, decision: limit::Decision) {
        self.flags.set(flags(decision));
        self.limit.set(decision.limit.into());
        self.remaining.set(decision.remaining.into());
        self.reset_after_ms.set(decision.reset_after_ms);
        self.retry_after_ms.set(decision.retry_after_ms);
    }
}

#[pymethods]
impl Decision {
    /// Whether the hit was admitted, and counted.
    #[getter]
    pub(super) fn allowed(&self) -> bool {
        self.flags.get() & ALLOWED != 0
    }

    /// The quota's limit.
    #[getter]
    fn limit(&self) -> u64 {
        self.limit.get()
    }

    /// What is left of it.
    #[getter]
    fn remaining(&self) -> u64 {
        self.remaining.get()
    }

    /// Seconds until it is whole again, if nobody hits.
    #[getter]
    fn reset_after(&self) -> f64 {
        seconds(self.reset_after_ms.get())
    }

    /// Seconds after which the same hit is admitted, if nobody else hits: 0.0 when it was admitted, `inf` when it
    /// costs more than the limit.
    #[getter]
    fn retry_after(&self) -> f64 {
        seconds(self.retry_after_ms.get())
    }

    /// Whether it was refused because the table has no room for a new key, not because a quota is used up.
    #[getter]
    fn table_full(&self) -> bool {
        self.flags.get() & TABLE_FULL != 0
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
