//! How often: quotas over sliding windows (being written).

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::clock::Clock;

mod bucket;
mod decide;
mod directory;
mod layout;
mod quota;
mod set;
mod subject;
mod table;
mod tag;
mod window;

pub use quota::{Quota, QuotaError, QuotaErrorKind};
pub use subject::Subject;

use decide::Probe;
use layout::Layout;
use subject::Secret;
use table::Table;

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

/// The answer to a hit. The numbers are those of the charge that refuses (the longest, if several do), or, when
/// admitted, of the one with the least left.
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
    /// Milliseconds after which this hit would be admitted if nobody else hits; 0 when allowed, [`u64::MAX`] if
    /// never, since it costs more than the limit.
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
    /// A quota whose numbers cannot be enforced.
    Quota(QuotaErrorKind),
}

impl std::fmt::Display for LimiterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRandomness => f.write_str("the operating system has no randomness to give"),
            Self::TooManyRules => f.write_str("a table holds at most 255 quotas"),
            Self::Capacity => f.write_str("a capacity is 1 to 268435456 keys"),
            Self::Quota(kind) => f.write_str(kind.message()),
        }
    }
}

impl std::error::Error for LimiterError {}

/// A table of counts, for any number of quotas and subjects, in bounded memory.
pub struct Limiter {
    table: Table,
}

impl Limiter {
    /// Room for `capacity` live keys.
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Result<Self, LimiterError> {
        let layout = Layout::new(capacity, 0).ok_or(LimiterError::Capacity)?;
        let secret = Secret::random().ok_or(LimiterError::NoRandomness)?;
        Ok(Self { table: Table::new(layout, secret, clock) })
    }

    /// The number of a quota, by its name and value; the same ones get the same number, also over a reload.
    pub fn rule(&self, name: &str, quota: Quota) -> Result<Rule, LimiterError> {
        let quota = Quota::new(quota.limit, quota.window_ms).map_err(LimiterError::Quota)?;
        let limit = quota.limit.to_le_bytes();
        let window = quota.window_ms.to_le_bytes();
        let identity = self.table.secret.digest(&[name.as_bytes(), &limit, &window]).max(1);
        let number = self.table.directory().number(identity, quota);
        number.map(Rule).ok_or(LimiterError::TooManyRules)
    }

    /// A key as the table knows it, for those who charge it more than once.
    #[inline]
    pub fn subject(&self, key: &[u8]) -> Subject {
        self.table.secret.subject(key)
    }

    /// Charges all or nothing.
    pub fn hit(&self, charges: &[Charge<'_>]) -> Decision {
        self.with_probes(charges, decide::hit)
    }

    /// What a hit would answer, without charging.
    pub fn peek(&self, charges: &[Charge<'_>]) -> Decision {
        self.with_probes(charges, decide::peek)
    }

    /// Charges one quota: what [`Limiter::hit`] does, without a list.
    #[inline]
    pub fn hit_one(&self, rule: Rule, subject: Subject, cost: u32) -> Decision {
        match Probe::new(&self.table, rule, subject, cost) {
            Some(probe) => decide::hit(&self.table, &mut [probe]),
            None => decide::unknown_rule(0),
        }
    }

    fn with_probes(
        &self,
        charges: &[Charge<'_>],
        judge: impl FnOnce(&Table, &mut [Probe<'_>]) -> Decision,
    ) -> Decision {
        let mut probes: Vec<Probe<'_>> = Vec::with_capacity(charges.len());
        for (index, charge) in charges.iter().enumerate() {
            let subject = self.subject(charge.key);
            let probe = Probe::new(&self.table, charge.rule, subject, charge.cost);
            let Some(probe) = probe else { return decide::unknown_rule(index) };
            let probe = probe.of_charge(index);
            // Two charges of one hit that count in the same words are one charge.
            match probes.iter_mut().find(|other| other.is_same(&probe)) {
                Some(other) => other.add(&probe),
                None => probes.push(probe),
            }
        }
        judge(&self.table, &mut probes)
    }
}
