//! In a set of two lines of three words.

use secval::limit::planted::Fault;

use super::{Judge, each_is_found, holds};
use crate::scene::Scene;
use crate::scenes::large::*;
use crate::scenes::*;

#[test]
fn two_hits_of_a_line() {
    holds(&TWO_HITS_OF_A_LINE, Judge::Stopped, 5, 2);
}

#[test]
fn two_hits_of_a_new_key() {
    holds(&TWO_HITS_OF_A_NEW_KEY, Judge::Stopped, 100, 1);
}

#[test]
fn three_hits_of_a_line() {
    holds(&THREE_HITS_OF_A_LINE, Judge::Stopped, 250, 3);
}

#[test]
fn a_hit_while_the_sub_window_turns() {
    holds(&A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Judge::Stopped, 700, 5);
}

#[test]
fn a_hit_whose_word_is_taken_over() {
    holds(&A_HIT_WHOSE_WORD_IS_TAKEN_OVER, Judge::Stopped, 30, 3);
}

#[test]
fn a_hit_while_its_line_is_evicted() {
    holds(&A_HIT_WHILE_ITS_LINE_IS_EVICTED, Judge::Stopped, 27_000, 4);
}

#[test]
fn two_claims_of_a_key() {
    holds(&TWO_CLAIMS_OF_A_KEY, Judge::Stopped, 73_000, 3);
}

#[test]
fn a_hit_whose_line_is_gone() {
    holds(&A_HIT_WHOSE_LINE_IS_GONE, Judge::Stopped, 18_000, 4);
}

#[test]
fn a_spill_while_a_line_is_claimed() {
    holds(&A_SPILL_WHILE_A_LINE_IS_CLAIMED, Judge::Stopped, 22_000, 3);
}

#[test]
fn two_hits_of_two_quotas() {
    holds(&TWO_HITS_OF_TWO_QUOTAS, Judge::Stopped, 400, 3);
}

#[test]
fn a_ban_while_its_line_is_evicted() {
    holds(&A_BAN_WHILE_ITS_LINE_IS_EVICTED, Judge::Stopped, 600, 3);
}

#[test]
fn four_hits_of_a_new_key() {
    holds(&FOUR_HITS_OF_A_NEW_KEY, Judge::Stopped, 110_000, 2);
}

#[test]
fn hits_while_sub_windows_turn() {
    holds(&HITS_WHILE_SUB_WINDOWS_TURN, Judge::Ends, 470_000, 4);
}

#[test]
fn hits_while_a_log_turns() {
    holds(&HITS_WHILE_A_LOG_TURNS, Judge::Stopped, 7_000, 4);
}

#[test]
fn a_key_that_comes_back() {
    holds(&A_KEY_THAT_COMES_BACK, Judge::Ends, 810_000, 5);
}

#[test]
fn two_evictions() {
    holds(&TWO_EVICTIONS, Judge::Ends, 2_300_000, 4);
}

#[test]
fn claims_while_time_passes() {
    holds(&CLAIMS_WHILE_TIME_PASSES, Judge::Stopped, 300_000, 4);
}

#[test]
fn spills_and_a_claim() {
    holds(&SPILLS_AND_A_CLAIM, Judge::Stopped, 100_000, 3);
}

#[test]
fn hits_of_two_quotas() {
    holds(&HITS_OF_TWO_QUOTAS, Judge::Stopped, 73_000, 3);
}

#[test]
fn two_leases_of_a_slot() {
    holds(&TWO_LEASES_OF_A_SLOT, Judge::Stopped, 200, 0);
}

#[test]
fn three_leases_of_two_slots() {
    holds(&THREE_LEASES_OF_TWO_SLOTS, Judge::Ends, 8_000, 0);
}

#[test]
fn leases_in_two_lines() {
    holds(&LEASES_IN_TWO_LINES, Judge::Ends, 700_000, 2);
}

#[test]
fn a_hit_that_reads_anothers_words() {
    holds(&A_HIT_THAT_READS_ANOTHERS_WORDS, Judge::Stopped, 4_800, 4);
}

#[test]
fn hits_and_a_reset() {
    holds(&HITS_AND_A_RESET, Judge::Ends, 1_200_000, 1);
}

#[test]
fn a_ban_that_is_lifted_twice() {
    holds(&A_BAN_THAT_IS_LIFTED_TWICE, Judge::Stopped, 75, 1);
}

#[test]
fn a_ban_that_is_lifted_at_once() {
    holds(&A_BAN_THAT_IS_LIFTED_AT_ONCE, Judge::Stopped, 8_000, 2);
}

#[test]
fn a_lifted_ban_and_a_claim() {
    holds(&A_LIFTED_BAN_AND_A_CLAIM, Judge::Stopped, 100, 2);
}

#[test]
fn a_ban_in_two_lines() {
    holds(&A_BAN_IN_TWO_LINES, Judge::Stopped, 410_000, 2);
}

#[test]
fn a_ban_that_comes_and_goes() {
    holds(&A_BAN_THAT_COMES_AND_GOES, Judge::Stopped, 13_000, 2);
}

#[test]
fn two_resets_and_a_claim() {
    holds(&TWO_RESETS_AND_A_CLAIM, Judge::Stopped, 130_000, 3);
}

/// Which scene finds which fault.
const FOUND: &[(Fault, &Scene)] = &[
    (Fault::ClockFirst, &A_HIT_WHOSE_LINE_IS_GONE),
    (Fault::NewerIgnored, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS),
    (Fault::FirstLineOnly, &TWO_CLAIMS_OF_A_KEY),
    (Fault::WordsOfAnother, &A_HIT_THAT_READS_ANOTHERS_WORDS),
    (Fault::BlindReserve, &TWO_HITS_OF_A_LINE),
    (Fault::Unverified, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS),
    (Fault::TagsUnverified, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::UndoUnstamped, &A_HIT_WHOSE_WORD_IS_TAKEN_OVER),
    (Fault::UndoUntagged, &HITS_AND_A_RESET),
    (Fault::FirstVerified, &TWO_HITS_OF_TWO_QUOTAS),
    (Fault::CountedKept, &TWO_HITS_OF_TWO_QUOTAS),
    (Fault::NothingCarried, &A_SPILL_WHILE_A_LINE_IS_CLAIMED),
    (Fault::SpillUntold, &A_SPILL_WHILE_A_LINE_IS_CLAIMED),
    (Fault::CountedUnsettled, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::OnePhase, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::SameVersion, &TWO_EVICTIONS),
    (Fault::BanUnchecked, &A_BAN_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::BanUnmarked, &A_BAN_THAT_IS_LIFTED_TWICE),
    (Fault::LiftedBare, &A_BAN_THAT_IS_LIFTED_AT_ONCE),
    (Fault::LiftedInOneLine, &A_BAN_IN_TWO_LINES),
    (Fault::ClearedBlind, &A_LIFTED_BAN_AND_A_CLAIM),
    (Fault::ResetBare, &TWO_RESETS_AND_A_CLAIM),
    (Fault::Waits, &A_HIT_WHILE_ITS_LINE_IS_EVICTED),
    (Fault::RenewUnverified, &LEASES_IN_TWO_LINES),
    (Fault::ReleaseBlind, &TWO_LEASES_OF_A_SLOT),
];

#[test]
fn a_scene_finds_each_fault() {
    each_is_found(FOUND);
}
