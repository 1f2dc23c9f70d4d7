//! The security gate that a Python HTTP API carries inside itself.
//!
//! A team writes down what its API accepts (an OpenAPI document and a short `secval.toml`); [`policy`] compiles
//! that once; from then on [`gate`] judges every request before any of the team's code runs. Everything that
//! is not declared is refused.
//!
//! The map, bottom to top; a module may use those above it in this list, never those below, and the siblings of
//! one row never meet (`tests/rust/arrows.rs` holds this):
//!
//! | row | modules | question |
//! |---|---|---|
//! | 1 | [`reason`], [`clock`], [`sync`], `seed`, `bytes` | why refused, when, with which atomics, from which random bits; short questions about bytes |
//! | 2 | [`json`] | is this strictly JSON, and what does it say? |
//! | 3 | [`check`], [`schema`], [`limit`], [`event`] | is the value, the document, the rate what was declared? What happened? |
//! | 4 | [`policy`] | what does this API accept? |
//! | 5 | [`gate`] | may this request pass? |
//! | 6 | `py` | the same questions, asked from Python (feature `python`) |

mod bytes;
pub mod check;
pub mod clock;
pub mod event;
pub mod gate;
pub mod json;
pub mod limit;
pub mod policy;
pub mod reason;
pub mod schema;
mod seed;
pub mod sync;

#[cfg(feature = "python")]
mod py;
