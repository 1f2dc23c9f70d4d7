//! The limiter against a log of everything it admitted: the slow, obvious way to keep the same promise.

mod log;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use log::{Log, longest_ms};
use proptest::prelude::*;
use secval::clock::{Clock, ManualClock, SystemClock};
use secval::limit::{
    Charge, Decision, Limiter, LimiterError, Options, Quota, QuotaErrorKind as Kind, Rule,
};

fn limiter(clock: &Arc<ManualClock>) -> Limiter {
    Limiter::new(64, Arc::clone(clock) as Arc<dyn Clock>).expect("a table")
}

fn without_overflow(clock: &Arc<ManualClock>) -> Limiter {
    let options = Options { capacity: 64, overflow: Some(0), ..Options::default() };
    Limiter::with(options, Arc::clone(clock) as Arc<dyn Clock>).expect("a table")
}

fn quota(text: &str) -> Quota {
    Quota::parse_list(text).expect("a quota")[0]
}

fn hit(limiter: &Limiter, rule: Rule, key: &str) -> Decision {
    limiter.hit(&[Charge { rule, key: key.as_bytes(), cost: 1 }])
}

fn quotas() -> impl Strategy<Value = Quota> {
    let small = (1u32..=7, 1u64..400).prop_map(|(limit, ms)| Quota::new(limit, ms));
    let large = (8u32..=40, 6u64..400).prop_map(|(limit, ms)| Quota::new(limit, ms));
    prop_oneof![small, large].prop_map(|quota| quota.expect("a quota within bounds"))
}

fn steps() -> impl Strategy<Value = Vec<(u64, u8, u32, bool)>> {
    // Time passes in three gaits: not at all, within a window, across windows.
    let gap = prop_oneof![3 => Just(0u64), 3 => 0u64..20, 1 => 0u64..900];
    proptest::collection::vec((gap, 0u8..3, 1u32..6, any::<bool>()), 1..250)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn admits_what_a_log_admits(quotas in proptest::collection::vec(quotas(), 1..4), steps in steps(), start in 0u64..2_000) {
        let clock = Arc::new(ManualClock::new(start, 0));
        let limiter = limiter(&clock);
        // Two that are equal are two all the same.
        let rules: Vec<Rule> = quotas
            .iter()
            .enumerate()
            .map(|(index, quota)| limiter.rule(&format!("q{index}"), *quota).expect("a rule"))
            .collect();
        let mut logs: HashMap<(u8, usize), Log> = HashMap::new();
        for (gap, key, cost, peek) in steps {
            clock.advance(gap);
            let now = clock.monotonic_ms();
            let name = [key];
            let charges: Vec<Charge<'_>> = rules.iter().map(|&rule| Charge { rule, key: &name, cost }).collect();
            let decision = if peek { limiter.peek(&charges) } else { limiter.hit(&charges) };
            prop_assert!(!decision.table_full);
            let mut must_refuse = false;
            let mut may_refuse = false;
            for (index, quota) in quotas.iter().enumerate() {
                let log = logs.entry((key, index)).or_default();
                let limit = u64::from(quota.limit);
                must_refuse |= log.within(now, quota.window_ms) + u64::from(cost) > limit;
                may_refuse |= log.within(now, longest_ms(*quota)) + u64::from(cost) > limit;
            }
            prop_assert!(!(decision.allowed && must_refuse), "more than L in a window at {now}: {decision:?}");
            prop_assert!(decision.allowed || may_refuse, "refused without need at {now}: {decision:?}");
            if decision.allowed && !peek {
                for index in 0..quotas.len() {
                    logs.entry((key, index)).or_default().0.push_back((now, u64::from(cost)));
                }
            }
            check_numbers(&limiter, &clock, &charges, decision)?;
        }
    }
}

