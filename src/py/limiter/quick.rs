//! `Limiter.hit` by CPython's own means: everything unsafe of the limiter's binding is in this file.
//!
//! A hit takes some 40 ns, and the general way of calling it as many again: pyo3 sorts the arguments, checks what was
//! checked, and makes an object of the answer. [`install`] puts a function in front of it that knows one call,
//! `limiter.hit(key)` or `limiter.hit(key, cost)` with a plain `str` or `bytes`, and hands every other one on, as it came.
//! Whether an answer is true is told without pyo3, too.
//!
//! It answers with a `Decision` that was given out before, if nobody has it any more: most callers look at an answer
//! and drop it. (`zip` and `enumerate` do the same with their tuples.) A caller that keeps each answer until it has the
//! next one needs two, so two are kept.
//!
//! It is compiled for the Pythons that `objects/cpython.rs` is compiled for (see `build.rs`): with the GIL, which is what makes
//! it right that the answers lie in a cell.

#![expect(unsafe_code, reason = "the calling convention is CPython's; see each block")]

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::slice;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;

use super::key::Hashing;
use super::{Decision, Limiter};
use crate::limit::{self, Subject};

/// The general way, as pyo3 wrote it.
static GENERAL: OnceLock<ffi::PyCFunctionFastWithKeywords> = OnceLock::new();

/// How the method is called, both ours and pyo3's.
const CONVENTION: std::ffi::c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;

/// Answers that were given out, and may be given out again.
#[derive(Default)]
pub(super) struct Answers(UnsafeCell<[Option<Py<Decision>>; 2]>);

// SAFETY: only `give` looks into the cell, and it holds the GIL from the first look to the last.
unsafe impl Sync for Answers {}

impl Answers {
    /// The object of a decision: one that nobody has any more, or a new one.
    fn give<'py>(
        &self,
        py: Python<'py>,
        decision: limit::Decision,
    ) -> PyResult<Bound<'py, Decision>> {
        // SAFETY: `py` says that the GIL is held; nothing below lets go of it or runs Python code before the last use
        // of this reference: an answer has no finalizer, and is not tracked by the collector.
        let kept = unsafe { &mut *self.0.get() };
        for answer in kept.iter().flatten() {
            let answer = answer.bind(py);
            // SAFETY: the GIL is held, and the object is alive.
            if unsafe { ffi::Py_REFCNT(answer.as_ptr()) } == 1 {
                answer.get().turn_into(decision);
                return Ok(answer.clone());
            }
        }
        let answer = Bound::new(py, Decision::from(decision))?;
        kept.rotate_right(1);
        if let Some(old) = kept[0].replace(answer.clone().unbind()) {
            drop(old.into_bound(py));
        }
        Ok(answer)
    }
}

/// Puts the quick way in front of the general one, if that is called as expected; otherwise all stays as it is.
pub(in crate::py) fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Limiter>();
    let general = class.getattr("hit")?;
    let Some(method) = definition(&general) else { return Ok(()) };
    if method.ml_flags != CONVENTION {
        return Ok(());
    }
    // SAFETY: the flags say which variant it is.
    let way = unsafe { method.ml_meth.PyCFunctionFastWithKeywords };
    // Only the first of them is pyo3's own: a module may be made twice in a process.
    if !ptr::fn_addr_eq(*GENERAL.get_or_init(|| way), way) {
        return Ok(());
    }
    let quick = ffi::PyMethodDef {
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: hit },
        ..method
    };
    // A type's methods live as long as the process.
    let quick = Box::leak(Box::new(quick));
    // SAFETY: the GIL is held; the definition lives for ever, and so do the name and the text that it shares with
    // pyo3's. The result is a new reference or null.
    let method = unsafe {
        Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), quick))
    }?;
    class.setattr("hit", method)?;
    let answers = py.get_type::<Decision>();
    // SAFETY: the GIL is held, the type is ours and lives for ever; `as_mut` looks whether it has the part.
    if let Some(number) = unsafe { (*answers.as_type_ptr()).tp_as_number.as_mut() } {
        number.nb_bool = Some(truth);
    }
    Ok(())
}

