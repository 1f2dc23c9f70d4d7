//! In a set of two lines of three words.

use secval::limit::planted::Fault;

use super::{Orders, each_is_found, play};
use crate::scene::Scene;
use crate::scenes::*;

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

/// Three threads that reserve.
#[test]
fn three_hits_of_a_line() {
    play(&THREE_HITS_OF_A_LINE, Orders::Interrupted(3));
}

/// Two and the clock: a log that turns.
#[test]
fn hits_while_a_log_turns() {
    play(&large::HITS_WHILE_A_LOG_TURNS, Orders::Interrupted(3));
}

/// Two and the clock: a ring that turns.
#[test]
fn two_hits_while_sub_windows_turn() {
    play(&TWO_HITS_WHILE_SUB_WINDOWS_TURN, Orders::Interrupted(3));
}

/// Three that evict, and claim.
#[test]
fn two_evictions() {
    play(&large::TWO_EVICTIONS, Orders::Interrupted(2));
}

/// Two that claim, and the clock.
#[test]
fn claims_while_time_passes() {
    play(&large::CLAIMS_WHILE_TIME_PASSES, Orders::Interrupted(3));
}

/// Two of whom one is counted in the overflow, and the clock.
#[test]
fn spills_and_a_claim() {
    play(&large::SPILLS_AND_A_CLAIM, Orders::Interrupted(3));
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
    each_is_found(FOUND);
}
