//! What the checkers play: a small table, what has happened in it before, and what its threads do. Both of them play
//! the same scenes, and judge them by the same promise.

use std::sync::Arc;

use secval::clock::Clock;
use secval::limit::{Charge, Limiter, Options, Quota, Rule, SlotRule, Slots, Subject};
use secval::sync::Word;

/// A set of two lines, some cells of overflow, and who uses them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// What is promised: quota `n` has bit `n` in [`Hit::quotas`].
    pub(crate) quotas: &'static [Quota],
    /// What [`Act::Hold`] takes one of.
    pub(crate) slots: Option<Slots>,
    /// Cells of the overflow; 0, or twice the words of a line.
    pub(crate) cells: usize,
    /// Done before the threads begin, one after another.
    pub(crate) before: &'static [Act],
    /// Whether a hit's line may be evicted or reset under it: then its count may stay though it does not stand.
    pub(crate) moving: bool,
    /// How often a call may begin: who would once more is taken to have stopped for ever. (The code gives up then.)
    pub(crate) starts: usize,
    /// What each thread does, one after another.
    pub(crate) threads: &'static [&'static [Act]],
}

/// What most scenes do without.
pub(crate) const BARE: Scene = Scene {
    quotas: &[],
    slots: None,
    cells: 0,
    before: &[],
    moving: false,
    starts: 4,
    threads: &[],
};

/// What a thread does with the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    /// Charges a key.
    Hit(Hit),
    /// Moves the clock forward to a millisecond.
    Time(u64),
    /// Bans a key until a millisecond, as seen from time 0.
    Ban(u8, u64),
    /// Lifts the ban of a key.
    Unban(u8),
    /// Takes a slot of a key, renews it, and gives it back.
    Hold(u8),
    /// Forgets what a key has used of the first quota. Only for the checker of states.
    Reset(u8),
    /// How many slots of a key are taken. Never part of a scene, as little as the next two.
    Taken(u8),
    /// For how long a key is banned.
    Banned(u8),
    /// What is left to a key of a quota.
    Left(Hit),
}

/// What a thread that holds a slot tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The slot is held, from the time that was read last.
    Held,
    /// It was over before it could be renewed.
    Lost,
    /// It will be given back now.
    Release,
}

/// The answer to a hit or [`Act::Left`] if the table has no room for the key.
pub(crate) const NO_ROOM: u64 = u64::MAX;

/// One charge of each of some quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hit {
    /// Whom it counts.
    pub(crate) key: u8,
    /// How much.
    pub(crate) cost: u8,
    /// Of which quotas: a bit each.
    pub(crate) quotas: u8,
}

/// A hit that was admitted, by the time of the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Admitted {
    /// When it was decided: the clock as the hit read it.
    pub(crate) ms: u64,
    pub(crate) key: u8,
    pub(crate) cost: u8,
    pub(crate) quotas: u8,
}

/// A quota.
pub(crate) const fn quota(limit: u32, window_ms: u64) -> Quota {
    Quota { limit, window_ms }
}

/// A hit of cost 1 by the first quota.
pub(crate) const fn hit(key: u8) -> Act {
    Act::Hit(Hit { key, cost: 1, quotas: 1 })
}

/// A hit of some cost by the first quota.
pub(crate) const fn heavy(key: u8, cost: u8) -> Act {
    Act::Hit(Hit { key, cost, quotas: 1 })
}

/// A hit of cost 1 by several quotas, a bit each.
pub(crate) const fn hit_of(key: u8, quotas: u8) -> Act {
    Act::Hit(Hit { key, cost: 1, quotas })
}

/// The clock is one more word of the scene.
#[derive(Debug, Default)]
pub(crate) struct Time(Word);

impl Time {
    /// Moves it forward. Nobody else moves it to the same millisecond.
    fn pass(&self, ms: u64) {
        loop {
            let now = self.0.load();
            if now >= ms || self.0.swap_if(now, ms) {
                return;
            }
        }
    }
}