/// The numbers of a decision are true: `retry_after` admits, a millisecond less does not; after `reset_after` all
/// is whole.
fn check_numbers(
    limiter: &Limiter,
    clock: &ManualClock,
    charges: &[Charge<'_>],
    decision: Decision,
) -> Result<(), TestCaseError> {
    if decision.allowed {
        prop_assert_eq!(decision.retry_after_ms, 0);
        return Ok(());
    }
    if decision.retry_after_ms == u64::MAX {
        prop_assert!(charges.iter().any(|charge| charge.cost > decision.limit));
        return Ok(());
    }
    prop_assert!(decision.retry_after_ms > 0 && decision.retry_after_ms <= decision.reset_after_ms);
    let later = ManualClock::new(clock.monotonic_ms() + decision.retry_after_ms - 1, 0);
    prop_assert!(
        !peek_at(limiter, clock, &later, charges).allowed,
        "would have been admitted sooner"
    );
    later.advance(1);
    prop_assert!(peek_at(limiter, clock, &later, charges).allowed, "retry_after was too short");
    Ok(())
}

/// Peeks with the limiter's clock moved to `later`, and moved on from there: only forward, as time does.
fn peek_at(
    limiter: &Limiter,
    clock: &ManualClock,
    later: &ManualClock,
    charges: &[Charge<'_>],
) -> Decision {
    clock.advance(later.monotonic_ms() - clock.monotonic_ms());
    limiter.peek(charges)
}

#[test]
fn quotas_are_read_and_written() {
    for (text, limit, window_ms, written) in [
        ("100/minute", 100, 60_000, "100/minute"),
        ("50/30ms", 50, 30, "50/30ms"),
        ("5/15minute", 5, 900_000, "5/15minute"),
        ("7/1ms", 7, 1, "7/ms"),
        ("16777215/366day", 16_777_215, 31_622_400_000, "16777215/366day"),
        ("8/6ms", 8, 6, "8/6ms"),
        ("9/1000ms", 9, 1_000, "9/second"),
        ("1/24hour", 1, 86_400_000, "1/day"),
    ] {
        let parsed = Quota::parse_list(text).expect("a quota");
        assert_eq!(parsed, [Quota { limit, window_ms }], "{text}");
        assert_eq!(parsed[0].to_string(), written);
        assert_eq!(Quota::parse_list(written).expect("its own text"), parsed);
    }
    let two = Quota::parse_list(" 10/second ;1000/hour ").expect("two quotas");
    assert_eq!(two, [quota("10/second"), quota("1000/hour")]);
}

#[test]
fn every_wrong_quota_has_a_kind_and_a_place() {
    for (text, kind, offset) in [
        ("", Kind::Empty, 0),
        ("   ", Kind::Empty, 0),
        (";", Kind::EmptyQuota, 0),
        ("1/day;", Kind::EmptyQuota, 6),
        ("1/day; ;2/hour", Kind::EmptyQuota, 7),
        ("/minute", Kind::NoLimit, 0),
        ("minute", Kind::NoLimit, 0),
        ("-1/minute", Kind::NotADigit, 0),
        ("1_0/minute", Kind::NotADigit, 1),
        ("1 /minute", Kind::NotADigit, 1),
        ("\u{0663}/minute", Kind::NotADigit, 0),
        ("100", Kind::NoWindow, 3),
        ("100 per minute", Kind::NoWindow, 3),
        ("100/", Kind::NoUnit, 4),
        ("100/5", Kind::NoUnit, 5),
        ("100/minutes", Kind::UnknownUnit, 4),
        ("100/ minute", Kind::UnknownUnit, 4),
        ("100/Minute", Kind::UnknownUnit, 4),
        ("100/5m", Kind::UnknownUnit, 5),
        ("100/second/2", Kind::UnknownUnit, 4),
        ("0/minute", Kind::ZeroLimit, 0),
        ("010/minute", Kind::LeadingZero, 0),
        ("10/05minute", Kind::LeadingZero, 3),
        ("10/0minute", Kind::ZeroWindow, 3),
        ("16777216/minute", Kind::LimitTooLarge, 0),
        ("99999999999999999999999/minute", Kind::LimitTooLarge, 0),
        ("10/367day", Kind::WindowTooLong, 3),
        ("10/99999999999999999999999day", Kind::WindowTooLong, 3),
        ("10/18446744073709551615day", Kind::WindowTooLong, 3),
        ("8/5ms", Kind::WindowTooShort, 2),
        ("1/day; 5/fortnight", Kind::UnknownUnit, 9),
        ("10/minute; 5/60second", Kind::SameWindow, 11),
    ] {
        let error = Quota::parse_list(text).expect_err(text);
        assert_eq!((error.kind(), error.offset()), (kind, offset), "{text}");
        assert!(error.to_string().contains(&format!("byte {offset}")));
    }
}

#[test]
fn a_log_is_exact_and_a_ring_is_whole_again_after_seven_sixths() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = limiter(&clock);
    let three = limiter.rule("log", quota("3/second")).expect("a rule");
    let twelve = limiter.rule("ring", quota("12/6second")).expect("a rule");
    for left in (0..3).rev() {
        let decision = hit(&limiter, three, "k");
        assert_eq!((decision.allowed, decision.limit, decision.remaining), (true, 3, left));
        clock.advance(100);
    }
    let refused = hit(&limiter, three, "k");
    assert_eq!((refused.allowed, refused.remaining), (false, 0));
    assert_eq!((refused.retry_after_ms, refused.reset_after_ms), (701, 901));
    clock.advance(701);
    assert!(hit(&limiter, three, "k").allowed);

    for _ in 0..12 {
        assert!(hit(&limiter, twelve, "k").allowed);
    }
    let refused = hit(&limiter, twelve, "k");
    assert!(!refused.allowed && refused.retry_after_ms > 6_000 && refused.retry_after_ms <= 7_000);
    clock.advance(6_000);
    assert!(!hit(&limiter, twelve, "k").allowed);
}

#[test]
fn six_sevenths_of_the_rate_are_sustained_however_short_the_window() {
    let rings = [(8, 6), (8, 7), (10, 11), (100, 1_000), (600, 59_999)];
    for (limit, window_ms) in rings.into_iter().chain([(1, 6), (7, 6), (3, 250), (7, 60_000)]) {
        let clock = Arc::new(ManualClock::new(0, 0));
        let limiter = limiter(&clock);
        let rule = limiter.rule("q", Quota { limit, window_ms }).expect("a rule");
        let mut admitted = 0u64;
        while clock.monotonic_ms() < 60 * window_ms {
            let decision = hit(&limiter, rule, "k");
            admitted += u64::from(decision.allowed);
            clock.advance(decision.retry_after_ms);
        }
        let due = clock.monotonic_ms() * u64::from(limit) * 6 / (7 * window_ms);
        assert!(admitted >= due, "{limit}/{window_ms}ms: {admitted} of {due}");
    }
}

#[test]
fn a_hit_that_counts_nothing_takes_nothing() {
    let clock = Arc::new(ManualClock::new(5, 0));
    let limiter = limiter(&clock);
    for text in ["7/second", "60/6second"] {
        let rule = limiter.rule("q", quota(text)).expect("a rule");
        let nothing = || limiter.hit(&[Charge { rule, key: b"k", cost: 0 }]);
        for _ in 0..quota(text).limit {
            assert!(nothing().allowed && hit(&limiter, rule, "k").allowed && nothing().allowed);
        }
        assert_eq!((nothing().allowed, nothing().remaining), (true, 0));
        assert!(!hit(&limiter, rule, "k").allowed);
    }
    assert_eq!(limiter.stats().exhausted, 0);
}

#[test]
fn a_log_admits_its_limit_in_each_window_and_a_millisecond() {
    for (limit, window_ms) in [(1, 1), (7, 1), (5, 10), (2, 1_000)] {
        let clock = Arc::new(ManualClock::new(0, 0));
        let limiter = limiter(&clock);
        let rule = limiter.rule("q", Quota { limit, window_ms }).expect("a rule");
        for _ in 0..20 {
            assert!((0..limit).all(|_| hit(&limiter, rule, "k").allowed));
            assert_eq!(hit(&limiter, rule, "k").retry_after_ms, window_ms + 1);
            clock.advance(window_ms + 1);
        }
    }
}

#[test]
fn a_cost_above_the_limit_is_refused_for_good() {
    let clock = Arc::new(ManualClock::new(5, 0));
    let limiter = limiter(&clock);
    let rule = limiter.rule("q", quota("5/second")).expect("a rule");
    let costly = limiter.hit(&[Charge { rule, key: b"k", cost: 6 }]);
    assert_eq!((costly.allowed, costly.retry_after_ms, costly.remaining), (false, u64::MAX, 5));
    assert!(limiter.hit(&[Charge { rule, key: b"k", cost: 5 }]).allowed);
    assert!(!hit(&limiter, rule, "k").allowed);
}

#[test]
fn one_key_named_twice_in_a_hit_is_charged_twice() {
    let clock = Arc::new(ManualClock::new(5, 0));
    let limiter = limiter(&clock);
    let other = limiter.rule("other", quota("100/second")).expect("a rule");
    let rule = limiter.rule("q", quota("5/second")).expect("a rule");
    let charge = Charge { rule, key: b"k", cost: 2 };
    let both = [Charge { rule: other, key: b"k", cost: 1 }, charge, charge];
    let first = limiter.hit(&both);
    assert_eq!((first.allowed, first.charge, first.remaining), (true, 1, 1));
    assert_eq!((limiter.hit(&both).allowed, limiter.peek(&both[1..2]).remaining), (false, 1));
}

#[test]
fn all_or_nothing() {
    let clock = Arc::new(ManualClock::new(0, 0));
    let limiter = limiter(&clock);
    let wide = limiter.rule("wide", quota("100/hour")).expect("a rule");
    let narrow = limiter.rule("narrow", quota("2/second")).expect("a rule");
    let charges =
        [Charge { rule: wide, key: b"k", cost: 1 }, Charge { rule: narrow, key: b"k", cost: 1 }];
    assert!(limiter.hit(&charges).allowed && limiter.hit(&charges).allowed);
    for _ in 0..50 {
        let refused = limiter.hit(&charges);
        assert_eq!((refused.allowed, refused.charge, refused.limit), (false, 1, 2));
    }
    assert_eq!(limiter.peek(&charges[..1]).remaining, 98);
}

#[test]
fn a_full_table_without_overflow_refuses_newcomers_and_forgets_nobody() {
    let clock = Arc::new(ManualClock::new(7, 0));
    let limiter = without_overflow(&clock);
    let rule = limiter.rule("q", quota("1/minute")).expect("a rule");
    let keys: Vec<String> = (0..2_000).map(|key| format!("key {key}")).collect();
    let admitted: Vec<&String> =
        keys.iter().filter(|key| hit(&limiter, rule, key).allowed).collect();
    assert!(admitted.len() >= 64, "room for the capacity: {}", admitted.len());
    let refused =
        keys.iter().map(|key| hit(&limiter, rule, key)).filter(|it| it.table_full).count();
    assert!(refused > 0);
    for key in &admitted {
        let again = hit(&limiter, rule, key);
        assert!(!again.allowed && !again.table_full, "{key} was given a fresh quota");
    }
    clock.advance(60_001);
    let newcomers =
        (0..64).filter(|key| hit(&limiter, rule, &format!("new {key}")).allowed).count();
    assert!(newcomers > 48, "dead keys make room: {newcomers}");
}

#[test]
fn a_rule_is_its_name_and_its_quota() {
    let clock = Arc::new(ManualClock::new(7, 0));
    let limiter = limiter(&clock);
    let rule = limiter.rule("login", quota("5/minute")).expect("a rule");
    assert_eq!(limiter.rule("login", quota("5/minute")), Ok(rule));
    assert_ne!(limiter.rule("login", quota("6/minute")), Ok(rule));
    assert_ne!(limiter.rule("other", quota("5/minute")), Ok(rule));
    assert_eq!(
        limiter.rule("bad", Quota { limit: 0, window_ms: 5 }),
        Err(LimiterError::Quota(Kind::ZeroLimit))
    );
    for limit in 1..=252 {
        assert!(limiter.rule("many", Quota { limit, window_ms: 1_000 }).is_ok());
    }
    let error = limiter.rule("many", Quota { limit: 300, window_ms: 1_000 });
    assert_eq!(error, Err(LimiterError::TooManyRules));
    assert_eq!(limiter.rule("login", quota("5/minute")), Ok(rule), "known ones stay known");
}

#[test]
fn capacities_that_make_no_table() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(0, 0));
    for capacity in [0, usize::MAX] {
        let error = Limiter::new(capacity, Arc::clone(&clock)).map(|_| ()).expect_err("no table");
        assert_eq!(error, LimiterError::Capacity);
    }
}

