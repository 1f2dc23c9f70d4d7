//! Sets `cfg(secval_cpython)` when the binding is built for a Python whose insides this version was tested with, and
//! `cfg(secval_plain_str)` when a `str` of it is what is written in its memory, and no more.
//!
//! Everything else, later versions included, gets the public API: a symbol that is missing there can never keep
//! the module from being imported. `SECVAL_PORTABLE=1` asks for that on any version.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(secval_cpython, secval_plain_str)");
    println!("cargo::rerun-if-env-changed=SECVAL_PORTABLE");
    #[cfg(feature = "python")]
    if std::env::var_os("SECVAL_PORTABLE").is_none() && tested(pyo3_build_config::get()) {
        println!("cargo::rustc-cfg=secval_cpython");
        if counts_nothing(pyo3_build_config::get()) {
            println!("cargo::rustc-cfg=secval_plain_str");
        }
    }
}

/// CPython 3.11 to 3.13, with the GIL, by its own ABI.
#[cfg(feature = "python")]
fn tested(python: &pyo3_build_config::InterpreterConfig) -> bool {
    use pyo3_build_config::{BuildFlag, PythonImplementation};
    let version = python.version();
    python.implementation() == PythonImplementation::CPython
        && version.major == 3
        && (11..=13).contains(&version.minor)
        && !python.build_flags().0.contains(&BuildFlag::Py_GIL_DISABLED)
        && !python.target_abi().to_string().contains("abi3")
}

/// Where nobody is told that an object was made: a `str` may be written without CPython's help. Debug builds count
/// references, and since 3.13 a tracer may ask to be told.
#[cfg(feature = "python")]
fn counts_nothing(python: &pyo3_build_config::InterpreterConfig) -> bool {
    use pyo3_build_config::BuildFlag::{Py_DEBUG, Py_REF_DEBUG};
    let flags = &python.build_flags().0;
    python.version().minor < 13 && ![Py_DEBUG, Py_REF_DEBUG].iter().any(|flag| flags.contains(flag))
}
