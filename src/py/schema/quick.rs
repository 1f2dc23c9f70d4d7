//! `Schema.loads` and `Schema.is_valid` of plain `bytes`, without pyo3's way of calling (see `front.rs`).
//!
//! Nothing here may be dropped as pyo3's `Py`: it asks whether pyo3 knows that the GIL is held, which it does not, and keeps
//! for later what it cannot let go of.

#![expect(unsafe_code, reason = "the calling convention is CPython's; see each block")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;

use super::super::front::Front;
use super::super::text::{Text, lets_go};
use super::Schema;
use crate::schema::Unmade;

static LOADS: Front = Front::new();
static IS_VALID: Front = Front::new();

pub(in crate::py) fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Schema>();
    // SAFETY: both are written for that: see there.
    unsafe {
        LOADS.install(&class, "loads", loads)?;
        IS_VALID.install(&class, "is_valid", is_valid)
    }
}

/// A call of one argument that is plain `bytes`: the GIL's token, the schema, and the text.
///
/// # Safety
///
/// CPython calls a method of a [`Schema`] with them: it holds the GIL, there are `count` arguments and one for each of the names,
/// and all of them outlive what is made of them.
#[inline]
unsafe fn plain<'a>(
    schema: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<(Python<'a>, &'a Schema, &'a [u8])> {
    if count != 1 || !names.is_null() {
        return None;
    }
    // SAFETY: there is one argument, as just seen; what is asked of an object is of the type that it was just found to have.
    // The content of `bytes` never changes, and lies where they say for as long as they live. The rest is promised by the
    // caller; a schema is borrowed, as its class is frozen.
    unsafe {
        let py = Python::assume_attached();
        let text = *arguments;
        if ffi::PyBytes_CheckExact(text) == 0 {
            return None;
        }
        let size = usize::try_from(ffi::Py_SIZE(text)).ok()?;
        let text = slice::from_raw_parts(ffi::PyBytes_AS_STRING(text).cast(), size);
        Some((py, Borrowed::from_ptr(py, schema).cast_unchecked::<Schema>().get(), text))
    }
}

/// `Schema.loads(self, *args, **kwargs)`.
unsafe extern "C" fn loads(
    schema: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the arguments of this call.
    if let Some((py, schema, text)) = unsafe { plain(schema, arguments, count, names) } {
        // A panic here is met again on the general way, which makes an exception of it.
        match catch_unwind(AssertUnwindSafe(|| schema.make_directly(py, text))) {
            Ok(Some(Ok(made))) => return made.into_ptr(),
            Ok(Some(Err(unmade))) => {
                // SAFETY: the one argument, which lives while it is borrowed from the caller.
                let object = unsafe { Borrowed::from_ptr(py, *arguments) };
                return raise(schema, unmade, &object);
            }
            // Not in one go, or not at all.
            Ok(None) | Err(_) => {}
        }
    }
    // SAFETY: the arguments of this call.
    unsafe { LOADS.general(schema, arguments, count, names) }
}

/// Raises why nothing was made: with pyo3's knowledge, as exceptions are made of many parts.
#[cold]
fn raise(schema: &Schema, unmade: Unmade<PyErr>, object: &Bound<'_, PyAny>) -> *mut ffi::PyObject {
    let error = || Text::of(object).map_or_else(|e| e, |text| schema.error(object, unmade, &text));
    let raise = || Python::attach(|py| error().restore(py));
    if catch_unwind(AssertUnwindSafe(raise)).is_err() {
        // SAFETY: the GIL is held by whoever calls a method.
        let py = unsafe { Python::assume_attached() };
        PySystemError::new_err("an exception could not be made").restore(py);
    }
    ptr::null_mut()
}

/// `Schema.is_valid(self, *args, **kwargs)`.
unsafe extern "C" fn is_valid(
    schema: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the arguments of this call.
    if let Some((py, schema, text)) = unsafe { plain(schema, arguments, count, names) } {
        // A panic here is met again on the general way, which makes an exception of it.
        let valid = || (!lets_go(text.len())).then(|| schema.look_through(py, text).is_ok());
        if let Ok(Some(valid)) = catch_unwind(AssertUnwindSafe(valid)) {
            // SAFETY: the GIL is held; both live for ever.
            return unsafe { ffi::PyBool_FromLong(valid.into()) };
        }
    }
    // SAFETY: the arguments of this call.
    unsafe { IS_VALID.general(schema, arguments, count, names) }
}