/// `bool(decision)`. CPython calls it with a `Decision`, which has no subclasses, and holds the GIL.
unsafe extern "C" fn truth(decision: *mut ffi::PyObject) -> std::ffi::c_int {
    // SAFETY: the GIL is held, as said above.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: a `Decision`, as said above, borrowed from the caller for as long as the call.
    let decision = unsafe { Borrowed::from_ptr(py, decision).cast_unchecked::<Decision>() };
    decision.get().allowed().into()
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

/// `Limiter.hit(self, *args, **kwargs)`. CPython has made sure that `limiter` is a `Limiter` before a method's function is
/// called, holds the GIL, and gives `count` arguments and then one for each of `names`.
unsafe extern "C" fn hit(
    limiter: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the GIL is held, as said above.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: there are so many arguments, borrowed from the caller for as long as the call.
    let cost = if names.is_null() { unsafe { cost(arguments, count) } } else { None };
    if let Some(cost) = cost {
        // SAFETY: a `Limiter`, as said above, borrowed from the caller for as long as the call.
        let limiter = unsafe { Borrowed::from_ptr(py, limiter).cast_unchecked::<Limiter>() }.get();
        // SAFETY: there is at least one argument, borrowed likewise.
        let subject = unsafe { subject(limiter, *arguments) };
        let subject = subject.filter(|_| !limiter.rules.is_empty());
        // A panic here is met again on the general way, which makes an exception of it.
        let quick = || {
            let decision = limiter.inner.hit_all(&limiter.rules, subject?, cost);
            limiter.answers.give(py, decision).ok()
        };
        if let Ok(Some(answer)) = catch_unwind(AssertUnwindSafe(quick)) {
            return answer.into_ptr();
        }
    }
    match GENERAL.get() {
        // SAFETY: called as this function was.
        Some(general) => unsafe { general(limiter, arguments, count, names) },
        // Nobody is called before he is installed. Null without an exception is a `SystemError`.
        None => ptr::null_mut(),
    }
}

/// What a hit costs: 1, or the plain `int` that is the second argument, if a hit can cost so much.
///
/// # Safety
///
/// There are `count` arguments, all alive; the GIL is held.
unsafe fn cost(arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t) -> Option<u32> {
    match count {
        1 => Some(1),
        2 => {
            // SAFETY: as the caller promises; asked of an `int` only, and one that does not fit is told by the flag,
            // without an exception.
            let cost = unsafe {
                let second = *arguments.add(1);
                let mut too_large = 0;
                let is_number = ffi::PyLong_CheckExact(second) != 0;
                is_number.then(|| ffi::PyLong_AsLongAndOverflow(second, &raw mut too_large))
            };
            // -1 where it did not fit, which no hit costs either.
            cost.and_then(|cost| u32::try_from(cost).ok()).filter(|&cost| cost > 0)
        }
        _ => None,
    }
}

/// The subject of a key of the two plain types: ASCII text, which is its UTF-8, and `bytes`.
///
/// # Safety
///
/// The object is alive, and the GIL is held.
unsafe fn subject(limiter: &Limiter, key: *mut ffi::PyObject) -> Option<Subject> {
    // SAFETY: as the caller promises; what is asked of an object is of the type that it was just found to have. The
    // content of both types never changes, and lies where they say for as long as they live.
    unsafe {
        let is_text =
            ffi::PyUnicode_CheckExact(key) != 0 && ffi::PyUnicode_IS_COMPACT_ASCII(key) != 0;
        if !is_text && ffi::PyBytes_CheckExact(key) == 0 {
            return None;
        }
        match limiter.hashing {
            Hashing::Python => {
                let known = if is_text { (*key.cast::<ffi::PyASCIIObject>()).hash } else { -1 };
                let hash = if known == -1 { ffi::PyObject_Hash(key) } else { known };
                Some(limiter.inner.subject_of(hash.cast_unsigned() as u64))
            }
            Hashing::Own => {
                let (start, size) = if is_text {
                    (ffi::PyUnicode_DATA(key).cast::<u8>(), ffi::PyUnicode_GET_LENGTH(key))
                } else {
                    (ffi::PyBytes_AS_STRING(key).cast_mut().cast::<u8>(), ffi::Py_SIZE(key))
                };
                let bytes = slice::from_raw_parts(start, usize::try_from(size).ok()?);
                Some(limiter.inner.subject(bytes))
            }
        }
    }
}