#[test]
fn threads_share_one_quota() {
    for limit in [5u32, 500] {
        let limiter = Limiter::new(64, Arc::new(SystemClock)).expect("a table");
        let rule = limiter.rule("q", Quota { limit, window_ms: 3_600_000 }).expect("a rule");
        let admitted: usize = std::thread::scope(|scope| {
            let hits = || (0..1_000).filter(|_| hit(&limiter, rule, "k").allowed).count();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(hits)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a count")).sum()
        });
        assert_eq!(admitted, limit as usize);
    }
}

#[test]
fn five_times_the_capacity_and_no_key_gets_more() {
    for text in ["1/minute", "5/minute", "9/minute"] {
        let clock = Arc::new(ManualClock::new(1_000_000, 0));
        let limiter = limiter(&clock);
        let rule = limiter.rule("q", quota(text)).expect("a rule");
        let limit = quota(text).limit;
        let early: Vec<String> = (0..32).map(|key| format!("early {key}")).collect();
        for key in &early {
            (0..limit).for_each(|_| assert!(hit(&limiter, rule, key).allowed));
        }
        let mut admitted: HashMap<String, u32> = HashMap::new();
        for round in 0..12 {
            for key in (0..320).map(|key| format!("flood {key}")) {
                *admitted.entry(key.clone()).or_default() +=
                    u32::from(hit(&limiter, rule, &key).allowed);
            }
            assert!(early.iter().all(|key| !hit(&limiter, rule, key).allowed), "round {round}");
            clock.advance(1_000);
        }
        assert!(admitted.values().all(|count| *count <= limit), "{text}: more than the limit");
        let served = admitted.values().filter(|count| **count > 0).count();
        // 64 cells for some 200 keys that found no line: four keys a cell, so half of those with a limit of 9 are seen.
        assert!(served >= 90, "{text}: {served} of 320 served");
        let stats = limiter.stats();
        assert!(stats.overflowed > 0 && stats.full > 0 && stats.evicted == 0, "{stats:?}");
        clock.advance(200_000);
        assert!(hit(&limiter, rule, "after").allowed && hit(&limiter, rule, &early[0]).allowed);
    }
}

