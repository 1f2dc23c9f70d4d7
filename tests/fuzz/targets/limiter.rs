//! Any hits of any costs at any times: never more than the limit in any window, by a log of all that was admitted;
//! and, while there is room for every key, refused only where the log says so too.

#![no_main]

#[path = "../../rust/limit/log.rs"]
mod log;

use std::collections::HashMap;
use std::sync::Arc;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use log::{Log, longest_ms};
use secval::clock::{Clock, ManualClock};
use secval::limit::{Charge, Limiter, Options, Quota, Rule};

/// Keys that have room in the smallest table, each under up to three quotas.
const ROOMY: u16 = 2;

#[derive(Debug)]
struct Game {
    /// Whether there are so many keys that the table cannot hold them.
    crowded: bool,
    overflow: bool,
    start: u64,
    quotas: Vec<Quota>,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    gap: u64,
    key: u16,
    cost: u32,
    kind: Kind,
}

#[derive(Debug, PartialEq, Arbitrary)]
enum Kind {
    Hit,
    HitAgain,
    Peek,
    One,
}

impl<'a> Arbitrary<'a> for Game {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (crowded, overflow) = (u.arbitrary()?, u.arbitrary()?);
        let start = if u.arbitrary()? { u.int_in_range(0..=5_000)? } else { u.int_in_range(0..=1 << 39)? };
        let mut quotas = Vec::new();
        for _ in 0..u.int_in_range(1..=3)? {
            let window = u.int_in_range(6..=900)?;
            let limit = if u.arbitrary()? { u.int_in_range(1..=7)? } else { u.int_in_range(8..=60)? };
            quotas.push(Quota::new(limit, window).expect("within bounds"));
        }
        let mut steps = Vec::new();
        let keys = if crowded { 600 } else { ROOMY - 1 };
        while !u.is_empty() && steps.len() < 600 {
            let gap = match u.int_in_range(0..=7u8)? {
                0..=3 => 0,
                4..=6 => u.int_in_range(0..=30)?,
                _ => u.int_in_range(0..=2_000)?,
            };
            steps.push(Step {
                gap,
                key: u.int_in_range(0..=keys)?,
                cost: u.int_in_range(0..=9)?,
                kind: u.arbitrary()?,
            });
        }
        Ok(Self { crowded, overflow, start, quotas, steps })
    }
}

fuzz_target!(|game: Game| {
    let clock = Arc::new(ManualClock::new(game.start, 0));
    let options = Options {
        capacity: 16,
        overflow: if game.overflow { Some(32) } else { Some(0) },
        ..Options::default()
    };
    let limiter = Limiter::with(options, Arc::clone(&clock) as Arc<dyn Clock>).expect("a table");
    let name = |index: usize| format!("rule {index}");
    let rules: Vec<Rule> = (game.quotas.iter().enumerate())
        .map(|(index, quota)| limiter.rule(&name(index), *quota).expect("a rule"))
        .collect();
    let mut logs: HashMap<(u16, usize), Log> = HashMap::new();
    for step in &game.steps {
        clock.advance(step.gap);
        let now = clock.monotonic_ms();
        let key = step.key.to_le_bytes();
        let single = step.kind == Kind::One;
        let charged = if single { 1 } else { rules.len() };
        let charges: Vec<Charge<'_>> = (rules.iter().take(charged))
            .map(|rule| Charge { rule: *rule, key: &key, cost: step.cost })
            .collect();
        let decision = match step.kind {
            Kind::Hit | Kind::HitAgain => limiter.hit(&charges),
            Kind::Peek => limiter.peek(&charges),
            Kind::One => limiter.hit_one(rules[0], limiter.subject(&key), step.cost),
        };
        let (mut must_refuse, mut may_refuse) = (false, false);
        for (index, quota) in game.quotas.iter().take(charged).enumerate() {
            let log = logs.entry((step.key, index)).or_default();
            let cost = u64::from(step.cost);
            let limit = u64::from(quota.limit);
            must_refuse |= log.within(now, quota.window_ms) + cost > limit;
            may_refuse |= log.within(now, longest_ms(*quota)) + cost > limit;
            if index == decision.charge {
                assert_eq!(decision.limit, quota.limit);
            }
        }
        assert!(!(decision.allowed && must_refuse), "more than the limit at {now}: {decision:?}");
        assert!(!(decision.allowed && decision.table_full), "{decision:?}");
        assert!(decision.allowed == (decision.retry_after_ms == 0), "{decision:?}");
        if !game.crowded {
            assert!(!decision.table_full, "there is room");
            assert!(decision.allowed || may_refuse, "refused without need at {now}: {decision:?}");
        }
        if decision.allowed && step.kind != Kind::Peek {
            for index in 0..charged {
                logs.entry((step.key, index)).or_default().0.push_back((now, u64::from(step.cost)));
            }
        }
    }
});
