//! Quick ways to call a method: a function in front of the one that pyo3 wrote.
//!
//! pyo3 sorts the arguments of every call and counts who holds the GIL; some methods are done in less time. A [`Front`] puts a
//! function of ours in front of pyo3's, which knows the usual call and hands every other one on, as it came. It is compiled
//! for the Pythons that `objects/cpython.rs` is compiled for (see `build.rs`).

#![expect(unsafe_code, reason = "the calling convention is CPython's; see each block")]

use std::ffi::c_int;
use std::ptr;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// How the method is called, both ours and pyo3's.
const CONVENTION: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;

/// What is in front of one method.
pub(super) struct Front {
    /// The general way, as pyo3 wrote it.
    general: OnceLock<ffi::PyCFunctionFastWithKeywords>,
}

impl Front {
    pub(super) const fn new() -> Self {
        Self { general: OnceLock::new() }
    }

    /// Puts the quick way in front of the general one, if that is called as expected; otherwise all stays as it is.
    ///
    /// # Safety
    ///
    /// `quick` may be called as CPython calls a method of this class: with an object of the class, `count` arguments and
    /// then one for each of the names, all borrowed for as long as the call, and the GIL held. It gives a new reference, or
    /// null with an exception raised.
    pub(super) unsafe fn install(
        &self,
        class: &Bound<'_, PyType>,
        name: &str,
        quick: ffi::PyCFunctionFastWithKeywords,
    ) -> PyResult<()> {
        let Some(method) = definition(&class.getattr(name)?) else { return Ok(()) };
        if method.ml_flags != CONVENTION {
            return Ok(());
        }
        // SAFETY: the flags say which variant it is.
        let way = unsafe { method.ml_meth.PyCFunctionFastWithKeywords };
        // Only the first of them is pyo3's own: a module may be made twice in a process.
        if !ptr::fn_addr_eq(*self.general.get_or_init(|| way), way) {
            return Ok(());
        }
        let ml_meth = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: quick };
        // A type's methods live as long as the process.
        let quick = Box::leak(Box::new(ffi::PyMethodDef { ml_meth, ..method }));
        // SAFETY: the GIL is held; the definition lives for ever, and so do the name and the text that it shares with
        // pyo3's. The result is a new reference or null.
        let method = unsafe {
            let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), quick);
            Bound::from_owned_ptr_or_err(class.py(), method)
        }?;
        class.setattr(name, method)
    }

    /// The general way.
    ///
    /// # Safety
    ///
    /// The arguments are those that the quick way was called with.
    #[inline]
    pub(super) unsafe fn general(
        &self,
        object: *mut ffi::PyObject,
        arguments: *const *mut ffi::PyObject,
        count: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        match self.general.get() {
            // SAFETY: called as CPython called us.
            Some(general) => unsafe { general(object, arguments, count, names) },
            // Nobody is called before he is installed. Null without an exception is a `SystemError`.
            None => ptr::null_mut(),
        }
    }
}

/// What a method is defined by, if it is one.
fn definition(method: &Bound<'_, PyAny>) -> Option<ffi::PyMethodDef> {
    // SAFETY: the GIL is held, and the type of an object can always be looked at.
    let is_method = unsafe { ffi::Py_IS_TYPE(method.as_ptr(), &raw mut ffi::PyMethodDescr_Type) };
    if is_method == 0 {
        return None;
    }
    // SAFETY: its type says that it has this layout, and its definition lives as long as it.
    let definition = unsafe { (*method.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method };
    // SAFETY: as above; `as_ref` looks whether it is null.
    unsafe { definition.as_ref() }.copied()
}
