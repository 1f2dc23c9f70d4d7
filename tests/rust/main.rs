//! The tests of the core that need no Python, one module a room.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "a suite that is skipped says so")]
#![allow(
    clippy::excessive_precision,
    clippy::explicit_counter_loop,
    clippy::float_cmp,
    clippy::format_push_string,
    clippy::needless_for_each,
    clippy::redundant_closure_for_method_calls,
    clippy::wildcard_enum_match_arm,
    reason = "cases are written as they are thought, and exactly"
)]

mod arrows;
mod check;
mod gate;
mod json;
mod limit;
mod limit_shared;
mod limit_slots;
mod limit_stress;
mod plan;
mod policy;
mod router;
mod schema;
