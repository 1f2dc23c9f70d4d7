//! Scenes on loom's atomics: all that C11's memory model allows, not only one access after another.
//!
//! Two threads are tried in all orders that loom finds different, where that ends; and with those that it does not see to be
//! different, as often as [`Orders::Interrupted`] says. Three threads are tried in the latter way only.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use loom::model::Builder;
use loom::thread;
use secval::clock::Clock;
use secval::limit::planted::{Fault, with};

use secval::sync::checked::{is_thread, remember_readers};

use crate::scene::{Act, Admitted, Hit, Scene, Stage, Time, Told};
use crate::scenes::*;

/// A clock that notes who read what: a hit is decided at the time that it has read last.
struct Seen {
    time: Arc<Time>,
    readings: Arc<Mutex<HashMap<thread::ThreadId, u64>>>,
}

impl Clock for Seen {
    fn monotonic_ns(&self) -> u64 {
        let ns = self.time.monotonic_ns();
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        readings.insert(thread::current().id(), ns / 1_000_000);
        ns
    }

    fn wall_ms(&self) -> u64 {
        0
    }
}

/// What all threads of a model see, besides the table.
struct Play {
    stage: Stage,
    readings: Arc<Mutex<HashMap<thread::ThreadId, u64>>>,
    log: Mutex<Vec<Admitted>>,
    /// Until when a key is banned for sure.
    ban: Mutex<Option<(u8, u64)>>,
    /// Who holds a slot, and until when.
    holders: Mutex<HashMap<thread::ThreadId, u64>>,
}

impl Play {
    fn new(scene: &Scene) -> Self {
        let readings = Arc::default();
        let seen =
            |time| -> Arc<dyn Clock> { Arc::new(Seen { time, readings: Arc::clone(&readings) }) };
        let mut stage = Stage::new(scene, seen);
        stage.open(stage.rules(scene));
        Self {
            stage,
            readings,
            log: Mutex::default(),
            ban: Mutex::default(),
            holders: Mutex::default(),
        }
    }

    fn act(&self, scene: &Scene, act: Act) {
        // In these scenes nobody bans the key meanwhile.
        if let Act::Unban(key) = act {
            self.ban.lock().expect("no panic").take_if(|(banned, _)| *banned == key);
        }
        let ban = *self.ban.lock().expect("no panic");
        let done = self.stage.play(act, |what| self.hear(scene, what)) == 1;
        let ms = self.readings.lock().expect("no panic").get(&thread::current().id()).copied();
        match act {
            Act::Hit(Hit { key, cost, quotas }) if done => {
                let ms = ms.expect("a hit reads the clock");
                let banned = ban.is_some_and(|(banned, until)| banned == key && until > ms);
                assert!(!banned, "key {key} is banned and admitted");
                self.log.lock().expect("no panic").push(Admitted { ms, key, cost, quotas });
            }
            Act::Ban(key, length) if done => {
                let until = ms.expect("a ban reads the clock") + length;
                *self.ban.lock().expect("no panic") = Some((key, until));
            }
            _ => {}
        }
    }

    /// Never are more slots held than there are.
    fn hear(&self, scene: &Scene, what: Told) {
        let thread = thread::current().id();
        // Before the lock: another thread may come in between.
        let now = self.stage.now();
        let mut holders = self.holders.lock().expect("no panic");
        let held = holders.remove(&thread);
        let lost = what == Told::Lost && held.is_some_and(|until| until >= now);
        assert!(!lost, "a slot is lost at {now} before its lease is over");
        if what == Told::Held {
            let slots = scene.slots.expect("a scene with slots");
            let ms = self.readings.lock().expect("no panic")[&thread];
            holders.insert(thread, ms + slots.lease_ms);
            let held = holders.values().filter(|until| **until >= now).count();
            assert!(held <= slots.limit as usize, "{held} hold {slots} at {now}");
        }
    }

    fn judge(&self, scene: &Scene) {
        let log = self.log.lock().expect("no panic");
        let broken = scene.broken(log.iter().copied());
        assert!(broken.is_none(), "{broken:?}");
        let (now, ban) = (self.stage.now(), *self.ban.lock().expect("no panic"));
        if let Some((key, until)) = ban.filter(|(_, until)| *until > now) {
            let left = self.stage.play(Act::Banned(key), |_| {});
            assert!(left >= until - now, "key {key} is banned until {until}, and not at {now}");
        }
        for charge in scene.charges() {
            if ban.is_none_or(|(key, _)| key != charge.key) {
                let left = self.stage.play(Act::Left(charge), |_| {});
                let wrong = scene.wrong(charge, left, (now, 0), &log.iter().copied());
                assert!(wrong.is_none(), "{wrong:?}");
            }
        }
    }
}

/// Which orders of its accesses a scene is played in.
#[derive(Debug, Clone, Copy)]
enum Orders {
    /// All that loom finds different. It does not remember who has read a word before the thread that changes it did, so
    /// some are left out.
    OfLoom,
    /// With all readers remembered: those in which threads are interrupted so often at most before they are done.
    Interrupted(usize),
}

