//! How often: quotas over sliding windows (being built).

use std::sync::Arc;

use crate::clock::Clock;

/// How much in how long: at most `limit` in any window of `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// At most so much, 1 to 16,777,215.
    pub limit: u32,
    /// In any window so long, milliseconds.
    pub window_ms: u64,
}

/// What is wrong with a quota's text; never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaError {}

impl std::fmt::Display for QuotaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("being built")
    }
}

impl Quota {
    /// Reads `100/minute`, `50/30ms`, `10/second; 1000/hour`: one or more.
    pub fn parse_list(_text: &str) -> Result<Vec<Self>, QuotaError> {
        todo!()
    }
}

impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}ms", self.limit, self.window_ms)
    }
}

/// The number of a quota in a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule(u8);

/// One quota to charge: all charges of a hit are admitted, or none is.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'k> {
    /// From [`Limiter::rule`].
    pub rule: Rule,
    /// The subject, as bytes of any length; only its keyed hash is kept.
    pub key: &'k [u8],
    /// How much this hit counts.
    pub cost: u32,
}

/// The answer to a hit. The numbers are those of the charge that refuses, or, when admitted, of the one with the least left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether all charges were admitted.
    pub allowed: bool,
    /// False: a quota is used up. True: the table has no room for a new key.
    pub table_full: bool,
    /// Index, in the hit's list, of the charge that these numbers speak of.
    pub charge: usize,
    /// Its quota's limit.
    pub limit: u32,
    /// What is left of it now.
    pub remaining: u32,
    /// Milliseconds until it is whole again if nobody hits.
    pub reset_after_ms: u64,
    /// Milliseconds after which this hit would be admitted if nobody else hits; 0 when allowed.
    pub retry_after_ms: u64,
}

/// Why a limiter cannot be made, or cannot take another rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimiterError {
    /// The operating system gives no randomness for the table's key.
    NoRandomness,
    /// More than 255 rules.
    TooManyRules,
    /// Capacity 0 or absurd.
    Capacity,
}

/// A table of counts, for any number of quotas and subjects, in bounded memory.
pub struct Limiter {}

impl Limiter {
    /// Room for `capacity` live keys.
    pub fn new(_capacity: usize, _clock: Arc<dyn Clock>) -> Result<Self, LimiterError> {
        todo!()
    }
    /// The number of a quota, by its name and value; the same ones get the same number, also over a reload.
    pub fn rule(&self, _name: &str, _quota: Quota) -> Result<Rule, LimiterError> {
        todo!()
    }
    /// Charges all or nothing.
    pub fn hit(&self, _charges: &[Charge<'_>]) -> Decision {
        todo!()
    }
    /// What a hit would answer, without charging.
    pub fn peek(&self, _charges: &[Charge<'_>]) -> Decision {
        todo!()
    }
}
