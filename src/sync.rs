//! The atomics in use: the standard library's, or loom's when the models are built (`--cfg loom`).
//!
//! Everything that races imports from here, so that the model checker drives the same code that ships.
//! loom treats `SeqCst` accesses as `AcqRel`; where the protocol needs the total order, call
//! [`seq_cst_fence`] on both sides: nothing on std (the access itself is `SeqCst`), a real fence under loom.

#![forbid(unsafe_code)]

#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Orders the `SeqCst` accesses around it under loom; free on std, where they are ordered already.
#[inline]
pub fn seq_cst_fence() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}
