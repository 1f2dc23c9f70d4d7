//! One hit over all its charges: look, decide, count, look again. The rules are those of [`crate::limit`].

#![forbid(unsafe_code)]

use super::Decision;
use super::planted::{self, Fault};
use super::probe::Probe;
use super::stats::Event;
use super::table::{Claim, Table, Until};
use super::window::{NEVER, Stale};
use crate::sync::forget;

/// How often a hit starts again before it is refused. Each start means that another hit of the same key, or cell, moved
/// in between, so even a few dozen are hard to reach; at half or double nobody would notice.
pub(super) const STARTS: usize = if cfg!(loom) { 4 } else { 128 };

/// The hit starts again: somebody else moved.
struct Again;

impl From<Stale> for Again {
    fn from(Stale: Stale) -> Self {
        Self
    }
}

/// Charges all or nothing.
pub(super) fn hit<'t>(table: &'t Table, probes: &mut [Probe<'t>]) -> Decision {
    hit_from(0, table, probes)
}

/// Charges one, as most hits do: the same steps in the same order, which go on as those of several charges do when
/// anything is not as usual. Until then nobody has the probe's address, and it need not lie in memory: a sixth of a hit.
#[expect(clippy::inline_always, reason = "all of a hit that most callers make")]
#[inline(always)]
pub(super) fn hit_one<'t>(table: &'t Table, mut probe: Probe<'t>) -> Decision {
    forget(0);
    let early = planted::is(Fault::ClockFirst).then(|| table.now());
    probe.look();
    if !probe.has_one_line() {
        return go_on(table, probe, |table, probes| read(table, probes, early));
    }
    let now = early.unwrap_or_else(|| table.now());
    if probe.read(now).is_err() {
        return go_on(table, probe, |_, _| Err(Again));
    }
    if table.until(Until::Bans) > now {
        return go_on(table, probe, |table, probes| judge(table, probes, now));
    }
    if !probe.fits() {
        return go_on(table, probe, |table, probes| {
            refuse(table, probes, Event::Denied, probes[0].refusal())
        });
    }
    if !probe.reserve_in_line() {
        return go_on(table, probe, |_, _| Err(Again));
    }
    if !probe.is_untouched() {
        return go_on(table, probe, |table, probes| verify(table, probes, 1));
    }
    probe.admission(probe.reset_after_hit_in_line())
}

/// The rest of a first start, which is not as usual, and the starts after it. The probe is a copy.
#[cold]
#[inline(never)]
fn go_on<'t>(
    table: &'t Table,
    mut probe: Probe<'t>,
    rest: impl FnOnce(&'t Table, &mut [Probe<'t>]) -> Result<Decision, Again>,
) -> Decision {
    let probes = std::slice::from_mut(&mut probe);
    rest(table, probes).unwrap_or_else(|Again| {
        table.note(Event::Restarted);
        hit_from(1, table, probes)
    })
}

/// The starts from the `first` on.
fn hit_from<'t>(first: usize, table: &'t Table, probes: &mut [Probe<'t>]) -> Decision {
    for begun in first..STARTS {
        forget(begun);
        if let Ok(decision) = start(table, probes) {
            return decision;
        }
        table.note(Event::Restarted);
    }
    table.note(Event::Exhausted);
    exhausted(probes)
}

#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn start<'t>(table: &'t Table, probes: &mut [Probe<'t>]) -> Result<Decision, Again> {
    let early = planted::is(Fault::ClockFirst).then(|| table.now());
    // Rule 1: the tags, then the clock, then the words.
    for probe in &mut *probes {
        probe.look();
    }
    read(table, probes, early)
}

/// What follows the look at the tags.
#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn read<'t>(
    table: &'t Table,
    probes: &mut [Probe<'t>],
    early: Option<u64>,
) -> Result<Decision, Again> {
    for probe in &*probes {
        if !probe.is_settled(table) {
            return Err(Again);
        }
    }
    let now = early.unwrap_or_else(|| table.now());
    for probe in &mut *probes {
        probe.read(now)?;
    }
    judge(table, probes, now)
}

