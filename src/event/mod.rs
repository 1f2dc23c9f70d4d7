//! What happened: a name for each request, and how often each decision was made.
//!
//! Counters are codes and numbers, never payload. Reading them stops nobody: a snapshot is not one instant,
//! but no count is ever lost or goes back.

#![forbid(unsafe_code)]

mod request_id;

use crate::reason::Reason;
use crate::sync::{AtomicU64, Ordering};

pub use request_id::{RequestIds, inbound};

/// One counter for requests allowed, two for each reason (refused, and would have been refused), and what was
/// answered in the end.
#[derive(Debug)]
pub struct Counters {
    allowed: AtomicU64,
    refused: Box<[AtomicU64]>,
    would_refuse: Box<[AtomicU64]>,
    /// By the hundreds of the status; the first is for requests that nobody answered.
    answered: [AtomicU64; 6],
    sent: AtomicU64,
}

/// In the order of [`Counters`]' field.
const ANSWERED: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

impl Default for Counters {
    fn default() -> Self {
        let zeros = || Reason::all().map(|_| AtomicU64::new(0)).collect();
        Self {
            allowed: AtomicU64::new(0),
            refused: zeros(),
            would_refuse: zeros(),
            answered: Default::default(),
            sent: AtomicU64::new(0),
        }
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

    /// Counts a closed record: the status that was answered, and the bytes of the answer's body. `None`, and a
    /// number that is no status, is a request that nobody answered.
    pub fn answered(&self, status: Option<u16>, sent: u64) {
        let class =
            status.filter(|status| (100..600).contains(status)).map_or(0, |status| status / 100);
        if let Some(counter) = self.answered.get(usize::from(class)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.sent.fetch_add(sent, Ordering::Relaxed);
    }

    /// `allowed`, `refused.CODE`, `would_refuse.CODE`, `answered.2xx` and so on, and `sent.bytes`; those that are
    /// not zero.
    pub fn snapshot(&self) -> Vec<(String, u64)> {
        let mut all = vec![("allowed".to_owned(), self.allowed.load(Ordering::Relaxed))];
        for (kind, counters) in [("refused", &self.refused), ("would_refuse", &self.would_refuse)] {
            for (reason, counter) in Reason::all().zip(counters.iter()) {
                all.push((format!("{kind}.{}", reason.code()), counter.load(Ordering::Relaxed)));
            }
        }
        for (class, counter) in ANSWERED.iter().zip(&self.answered) {
            all.push((format!("answered.{class}"), counter.load(Ordering::Relaxed)));
        }
        all.push(("sent.bytes".to_owned(), self.sent.load(Ordering::Relaxed)));
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
        counters.would_refuse(Reason::GateFault);
        let expected =
            [("allowed", 1), ("refused.route.unknown", 2), ("would_refuse.gate.fault", 1)];
        assert_eq!(counters.snapshot(), expected.map(|(name, count)| (name.to_owned(), count)));
    }

    #[test]
    fn answers_are_kept_by_their_hundreds() {
        let counters = Counters::default();
        for status in [100, 200, 204, 304, 404, 599] {
            counters.answered(Some(status), 10);
        }
        for status in [None, Some(0), Some(99), Some(600), Some(u16::MAX)] {
            counters.answered(status, 0);
        }
        let expected = [
            ("allowed", 0),
            ("answered.none", 5),
            ("answered.1xx", 1),
            ("answered.2xx", 2),
            ("answered.3xx", 1),
            ("answered.4xx", 1),
            ("answered.5xx", 1),
            ("sent.bytes", 60),
        ];
        assert_eq!(counters.snapshot(), expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