impl Clock for Time {
    fn monotonic_ns(&self) -> u64 {
        self.0.load() * 1_000_000
    }

    fn wall_ms(&self) -> u64 {
        0
    }
}

/// A scene's table.
pub(crate) struct Stage {
    limiter: Limiter,
    time: Arc<Time>,
    rules: Rules,
}

/// The numbers of what a scene counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    quotas: Vec<Rule>,
    slots: Option<SlotRule>,
}

impl Stage {
    /// An empty table, its clock seen through `seen`.
    pub(crate) fn new(scene: &Scene, seen: impl FnOnce(Arc<Time>) -> Arc<dyn Clock>) -> Self {
        let time = Arc::new(Time::default());
        let options = Options { capacity: 1, overflow: Some(scene.cells), ..Options::default() };
        let limiter = Limiter::with(options, seen(Arc::clone(&time))).expect("a table");
        Self { limiter, time, rules: Rules::default() }
    }

    /// The numbers of what the scene counts.
    pub(crate) fn rules(&self, scene: &Scene) -> Rules {
        let rule = |quota: &Quota| self.limiter.rule("q", *quota).expect("a rule");
        let quotas = scene.quotas.iter().map(rule).collect();
        let slots = scene.slots.map(|slots| self.limiter.slots("s", slots).expect("a rule"));
        Rules { quotas, slots }
    }

    /// Tells the stage these numbers: before the first act.
    pub(crate) fn open(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// The clock.
    pub(crate) fn now(&self) -> u64 {
        self.time.monotonic_ms()
    }

    /// Does it. Of a hit: 1 if it is admitted; of [`Act::Left`]: what is left.
    pub(crate) fn play(&self, act: Act, tell: impl Fn(Told)) -> u64 {
        match act {
            Act::Hit(hit) => {
                let decision = self.limiter.hit(&self.charges(hit, &[hit.key]));
                if decision.table_full { NO_ROOM } else { decision.allowed.into() }
            }
            Act::Left(hit) => {
                let decision = self.limiter.peek(&self.charges(hit, &[hit.key]));
                if decision.table_full { NO_ROOM } else { decision.remaining.into() }
            }
            Act::Ban(key, until) => u64::from(self.limiter.ban(self.subject(key), until)),
            Act::Unban(key) => {
                self.limiter.unban(self.subject(key));
                1
            }
            Act::Banned(key) => self.limiter.banned_for(self.subject(key)).unwrap_or(0),
            Act::Hold(key) => {
                let Ok(mut lease) = self.limiter.take(self.slots(), self.subject(key)) else {
                    return 0;
                };
                tell(Told::Held);
                let renewed = self.limiter.renew(&mut lease);
                tell(if renewed { Told::Held } else { Told::Lost });
                tell(Told::Release);
                self.limiter.release(lease);
                1
            }
            Act::Taken(key) => self.limiter.taken(self.slots(), self.subject(key)),
            Act::Reset(key) => {
                self.limiter.reset(self.rules.quotas[0], self.subject(key));
                1
            }
            Act::Time(ms) => {
                self.time.pass(ms);
                1
            }
        }
    }

    fn slots(&self) -> SlotRule {
        self.rules.slots.expect("slots, in a scene that has some")
    }

    fn subject(&self, key: u8) -> Subject {
        self.limiter.subject(&[key])
    }

    fn charges<'k>(&self, hit: Hit, key: &'k [u8]) -> Vec<Charge<'k>> {
        let charged =
            self.rules.quotas.iter().enumerate().filter(|(bit, _)| hit.quotas >> bit & 1 == 1);
        charged.map(|(_, &rule)| Charge { rule, key, cost: hit.cost.into() }).collect()
    }
}