#[test]
fn what_the_overflow_knows_is_carried_into_a_line() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = without_lines(&clock);
    let short = limiter.rule("short", quota("9/second")).expect("a rule");
    let long = limiter.rule("long", quota("20/hour")).expect("a rule");
    // Sixteen lines or fewer, all of them taken for a second.
    (0..200).for_each(|key| {
        let _ = hit(&limiter, short, &format!("{key}"));
    });
    let spilled: Vec<String> = (0..8).map(|key| format!("spilled {key}")).collect();
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for key in &spilled {
        for _ in 0..10 {
            *counts.entry(key).or_default() += u32::from(hit(&limiter, long, key).allowed);
        }
    }
    assert!(limiter.stats().overflowed >= 50, "{:?}", limiter.stats());
    clock.advance(3_000);
    for key in &spilled {
        for _ in 0..30 {
            *counts.entry(key).or_default() += u32::from(hit(&limiter, long, key).allowed);
        }
        assert!(counts[key.as_str()] <= 20, "{key}: {}", counts[key.as_str()]);
    }
    assert!(limiter.stats().evicted > 0, "the lines of the dead were taken");
}

#[test]
fn whom_others_crowd_out_is_told_so() {
    let mut waited = 0;
    for _ in 0..20 {
        let clock = Arc::new(ManualClock::new(1_000_000, 0));
        let limiter = Limiter::new(100, clock.clone()).expect("a table");
        let rules = ["2/hour", "3/day"].map(|text| limiter.rule("q", quota(text)).expect("a rule"));
        let hit = |key: &str| limiter.hit_all(&rules, limiter.subject(key.as_bytes()), 1);
        (0..500).for_each(|key| {
            let _ = hit(&format!("{key}"));
        });
        // The hour's lines are dead, the day's are not; and the cells are full.
        clock.advance(4_201_000);
        let mut refused = None;
        for key in (0..60).map(|key| format!("new {key}")) {
            let mut decision = hit(&key);
            if !decision.allowed {
                assert!(decision.table_full, "{decision:?}");
                refused.get_or_insert((key, decision));
                continue;
            }
            let mut admitted = 0;
            while decision.allowed {
                admitted += 1;
                decision = hit(&key);
            }
            assert!(decision.table_full || admitted == 2, "{admitted}, then {decision:?}");
        }
        let Some((key, decision)) = refused else { continue };
        clock.advance(decision.retry_after_ms);
        let again = hit(&key);
        // Nearly always. His line may have gone to another key meanwhile, and a new one takes the count of his cells along.
        assert!(again.allowed || again.table_full, "{decision:?}, and then {again:?}");
        waited += u32::from(again.allowed);
    }
    assert!(waited > 5, "{waited}");
}

