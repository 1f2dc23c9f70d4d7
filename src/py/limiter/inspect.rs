//! `secval limiter inspect` and `remove`: what an operator asks of a shared table, by its name.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::clock::SystemClock;
use crate::limit::{self, Counts, LimiterError, Stats, Usage};
use crate::py::errors;

/// What a shared table holds: its sizes and counters, as `Limiter.stats` has them, and `quotas`, a list of
/// `{"quota": "100/minute", "live": keys}`; the first of them has None for a quota and counts the bans. Slots are
/// there as `"5 at once, for minute"`.
///
/// Raises:
///     UsageError: There is no table of that name, or none that this process could count in.
#[pyfunction]
#[pyo3(signature = (name, /))]
pub(in crate::py) fn inspect_limiter<'py>(
    py: Python<'py>,
    name: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let limiter = limit::Limiter::find(name, Arc::new(SystemClock));
    let limiter = limiter.map_err(|error| usage(py, error))?;
    let found = stats(py, limiter.stats())?;
    let quotas = PyList::empty(py);
    for Usage { counts, live } in limiter.usage() {
        let row = PyDict::new(py);
        let quota = match counts {
            Counts::Bans => None,
            Counts::Hits(quota) => Some(quota.to_string()),
            Counts::Slots(slots) => Some(slots.to_string()),
        };
        row.set_item("quota", quota)?;
        row.set_item("live", live)?;
        quotas.append(row)?;
    }
    found.set_item("quotas", quotas)?;
    Ok(found)
}

/// Removes the name of a shared table. Processes that count in it go on, among themselves; later ones make a new one.
///
/// Raises:
///     UsageError: There is no table of that name.
#[pyfunction]
#[pyo3(signature = (name, /))]
pub(in crate::py) fn remove_limiter(py: Python<'_>, name: &str) -> PyResult<()> {
    limit::remove_shared(name).map_err(|error| usage(py, error))
}

fn usage(py: Python<'_>, error: LimiterError) -> PyErr {
    errors::usage(py, format!("Limiter: {error}"))
}

/// The numbers of a table, by name.
pub(in crate::py) fn stats(py: Python<'_>, stats: Stats) -> PyResult<Bound<'_, PyDict>> {
    let found = PyDict::new(py);
    for (name, value) in [
        ("capacity", stats.capacity),
        ("lines", stats.lines),
        ("live", stats.live),
        ("overflow_cells", stats.overflow_cells),
        ("overflow_live", stats.overflow_live),
        ("rules", stats.rules),
        ("bytes", stats.bytes),
        ("denied", stats.denied),
        ("banned", stats.banned),
        ("overflowed", stats.overflowed),
        ("full", stats.full),
        ("claimed", stats.claimed),
        ("evicted", stats.evicted),
        ("restarted", stats.restarted),
        ("exhausted", stats.exhausted),
    ] {
        found.set_item(name, value)?;
    }
    Ok(found)
}
