//! What happened: a name for each request, and how often each decision was made.
//!
//! Counters are codes and numbers, never payload. Reading them stops nobody: a snapshot is not one instant,
//! but no count is ever lost or goes back.

#![forbid(unsafe_code)]

mod request_id;

use crate::reason::Reason;
use crate::sync::{AtomicU64, Ordering};

pub use request_id::{RequestIds, inbound};

/// One counter for requests allowed, and two for each reason: refused, and would have been refused.
#[derive(Debug)]
pub struct Counters {
    allowed: AtomicU64,
    refused: Box<[AtomicU64]>,
    would_refuse: Box<[AtomicU64]>,
}

impl Default for Counters {
    fn default() -> Self {
        let zeros = || Reason::all().map(|_| AtomicU64::new(0)).collect();
        Self { allowed: AtomicU64::new(0), refused: zeros(), would_refuse: zeros() }
    }
}

impl Counters {
    /// Counts a request that passed.
    pub fn allowed(&self) {
        // Relaxed, here and below: each counter stands alone and orders nothing.
        self.allowed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: Reason) {
        add(&self.refused, reason);
    }

    /// Counts what enforcing would have refused.
    pub fn would_refuse(&self, reason: Reason) {
        add(&self.would_refuse, reason);
    }

    /// `allowed`, `refused.CODE` and `would_refuse.CODE`, those that are not zero.
    pub fn snapshot(&self) -> Vec<(String, u64)> {
        let mut all = vec![("allowed".to_owned(), self.allowed.load(Ordering::Relaxed))];
        for (kind, counters) in [("refused", &self.refused), ("would_refuse", &self.would_refuse)] {
            for (reason, counter) in Reason::all().zip(counters.iter()) {
                all.push((format!("{kind}.{}", reason.code()), counter.load(Ordering::Relaxed)));
            }
        }
        all.retain(|(name, count)| *count > 0 || name == "allowed");
        all
    }
}

fn add(counters: &[AtomicU64], reason: Reason) {
    if let Some(counter) = counters.get(reason as usize) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_by_reason() {
        let counters = Counters::default();
        counters.allowed();
        counters.refused(Reason::RouteUnknown);
        counters.refused(Reason::RouteUnknown);
        counters.would_refuse(Reason::GateNotReady);
        let expected =
            [("allowed", 1), ("refused.route.unknown", 2), ("would_refuse.gate.not_ready", 1)];
        assert_eq!(counters.snapshot(), expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
