//! Slots against lists of who holds them: never more than N at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use secval::clock::{Clock, ManualClock, SystemClock};
use secval::limit::{
    Counts, Lease, Limiter, LimiterError, Options, Quota, SlotRule, Slots, Subject,
};

fn limiter(capacity: usize, clock: &Arc<ManualClock>) -> Limiter {
    Limiter::new(capacity, Arc::clone(clock) as Arc<dyn Clock>).expect("a table")
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(10_000, 0))
}

fn rule(limiter: &Limiter, limit: u32, lease_ms: u64) -> SlotRule {
    limiter.slots("s", Slots { limit, lease_ms }).expect("a rule")
}

#[test]
fn taken_given_back_and_over() {
    let clock = clock();
    let limiter = limiter(64, &clock);
    let (rule, key) = (rule(&limiter, 2, 1_000), limiter.subject(b"k"));
    let one = limiter.take(rule, key).expect("free");
    clock.advance(400);
    let two = limiter.take(rule, key).expect("free");
    let refused = limiter.take(rule, key).expect_err("both are taken");
    assert_eq!((refused.table_full, refused.retry_after_ms), (false, 601));
    assert_eq!(limiter.taken(rule, key), 2);
    assert_eq!(limiter.stats().denied, 1);
    assert!(limiter.take(rule, limiter.subject(b"other")).is_ok());

    assert!(limiter.release(two));
    let three = limiter.take(rule, key).expect("given back");
    clock.advance(601);
    let four = limiter.take(rule, key).expect("the first lease is over");
    assert!(!limiter.release(one), "late, and nobody's slot is freed by it");
    assert!(limiter.take(rule, key).is_err());
    assert!(limiter.release(three) && limiter.release(four));
    assert_eq!(limiter.taken(rule, key), 0);
}

#[test]
fn renewed_in_time_or_not_at_all() {
    let clock = clock();
    let limiter = limiter(64, &clock);
    let (rule, key) = (rule(&limiter, 1, 1_000), limiter.subject(b"k"));
    let mut one = limiter.take(rule, key).expect("free");
    for _ in 0..5 {
        clock.advance(1_000);
        assert!(limiter.renew(&mut one), "the last millisecond of the lease");
        assert!(limiter.renew(&mut one), "twice in one millisecond");
        assert!(limiter.take(rule, key).is_err());
    }
    clock.advance(1_001);
    assert!(!limiter.renew(&mut one), "over, though nobody has taken it");
    let mut two = limiter.take(rule, key).expect("over");
    assert!(!limiter.renew(&mut one) && limiter.renew(&mut two));
    assert!(!limiter.release(one));
    assert_eq!(limiter.taken(rule, key), 1);
}

#[test]
fn many_slots_are_several_lines_and_as_exact() {
    for limit in [1, 6, 7, 8, 14, 15, 100, 1_024] {
        let clock = clock();
        let limiter = limiter(4_096, &clock);
        let (rule, key) = (rule(&limiter, limit, 60_000), limiter.subject(b"k"));
        let mut held: Vec<Lease> = (0..limit)
            .map(|nth| limiter.take(rule, key).unwrap_or_else(|_| panic!("{nth}")))
            .collect();
        for _ in 0..3 {
            assert!(limiter.take(rule, key).is_err());
            assert_eq!(limiter.taken(rule, key), u64::from(limit));
            let middle = held.swap_remove(held.len() / 2);
            assert!(limiter.release(middle));
            held.push(limiter.take(rule, key).expect("wherever it is"));
        }
    }
}

#[test]
fn lines_of_slots_that_were_given_back_make_room() {
    let clock = clock();
    let options = Options { capacity: 5, overflow: Some(64), ..Options::default() };
    let limiter = Limiter::with(options, Arc::clone(&clock) as Arc<dyn Clock>).expect("a table");
    let rule = rule(&limiter, 3, 1_000);
    let mut held: Vec<Lease> = Vec::new();
    let mut full = 0;
    for number in 0..20_u32 {
        match limiter.take(rule, limiter.subject(&number.to_le_bytes())) {
            Ok(lease) => held.push(lease),
            Err(taken) => full += u32::from(taken.table_full),
        }
    }
    // The overflow counts no slots: what has no line has none.
    assert_eq!((held.len(), full, limiter.stats().overflowed), (8, 12, 0));
    held.into_iter().for_each(|lease| assert!(limiter.release(lease)));
    clock.advance(1_001);
    assert!(limiter.take(rule, limiter.subject(b"newcomer")).is_ok());
}

