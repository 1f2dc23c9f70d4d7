//! One hit: on a hot key, on one of many, refused, and while other threads hit the same or other keys.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use criterion::{BenchmarkId, Criterion};
use secval::clock::SystemClock;
use secval::limit::{Charge, Limiter, Quota, Rule};

use crate::inputs::{self, Dice};

const KEY: &str = "198.51.100.7";

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut dice = Dice::new(inputs::seed());
    let mut group = criterion.benchmark_group("limit/keys");
    for count in [1, 1000, 100_000] {
        let (limiter, rule) = limiter(16_000_000);
        let keys: Vec<String> = (0..count).map(|_| dice.word(12)).collect();
        let mut next = keys.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| hit(&limiter, rule, next.next().expect("a cycle")));
        });
    }
    group.finish();

    let (refusing, rule) = limiter(1);
    hit(&refusing, rule, KEY);
    criterion.bench_function("limit/refused", |bencher| {
        bencher.iter(|| hit(&refusing, rule, black_box(KEY)));
    });

    contended(criterion);
}

/// One thread's hits, while so many others hit keys of their own, or all the same one. With more threads than the machine
/// has cores, it is measured how long they wait for a core.
fn contended(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limit/contended");
    for (name, others) in
        [("nobody_else", 0), ("own_keys", 1), ("own_keys", 3), ("same_key", 1), ("same_key", 3)]
    {
        group.bench_function(BenchmarkId::new(name, others), |bencher| {
            let (limiter, rule) = limiter(16_000_000);
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                for other in 0..others {
                    let own = format!("203.0.113.{other}");
                    let key = if name == "same_key" { String::from(KEY) } else { own };
                    let (limiter, over) = (&limiter, &over);
                    scope.spawn(move || {
                        while !over.load(Ordering::Relaxed) {
                            hit(limiter, rule, &key);
                        }
                    });
                }
                bencher.iter(|| hit(&limiter, rule, black_box(KEY)));
                over.store(true, Ordering::Relaxed);
            });
        });
    }
    group.finish();
}

/// Of one rule: so many hits a second.
fn limiter(quota: u32) -> (Limiter, Rule) {
    let limiter = Limiter::new(200_000, Arc::new(SystemClock)).expect("a limiter");
    let quota = Quota::new(quota, 1000).expect("a quota");
    let rule = limiter.rule("bench", quota).expect("a rule");
    (limiter, rule)
}

fn hit(limiter: &Limiter, rule: Rule, key: &str) -> bool {
    limiter.hit(&[Charge { rule, key: key.as_bytes(), cost: 1 }]).allowed
}
