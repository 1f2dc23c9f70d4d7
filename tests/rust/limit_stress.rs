//! One table under four processes of eight threads, which are stopped for longer than a window, and killed, at whatever
//! instant: no window ever holds more than the limit.
//!
//! Each worker is this test program once more. It notes every admitted hit with the clock before and after it, in one
//! write to a file that outlives it. Where the decision fell between the two is not known; what is more than the limit
//! wherever it fell is a broken promise. Slots likewise: each holder notes for how long it held its slot for sure, and no
//! moment may be covered more often than there are slots. `SECVAL_STRESS_SECONDS` makes it longer: `make stress`.

#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secval::clock::{Clock, SystemClock};
use secval::limit::{
    Charge, Limiter, Options, Quota, Rule, Sharing, SlotRule, Slots, remove_shared,
};

const PROCESSES: u8 = 4;
const THREADS: u64 = 8;

/// Seconds of one table; then comes the next kind of it.
const ROUND_SECONDS: u64 = 2;

/// Seconds in all, where nobody asks for more.
const SECONDS: u64 = 8;

/// A table and who uses it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    capacity: usize,
    overflow: usize,
    keys: u32,
    quotas: [Quota; 2],
}

const fn quota(limit: u32, window_ms: u64) -> Quota {
    Quota { limit, window_ms }
}

/// Few keys with lines of their own, where all meet in one word; as many as there are lines, which die and are taken
/// all the time; more than lines, counted in cells between.
const KINDS: [Kind; 4] = [
    Kind { capacity: 5, overflow: 0, keys: 2, quotas: [quota(5, 20), quota(40, 70)] },
    Kind { capacity: 5, overflow: 0, keys: 12, quotas: [quota(3, 7), quota(12, 30)] },
    Kind { capacity: 5, overflow: 64, keys: 24, quotas: [quota(2, 30), quota(9, 11)] },
    Kind { capacity: 20, overflow: 128, keys: 60, quotas: [quota(1, 3), quota(300, 900)] },
];

/// Shorter than workers are stopped for, so that leases end while they are held.
const LEASE_MS: u64 = 20;

/// One line a key, of few keys; two lines a key, of more than there is room for.
const SLOTS: [Slots; 2] =
    [Slots { limit: 3, lease_ms: LEASE_MS }, Slots { limit: 9, lease_ms: LEASE_MS }];

/// An admitted hit. A power of two: no record lies across two pages, where a kill could cut it.
const RECORD: usize = 32;

#[derive(Debug, Clone, Copy)]
struct Admitted {
    key: u64,
    /// Which quotas were charged: one bit each.
    charged: u64,
    cost: u64,
    before_ns: u64,
    after_ns: u64,
}

impl Admitted {
    fn to_bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        let words = [self.key << 2 | self.charged, self.cost, self.before_ns, self.after_ns];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    fn of_bytes(bytes: &[u8; RECORD]) -> Self {
        let word = |index: usize| u64::from_ne_bytes(bytes.as_chunks().0[index]);
        let (key, charged, cost) = (word(0) >> 2, word(0) & 3, word(1));
        Self { key, charged, cost, before_ns: word(2), after_ns: word(3) }
    }
}

/// xorshift64*: enough to take turns.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        u32::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or(0) % bound
    }
}

#[test]
#[ignore = "a worker of the test below, which starts it"]
fn worker() {
    let Some(told) = std::env::var_os("SECVAL_STRESS_WORKER") else { return };
    let told = told.into_string().expect("as it was written");
    let mut parts = told.split(' ');
    let mut number = || parts.next().expect("a part").parse::<u64>().expect("a number");
    let (index, seed) = (usize::try_from(number()).expect("an index"), number());
    let kind = KINDS[index % KINDS.len()];
    let (name, log) = (parts.next().expect("a name"), parts.next().expect("a path"));
    let limiter = table(kind, name);
    let rules = kind.quotas.map(|quota| limiter.rule("q", quota).expect("a rule"));
    let slots = SLOTS.map(|slots| limiter.slots("s", slots).expect("a rule"));
    let log = OpenOptions::new().append(true).open(log).expect("the log");
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (limiter, log) = (&limiter, &log);
            let dice = Dice((seed * THREADS + thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            scope.spawn(move || match index.checked_sub(KINDS.len()) {
                None => work(kind, limiter, rules, log, dice),
                Some(index) => hold(kind, limiter, slots[index], log, dice),
            });
        }
    });
}