#[test]
fn slots_and_quotas_of_one_table_do_not_meet() {
    let clock = clock();
    let limiter = limiter(64, &clock);
    let slots = rule(&limiter, 5, 60_000);
    let quota = limiter.rule("s", Quota::new(5, 60_000).expect("a quota")).expect("a rule");
    let key = limiter.subject(b"k");
    assert_eq!(rule(&limiter, 5, 60_000), slots, "the same again");
    assert!((0..5).all(|_| limiter.hit_one(quota, key, 1).allowed));
    assert!(limiter.take(slots, key).is_ok());
    limiter.reset(quota, key);
    assert_eq!(limiter.taken(slots, key), 1);
    let counts: Vec<Counts> = limiter.usage().into_iter().map(|usage| usage.counts).collect();
    let expected = [
        Counts::Bans,
        Counts::Slots(Slots { limit: 5, lease_ms: 60_000 }),
        Counts::Hits(Quota { limit: 5, window_ms: 60_000 }),
    ];
    assert_eq!(counts, expected);
    assert_eq!(Slots { limit: 5, lease_ms: 90_000 }.to_string(), "5 at once, for 90second");
    assert!(limiter.ban(key, 500));
    assert_eq!(limiter.take(slots, key).expect_err("banned").retry_after_ms, 500);
    limiter.unban(key);
    assert!((0..4).all(|_| limiter.take(slots, key).is_ok()));
    // All of them are taken, for longer than the ban.
    assert!(limiter.ban(key, 500));
    assert_eq!(limiter.take(slots, key).expect_err("banned").retry_after_ms, 60_001);
}