/// What follows the reading of the words.
#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn judge<'t>(table: &'t Table, probes: &mut [Probe<'t>], now: u64) -> Result<Decision, Again> {
    // Rule 2: a refusal writes nothing.
    let ban = ban(table, probes, now);
    if ban.is_some() || !all_fit(probes) {
        return turn_away(table, probes, ban);
    }
    if probes.iter().any(Probe::is_homeless)
        && let Some(decision) = house(table, probes, now)?
    {
        table.note(Event::Full);
        return Ok(decision);
    }
    count(table, probes)
}

/// Refuses who is banned, or does not fit. What the overflow knows of keys without a line may refuse them for longer.
#[cold]
fn turn_away<'t>(
    table: &'t Table,
    probes: &mut [Probe<'t>],
    ban: Option<(usize, u64)>,
) -> Result<Decision, Again> {
    for probe in &mut *probes {
        probe.read_overflow(table)?;
    }
    match ban {
        Some(ban) => refuse(table, probes, Event::Banned, banned(probes, ban)),
        None => refuse(table, probes, Event::Denied, refused(probes).ok_or(Again)?),
    }
}

/// The first charge of which the table has no room for what it counts.
fn without_room<'p, 't>(table: &Table, probes: &'p [Probe<'t>]) -> Option<&'p Probe<'t>> {
    probes.iter().find(|probe| probe.has_no_room(table) || probe.is_crowded_by(probes))
}

/// Refuses, if the words that were read are still the keys'.
#[inline]
fn refuse(
    table: &Table,
    probes: &[Probe<'_>],
    why: Event,
    refusal: Decision,
) -> Result<Decision, Again> {
    if probes.iter().any(Probe::has_moved) {
        return Err(Again);
    }
    table.note(if refusal.table_full { Event::Full } else { why });
    Ok(refusal)
}

/// Finds a line for every key without one, or cells; a refusal if there is neither.
#[cold]
fn house<'t>(
    table: &'t Table,
    probes: &mut [Probe<'t>],
    now: u64,
) -> Result<Option<Decision>, Again> {
    for probe in &mut *probes {
        if probe.is_homeless() {
            match probe.claim(table, now) {
                Claim::LookAgain => return Err(Again),
                Claim::Full if probe.spill(table)? => {}
                Claim::Full => return Ok(Some(full(probe))),
            }
        }
    }
    Ok(refused(probes).or_else(|| without_room(table, probes).map(full)))
}

/// Counts every charge, then looks whether all of them stand.
#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn count(table: &Table, probes: &mut [Probe<'_>]) -> Result<Decision, Again> {
    // Loops, here and above, where iterators would be calls.
    let mut counted = 0;
    for probe in &mut *probes {
        if !probe.reserve() {
            break;
        }
        counted += 1;
    }
    verify(table, probes, counted)
}

/// Looks whether all charges stand, if all are counted; takes back those that are, if not.
#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn verify(table: &Table, probes: &mut [Probe<'_>], counted: usize) -> Result<Decision, Again> {
    if counted == probes.len() && stand(probes) {
        return Ok(admitted(table, probes));
    }
    let counted = if planted::is(Fault::CountedKept) { 0 } else { counted };
    for probe in &mut probes[..counted] {
        probe.undo();
    }
    Err(Again)
}

/// Whether every charge stands.
#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn stand(probes: &mut [Probe<'_>]) -> bool {
    for probe in probes {
        if !probe.verify() {
            return false;
        }
        if planted::is(Fault::FirstVerified) {
            break;
        }
    }
    true
}

/// What a hit would answer, without leaving a trace.
pub(super) fn peek<'t>(table: &'t Table, probes: &mut [Probe<'t>]) -> Decision {
    for _ in 0..STARTS {
        if let Ok(decision) = look(table, probes) {
            return decision;
        }
    }
    exhausted(probes)
}

