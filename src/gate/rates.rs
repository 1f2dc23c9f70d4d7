//! The quotas of a policy at work: who is counted, what is charged, and what the client is told of it.
//!
//! One limiter an engine, one rule a quota; in a table of the process's own, or in one that the processes of this user
//! share by name (`[rate] shared`). All quotas of one stage are charged in one hit, all or nothing; what
//! an earlier stage has charged stands. A rate in mode `monitor` is charged by itself, so that it neither spares
//! nor costs the others anything.
//!
//! A subject becomes a key whose parts carry their lengths: no two subjects share one, whatever a client writes
//! into a header. An address counts by its network: as a rule all of IPv4, and the first 64 bits of IPv6, which is what
//! one subscriber has.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use super::case::Case;
use super::engine::{Engine, EngineFault};
use super::fault::Fault;
use super::framing::trim;
use super::head::Head;
use crate::check::network_of;
use crate::clock::Clock;
use crate::limit::{Charge, Decision, Limiter, LimiterError, Options, Rule, Sharing, Stats};
use crate::policy::model::{Mode, Networks, Policy, Rate, Subject, TableSize};
use crate::reason::Reason;

/// The limiter, and each rate's rules in it.
pub(super) struct Limits {
    limiter: Arc<Limiter>,
    /// The shared table that it counts in.
    table: Option<String>,
    size: TableSize,
    /// In the policy's order.
    rates: Vec<Armed>,
}

/// A rate with its rules.
struct Armed {
    /// One a quota, in the order of the rate's own.
    rules: Vec<Rule>,
    /// What each quota is called in `RateLimit`, as a string of RFC 9651, quotes included.
    names: Vec<String>,
    /// Its part of `RateLimit-Policy`.
    policy: String,
}

impl Limits {
    pub(super) fn new(policy: &Policy, setting: &Setting) -> Result<Self, EngineFault> {
        let table = setting.table(policy);
        let sharing = table.map_or(Sharing::Process, Sharing::Host);
        let TableSize { capacity, overflow } = policy.table;
        let options = Options { capacity, overflow: Some(overflow), sharing };
        let limiter = Limiter::with(options, Arc::clone(&setting.clock))?;
        Self::arm(Arc::new(limiter), table, policy)
    }

    /// The next policy's: a quota that has not changed goes on counting where it was, unless the policy says that
    /// others count together from now on, or in a table of another size.
    pub(super) fn succeed(&self, policy: &Policy, setting: &Setting) -> Result<Self, EngineFault> {
        let table = setting.table(policy);
        if table != self.table.as_deref() || policy.table != self.size {
            return Self::new(policy, setting);
        }
        Self::arm(Arc::clone(&self.limiter), table, policy)
    }

    fn arm(
        limiter: Arc<Limiter>,
        table: Option<&str>,
        policy: &Policy,
    ) -> Result<Self, EngineFault> {
        let armed = |rate: &Rate| Armed::new(&limiter, rate);
        let rates = policy.rates.iter().map(armed).collect::<Result<_, _>>()?;
        Ok(Self { limiter, table: table.map(str::to_owned), size: policy.table, rates })
    }

    /// Sizes and counters of the table.
    pub(super) fn stats(&self) -> Stats {
        self.limiter.stats()
    }
}

/// What a gate counts by, and where.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) clock: Arc<dyn Clock>,
    /// In this process alone, whatever the policy says.
    pub(super) alone: bool,
}

impl Setting {
    /// The shared table for a policy's rates, if it has any and they are to be shared.
    fn table<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        policy.shared_table().filter(|_| !self.alone)
    }
}

impl From<LimiterError> for EngineFault {
    fn from(error: LimiterError) -> Self {
        match error {
            LimiterError::NoRandomness => Self::NoRandomness,
            LimiterError::TooManyRules => Self::TooManyRates,
            LimiterError::Capacity
            | LimiterError::Quota(_)
            | LimiterError::Slots
            | LimiterError::Memory
            | LimiterError::Shared(_) => Self::Limiter(error),
        }
    }
}

impl Armed {
    fn new(limiter: &Limiter, rate: &Rate) -> Result<Self, LimiterError> {
        let identity = identity(rate);
        let mut armed = Self { rules: Vec::new(), names: Vec::new(), policy: String::new() };
        for (index, quota) in rate.quotas.iter().enumerate() {
            armed.rules.push(limiter.rule(&identity, *quota)?);
            let name = structured_string(&rate.name, index);
            separate(&mut armed.policy);
            let _ = write!(armed.policy, "{name};q={}", quota.limit);
            // The draft counts windows in whole seconds; of another one it is better to say nothing.
            if quota.window_ms.is_multiple_of(1_000) {
                let _ = write!(armed.policy, ";w={}", quota.window_ms.div_euclid(1_000));
            }
            armed.names.push(name);
        }
        Ok(armed)
    }
}

/// What makes a rate the same one after a reload: its name, and whom it counts.
fn identity(rate: &Rate) -> String {
    let mut identity = rate.name.clone();
    for part in &rate.subject {
        identity.push('\0');
        match part {
            Subject::Address => {
                identity.push_str("address");
                if rate.networks != Networks::SUBSCRIBER {
                    let _ = write!(identity, "/{}/{}", rate.networks.v4, rate.networks.v6);
                }
            }
            Subject::Operation => identity.push_str("operation"),
            Subject::Header(name) => {
                let _ = write!(identity, "header:{name}");
            }
        }
    }
    identity
}

/// `"login"`, and `"login/2"` for its second quota: strings of RFC 9651, which are printable ASCII.
fn structured_string(name: &str, index: usize) -> String {
    let mut text = String::from('"');
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            ' '..='~' => text.push(c),
            _ => text.push('?'),
        }
    }
    if index > 0 {
        let _ = write!(text, "/{}", index.saturating_add(1));
    }
    text.push('"');
    text
}

