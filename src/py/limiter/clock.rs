//! `secval.testing.ManualClock`.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::clock::{self, Clock};
use crate::py::errors;

/// Milliseconds in a second.
const SECOND: f64 = 1_000.0;

/// The longest that a clock moves at once: 317 years.
const LONGEST: f64 = 1e10;

/// A clock that moves only when told to, for tests.
///
/// Args:
///     start: What it reads, in seconds since an arbitrary moment.
///
/// Example:
///     >>> clock = secval.testing.ManualClock()
///     >>> limiter = secval.Limiter("1/minute", clock=clock)
///     >>> bool(limiter.hit("k")), bool(limiter.hit("k"))
///     (True, False)
///     >>> clock.advance(limiter.hit("k").retry_after)
///     >>> bool(limiter.hit("k"))
///     True
#[pyclass(frozen, module = "secval._core")]
pub(in crate::py) struct ManualClock(Arc<clock::ManualClock>);

#[pymethods]
impl ManualClock {
    #[new]
    #[pyo3(signature = (start=1_000_000.0))]
    fn new(py: Python<'_>, start: f64) -> PyResult<Self> {
        let ms = milliseconds(py, "ManualClock", start)?;
        Ok(Self(Arc::new(clock::ManualClock::new(ms, ms))))
    }

    /// Moves on by some seconds, at millisecond precision, rounded up: whoever waits for a `retry_after` has
    /// waited long enough.
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        self.0.advance(milliseconds(py, "ManualClock", seconds)?);
        Ok(())
    }

    /// Sets the calendar, in seconds since 1970, forward or back. The time that quotas are counted by stays.
    fn set_wall(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        self.0.set_wall(milliseconds(py, "ManualClock", seconds)?);
        Ok(())
    }

    /// Seconds that it reads.
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "2^53 ms are 285,000 years"
    )]
    fn now(&self) -> f64 {
        self.0.monotonic_ms() as f64 / SECOND
    }
}

impl ManualClock {
    /// As the core takes it.
    pub(in crate::py) fn source(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0) as Arc<dyn Clock>
    }
}

/// Seconds as milliseconds, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "bounded on the line before"
)]
pub(super) fn milliseconds(py: Python<'_>, of: &str, seconds: f64) -> PyResult<u64> {
    if !(0.0..=LONGEST).contains(&seconds) {
        return Err(errors::usage(py, format!("{of}: 0 to 1e10 seconds; time does not go back")));
    }
    // A retry of 0.701 s is 700.99… ms in binary: it means 701, and 700.2 means 701 too.
    Ok((seconds * SECOND - 1e-6).ceil().max(0.0) as u64)
}