#[test]
fn two_charges_of_a_hit_may_share_a_cell() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let options = Options { capacity: 5, overflow: Some(32), ..Options::default() };
    let (mut admitted, mut crowded) = (0, 0);
    for _ in 0..40 {
        let limiter =
            Limiter::with(options, Arc::clone(&clock) as Arc<dyn Clock>).expect("a table");
        let fill = limiter.rule("fill", quota("1/hour")).expect("a rule");
        (0..8).for_each(|key| assert!(hit(&limiter, fill, &format!("{key}")).allowed));
        let rules =
            ["5/second", "3/minute"].map(|text| limiter.rule("q", quota(text)).expect("a rule"));
        let key = limiter.subject(b"k");
        for _ in 0..5 {
            let peeked = limiter.peek_all(&rules, key, 1);
            let decision = limiter.hit_all(&rules, key, 1);
            assert_eq!(peeked.allowed, decision.allowed);
            assert!(decision.allowed || decision.table_full, "{decision:?}");
            admitted += u32::from(decision.allowed);
        }
        let stats = limiter.stats();
        assert_eq!((stats.exhausted, stats.restarted), (0, 8), "{stats:?}");
        crowded += u64::from(stats.full > 2);
    }
    assert!(admitted > 100 && crowded > 0, "{admitted} {crowded}");
}