fn play(scene: &'static Scene, orders: Orders) {
    let mut builder = Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = match orders {
        Orders::OfLoom => None,
        Orders::Interrupted(times) => Some(times),
    };
    remember_readers(matches!(orders, Orders::Interrupted(_)));
    builder.check(move || {
        let play = Arc::new(Play::new(scene));
        scene.before.iter().for_each(|&act| play.act(scene, act));
        let (first, others) = scene.threads.split_first().expect("a thread");
        let other = |(&acts, number): (&&'static [Act], usize)| {
            let play = Arc::clone(&play);
            thread::spawn(move || {
                is_thread(number);
                for &act in acts {
                    play.act(scene, act);
                }
            })
        };
        let others: Vec<_> = others.iter().zip(1..).map(other).collect();
        first.iter().for_each(|&act| play.act(scene, act));
        for thread in others {
            thread.join().expect("it ends");
        }
        play.judge(scene);
    });
}

fn holds(scene: &'static Scene) {
    play(scene, Orders::OfLoom);
    play(scene, Orders::Interrupted(3));
}

#[test]
fn two_hits_of_a_line() {
    holds(&TWO_HITS_OF_A_LINE);
}

#[test]
fn two_hits_of_a_new_key() {
    holds(&TWO_HITS_OF_A_NEW_KEY);
}

#[test]
fn a_hit_while_the_sub_window_turns() {
    holds(&A_HIT_WHILE_THE_SUB_WINDOW_TURNS);
}

#[test]
fn a_hit_whose_word_is_taken_over() {
    holds(&A_HIT_WHOSE_WORD_IS_TAKEN_OVER);
}

#[test]
fn a_hit_whose_line_is_gone() {
    holds(&A_HIT_WHOSE_LINE_IS_GONE);
}

#[test]
fn two_hits_of_two_quotas() {
    holds(&TWO_HITS_OF_TWO_QUOTAS);
}

#[test]
fn a_ban_while_its_line_is_evicted() {
    holds(&A_BAN_WHILE_ITS_LINE_IS_EVICTED);
}

#[test]
fn a_hit_while_its_line_is_evicted() {
    holds(&A_HIT_WHILE_ITS_LINE_IS_EVICTED);
}

#[test]
fn a_spill_while_a_line_is_claimed() {
    holds(&A_SPILL_WHILE_A_LINE_IS_CLAIMED);
}

#[test]
fn a_ban_that_is_lifted_twice() {
    holds(&A_BAN_THAT_IS_LIFTED_TWICE);
}

#[test]
fn a_lifted_ban_and_a_claim() {
    holds(&A_LIFTED_BAN_AND_A_CLAIM);
}

/// All orders do not end within minutes.
#[test]
fn two_leases_of_a_slot() {
    play(&TWO_LEASES_OF_A_SLOT, Orders::Interrupted(3));
}

/// Nor here.
#[test]
fn two_claims_of_a_key() {
    play(&TWO_CLAIMS_OF_A_KEY, Orders::Interrupted(3));
}

/// Three threads.
#[test]
fn three_hits_of_a_line() {
    play(&THREE_HITS_OF_A_LINE, Orders::Interrupted(3));
}

/// Which model finds which fault, and in which orders.
const FOUND: &[(Fault, &Scene, Orders)] = &[
    (Fault::ClockFirst, &A_HIT_WHOSE_LINE_IS_GONE, Orders::Interrupted(2)),
    (Fault::NewerIgnored, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Orders::Interrupted(2)),
    (Fault::FirstLineOnly, &TWO_CLAIMS_OF_A_KEY, Orders::Interrupted(2)),
    (Fault::WordsOfAnother, &A_HIT_THAT_READS_ANOTHERS_WORDS, Orders::Interrupted(2)),
    (Fault::BlindReserve, &TWO_HITS_OF_A_LINE, Orders::Interrupted(2)),
    (Fault::Unverified, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Orders::Interrupted(2)),
    (Fault::TagsUnverified, &A_SPILL_WHILE_A_LINE_IS_CLAIMED, Orders::Interrupted(2)),
    (Fault::UndoUnstamped, &A_HIT_WHOSE_WORD_IS_TAKEN_OVER, Orders::Interrupted(2)),
    (Fault::FirstVerified, &TWO_HITS_OF_TWO_QUOTAS, Orders::OfLoom),
    (Fault::CountedKept, &TWO_HITS_OF_TWO_QUOTAS, Orders::Interrupted(2)),
    (Fault::NothingCarried, &A_SPILL_WHILE_A_LINE_IS_CLAIMED, Orders::Interrupted(2)),
    (Fault::SpillUntold, &A_SPILL_WHILE_A_LINE_IS_CLAIMED, Orders::Interrupted(2)),
    (Fault::CountedUnsettled, &A_HIT_WHILE_ITS_LINE_IS_EVICTED, Orders::Interrupted(3)),
    (Fault::OnePhase, &A_HIT_WHILE_ITS_LINE_IS_EVICTED, Orders::Interrupted(3)),
    (Fault::BanUnchecked, &A_BAN_WHILE_ITS_LINE_IS_EVICTED, Orders::Interrupted(2)),
    (Fault::BanUnmarked, &A_BAN_THAT_IS_LIFTED_TWICE, Orders::Interrupted(2)),
    (Fault::ClearedBlind, &A_LIFTED_BAN_AND_A_CLAIM, Orders::Interrupted(2)),
];

#[test]
fn a_model_finds_each_fault() {
    for &(fault, scene, orders) in FOUND {
        let model = || with(Some(fault), || play(scene, orders));
        let found = catch_unwind(AssertUnwindSafe(model)).is_err();
        assert!(found, "{fault:?} is not found");
    }
}
