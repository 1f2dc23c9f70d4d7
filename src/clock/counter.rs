//! The machine's millisecond, asked of the kernel once and remembered for as long as it lasts.
//!
//! A hit of a limiter needs the time to the millisecond, and asking the kernel for it is a third of the hit. How much
//! of a millisecond is left is told by the processor's time stamp counter, which costs a third of that again. A
//! thread gives out the millisecond that it remembers only if all of this holds:
//!
//! 1. The kernel takes its own time from this counter: its clock source is `tsc`, which it has found to be the same on
//!    all processors, and steady.
//! 2. The counter has moved on by less than 7/8 of what was left of the millisecond, less 16 µs. Time can be slewed by
//!    a tenth and 500 ppm at most (`adjtimex`), and the rate is known to a hundredth, so the millisecond is not over; and
//!    a processor may read the counter before what the program did before, by far less than 16 µs.
//! 3. The kernel's coarse clock has not moved. It moves at every tick, and when a machine wakes up: over a suspension
//!    the counter may have stood still, or begun anew.
//!
//! So a reading is what the kernel would have answered, for any thread and process. Where the first is not so, and on
//! other processors, the kernel is asked every time.

#![expect(unsafe_code, reason = "reading the counter is an intrinsic; see the one block")]

use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::{NS_A_MS, boottime_ns, timespec_ns};

/// What a thread remembers.
#[derive(Clone, Copy)]
struct Reading {
    ms: u64,
    /// The counter when the kernel was asked, or a little before.
    ticks: u64,
    /// For how many ticks from then on the millisecond lasts for sure.
    lasts: u64,
    /// The coarse clock before the kernel was asked.
    coarse: Timespec,
}

/// The same moment by all clocks.
#[derive(Clone, Copy)]
struct Sample {
    ticks: u64,
    boot_ns: u64,
    /// Never slewed, and stands still while the machine is suspended.
    raw_ns: u64,
}

thread_local! {
    static LAST: Cell<Reading> = const {
        Cell::new(Reading { ms: 0, ticks: 0, lasts: 0, coarse: Timespec { tv_sec: 0, tv_nsec: 0 } })
    };
    /// The first of the two samples that the counter's rate is worked out from.
    static START: Cell<Option<Sample>> = const { Cell::new(None) };
}

/// Ticks a millisecond; 0 if it is not known yet. Relaxed: whoever finds it out stores the same, to a hundredth.
static RATE: AtomicU64 = AtomicU64::new(0);

/// The rate of a counter that is not to be used.
const UNUSABLE: u64 = u64::MAX;

/// Between the two samples, at least: a sample is good to 2 to 20 µs.
const APART_NS: u64 = 20_000_000;

/// A sample that took more ticks was interrupted.
const PROMPT: u64 = 20_000;

/// Off the end of a millisecond, whatever is left of it.
const MARGIN_NS: u64 = 16_000;

/// Ticks a millisecond that make sense: 100 MHz to 10 GHz.
const SENSIBLE: std::ops::RangeInclusive<u64> = 100_000..=10_000_000;

/// Milliseconds of `CLOCK_BOOTTIME`.
#[inline]
pub(super) fn millisecond() -> u64 {
    let last = LAST.get();
    if ticks().wrapping_sub(last.ticks) < last.lasts && coarse() == last.coarse {
        last.ms
    } else {
        ask()
    }
}

#[cold]
fn ask() -> u64 {
    // In this order: what is remembered of both clocks is not later than the answer.
    let (coarse, ticks) = (coarse(), ticks());
    let ns = boottime_ns();
    let ms = ns / NS_A_MS;
    let left = NS_A_MS - ns % NS_A_MS;
    let sure = (left - left / 8).saturating_sub(MARGIN_NS);
    let lasts = rate().map_or(0, |rate| sure * rate / NS_A_MS);
    LAST.set(Reading { ms, ticks, lasts, coarse });
    ms
}

fn rate() -> Option<u64> {
    match RATE.load(Ordering::Relaxed) {
        0 => find_rate(),
        UNUSABLE => None,
        rate => Some(rate),
    }
}

/// Works out the rate from two samples, as soon as they are far enough apart.
fn find_rate() -> Option<u64> {
    let Some(start) = START.get() else {
        if is_the_kernels() {
            START.set(Sample::take());
        } else {
            RATE.store(UNUSABLE, Ordering::Relaxed);
        }
        return None;
    };
    let sample = Sample::take()?;
    let [boot, raw] = [sample.boot_ns - start.boot_ns, sample.raw_ns - start.raw_ns];
    if boot < APART_NS {
        return None;
    }
    // Slewed, or suspended in between.
    if boot.abs_diff(raw) > boot / 100 {
        START.set(Some(sample));
        return None;
    }
    let ticks = u128::from(sample.ticks.wrapping_sub(start.ticks));
    let rate = u64::try_from(ticks * u128::from(NS_A_MS) / u128::from(boot)).unwrap_or(UNUSABLE);
    let rate = if SENSIBLE.contains(&rate) { rate } else { UNUSABLE };
    RATE.store(rate, Ordering::Relaxed);
    None
}

impl Sample {
    /// `None` if it took too long to be of one moment.
    fn take() -> Option<Self> {
        let start = ticks();
        let boot_ns = boottime_ns();
        let raw_ns = timespec_ns(clock_gettime(ClockId::MonotonicRaw));
        let prompt = ticks().wrapping_sub(start) < PROMPT;
        prompt.then_some(Self { ticks: start, boot_ns, raw_ns })
    }
}

/// Whether the kernel's time is this counter's.
fn is_the_kernels() -> bool {
    let source = fs::read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    source.is_ok_and(|source| source.trim_ascii() == b"tsc")
}

#[inline]
fn coarse() -> Timespec {
    clock_gettime(ClockId::MonotonicCoarse)
}

/// The processor's time stamp counter.
#[inline]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has it. A process that is forbidden to read it (PR_SET_TSC) cannot ask a kernel
    // that takes its time from it either, and only such a kernel's is read more than once.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// For a fifth of a second, longer than the rate takes to be found: always between two answers of the kernel's.
    fn agrees_with_the_kernel() -> u64 {
        let end = boottime_ns() + 200 * NS_A_MS;
        let mut remembered = 0;
        loop {
            let before = boottime_ns();
            let asked = LAST.get().ticks;
            let ms = millisecond();
            let after = boottime_ns();
            assert!(
                (before / NS_A_MS..=after / NS_A_MS).contains(&ms),
                "{ms} is not between {before} ns and {after} ns"
            );
            remembered += u64::from(LAST.get().ticks == asked);
            if after > end {
                return remembered;
            }
        }
    }

    #[test]
    fn a_remembered_millisecond_is_the_kernels() {
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(agrees_with_the_kernel)).collect();
        let remembered: u64 = threads.into_iter().map(|it| it.join().expect("agrees")).sum();
        assert_eq!(remembered > 0, is_the_kernels(), "remembered {remembered} times");
    }

    #[test]
    fn nothing_is_remembered_beyond_its_millisecond() {
        for _ in 0..50 {
            let before = millisecond();
            thread::sleep(Duration::from_millis(1));
            assert!(millisecond() > before);
        }
    }

    #[test]
    fn nothing_is_remembered_over_a_tick_of_the_kernel() {
        millisecond();
        let last = LAST.get();
        // As after a suspension that the counter slept through.
        let coarse = Timespec { tv_nsec: last.coarse.tv_nsec ^ 1, ..last.coarse };
        LAST.set(Reading { ms: 1, lasts: u64::MAX, coarse, ..last });
        assert!(millisecond() >= last.ms);
    }
}