/// Takes slots, stalls, renews some and gives them back, until it is killed.
fn hold(kind: Kind, limiter: &Limiter, rule: SlotRule, mut log: &File, mut dice: Dice) {
    let clock = SystemClock;
    let stall =
        |dice: &mut Dice, ms: u32| sleep(Duration::from_micros(u64::from(dice.below(ms * 1_000))));
    loop {
        let key = u64::from(dice.below(kind.keys));
        let subject = limiter.subject(&key.to_ne_bytes());
        let mut since = clock.monotonic_ms();
        let Ok(mut lease) = limiter.take(rule, subject) else {
            stall(&mut dice, 2);
            continue;
        };
        let before_ns = clock.monotonic_ns();
        for _ in 0..dice.below(3) {
            stall(&mut dice, 8);
            let again = clock.monotonic_ms();
            if !limiter.renew(&mut lease) {
                break;
            }
            since = again;
        }
        // To the end of the last millisecond of a lease that was taken or renewed when it was looked at the clock.
        let ends = (since + LEASE_MS + 1) * 1_000_000;
        let after_ns = clock.monotonic_ns().min(ends);
        limiter.release(lease);
        let held = Admitted { key, charged: 0, cost: 1, before_ns, after_ns };
        log.write_all(&held.to_bytes()).expect("noted");
    }
}

/// Hits until it is killed.
fn work(kind: Kind, limiter: &Limiter, rules: [Rule; 2], mut log: &File, mut dice: Dice) {
    let clock = SystemClock;
    loop {
        let (key, charged) = (u64::from(dice.below(kind.keys)), 1 + dice.below(3));
        let cost = 1 + dice.below(2);
        let name = key.to_ne_bytes();
        let charge = |rule: Rule| Charge { rule, key: &name, cost };
        let both = rules.map(charge);
        let charges = match charged {
            1 => &both[..1],
            2 => &both[1..],
            _ => &both[..],
        };
        let before_ns = clock.monotonic_ns();
        let allowed = limiter.hit(charges).allowed;
        let after_ns = clock.monotonic_ns();
        if allowed {
            let (charged, cost) = (u64::from(charged), u64::from(cost));
            let hit = Admitted { key, charged, cost, before_ns, after_ns };
            log.write_all(&hit.to_bytes()).expect("noted");
        }
    }
}

fn table(kind: Kind, name: &str) -> Limiter {
    let Kind { capacity, overflow, .. } = kind;
    let options = Options { capacity, overflow: Some(overflow), sharing: Sharing::Host(name) };
    Limiter::with(options, Arc::new(SystemClock)).expect("a table")
}

/// A round's table and log; both are gone when it is over.
struct Round {
    kind: usize,
    name: String,
    log: PathBuf,
}

impl Drop for Round {
    fn drop(&mut self) {
        let _ = remove_shared(&self.name);
        let _ = fs::remove_file(&self.log);
    }
}

impl Round {
    fn new(kind: usize, number: u64) -> Self {
        let name = format!("stress-{}-{number}", std::process::id());
        let log = Path::new("/dev/shm").join(format!("secval-{name}.log"));
        File::create_new(&log).expect("a log");
        Self { kind, name, log }
    }

    fn start(&self, seed: u32) -> Child {
        let program = std::env::current_exe().expect("this program");
        let told = format!("{} {seed} {} {}", self.kind, self.name, self.log.display());
        let mut command = Command::new(program);
        command.args(["--exact", "limit_stress::worker", "--ignored", "--quiet"]);
        command.env("SECVAL_STRESS_WORKER", told).stdin(Stdio::null()).stdout(Stdio::null());
        command.spawn().expect("a worker")
    }

    /// Stops and kills workers until the time is over; how many were killed.
    fn torment(&self, dice: &mut Dice) -> u64 {
        let mut killed = 0;
        let start = |dice: &mut Dice| self.start(1 + dice.below(1 << 30));
        let mut workers: Vec<Child> = (0..PROCESSES).map(|_| start(dice)).collect();
        let end = SystemClock.monotonic_ns() + ROUND_SECONDS * 1_000_000_000;
        while SystemClock.monotonic_ns() < end {
            sleep(Duration::from_millis(2 + u64::from(dice.below(20))));
            let chosen = dice.below(u32::from(PROCESSES)) as usize;
            if dice.below(2) == 0 {
                let pid = Pid::from_child(&workers[chosen]);
                kill_process(pid, Signal::STOP).expect("it runs");
                sleep(Duration::from_millis(u64::from(dice.below(60))));
                kill_process(pid, Signal::CONT).expect("it is stopped");
            } else {
                end_of(&mut workers[chosen]);
                killed += 1;
                workers[chosen] = start(dice);
            }
        }
        workers.iter_mut().for_each(end_of);
        killed + u64::from(PROCESSES)
    }

    fn admitted(&self) -> Vec<Admitted> {
        let bytes = fs::read(&self.log).expect("the log");
        let (records, rest) = bytes.as_chunks::<RECORD>();
        assert!(rest.is_empty(), "a record was cut");
        records.iter().map(Admitted::of_bytes).collect()
    }
}

fn end_of(worker: &mut Child) {
    worker.kill().expect("it runs");
    let status = worker.wait().expect("it ended");
    assert!(status.code().is_none(), "a worker ended by itself: {status}");
}

