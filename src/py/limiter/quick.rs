//! `Limiter.hit` by CPython's own means: everything unsafe of the limiter's binding is in this file.
//!
//! A hit takes less time than the general way of calling it. [`hit`] is in front of that (see `front.rs`), and knows one call,
//! `limiter.hit(key)` or `limiter.hit(key, cost)` with a plain `str` or `bytes`. Whether an answer is true is told without pyo3,
//! too.
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
use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;

use super::super::front::Front;
use super::key::Hashing;
use super::{Decision, Limiter};
use crate::limit::{self, Subject};

static HIT: Front = Front::new();

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

pub(in crate::py) fn install(py: Python<'_>) -> PyResult<()> {
    // SAFETY: it is written for that: see there.
    unsafe { HIT.install(&py.get_type::<Limiter>(), "hit", hit) }?;
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
    // SAFETY: the arguments of this call.
    unsafe { HIT.general(limiter, arguments, count, names) }
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
