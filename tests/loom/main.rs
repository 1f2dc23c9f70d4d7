//! The limiter's protocol under two checkers that drive the code of `src/limit` itself, one access at a time, in a table
//! of one set. `make test-loom` runs both, in a tiny set (two lines of three words, six cells), and in one as it ships
//! (`--features whole`: eight lines of eight words, so that a ring has seven).
//!
//! A *scene* (`scenes.rs`, `whole.rs`) is what a few threads do to such a table, and the clock with it. Both checkers play the same
//! scenes, and judge them by what `src/limit` promises: no window holds more than its limit, by the time that each
//! hit has read last; a ban that has returned is kept; and what is left at the end is what was not admitted, not
//! more and not less.
//!
//! - [`models`] plays them on loom's atomics, whose memory is as weak as C11 allows: most orders of two threads, and of three,
//!   of which one may be the clock, those in which they are interrupted so often at most.
//! - [`states`] looks at every state that a scene can come to, whoever is stopped at whatever access, and asks in each of
//!   them what a newcomer finds: nobody waits for the dead, and who is killed has counted its own hit, once. Crowds, whose
//!   states are too many, are walked through so often by chance (`states/walk.rs`): there nothing is proved.
//!
//! Both must also find what is planted: each [`Fault`](secval::limit::planted::Fault) breaks one rule, at one line.
//!
//! | rule (`src/limit`) | scenes | faults that they find |
//! |---|---|---|
//! | 1 look: tags, clock, words | `a_hit_whose_line_is_gone`, `a_hit_while_the_sub_window_turns`, `…hits_while_…_turn(s)` | `ClockFirst`, `NewerIgnored` |
//! | 1 all lines of a key | `two_claims_of_a_key`, `claims_while_time_passes` | `FirstLineOnly` |
//! | 3 reserve | `two_hits_of_a_line`, `three_hits_of_a_line`, `a_hit_that_reads_anothers_words` | `BlindReserve`, `WordsOfAnother` |
//! | 4 verify | `a_hit_while_the_sub_window_turns`, `a_hit_while_its_line_is_evicted`, `a_spill_while_a_line_is_claimed` | `Unverified`, `TagsUnverified` |
//! | 5 undo | `a_hit_whose_word_is_taken_over`, `two_hits_of_two_quotas`, `hits_of_two_quotas` | `UndoUnstamped`, `FirstVerified`, `CountedKept` |
//! | 6 claim, carry in | `a_spill_while_a_line_is_claimed`, `spills_and_a_claim`, `two_hits_of_a_new_key`, `four_hits_of_a_new_key` | `NothingCarried`, `SpillUntold`, `CountedUnsettled` |
//! | 7 evict, in two phases | `a_hit_while_its_line_is_evicted`, `a_key_that_comes_back`, `two_evictions` (states only) | `OnePhase`, `SameVersion` |
//! | 5 undo, and `reset` | `hits_and_a_reset` (states only) | `UndoUntagged` |
//! | 7 bans | `a_ban_while_its_line_is_evicted` | `BanUnchecked` |
//! | 7 `unban`, `reset` | `a_ban_that_is_lifted_twice`, `a_lifted_ban_and_a_claim`; `a_ban_that_is_lifted_at_once`, `a_ban_in_two_lines`, `a_ban_that_comes_and_goes`, `two_resets_and_a_claim` (states only) | `BanUnmarked`, `ClearedBlind`, `LiftedBare`, `LiftedInOneLine`, `ResetBare` |
//! | 8 settle: nobody waits | every scene (states only) | `Waits` |
//! | 9 renew, give back | `two_leases_of_a_slot`, `three_leases_of_two_slots`, `leases_in_two_lines` (states only) | `RenewUnverified`, `ReleaseBlind` |
//!
//! The scenes of the whole set are most of these, and find the same faults; and two more, which a tiny set does not have room
//! for: `FirstTagsVerified` (of rule 4) and `OldestForgotten` (of rule 1: a window that still touches its oldest sub-window).
//!
//! Rule 2 (a refusal writes nothing) is held by the checker of states in all scenes without an overflow. Real threads and
//! processes, real time, stops and kills: `tests/rust/limit_stress.rs` and `tests/python/test_limiter_oracle.py`, each against
//! an oracle. Numbers and times against a log of all hits: `tests/rust/limit.rs` and the fuzz target.

#![cfg(loom)]
#![allow(clippy::panic, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "what was seen is shown with --nocapture")]
#![allow(clippy::wildcard_imports, reason = "scenes are meant by their names")]
#![allow(clippy::wildcard_enum_match_arm, reason = "what is not named does not count")]

#[cfg(not(secval_fixed_seed))]
compile_error!("loom needs the same hashes in every run: --cfg secval_fixed_seed");

mod models;
mod scene;
#[cfg(not(feature = "whole"))]
mod scenes;
mod states;
#[cfg(feature = "whole")]
mod whole;
