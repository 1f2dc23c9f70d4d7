//! The tests of the core that need no Python, one module a room.

mod arrows;
mod check;
mod gate;
mod json;
mod limit;
mod limit_shared;
mod plan;
mod policy;
mod schema;
