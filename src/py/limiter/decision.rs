//! `secval.Decision`.

use pyo3::prelude::*;

use crate::limit;

/// The answer to a hit; true when it was admitted. The numbers are those of the quota that refuses (the one
/// that lasts longest, if several do), or else of the quota with the least left.
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct Decision(limit::Decision);

impl From<limit::Decision> for Decision {
    fn from(decision: limit::Decision) -> Self {
        Self(decision)
    }
}

#[pymethods]
impl Decision {
    /// Whether the hit was admitted, and counted.
    #[getter]
    fn allowed(&self) -> bool {
        self.0.allowed
    }

    /// The quota's limit.
    #[getter]
    fn limit(&self) -> u32 {
        self.0.limit
    }

    /// What is left of it.
    #[getter]
    fn remaining(&self) -> u32 {
        self.0.remaining
    }

    /// Seconds until it is whole again, if nobody hits.
    #[getter]
    fn reset_after(&self) -> f64 {
        seconds(self.0.reset_after_ms)
    }

    /// Seconds after which the same hit is admitted, if nobody else hits: 0.0 when it was admitted, `inf` when it
    /// costs more than the limit.
    #[getter]
    fn retry_after(&self) -> f64 {
        seconds(self.0.retry_after_ms)
    }

    /// Whether it was refused because the table has no room for a new key, not because a quota is used up.
    #[getter]
    fn table_full(&self) -> bool {
        self.0.table_full
    }

    fn __bool__(&self) -> bool {
        self.0.allowed
    }

    fn __repr__(&self) -> String {
        let name = |yes: bool| if yes { "True" } else { "False" };
        format!(
            "Decision(allowed={}, limit={}, remaining={}, reset_after={}, retry_after={}, table_full={})",
            name(self.0.allowed),
            self.0.limit,
            self.0.remaining,
            self.reset_after(),
            self.retry_after(),
            name(self.0.table_full),
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