/// One set of lines, and cells enough.
fn without_lines(clock: &Arc<ManualClock>) -> Limiter {
    let options = Options { capacity: 5, overflow: Some(4_096), ..Options::default() };
    Limiter::with(options, Arc::clone(clock) as Arc<dyn Clock>).expect("a table")
}

#[test]
fn a_limit_that_cells_cannot_hold_is_counted_in_larger_units() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = without_lines(&clock);
    let one = limiter.rule("fill", quota("1/hour")).expect("a rule");
    let rule = limiter.rule("q", quota("1000000/minute")).expect("a rule");
    (0..50).for_each(|key| {
        let _ = hit(&limiter, one, &format!("{key}"));
    });
    let charge = |cost| [Charge { rule, key: b"k", cost }];
    let mut admitted = 0;
    for _ in 0..200 {
        admitted += if limiter.hit(&charge(9_999)).allowed { 9_999 } else { 0 };
    }
    assert!((980_000..=1_000_000).contains(&admitted), "{admitted}");
    let refused = limiter.hit(&charge(9_999));
    assert!(refused.table_full && refused.retry_after_ms > 60_000);
    clock.advance(refused.retry_after_ms);
    assert!(limiter.hit(&charge(9_999)).allowed);
}

#[test]
fn bans_hold_for_every_rule_and_through_a_flood() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = limiter(&clock);
    let rule = limiter.rule("q", quota("1000/minute")).expect("a rule");
    let alice = limiter.subject(b"alice");
    assert_eq!(limiter.banned_for(alice), None);
    assert!(limiter.ban(alice, 60_000) && limiter.ban(alice, 10_000));
    for round in 0..3 {
        let refused = hit(&limiter, rule, "alice");
        let left = 60_000 - round * 1_000;
        assert_eq!((refused.allowed, refused.table_full, refused.remaining), (false, false, 0));
        assert_eq!((refused.retry_after_ms, limiter.banned_for(alice)), (left, Some(left)));
        assert!(!limiter.peek(&[Charge { rule, key: b"alice", cost: 1 }]).allowed);
        let other =
            limiter.rule("other", Quota { limit: 5, window_ms: 1_000 + left }).expect("a rule");
        assert!(!hit(&limiter, other, "alice").allowed && hit(&limiter, rule, "bob").allowed);
        (0..500).for_each(|key| {
            let _ = hit(&limiter, rule, &format!("flood {round} {key}"));
        });
        clock.advance(1_000);
    }
    limiter.unban(alice);
    assert_eq!(limiter.banned_for(alice), None);
    clock.advance(130_000);
    assert!(hit(&limiter, rule, "alice").allowed);
    assert!(limiter.ban(alice, 500));
    assert!(!hit(&limiter, rule, "alice").allowed);
    clock.advance(501);
    assert_eq!(limiter.banned_for(alice), None);
    assert!(hit(&limiter, rule, "alice").allowed);
}

