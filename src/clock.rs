//! Time as a parameter: a source that is read again, not a stamp that is passed along.
//!
//! Two questions are asked of time here, and they need different clocks. *How often* needs one that
//! only moves forward, also while the machine sleeps, and that all processes of a host agree on:
//! `CLOCK_BOOTTIME`. *What date is it* (sunset of an operation) needs the calendar: the wall clock.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(loom, miri))))]
mod counter;

/// Nanoseconds in a millisecond.
const NS_A_MS: u64 = 1_000_000;

/// A source of time. Reading it is cheap and never fails.
pub trait Clock: Send + Sync {
    /// Nanoseconds since an arbitrary start; never goes back, counts suspended time too.
    fn monotonic_ns(&self) -> u64;

    /// The same in milliseconds.
    #[inline]
    fn monotonic_ms(&self) -> u64 {
        self.monotonic_ns() / NS_A_MS
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, as the machine believes it to be.
    fn wall_ms(&self) -> u64;
}

/// The machine's own clocks.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[inline]
    fn monotonic_ns(&self) -> u64 {
        boottime_ns()
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(loom, miri))))]
    #[inline]
    fn monotonic_ms(&self) -> u64 {
        counter::millisecond()
    }

    fn wall_ms(&self) -> u64 {
        // This file is the one place that may ask the standard library for the time.
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // A wall clock before 1970 is a broken machine: 0 keeps every sunset in the future.
        since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(target_os = "linux")]
#[inline]
fn boottime_ns() -> u64 {
    timespec_ns(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn boottime_ns() -> u64 {
    timespec_ns(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic))
}

#[cfg(unix)]
#[inline]
fn timespec_ns(t: rustix::time::Timespec) -> u64 {
    let seconds = u64::try_from(t.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(t.tv_nsec).unwrap_or(0);
    // 64 bits of nanoseconds are 584 years of uptime.
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(not(unix))]
fn boottime_ns() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let start = START.get_or_init(Instant::now);
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// A clock that moves only when told to: for tests, ours and the users'.
#[derive(Debug)]
pub struct ManualClock(Mutex<Reading>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    monotonic_ms: u64,
    wall_ms: u64,
}

impl ManualClock {
    /// A clock that stands at these two readings, in milliseconds.
    pub fn new(monotonic_ms: u64, wall_ms: u64) -> Self {
        Self(Mutex::new(Reading { monotonic_ms, wall_ms }))
    }

    /// Moves both readings forward by `ms` milliseconds.
    pub fn advance(&self, ms: u64) {
        self.change(|r| {
            r.monotonic_ms = r.monotonic_ms.saturating_add(ms);
            r.wall_ms = r.wall_ms.saturating_add(ms);
        });
    }

    /// Sets the calendar, forward or back; the monotonic reading stays.
    pub fn set_wall(&self, ms: u64) {
        self.change(|r| r.wall_ms = ms);
    }

    fn change(&self, f: impl FnOnce(&mut Reading)) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn monotonic_ns(&self) -> u64 {
        self.read().monotonic_ms.saturating_mul(NS_A_MS)
    }

    fn wall_ms(&self) -> u64 {
        self.read().wall_ms
    }
}
