//! One hit: look, decide, count, look again. The rules are those of [`crate::limit`].

#![forbid(unsafe_code)]

use super::bucket::Bucket;
use super::layout::WAYS;
use super::set::{Set, Ways};
use super::subject::{Place, Subject};
use super::table::{Claim, Table};
use super::tag::{State, Tag};
use super::window::{Frame, NEVER, Stale, Step, Window};
use super::{Decision, Rule};

/// How often a hit starts again before it is refused. Each start means that another hit of the same key moved in
/// between, so even a few dozen are hard to reach; at half or double nobody would notice.
const STARTS: usize = 128;

/// One charge, and what was seen of it at the last look.
pub(super) struct Probe<'t> {
    /// Its index in the caller's list.
    charge: usize,
    set: Set<'t>,
    place: Place,
    window: Window,
    cost: u64,
    tags: [Tag; WAYS],
    ways: Ways,
    frame: Frame,
    sum: u64,
    step: Option<Step>,
}

impl<'t> Probe<'t> {
    /// Of a rule that the table knows; `None` if it is another table's.
    #[inline]
    pub(super) fn new(table: &'t Table, rule: Rule, subject: Subject, cost: u32) -> Option<Self> {
        let window = table.directory().window(rule.0)?;
        let place = subject.place(rule.0);
        Some(Self {
            charge: 0,
            set: table.set(place),
            place,
            window,
            cost: u64::from(cost),
            tags: [Tag(0); WAYS],
            ways: Ways::default(),
            frame: window.at(0),
            sum: 0,
            step: None,
        })
    }

    /// The same probe, for the charge at `index` of the caller's list.
    pub(super) fn of_charge(self, index: usize) -> Self {
        Self { charge: index, ..self }
    }

    /// Whether two charges of one hit count in the same words.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place
    }

    /// Adds another charge's cost to this one's.
    pub(super) fn add(&mut self, other: &Self) {
        self.cost += other.cost;
    }

    /// Reads the tags. Partner: `Table::claim` and `evict`, which change them before they touch the words.
    #[inline]
    fn look(&mut self) {
        self.tags = self.set.tags();
        self.ways = Set::of(&self.tags, self.place.identity);
    }

    /// Reads the words, after the clock.
    #[inline]
    fn read(&mut self, now: u64) -> Result<(), Stale> {
        self.frame = self.window.at(now);
        self.sum = 0;
        self.step = None;
        let Some(first) = self.ways.first() else { return Ok(()) };
        let words = self.set.words(first);
        self.sum = self.frame.sum(&words)? + self.sum_of(self.ways.rest())?;
        self.step = self.frame.place(&words, self.cost);
        Ok(())
    }

    #[inline]
    fn sum_of(&self, ways: Ways) -> Result<u64, Stale> {
        let mut sum = 0;
        for way in ways {
            sum += self.frame.sum(&self.set.words(way))?;
        }
        Ok(sum)
    }

    #[inline]
    fn fits(&self) -> bool {
        self.sum + self.cost <= self.frame.limit
    }

    /// Counts the hit, if nobody has changed the word since it was read.
    #[inline]
    fn reserve(&self) -> bool {
        let (Some(way), Some(step)) = (self.ways.first(), self.step) else { return false };
        self.set.step(way, step)
    }

    /// Whether the hit stands: the same lines, nothing newer, and not too much. Rule 4.
    #[inline]
    fn verify(&mut self) -> bool {
        let tags = self.set.tags();
        if Set::of(&tags, self.place.identity) != self.ways
            || self.ways.into_iter().any(|way| tags[way] != self.tags[way])
        {
            return false;
        }
        let sum = self.sum_of(self.ways);
        sum.is_ok_and(|sum| {
            self.sum = sum;
            sum <= self.frame.limit
        })
    }

    /// Takes the hit back, unless its word or its line has moved on. Rule 5.
    #[cold]
    fn undo(&self) {
        let (Some(way), Some(step)) = (self.ways.first(), self.step) else { return };
        loop {
            let old = self.set.word(way, step.index);
            let Some(new) = old.without(step.new.ms(), self.cost) else { return };
            // After the word was read: a line that is still the same key's now was so at that time.
            if self.set.tag(way) != self.tags[way] {
                return;
            }
            if self.set.step(way, Step { index: step.index, old, new }) {
                return;
            }
        }
    }

    /// All words of the key, as they are now.
    fn all_words(&self) -> Vec<Bucket> {
        self.ways.into_iter().flat_map(|way| self.set.words(way)).collect()
    }

    fn refusal(&self) -> Decision {
        let words = self.all_words();
        let now = self.frame.now;
        Decision {
            allowed: false,
            table_full: false,
            charge: self.charge,
            limit: self.window.limit,
            remaining: remaining(self.frame.limit, self.sum),
            reset_after_ms: self.window.reset_after(now, words.iter().copied()).max(1),
            retry_after_ms: self.window.retry_after(now, self.cost, &words),
        }
    }

    fn admission(&self, reset_after_ms: u64) -> Decision {
        Decision {
            allowed: true,
            table_full: false,
            charge: self.charge,
            limit: self.window.limit,
            remaining: remaining(self.frame.limit, self.sum),
            reset_after_ms,
            retry_after_ms: 0,
        }
    }
}