#[test]
fn numbers_that_make_no_slots() {
    let limiter = limiter(64, &clock());
    for (limit, lease_ms) in [(0, 1), (1_025, 1), (1, 0), (1, Quota::MAX_WINDOW_MS + 1)] {
        assert_eq!(limiter.slots("s", Slots { limit, lease_ms }), Err(LimiterError::Slots));
    }
    assert!(limiter.slots("s", Slots { limit: 1_024, lease_ms: Quota::MAX_WINDOW_MS }).is_ok());
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Pass(u64),
    Take(u8),
    Release(usize),
    Renew(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => prop_oneof![0u64..5, 0u64..60, 0u64..300].prop_map(Step::Pass),
        4 => (0u8..3).prop_map(Step::Take),
        2 => any::<usize>().prop_map(Step::Release),
        2 => any::<usize>().prop_map(Step::Renew),
    ];
    proptest::collection::vec(step, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// One after the other, slots are what a list is: given if and only if fewer than N are held.
    #[test]
    fn gives_what_a_list_gives(limit in 1u32..24, lease_ms in 1u64..120, steps in steps()) {
        let clock = clock();
        let limiter = limiter(256, &clock);
        let rule = rule(&limiter, limit, lease_ms);
        let mut held: Vec<(u8, u64, Lease)> = Vec::new();
        for step in steps {
            let now = clock.monotonic_ms();
            let lasts = |since: u64| now <= since + lease_ms;
            match step {
                Step::Pass(ms) => clock.advance(ms),
                Step::Take(key) => {
                    let live = held.iter().filter(|(of, since, _)| *of == key && lasts(*since)).count();
                    let subject = limiter.subject(&[key]);
                    prop_assert_eq!(limiter.taken(rule, subject), live as u64);
                    match limiter.take(rule, subject) {
                        Ok(lease) => {
                            prop_assert!(live < limit as usize, "more than {limit} at once");
                            held.push((key, now, lease));
                        }
                        Err(taken) => {
                            prop_assert!(live >= limit as usize && !taken.table_full);
                            let ends = held.iter().filter(|(of, since, _)| *of == key && lasts(*since));
                            let first = ends.map(|(_, since, _)| since + lease_ms + 1 - now).min();
                            prop_assert_eq!(Some(taken.retry_after_ms), first);
                        }
                    }
                }
                Step::Release(which) if !held.is_empty() => {
                    let (_, since, lease) = held.swap_remove(which % held.len());
                    // Over or not: a slot that nobody has taken since may still be given back.
                    prop_assert!(limiter.release(lease) || !lasts(since));
                }
                Step::Renew(which) if !held.is_empty() => {
                    let which = which % held.len();
                    let (_, since, lease) = &mut held[which];
                    prop_assert_eq!(limiter.renew(lease), lasts(*since));
                    if lasts(*since) {
                        *since = now;
                    } else {
                        held.swap_remove(which);
                    }
                }
                Step::Release(_) | Step::Renew(_) => {}
            }
        }
    }
}

/// Threads that count themselves while they hold a slot, each until it held one a thousand times. No lease is ever over.
#[test]
fn never_more_threads_inside_than_slots() {
    const KEYS: usize = 3;
    for limit in [1, 3, 10] {
        let limiter = Limiter::new(64, Arc::new(SystemClock)).expect("a table");
        let rule = rule(&limiter, limit, 600_000);
        let inside: [AtomicU32; KEYS] = Default::default();
        thread::scope(|scope| {
            for thread in 0..8_usize {
                let (limiter, inside) = (&limiter, &inside);
                scope.spawn(move || {
                    let mut held = 0;
                    for turn in 0_usize.. {
                        let key = (turn * (thread + 1)) % KEYS;
                        let subject = limiter.subject(&[u8::try_from(key).expect("few")]);
                        let Ok(mut lease) = limiter.take(rule, subject) else {
                            thread::yield_now();
                            continue;
                        };
                        let now = inside[key].fetch_add(1, Ordering::SeqCst) + 1;
                        assert!(now <= limit, "{now} inside of {limit}");
                        if held % 3 == 0 {
                            assert!(limiter.renew(&mut lease));
                        }
                        if held % 16 == 0 {
                            thread::yield_now();
                        }
                        inside[key].fetch_sub(1, Ordering::SeqCst);
                        assert!(limiter.release(lease));
                        held += 1;
                        if held == 1_000 {
                            return;
                        }
                    }
                });
            }
        });
        for key in 0..KEYS {
            let subject = limiter.subject(&[u8::try_from(key).expect("few")]);
            assert_eq!(limiter.taken(rule, subject), 0);
        }
    }
}

/// Leases that end while they are held, are renewed in time or too late, and given back late. Each holder notes for how
/// long it held its slot for sure; no moment may be covered more than N times.
#[test]
fn leases_that_end_are_nobodys() {
    const LEASE_MS: u64 = 15;
    let clock = SystemClock;
    for (limit, capacity) in [(2, 64), (9, 64), (2, 5)] {
        let limiter = Limiter::new(capacity, Arc::new(clock)).expect("a table");
        let rule = rule(&limiter, limit, LEASE_MS);
        let spans: Vec<(usize, u64, u64)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..8_u64)
                .map(|thread| {
                    let limiter = &limiter;
                    scope.spawn(move || hold_and_note(limiter, rule, thread, LEASE_MS))
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
        });
        assert!(spans.len() > 50);
        let mut by_key: HashMap<usize, Vec<(u64, i32)>> = HashMap::new();
        for (key, from, until) in spans {
            if from < until {
                by_key.entry(key).or_default().extend([(from, 1), (until, -1)]);
            }
        }
        for (key, mut edges) in by_key {
            edges.sort_unstable();
            let mut held = 0;
            for (at, change) in edges {
                held += change;
                assert!(held <= i32::try_from(limit).expect("few"), "key {key}: {held} at {at} ns");
            }
        }
    }
}

/// Takes, stalls, renews, and gives back, for a while. Spans in nanoseconds, the end exclusive.
fn hold_and_note(
    limiter: &Limiter,
    rule: SlotRule,
    thread: u64,
    lease_ms: u64,
) -> Vec<(usize, u64, u64)> {
    let clock = SystemClock;
    let mut dice = thread * 2_654_435_761 + 1;
    let mut below = |bound: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % bound
    };
    let mut spans = Vec::new();
    for _ in 0..60 {
        let key = below(2);
        let subject: Subject = limiter.subject(&key.to_le_bytes());
        let mut before = clock.monotonic_ns();
        let Ok(mut lease) = limiter.take(rule, subject) else {
            thread::sleep(Duration::from_millis(below(3)));
            continue;
        };
        let from = clock.monotonic_ns();
        for _ in 0..below(4) {
            thread::sleep(Duration::from_millis(below(2 * lease_ms)));
            let again = clock.monotonic_ns();
            if !limiter.renew(&mut lease) {
                break;
            }
            before = again;
        }
        // To the end of the lease's last millisecond, counted from before it was last taken or renewed.
        let ends = (before / 1_000_000 + lease_ms + 1) * 1_000_000;
        let until = clock.monotonic_ns().min(ends);
        limiter.release(lease);
        spans.push((usize::try_from(key).expect("small"), from, until));
    }
    spans
}
