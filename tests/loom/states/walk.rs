//! Scenes that are too large for all of their states: so many ways through them, each by chance, the same ones in every run.
//!
//! What is found is found; what is not found is not proved. Whoever has just taken a step takes the next one too, more
//! often than not, as threads do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::machine::{Machine, Stop};
use super::search::{Known, judged};
use super::state::State;
use super::story;
use crate::scene::Scene;

/// Ways on one machine: it remembers all places of the code that it has seen, some gigabyte of them after ten times as many.
const WAYS: usize = 250;

/// One step in so many is followed by the questions of somebody who comes alone.
const JUDGED: u64 = 16;

/// What the walks have seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Walked {
    pub(super) steps: usize,
    /// Walks on which all threads have done everything.
    pub(super) ends: usize,
    /// Most hits admitted on one of them, those before the threads began among them.
    pub(super) admitted: usize,
}

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// Walks so often; or tells how the promise was broken.
pub(super) fn walk(scene: &Scene, walks: usize) -> Result<Walked, String> {
    let mut walked = Walked::default();
    let mut machine = Machine::new(scene);
    let mut number = 0;
    while number < walks {
        match one(&mut machine, number as u64, walked) {
            Ok(more) => {
                (walked, number) = (more, number + 1);
                if number % WAYS == 0 {
                    machine = Machine::new(scene);
                }
            }
            Err(Stop::Broken(story)) => return Err(format!("walk {number}: {story}")),
            // The same walk again, now that more is known.
            Err(Stop::Learnt) => {}
        }
    }
    Ok(walked)
}

fn one(machine: &mut Machine<'_>, number: u64, mut walked: Walked) -> Result<Walked, Stop> {
    let mut dice = Dice((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut state = machine.first()?;
    let mut known: Known = HashMap::from_iter([(state.hash(), state.hash())]);
    let mut last = 0;
    loop {
        let able = |state: &State, thread: usize| state.threads[thread].node.is_some();
        let threads = machine.scene().threads.len();
        if !(0..threads).any(|thread| able(&state, thread)) {
            walked.ends += usize::from(state.threads.iter().all(|thread| !thread.stopped));
            judged(machine, &state)?;
            break;
        }
        while !able(&state, last) || dice.below(4) == 0 {
            last = usize::try_from(dice.below(threads as u64)).expect("a thread");
        }
        let from = state.hash();
        let told = |stop, machine: &mut Machine<'_>, known: &Known| match stop {
            Stop::Broken(why) => Stop::Broken(story::of(machine, known, from, &why)),
            Stop::Learnt => Stop::Learnt,
        };
        let after = machine.stepped(&state, last).map_err(|stop| told(stop, machine, &known))?;
        let Some(after) = after else { unreachable!("it is able") };
        if dice.below(JUDGED) == 0 {
            judged(machine, &state).map_err(|stop| told(stop, machine, &known))?;
        }
        if let Entry::Vacant(place) = known.entry(after.hash()) {
            place.insert(from);
        }
        state = after;
        walked.steps += 1;
        walked.admitted = walked.admitted.max(state.log().count());
    }
    Ok(walked)
}