#[test]
fn who_waits_for_a_ban_to_end_is_admitted_then() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = limiter(&clock);
    let rule = limiter.rule("q", quota("5/hour")).expect("a rule");
    let [alice, bob] = [b"alice", b"bob  "].map(|key| limiter.subject(key));
    assert!(hit(&limiter, rule, "alice").allowed && limiter.ban(alice, 1_000));
    let costing = |cost| limiter.hit(&[Charge { rule, key: b"alice", cost }]);
    let waits = |decision: Decision| (decision.allowed, decision.retry_after_ms);
    let seen = [1, 4, 5, 6].map(|cost| waits(costing(cost)));
    let peeked = limiter.peek(&[Charge { rule, key: b"alice", cost: 5 }]);
    assert_eq!(seen.map(|(_, ms)| ms), [1_000, 1_000, 3_600_001, u64::MAX]);
    assert_eq!((waits(peeked), peeked.remaining), ((false, 3_600_001), 0));
    assert!(seen.iter().all(|(allowed, _)| !allowed));
    // Of two that are banned, the longer ban.
    assert!(limiter.ban(bob, 7_000));
    let other = limiter.rule("other", quota("5/hour")).expect("a rule");
    let both = |rule, key| Charge { rule, key, cost: 1 };
    let both = limiter.hit(&[both(rule, b"alice"), both(other, b"bob  ")]);
    assert_eq!((waits(both), both.charge), ((false, 7_000), 1));
    clock.advance(1_000);
    assert!(costing(4).allowed);
    assert_eq!(limiter.stats().banned, 5);
}

#[test]
fn who_is_banned_in_a_flood_is_banned() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = Limiter::new(5_000, clock.clone()).expect("a table");
    let rule = limiter.rule("q", quota("10/hour")).expect("a rule");
    for key in 0..30_000 {
        let _ = hit(&limiter, rule, &format!("flood {key}"));
    }
    let banned: Vec<String> = (0..12).map(|number| format!("flood {number}")).collect();
    for key in &banned {
        assert!(limiter.ban(limiter.subject(key.as_bytes()), 60_000), "{key}");
    }
    assert_eq!(limiter.usage()[0].live, 12);
    assert!(banned.iter().all(|key| hit(&limiter, rule, key).retry_after_ms >= 60_000));
    let first = limiter.subject(banned[0].as_bytes());
    assert_eq!(limiter.banned_for(first), Some(60_000));
    limiter.unban(first);
    assert_eq!((limiter.banned_for(first), limiter.usage()[0].live), (None, 12));
    clock.advance(1);
    assert_eq!(limiter.usage()[0].live, 11);
    // More than the reserve has lines for: refused, and said.
    let many = (0..1_000).filter(|number| {
        !limiter.ban(limiter.subject(format!("more {number}").as_bytes()), 60_000)
    });
    assert!(many.count() > 800);
}

#[test]
fn a_ban_that_was_lifted_lengthens_no_later_one() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = limiter(&clock);
    let alice = limiter.subject(b"alice");
    assert!(limiter.ban(alice, 60_000));
    limiter.unban(alice);
    limiter.unban(alice);
    assert_eq!(limiter.banned_for(alice), None);
    assert!(limiter.ban(alice, 500));
    assert_eq!(limiter.banned_for(alice), Some(500));
    limiter.unban(alice);
    clock.advance(1);
    limiter.unban(limiter.subject(b"never seen"));
    assert!(limiter.ban(alice, 7));
    assert_eq!(limiter.banned_for(alice), Some(7));
    // Its line is free for others once it is lifted and the clock has moved.
    limiter.unban(alice);
    clock.advance(1);
    assert_eq!(limiter.stats().live, 0);
}

