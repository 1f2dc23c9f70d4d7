//! In a set of eight lines of eight words, as it ships: two threads that are interrupted so often at most.

use secval::limit::planted::Fault;

use super::{Orders, each_is_found, play};
use crate::scene::Scene;
use crate::whole::*;

#[test]
fn two_hits_of_a_line() {
    play(&TWO_HITS_OF_A_LINE, Orders::OfLoom);
    play(&TWO_HITS_OF_A_LINE, Orders::Interrupted(3));
}

#[test]
fn two_hits_of_a_new_key() {
    play(&TWO_HITS_OF_A_NEW_KEY, Orders::Interrupted(2));
}

#[test]
fn two_claims_of_a_key() {
    play(&TWO_CLAIMS_OF_A_KEY, Orders::Interrupted(2));
}

#[test]
fn a_hit_while_its_line_is_evicted() {
    play(&A_HIT_WHILE_ITS_LINE_IS_EVICTED, Orders::Interrupted(2));
}

#[test]
fn a_spill_while_a_line_is_claimed() {
    play(&A_SPILL_WHILE_A_LINE_IS_CLAIMED, Orders::Interrupted(2));
}

#[test]
fn a_lifted_ban_and_a_claim() {
    play(&A_LIFTED_BAN_AND_A_CLAIM, Orders::Interrupted(2));
}

#[test]
fn a_hit_while_the_sub_window_turns() {
    play(&A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Orders::Interrupted(2));
}

#[test]
fn a_hit_whose_word_is_taken_over() {
    play(&A_HIT_WHOSE_WORD_IS_TAKEN_OVER, Orders::Interrupted(2));
}

/// Which model finds which fault, and in which orders.
const FOUND: &[(Fault, &Scene, Orders)] = &[
    (Fault::OldestForgotten, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Orders::Interrupted(2)),
    (Fault::NewerIgnored, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Orders::Interrupted(2)),
    (Fault::FirstLineOnly, &TWO_CLAIMS_OF_A_KEY, Orders::Interrupted(2)),
    (Fault::BlindReserve, &TWO_HITS_OF_A_LINE, Orders::Interrupted(2)),
    (Fault::Unverified, &A_HIT_WHILE_THE_SUB_WINDOW_TURNS, Orders::Interrupted(2)),
    (Fault::UndoUnstamped, &A_HIT_WHOSE_WORD_IS_TAKEN_OVER, Orders::Interrupted(2)),
    (Fault::NothingCarried, &A_SPILL_WHILE_A_LINE_IS_CLAIMED, Orders::Interrupted(2)),
    (Fault::SpillUntold, &A_SPILL_WHILE_A_LINE_IS_CLAIMED, Orders::Interrupted(2)),
    (Fault::BanUnmarked, &A_LIFTED_BAN_AND_A_CLAIM, Orders::Interrupted(2)),
];

#[test]
fn a_model_finds_each_fault() {
    each_is_found(FOUND);
}
