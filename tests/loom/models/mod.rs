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

#[cfg(not(feature = "whole"))]
mod tiny;
#[cfg(feature = "whole")]
mod whole;

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

/// Every one of these models finds its fault, in these orders.
fn each_is_found(found: &[(Fault, &'static Scene, Orders)]) {
    for &(fault, scene, orders) in found {
        let model = || with(Some(fault), || play(scene, orders));
        let found = catch_unwind(AssertUnwindSafe(model)).is_err();
        assert!(found, "{fault:?} is not found");
    }
}