#[test]
fn reset_forgets_one_key() {
    let clock = Arc::new(ManualClock::new(1_000_000, 0));
    let limiter = limiter(&clock);
    for text in ["3/hour", "30/hour"] {
        let rule = limiter.rule("q", quota(text)).expect("a rule");
        for key in ["a", "b"] {
            while hit(&limiter, rule, key).allowed {}
        }
        limiter.reset(rule, limiter.subject(b"a"));
        limiter.reset(rule, limiter.subject(b"never seen"));
        let again = hit(&limiter, rule, "a");
        assert_eq!((again.allowed, again.remaining), (true, quota(text).limit - 1));
        assert!(!hit(&limiter, rule, "b").allowed);
    }
}

#[test]
fn a_live_key_takes_at_most_128_bytes_all_in_all() {
    // Small tables by the dozen, so that it is not chance that decides.
    for (capacity, tables) in [(1_000, 65), (65_536, 1), (1_000_000, 0)] {
        let limiter = Limiter::new(capacity, clock_at_start()).expect("a table");
        let stats = limiter.stats();
        assert!(stats.bytes <= 128 * capacity as u64, "{stats:?}");
        let (mut live, mut late) = (0, 0);
        for _ in 0..tables {
            let limiter = Limiter::new(capacity, clock_at_start()).expect("a table");
            let rule = limiter.rule("q", quota("100/minute")).expect("a rule");
            // As many keys as it was made for: all are admitted, and nearly all have a line of their own.
            assert!((0..capacity).all(|key| hit(&limiter, rule, &key.to_string()).allowed));
            let stats = limiter.stats();
            assert_eq!(stats.live + stats.overflowed, capacity as u64, "{stats:?}");
            live += stats.live;
            // Of those that come next, one in seven has none.
            let next = capacity..capacity + capacity / 50;
            assert!(next.into_iter().all(|key| hit(&limiter, rule, &key.to_string()).allowed));
            late += limiter.stats().overflowed - stats.overflowed;
        }
        let all = capacity as u64 * tables;
        assert!(tables == 0 || live * 100 > 96 * all, "{live} of {all}");
        let late = late * 100 * 50;
        assert!(tables == 0 || (11 * all..20 * all).contains(&late), "{late} of {all}");
    }
}

fn clock_at_start() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(1_000_000, 0))
}

/// A clock at which something happens, once, when it is read.
#[derive(Default)]
struct Trap {
    ms: AtomicU64,
    once: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Clock for Trap {
    fn monotonic_ns(&self) -> u64 {
        let once = self.once.lock().expect("no panic").take();
        if let Some(act) = once {
            act();
        }
        self.ms.load(Ordering::SeqCst) * 1_000_000
    }

    fn wall_ms(&self) -> u64 {
        0
    }
}

/// A line that goes to another key after a hit has looked at its tags, and before it reads the words: what is dead by
/// the hit's window is a quota that is used up by the other's.
#[test]
fn a_hit_writes_over_nobody_elses_count() {
    let clock = Arc::new(Trap::default());
    let options = Options { capacity: 5, overflow: Some(0), ..Options::default() };
    let limiter = Limiter::with(options, Arc::clone(&clock) as Arc<dyn Clock>).expect("a table");
    let limiter = Arc::new(limiter);
    let short = limiter.rule("short", quota("3/7ms")).expect("a rule");
    let long = limiter.rule("long", quota("12/30ms")).expect("a rule");
    clock.ms.store(1_007, Ordering::SeqCst);
    assert!(hit(&limiter, short, "loses its line").allowed);
    for other in 0..7 {
        assert!(hit(&limiter, long, &format!("other {other}")).allowed);
    }
    // The first word of a ring's line, and so the one that a log takes first.
    clock.ms.store(1_015, Ordering::SeqCst);
    let (table, time) = (Arc::clone(&limiter), Arc::clone(&clock));
    *clock.once.lock().expect("no panic") = Some(Box::new(move || {
        assert!((0..12).all(|_| hit(&table, long, "gets it").allowed));
        assert!(!hit(&table, long, "gets it").allowed);
        time.ms.store(1_027, Ordering::SeqCst);
    }));
    let late = hit(&limiter, short, "loses its line");
    assert!(late.table_full, "all lines are live by now: {late:?}");
    assert!(!hit(&limiter, long, "gets it").allowed, "used up until 1,045 ms at least");
}
