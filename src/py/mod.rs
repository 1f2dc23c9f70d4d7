//! The binding: the only Rust that names pyo3. One frozen class a file; a method converts, calls the core's
//! method of the same name, and converts back.
//!
//! [`errors`] is the one table of exceptions, [`text`] the one place that reads Python's bytes and decides when
//! to let go of the GIL, [`objects`] the one function that makes Python objects of a document, [`values`] the
//! one that makes a document of Python objects. `front.rs` is for
//! methods that are done in less time than pyo3 takes to call them.

mod check;
mod errors;
#[cfg(secval_cpython)]
mod front;
mod gate;
mod json;
mod limiter;
mod objects;
mod panics;
mod pending;
mod request;
mod schema;
mod text;
mod values;
mod verdict;

/// The compiled half of `secval`. Import from `secval`, not from here.
#[pyo3::pymodule]
mod _core {
    use pyo3::types::PyModuleMethods;

    #[pymodule_export]
    use super::check::{AllowList, IpSet, Length, Range, network_key};
    #[pymodule_export]
    use super::gate::Gate;
    #[pymodule_export]
    use super::json::{Limits, loads};
    #[pymodule_export]
    use super::limiter::{
        Decision, Limiter, ManualClock, Quota, Slot, inspect_limiter, remove_limiter,
    };
    #[pymodule_export]
    use super::pending::Pending;
    #[pymodule_export]
    use super::schema::{Schema, Violation};
    #[pymodule_export]
    use super::verdict::Verdict;

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        super::panics::say_only_where();
        let builder = super::objects::prepare(module.py());
        module.add("BUILDER", builder)?;
        #[cfg(secval_cpython)]
        super::schema::install(module.py())?;
        super::limiter::install(module.py())
    }
}
