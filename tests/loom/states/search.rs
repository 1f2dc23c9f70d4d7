//! Every state that a scene can come to, breadth first: any thread may take its next step at any time, or never again.
//!
//! A state is the words, where each thread is in the code, and what was admitted so far. Threads that do the same are
//! not told apart. States are remembered by 64 bits of hash: the chance that two of ten million are taken for one is
//! one in a few hundred thousand, and then one state of them is not looked at.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use super::machine::{CLOCK, Machine, Stop};
use super::state::State;
use super::story;
use crate::scene::{Act, NO_ROOM, Scene};
use secval::sync::checked::Access;

/// What a search has seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) states: usize,
    /// Those in which all threads have done everything.
    pub(crate) ends: usize,
    /// Most steps on the shortest way to any of them.
    pub(crate) depth: usize,
    /// Most hits admitted on one way, those before the threads began among them.
    pub(crate) admitted: usize,
}

/// What is looked at in each state, besides the promise when something is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    /// At the end: that what is left of the quotas is what was not admitted.
    Ends,
    /// Everywhere, as if all threads had stopped for ever: that what is missing was admitted, or is counted once by
    /// those who have stopped; and that a key which has some left can use it at once.
    Stopped,
}

/// How a state was come to: the hash of the one before it.
pub(crate) type Known = HashMap<u64, u64, BuildHasherDefault<AsIs>>;

/// Hashes need no hash.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes are looked up");
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Looks at every state of a scene, up to so many; or tells how the promise was broken.
pub(crate) fn search(scene: &Scene, judge: Judge, most: usize) -> Result<Seen, String> {
    let mut machine = Machine::new(scene);
    loop {
        match run(&mut machine, judge, most) {
            Ok(seen) => return Ok(seen),
            Err(Stop::Broken(story)) => return Err(story),
            Err(Stop::Learnt) => {}
        }
    }
}

fn run(machine: &mut Machine<'_>, judge: Judge, most: usize) -> Result<Seen, Stop> {
    let first = machine.first()?;
    let mut known = Known::default();
    known.insert(first.hash(), first.hash());
    let mut seen = Seen::default();
    let mut layer = vec![first];
    while !layer.is_empty() {
        let mut next = Vec::new();
        for state in &layer {
            let from = state.hash();
            let after = visited(machine, judge, state, &mut seen);
            let after = after.map_err(|stop| match stop {
                Stop::Broken(why) => Stop::Broken(story::of(machine, &known, from, &why)),
                Stop::Learnt => Stop::Learnt,
            })?;
            for state in after {
                if let Entry::Vacant(place) = known.entry(state.hash()) {
                    place.insert(from);
                    next.push(state);
                }
            }
        }
        seen.states = known.len();
        seen.depth += 1;
        assert!(seen.states <= most, "more than {most} states: {seen:?}");
        layer = next;
    }
    Ok(seen)
}

/// Judges a state, and finds those that come next.
fn visited(
    machine: &mut Machine<'_>,
    judge: Judge,
    state: &State,
    seen: &mut Seen,
) -> Result<Vec<State>, Stop> {
    let count = machine.scene().threads.len();
    let ended = state.threads.iter().all(|thread| thread.node.is_none());
    if ended || judge == Judge::Stopped {
        judged(machine, state)?;
    }
    seen.ends += usize::from(ended);
    seen.admitted = seen.admitted.max(state.log().count());
    let mut next = Vec::with_capacity(count);
    for thread in 0..count {
        next.extend(machine.stepped(state, thread)?);
    }
    Ok(next)
}

/// What somebody who comes alone finds, everybody else having stopped: rules 5 and 8.
pub(super) fn judged(machine: &mut Machine<'_>, state: &State) -> Result<(), Stop> {
    let scene = machine.scene();
    let ended = state.threads.iter().all(|thread| thread.node.is_none() && !thread.stopped);
    for key in scene.holders() {
        let taken = machine.alone(&mut { *state }, Act::Taken(key))?;
        if ended && taken > 0 {
            return Err(Stop::Broken(format!("{taken} slots of key {key} were not given back")));
        }
    }
    bans(machine, state)?;
    for charge in scene.charges() {
        let mut state = *state;
        let now = machine.answer(&mut state, Access::Load { word: CLOCK });
        // A ban that has not returned, or has met its lifting, may stand or not.
        let key = charge.key;
        if scene.bans(key) && machine.alone(&mut { state }, Act::Banned(key))? > 0 {
            continue;
        }
        let left = machine.alone(&mut state, Act::Left(charge))?;
        let others = machine.in_midst(&state);
        if let Some(wrong) = scene.wrong(charge, left, (now, others), &state.log()) {
            return Err(Stop::Broken(wrong));
        }
        let to_be_had = left > 0 && left != NO_ROOM;
        if to_be_had && machine.alone(&mut state, Act::Hit(charge))? != 1 {
            return Err(Stop::Broken(format!(
                "{left} left by {charge:?} at {now} are not to be had"
            )));
        }
    }
    Ok(())
}

/// A ban that has returned is kept, and one that was lifted is gone.
fn bans(machine: &mut Machine<'_>, state: &State) -> Result<(), Stop> {
    let mut state = *state;
    let now = machine.answer(&mut state, Access::Load { word: CLOCK });
    if let Some((key, until)) = state.ban {
        let left = machine.alone(&mut { state }, Act::Banned(key))?;
        if left < u64::from(until).saturating_sub(now) {
            return Err(Stop::Broken(format!(
                "key {key} is banned for {left} at {now}, not until {until}"
            )));
        }
    }
    if let Some(key) = state.lifted {
        let left = machine.alone(&mut { state }, Act::Banned(key))?;
        if left > 0 {
            return Err(Stop::Broken(format!(
                "key {key} is banned for {left} at {now}, though that was lifted"
            )));
        }
    }
    Ok(())
}