/// The rates of one stage that are charged together, with their keys.
struct Hit<'e> {
    engine: &'e Engine,
    keys: Vec<u8>,
    rates: Vec<(&'e Rate, &'e Armed, Range<usize>)>,
}

/// Charges the rates of one stage, all or nothing.
pub(super) fn charge(
    engine: &Engine,
    case: &mut Case,
    rates: &[usize],
    head: &Head<'_>,
) -> Result<(), Fault> {
    if rates.is_empty() {
        return Ok(());
    }
    let mut enforced = Hit::new(engine);
    for index in rates {
        let rate = engine.policy.rates.get(*index).zip(engine.limits.rates.get(*index));
        let (rate, armed) = rate.ok_or(Fault::of(Reason::GateFault))?;
        match rate.mode {
            Mode::Off => {}
            Mode::Enforce => enforced.add(rate, armed, case, head),
            Mode::Monitor => {
                let mut alone = Hit::new(engine);
                alone.add(rate, armed, case, head);
                if let Some((decision, _)) = alone.strike()
                    && let Some(reason) = refusal(&decision)
                {
                    case.would_refuse.get_or_insert(reason);
                }
            }
        }
    }
    let Some((decision, name)) = enforced.strike() else { return Ok(()) };
    enforced.tell(case, &decision, name);
    refusal(&decision).map_or(Ok(()), |reason| {
        let wait = seconds(decision.retry_after_ms);
        let fault = Fault::of(reason);
        // A guess, if the table is full.
        Err(fault.with("Retry-After", wait.to_string()))
    })
}

fn refusal(decision: &Decision) -> Option<Reason> {
    match (decision.allowed, decision.table_full) {
        (true, _) => None,
        (false, true) => Some(Reason::RateTableFull),
        (false, false) => Some(Reason::RateExceeded),
    }
}

/// Whole seconds, rounded up: a client that waits so long is not too early.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}

impl<'e> Hit<'e> {
    fn new(engine: &'e Engine) -> Self {
        Self { engine, keys: Vec::new(), rates: Vec::new() }
    }

    fn add(&mut self, rate: &'e Rate, armed: &'e Armed, case: &Case, head: &Head<'_>) {
        let start = self.keys.len();
        for part in &rate.subject {
            match part {
                Subject::Address => self.address(case.client, rate.networks),
                Subject::Operation => {
                    let operation =
                        case.operation.and_then(|o| self.engine.policy.operations.get(o));
                    let named =
                        |o: &crate::policy::Operation| [o.method.clone(), o.template.clone()];
                    for text in operation.map(named).unwrap_or_default() {
                        self.part(text.as_bytes());
                    }
                }
                Subject::Header(name) => self.header(name, head),
            }
        }
        self.rates.push((rate, armed, start..self.keys.len()));
    }

    /// One part, after its length.
    fn part(&mut self, bytes: &[u8]) {
        // Headers are bounded far below 4 GiB; what is not, counts as one subject.
        self.keys.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.keys.extend_from_slice(bytes);
    }

    /// Connections without an address are one subject.
    fn address(&mut self, client: Option<IpAddr>, Networks { v4, v6 }: Networks) {
        let network = client.and_then(|client| network_of(client, v4, v6));
        match network.map(|network| network.addr()) {
            Some(IpAddr::V4(v4)) => self.part(&v4.octets()),
            Some(IpAddr::V6(v6)) => self.part(&v6.octets()),
            None => self.part(&[]),
        }
    }

    /// All lines of a header, after their number: none is another subject than an empty one.
    fn header(&mut self, name: &str, head: &Head<'_>) {
        let named = |(n, _): &&(&[u8], &[u8])| n.eq_ignore_ascii_case(name.as_bytes());
        let lines = head.headers.iter().filter(named);
        let count = u32::try_from(lines.clone().count()).unwrap_or(u32::MAX);
        self.keys.extend(count.to_le_bytes());
        for (_, line) in lines {
            self.part(trim(line));
        }
    }

    /// Charges; the decision, and the name of the quota that it speaks of. `None` when there is nothing to charge.
    fn strike(&self) -> Option<(Decision, &'e str)> {
        let mut charges = Vec::with_capacity(self.rates.len());
        let mut names = Vec::with_capacity(self.rates.len());
        for (rate, armed, range) in &self.rates {
            let key = self.keys.get(range.clone()).unwrap_or_default();
            charges.extend(armed.rules.iter().map(|rule| Charge {
                rule: *rule,
                key,
                cost: rate.cost,
            }));
            names.extend(armed.names.iter().map(String::as_str));
        }
        if charges.is_empty() {
            return None;
        }
        let decision = self.engine.limits.limiter.hit(&charges);
        Some((decision, names.get(decision.charge).copied().unwrap_or_default()))
    }

    /// Notes what the answer says of these rates (draft-ietf-httpapi-ratelimit-headers-10).
    fn tell(&self, case: &mut Case, decision: &Decision, name: &str) {
        for (_, armed, _) in &self.rates {
            separate(&mut case.quota_policy);
            case.quota_policy.push_str(&armed.policy);
        }
        if decision.table_full {
            return;
        }
        separate(&mut case.quota_state);
        let (left, reset) = (decision.remaining, seconds(decision.reset_after_ms));
        let _ = write!(case.quota_state, "{name};r={left};t={reset}");
    }
}

/// Between the members of a list.
fn separate(list: &mut String) {
    if !list.is_empty() {
        list.push_str(", ");
    }
}