/// What is left of a limit.
#[inline]
fn remaining(limit: u64, sum: u64) -> u32 {
    u32::try_from(limit.saturating_sub(sum)).unwrap_or(u32::MAX)
}

/// The hit starts again: somebody else moved.
struct Again;

/// Charges all or nothing.
#[inline]
pub(super) fn hit(table: &Table, probes: &mut [Probe<'_>]) -> Decision {
    for _ in 0..STARTS {
        if let Ok(decision) = start(table, probes) {
            return decision;
        }
    }
    exhausted(probes)
}

#[inline]
fn start(table: &Table, probes: &mut [Probe<'_>]) -> Result<Decision, Again> {
    // Rule 1: the tags, then the clock, then the words.
    for probe in &mut *probes {
        probe.look();
        for way in probe.ways {
            if probe.tags[way].state() != State::Live {
                table.settle(probe.set, way, probe.tags[way]);
                return Err(Again);
            }
        }
    }
    let now = table.now();
    for probe in &mut *probes {
        probe.read(now).map_err(|Stale| Again)?;
    }
    if let Some(decision) = refused(probes) {
        return Ok(decision);
    }
    for probe in &*probes {
        if probe.ways.first().is_none() {
            return match table.claim(probe.place, &probe.tags, now) {
                Claim::LookAgain => Err(Again),
                Claim::Full => Ok(full(probe)),
            };
        }
    }
    count(probes)
}

/// Counts every charge, then looks whether all of them stand.
#[inline]
fn count(probes: &mut [Probe<'_>]) -> Result<Decision, Again> {
    let counted = probes.iter().take_while(|probe| probe.reserve()).count();
    if counted == probes.len() && probes.iter_mut().all(Probe::verify) {
        return Ok(admitted(probes));
    }
    for probe in &probes[..counted] {
        probe.undo();
    }
    Err(Again)
}

/// What a hit would answer, without leaving a trace.
pub(super) fn peek(table: &Table, probes: &mut [Probe<'_>]) -> Decision {
    for _ in 0..STARTS {
        probes.iter_mut().for_each(Probe::look);
        let now = table.now();
        if probes.iter_mut().any(|probe| probe.read(now).is_err()) {
            continue;
        }
        if let Some(decision) = refused(probes) {
            return decision;
        }
        let Some(probe) = least(probes) else { return unlimited() };
        let reset = probe.window.reset_after(now, probe.all_words().into_iter());
        return probe.admission(reset);
    }
    exhausted(probes)
}

/// The refusal that lasts longest, if any charge does not fit.
fn refused(probes: &[Probe<'_>]) -> Option<Decision> {
    if probes.iter().all(Probe::fits) {
        return None;
    }
    let refusing = probes.iter().filter(|probe| !probe.fits());
    refusing.map(Probe::refusal).max_by_key(|refusal| refusal.retry_after_ms)
}

/// The charge with the least left.
fn least<'p, 't>(probes: &'p [Probe<'t>]) -> Option<&'p Probe<'t>> {
    probes.iter().min_by_key(|probe| probe.frame.limit.saturating_sub(probe.sum))
}

#[inline]
fn admitted(probes: &[Probe<'_>]) -> Decision {
    let Some(probe) = least(probes) else { return unlimited() };
    let now = probe.frame.now;
    // Nothing in the line is newer than this hit.
    probe.admission(probe.window.reset_after(now, [Bucket::new(now, 1)].into_iter()))
}

/// The set has no room for a new key: it is refused, since what cannot be counted cannot be admitted.
fn full(probe: &Probe<'_>) -> Decision {
    let window = probe.window;
    Decision {
        table_full: true,
        // Within a window a line dies, or its key is in use and keeps it.
        retry_after_ms: window.ms,
        reset_after_ms: window.ms,
        ..probe.refusal()
    }
}

/// Others moved at every start: refused, to be tried again at once.
#[cold]
fn exhausted(probes: &[Probe<'_>]) -> Decision {
    probes.first().map_or_else(unlimited, |probe| Decision {
        remaining: 0,
        reset_after_ms: probe.window.ms,
        retry_after_ms: 1,
        ..probe.refusal()
    })
}

/// No charge at all: nothing limits it.
fn unlimited() -> Decision {
    Decision {
        allowed: true,
        table_full: false,
        charge: 0,
        limit: u32::MAX,
        remaining: u32::MAX,
        reset_after_ms: 0,
        retry_after_ms: 0,
    }
}

/// A charge whose rule the table does not know is refused for good: counting it is impossible.
pub(super) fn unknown_rule(charge: usize) -> Decision {
    Decision {
        allowed: false,
        table_full: false,
        charge,
        limit: 0,
        remaining: 0,
        reset_after_ms: NEVER,
        retry_after_ms: NEVER,
    }
}
