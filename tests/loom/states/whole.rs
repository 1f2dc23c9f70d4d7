//! In a set of eight lines of eight words, as it ships: all states of scenes of a few hits, and walks through those of crowds.

use secval::limit::planted::{Fault, with};

use super::walk::walk;
use super::{Judge, each_is_found, holds};
use crate::scene::Scene;
use crate::whole::*;

#[test]
fn two_hits_of_a_line() {
    holds(&TWO_HITS_OF_A_LINE, Judge::Stopped, 5, 2);
}

#[test]
fn two_hits_of_a_new_key() {
    holds(&TWO_HITS_OF_A_NEW_KEY, Judge::Stopped, 100, 1);
}

#[test]
fn the_last_line() {
    holds(&THE_LAST_LINE, Judge::Stopped, 7_000, 8);
}

#[test]
fn two_claims_of_a_key() {
    holds(&TWO_CLAIMS_OF_A_KEY, Judge::Stopped, 80_000, 9);
}

#[test]
fn a_hit_while_its_line_is_evicted() {
    holds(&A_HIT_WHILE_ITS_LINE_IS_EVICTED, Judge::Stopped, 22_000, 10);
}

#[test]
fn a_spill_while_a_line_is_claimed() {
    holds(&A_SPILL_WHILE_A_LINE_IS_CLAIMED, Judge::Stopped, 25_000, 9);
}

#[test]
fn a_lifted_ban_and_a_claim() {
    holds(&A_LIFTED_BAN_AND_A_CLAIM, Judge::Stopped, 100, 8);
}

#[test]
fn a_hit_while_the_sub_window_turns() {
    holds(&A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Judge::Stopped, 1_300, 4);
}

#[test]
fn a_hit_whose_word_is_taken_over() {
    holds(&A_HIT_WHOSE_WORD_IS_TAKEN_OVER, Judge::Stopped, 24, 3);
}

#[test]
fn hits_over_seven_sub_windows() {
    holds(&HITS_OVER_SEVEN_SUB_WINDOWS, Judge::Stopped, 1_600, 4);
}

#[test]
fn hits_of_two_rings() {
    holds(&HITS_OF_TWO_RINGS, Judge::Stopped, 270, 3);
}

#[test]
fn hits_of_a_ring_and_a_log() {
    holds(&HITS_OF_A_RING_AND_A_LOG, Judge::Stopped, 21_000, 4);
}

#[test]
fn hits_while_a_log_turns() {
    holds(&HITS_WHILE_A_LOG_TURNS, Judge::Stopped, 16_000, 5);
}

#[test]
fn hits_and_a_reset() {
    holds(&HITS_AND_A_RESET, Judge::Ends, 1_000_000, 1);
}

#[test]
fn leases_of_the_eighth_slot() {
    holds(&LEASES_OF_THE_EIGHTH_SLOT, Judge::Stopped, 120_000, 0);
}

/// Which scene finds which fault.
const FOUND: &[(Fault, &Scene)] = &[
    (Fault::OldestForgotten, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS),
    (Fault::FirstTagsVerified, &TWO_CLAIMS_OF_A_KEY),
    (Fault::NewerIgnored, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS),
    (Fault::FirstLineOnly, &TWO_CLAIMS_OF_A_KEY),
    (Fault::BlindReserve, &TWO_HITS_OF_A_LINE),
    (Fault::Unverified, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS),
    (Fault::TagsUnverified, &A_SPILL_WHILE_A_LINE_IS_CLAIMED),
    (Fault::UndoUnstamped, &A_HIT_WHOSE_WORD_IS_TAKEN_OVER),
    (Fault::UndoUntagged, &HITS_AND_A_RESET),
    (Fault::FirstVerified, &HITS_OF_TWO_RINGS),
    (Fault::CountedKept, &HITS_OF_TWO_RINGS),
    (Fault::NothingCarried, &A_SPILL_WHILE_A_LINE_IS_CLAIMED),
    (Fault::SpillUntold, &A_SPILL_WHILE_A_LINE_IS_CLAIMED),
    (Fault::CountedUnsettled, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::OnePhase, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::BanUnmarked, &A_LIFTED_BAN_AND_A_CLAIM),
    (Fault::ClearedBlind, &A_LIFTED_BAN_AND_A_CLAIM),
    (Fault::Waits, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
];

#[test]
fn a_scene_finds_each_fault() {
    each_is_found(FOUND);
}

/// How often a scene is walked through. At half, the rarer ones of the faults below are not met; ten times as often, they
/// are for sure.
const WALKS: usize = 300;

fn holds_by_chance(scene: &Scene, admitted: usize) {
    match walk(scene, WALKS) {
        Ok(walked) => {
            println!("{walked:?}");
            let enough = walked.ends > WALKS * 9 / 10 && walked.admitted >= admitted;
            assert!(enough && walked.steps > 100 * WALKS, "too few: {walked:?}");
        }
        Err(story) => panic!("{story}"),
    }
}

#[test]
fn a_crowd() {
    holds_by_chance(&A_CROWD, 17);
}

#[test]
fn a_crowd_that_spills() {
    holds_by_chance(&A_CROWD_THAT_SPILLS, 17);
}

#[test]
fn rings_that_turn() {
    holds_by_chance(&RINGS_THAT_TURN, 10);
}

#[test]
fn bans_in_a_crowd() {
    holds_by_chance(&BANS_IN_A_CROWD, 11);
}

/// Which walks find which fault.
const FOUND_BY_CHANCE: &[(Fault, &Scene)] = &[
    (Fault::FirstLineOnly, &A_CROWD),
    (Fault::OnePhase, &A_CROWD),
    (Fault::NothingCarried, &A_CROWD_THAT_SPILLS),
    (Fault::SpillUntold, &A_CROWD_THAT_SPILLS),
    (Fault::NewerIgnored, &RINGS_THAT_TURN),
    (Fault::OldestForgotten, &RINGS_THAT_TURN),
    (Fault::Unverified, &RINGS_THAT_TURN),
    (Fault::UndoUnstamped, &RINGS_THAT_TURN),
    (Fault::FirstVerified, &RINGS_THAT_TURN),
    (Fault::CountedKept, &RINGS_THAT_TURN),
    (Fault::BanUnmarked, &BANS_IN_A_CROWD),
    (Fault::LiftedInOneLine, &BANS_IN_A_CROWD),
    (Fault::ClearedBlind, &BANS_IN_A_CROWD),
];

#[test]
fn a_walk_finds_each_fault() {
    for &(fault, scene) in FOUND_BY_CHANCE {
        match with(Some(fault), || walk(scene, 10 * WALKS)) {
            Ok(walked) => panic!("{fault:?} is not found: {walked:?}"),
            Err(story) => println!("{fault:?}: {story}\n"),
        }
    }
}