/// The most that any window of a quota is sure to hold of one key: hits that were decided in it, whenever between
/// their two readings that was. It is enough to look at the windows that begin with a hit.
fn fullest(hits: &mut [Admitted], window_ms: u64) -> u64 {
    hits.sort_unstable_by_key(|hit| hit.before_ns);
    let windows = hits.iter().enumerate().map(|(index, first)| {
        let end = first.before_ns + window_ms * 1_000_000;
        let from = hits[index..].iter().take_while(|hit| hit.before_ns <= end);
        from.filter(|hit| hit.after_ns <= end).map(|hit| hit.cost).sum()
    });
    windows.max().unwrap_or(0)
}

/// How long a test goes on, where `SECVAL_STRESS_SECONDS` does not say.
fn seconds(otherwise: u64) -> u64 {
    std::env::var_os("SECVAL_STRESS_SECONDS").map_or(otherwise, |text| {
        text.to_str().and_then(|text| text.parse().ok()).expect("SECVAL_STRESS_SECONDS: a number")
    })
}

/// How often one moment is covered, at most: the end of a span is not part of it.
fn deepest(spans: &[Admitted]) -> i64 {
    let covered = spans.iter().filter(|span| span.before_ns < span.after_ns);
    let mut edges: Vec<_> =
        covered.flat_map(|span| [(span.before_ns, 1), (span.after_ns, -1)]).collect();
    edges.sort_unstable();
    let mut depth = 0;
    edges
        .into_iter()
        .map(|(_, change)| {
            depth += change;
            depth
        })
        .max()
        .unwrap_or(0)
}

#[test]
fn slots_are_nobody_elses_whoever_is_stopped_or_killed() {
    let mut dice = Dice(u64::from(std::process::id()) << 20 | 3);
    let kinds = (0..SLOTS.len()).cycle();
    for (number, index) in (0..seconds(SECONDS / 2).div_ceil(ROUND_SECONDS)).zip(kinds) {
        let (slots, round) = (SLOTS[index], Round::new(KINDS.len() + index, 1_000_000 + number));
        let killed = round.torment(&mut dice);
        let all = round.admitted();
        println!("{slots:?}: {} held, {killed} killed", all.len());
        for key in (0..KINDS[index].keys).map(u64::from) {
            let of_key: Vec<Admitted> = all.iter().filter(|it| it.key == key).copied().collect();
            assert!(deepest(&of_key) <= i64::from(slots.limit), "key {key}, {slots:?}");
        }
        let stats = table(KINDS[index], &round.name).stats();
        assert!(all.len() > 10, "{} held", all.len());
        assert!(index != 1 || stats.evicted > 0, "{stats:?}");
    }
}

#[test]
fn no_window_holds_more_whoever_is_stopped_or_killed() {
    let seconds = seconds(SECONDS);
    let mut dice = Dice(u64::from(std::process::id()) << 20 | 1);
    let kinds = (0..KINDS.len()).cycle();
    for (number, index) in (0..seconds.div_ceil(ROUND_SECONDS)).zip(kinds) {
        let (kind, round) = (KINDS[index], Round::new(index, number));
        let killed = round.torment(&mut dice);
        let all = round.admitted();
        let stats = table(kind, &round.name).stats();
        println!("{kind:?}: {} admitted, {killed} killed, {stats:?}", all.len());
        for key in (0..kind.keys).map(u64::from) {
            for (bit, quota) in kind.quotas.into_iter().enumerate() {
                let of_quota = |hit: &&Admitted| hit.key == key && hit.charged >> bit & 1 == 1;
                let mut hits: Vec<Admitted> = all.iter().filter(of_quota).copied().collect();
                let most = fullest(&mut hits, quota.window_ms);
                assert!(most <= u64::from(quota.limit), "key {key}, {quota:?}: {most} in a window");
            }
        }
        // Who is always refused keeps any promise.
        assert!(all.len() > kind.keys as usize, "{} admitted", all.len());
        assert!(index != 1 || stats.evicted > 0, "{stats:?}");
        assert!(index != 2 || stats.overflowed > 0, "{stats:?}");
    }
}

#[test]
fn the_oracle_sees_one_too_many() {
    let at = |before_ms: u64, after_ms: u64, cost| Admitted {
        key: 0,
        charged: 1,
        cost,
        before_ns: before_ms * 1_000_000,
        after_ns: after_ms * 1_000_000,
    };
    assert_eq!(fullest(&mut [], 10), 0);
    assert_eq!(fullest(&mut [at(15, 16, 1), at(6, 6, 2), at(5, 5, 1)], 10), 3);
    assert_eq!(fullest(&mut [at(5, 5, 1), at(6, 6, 2), at(15, 15, 1), at(16, 16, 4)], 10), 7);
    let spans = [at(1, 5, 1), at(2, 7, 1), at(5, 6, 1), at(9, 8, 1)];
    assert_eq!((deepest(&spans[..1]), deepest(&spans), deepest(&[])), (1, 2, 0));
    // It may have been decided outside.
    assert_eq!(fullest(&mut [at(5, 30, 1), at(6, 6, 1)], 10), 1);
    assert_eq!(Admitted::of_bytes(&at(7, 8, 3).to_bytes()).after_ns, 8_000_000);
}
