//! The tests of the core that need no Python, one module a room.

mod arrows;
mod limit;
mod check;
mod json;
mod schema;