fn look<'t>(table: &'t Table, probes: &mut [Probe<'t>]) -> Result<Decision, Again> {
    probes.iter_mut().for_each(Probe::look);
    let now = table.now();
    for probe in &mut *probes {
        probe.read(now)?;
        if probe.has_moved() {
            return Err(Again);
        }
        probe.read_overflow(table)?;
    }
    if let Some(ban) = ban(table, probes, now) {
        return Ok(banned(probes, ban));
    }
    if let Some(decision) = refused(probes) {
        return Ok(decision);
    }
    if let Some(probe) = without_room(table, probes) {
        return Ok(full(probe));
    }
    let Some(probe) = least(probes) else { return Ok(unlimited()) };
    Ok(probe.admission(probe.reset_after()))
}

/// The longest ban of a charge's key: which charge, and for how many milliseconds.
#[inline]
fn ban(table: &Table, probes: &[Probe<'_>], now: u64) -> Option<(usize, u64)> {
    if table.until(Until::Bans) <= now {
        return None;
    }
    let bans = probes.iter().enumerate();
    let bans = bans.filter_map(|(index, probe)| Some((index, probe.banned_for(table)?)));
    bans.max_by_key(|(_, ms)| *ms)
}

/// The refusal of a hit of a banned key: until the ban is over, and for longer if the hit would not fit then.
#[cold]
fn banned(probes: &[Probe<'_>], (index, ms): (usize, u64)) -> Decision {
    let probe = &probes[index];
    let ban = Decision { retry_after_ms: ms, ..probe.admission(ms.max(probe.reset_after())) };
    let longer = refused(probes).filter(|refusal| refusal.retry_after_ms >= ms);
    Decision { allowed: false, table_full: false, remaining: 0, ..longer.unwrap_or(ban) }
}

/// Whether every charge fits.
#[inline]
fn all_fit(probes: &[Probe<'_>]) -> bool {
    for probe in probes {
        if !probe.fits() {
            return false;
        }
    }
    true
}

/// The refusal that lasts longest, if any charge does not fit.
#[cold]
fn refused(probes: &[Probe<'_>]) -> Option<Decision> {
    let refusing = probes.iter().filter(|probe| !probe.fits());
    refusing.map(Probe::refusal).max_by_key(|refusal| refusal.retry_after_ms)
}

/// The charge with the least left.
#[inline]
fn least<'p, 't>(probes: &'p [Probe<'t>]) -> Option<&'p Probe<'t>> {
    let (first, others) = probes.split_first()?;
    let mut least = first;
    for probe in others {
        if probe.left() < least.left() {
            least = probe;
        }
    }
    Some(least)
}

#[expect(clippy::inline_always, reason = "a step of every hit of several charges")]
#[inline(always)]
fn admitted(table: &Table, probes: &[Probe<'_>]) -> Decision {
    let Some(probe) = least(probes) else { return unlimited() };
    if probes.iter().any(Probe::is_homeless) {
        table.note(Event::Overflowed);
    }
    probe.admission(probe.reset_after_hit())
}

/// The set has no room for a new key and the table no overflow: refused, since what cannot be counted cannot be
/// admitted.
fn full(probe: &Probe<'_>) -> Decision {
    Decision {
        allowed: false,
        table_full: true,
        // Within a window a line dies, or its key is in use and keeps it.
        retry_after_ms: probe.window_ms(),
        ..probe.admission(probe.window_ms())
    }
}

/// Others moved at every start: refused, to be tried again at once. In the overflow it can be the hit's own charges that
/// are in each other's way.
#[cold]
fn exhausted(probes: &[Probe<'_>]) -> Decision {
    if let Some(spilled) = probes.iter().find(|probe| probe.is_spilled()) {
        return full(spilled);
    }
    probes.first().map_or_else(unlimited, |probe| Decision {
        allowed: false,
        remaining: 0,
        retry_after_ms: 1,
        ..probe.admission(probe.window_ms())
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
        charge,
        limit: 0,
        remaining: 0,
        reset_after_ms: NEVER,
        retry_after_ms: NEVER,
        ..unlimited()
    }
}
