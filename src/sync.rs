//! The atomics in use: the standard library's, or loom's when the models are built (`--cfg loom`).
//!
//! Everything that races imports from here, so that the checkers drive the same code that ships.
//!
//! [`Word`] is what the limiter's protocol is written on: 64 bits, two operations, one order. The protocol's
//! races are all of the store-buffering kind (write mine, then read yours, on both sides), which only the total
//! order of `SeqCst` forbids.

#![forbid(unsafe_code)]

#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg(loom)]
pub mod checked;
#[cfg(loom)]
pub use checked::{Word, again, forget, forget_but};

/// 64 bits that threads and processes share. Every access is sequentially consistent.
#[cfg(not(loom))]
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Word(AtomicU64);

#[cfg(not(loom))]
impl Word {
    /// What the word holds.
    #[inline]
    pub fn load(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Puts `new` in the place of `old`; false, and nothing done, if the word holds anything else.
    #[inline]
    pub fn swap_if(&self, old: u64, new: u64) -> bool {
        self.0.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Adds one to a word that is only ever counted up, and decides nothing.
    #[inline]
    pub fn count_one(&self) {
        // Relaxed: counters are read one by one, and no other memory is judged by them.
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Says to a checker that nothing is remembered of what was read so far but how often a call has begun.
#[cfg(not(loom))]
#[inline]
pub fn forget(_begun: usize) {}

/// The same of a call that also remembers a number.
#[cfg(not(loom))]
#[inline]
pub fn forget_but(_begun: usize, _kept: u64) {}

/// Says to a checker that the call is where it was before its last access.
#[cfg(not(loom))]
#[inline]
pub fn again() {}

/// A number of events, for people to read.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add(&self) {
        // Relaxed: nothing else is read or written because of it.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So far.
    pub fn get(&self) -> u64 {
        // Relaxed: as above.
        self.0.load(Ordering::Relaxed)
    }
}

/// A number whose readers and writers something else keeps in order.
#[derive(Debug)]
pub struct Ordered(std::sync::atomic::AtomicU64);

impl Ordered {
    /// With a number.
    #[inline]
    pub fn new(value: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(value))
    }

    /// The number.
    #[inline]
    pub fn get(&self) -> u64 {
        // Relaxed, here and below: the order is somebody else's.
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Changes it.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, std::sync::atomic::Ordering::Relaxed);
    }
}

/// A small number that somebody may find useful, and nobody relies on.
#[derive(Debug, Default)]
pub struct Hint(std::sync::atomic::AtomicU32);

impl Hint {
    /// With a number.
    pub const fn new(value: u32) -> Self {
        Self(std::sync::atomic::AtomicU32::new(value))
    }

    /// The number.
    #[inline]
    pub fn get(&self) -> u32 {
        // Relaxed, here and below: whatever is read is checked before it counts.
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Changes it.
    pub fn set(&self, value: u32) {
        self.0.store(value, std::sync::atomic::Ordering::Relaxed);
    }
}
