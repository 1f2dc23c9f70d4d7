//! A log of everything that was admitted: the slow, obvious limiter.

use std::collections::VecDeque;

use secval::limit::Quota;

/// Every admitted hit of a key under one quota: when, and how much.
#[derive(Default)]
pub(crate) struct Log(pub(crate) VecDeque<(u64, u64)>);

impl Log {
    /// What the closed window of `ms` milliseconds that ends at `now` holds.
    pub(crate) fn within(&self, now: u64, ms: u64) -> u64 {
        self.0.iter().filter(|(at, _)| at + ms >= now).map(|(_, cost)| cost).sum()
    }
}

/// What an admitted hit may be held against: in one form each hit is counted to the millisecond, in the other
/// up to a seventh part longer.
pub(crate) fn longest_ms(quota: Quota) -> u64 {
    if quota.limit <= Quota::MAX_LOGGED { quota.window_ms } else { quota.window_ms * 7 / 6 + 1 }
}