impl Scene {
    /// How much of a quota counts, of the hits from `from` to `until`.
    pub(crate) fn used(
        log: impl Iterator<Item = Admitted>,
        key: u8,
        quota: usize,
        (from, until): (u64, u64),
    ) -> u64 {
        let counted = log.filter(|hit| {
            hit.key == key && hit.quotas >> quota & 1 == 1 && (from..=until).contains(&hit.ms)
        });
        counted.map(|hit| u64::from(hit.cost)).sum()
    }

    /// The promise: no window holds more than the limit. It is enough to look at the windows that begin with a hit.
    pub(crate) fn broken(&self, log: impl Iterator<Item = Admitted> + Clone) -> Option<String> {
        for (index, quota) in self.quotas.iter().enumerate() {
            for first in log.clone() {
                let window = (first.ms, first.ms + quota.window_ms);
                let used = Self::used(log.clone(), first.key, index, window);
                if used > u64::from(quota.limit) {
                    let log: Vec<Admitted> = log.collect();
                    return Some(format!("{used} of {quota} for key {}: {log:?}", first.key));
                }
            }
        }
        None
    }

    /// Every key whose slots the threads take.
    pub(crate) fn holders(&self) -> Vec<u8> {
        let acts = self.threads.concat();
        let keys =
            acts.iter().filter_map(|act| if let Act::Hold(key) = act { Some(*key) } else { None });
        keys.collect()
    }

    /// Whether anybody bans a key.
    pub(crate) fn bans(&self, key: u8) -> bool {
        let mut acts = self.before.iter().chain(self.threads.iter().copied().flatten());
        acts.any(|act| matches!(act, Act::Ban(banned, _) if *banned == key))
    }

    /// Every key and quota that the threads charge, once, as a charge of 1.
    pub(crate) fn charges(&self) -> Vec<Hit> {
        let mut charges = Vec::new();
        for act in self.threads.concat() {
            let Act::Hit(Hit { key, quotas, .. }) = act else { continue };
            let bits = (0..self.quotas.len()).map(|index| 1 << index);
            for quotas in bits.filter(|bit| quotas & bit != 0) {
                let charge = Hit { key, cost: 1, quotas };
                if !charges.contains(&charge) {
                    charges.push(charge);
                }
            }
        }
        charges
    }

    /// What is left to a key of a quota at a time, against what was admitted: not more than the window allows, and not
    /// less, apart from what `others` may have counted who have not come to their end.
    pub(crate) fn wrong(
        &self,
        charge: Hit,
        left: u64,
        (now, others): (u64, u64),
        log: &(impl Iterator<Item = Admitted> + Clone),
    ) -> Option<String> {
        if left == NO_ROOM {
            return None;
        }
        let index = charge.quotas.trailing_zeros() as usize;
        let quota = self.quotas[index];
        let limit = u64::from(quota.limit);
        let used_in =
            |ms: u64| Self::used(log.clone(), charge.key, index, (now.saturating_sub(ms), now));
        // Cells are shared, and what was added to them, or to a line that moves, cannot always be taken back.
        let exact = self.cells == 0 && !self.moving;
        let what = if left + used_in(quota.window_ms) > limit {
            "too much"
        } else if exact && left + used_in(longest_ms(quota)) + others < limit {
            "too little"
        } else {
            return None;
        };
        let log: Vec<Admitted> = log.clone().collect();
        let key = charge.key;
        Some(format!("{what} of {quota} for key {key} at {now}: {left}, {others} begun, {log:?}"))
    }
}

/// The sub-windows of a ring: the smallest one there is, or the one that ships.
pub(crate) const PARTS: usize = if cfg!(feature = "whole") { 6 } else { 1 };

/// How long a hit may be counted: its window in a log, and up to one sub-window more in a ring.
fn longest_ms(quota: Quota) -> u64 {
    let parts = PARTS as u64;
    let is_log = u64::from(quota.limit) <= parts + 1;
    if is_log { quota.window_ms } else { (quota.window_ms * (parts + 1)).div_ceil(parts) }
}
