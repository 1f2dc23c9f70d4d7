//! A JSON Schema compiled once; bytes or documents judged against it.
//!
//! Draft 4, 6, 7, 2019-09 and 2020-12, complete. Nothing is ever fetched; patterns run in linear time; formats are
//! asserted and unknown ones refused; numbers compare exactly. All schemas of an application are added to one
//! [`SetBuilder`] and judged by one [`Set`], which never changes. What a schema's author got wrong is told all at once,
//! each fault with its pointer. What a value violates is told without repeating anything that was sent.
//!
//! | file | what |
//! |---|---|
//! | `builder.rs`, `resources.rs`, `set.rs` | schemas collected, compiled, and judged by |
//! | `dialect.rs`, `meta.rs` | the drafts, and schemas against their meta-schemas |
//! | `survey.rs`, `graph.rs` | schemas, read once into a graph that all drafts share |
//! | `formats.rs`, `quick.rs`, `rfc3339.rs`, `pattern.rs`, `runs.rs`, `engine.rs`, `number.rs`, `divisor.rs`, `listed.rs`, `equality.rs` | the parts that schemas are made of |
//! | `arbiter.rs`, `instance.rs`, `stack.rs` | the `jsonschema` crate, which has the last word, over our documents |
//! | `assertion.rs`, `judge.rs`, `questions.rs`, `closed.rs` | what a schema says by itself, which branches a value follows and how much may be asked for that, and members that no schema declares |
//! | `plan/` | the fast path: all schemas of a set in one plan, which judges while the parser reads |
//! | `declared.rs`, `violation.rs` | what is told about a violation, and which members may be named |
//!
//! ```
//! use std::borrow::Cow;
//! use secval::json::{Limits, Tape};
//! use secval::schema::{Fault, Options, SetBuilder};
//!
//! let schema = serde_json::json!({"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}});
//! let mut builder = SetBuilder::new();
//! let amount = builder.add(&schema, None, &Options::default()).unwrap();
//! let set = builder.build().unwrap();
//!
//! let judge = |text: &'static [u8]| set.judge(amount, text, &Limits::default(), Tape::default());
//! assert!(judge(br#"{"amount": 12}"#).is_ok());
//! let Err(Fault::Schema(violation)) = judge(br#"{"amount": 0}"#) else { panic!() };
//! assert_eq!((violation.pointer.as_str(), violation.keyword), ("/amount", "minimum"));
//! ```

mod arbiter;
mod assertion;
mod builder;
mod closed;
mod declared;
mod dialect;
mod divisor;
mod engine;
mod equality;
mod formats;
mod graph;
mod instance;
mod judge;
mod listed;
mod meta;
mod number;
mod pattern;
mod plan;
mod questions;
mod quick;
mod receiver;
mod resources;
mod rfc3339;
mod runs;
mod set;
mod stack;
mod survey;
mod violation;

pub use builder::SetBuilder;
pub use dialect::Dialect;
pub use formats::{FormatRule, Formats};
pub use instance::{Instance, Tree};
pub use plan::Explanation;
pub use receiver::{DeclaredName, Receiver, Unmade};
pub use set::{Planned, Set};
pub use violation::Violation;

use crate::json;

/// How a schema is compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// For schemas without `$schema`; 2020-12 when not given.
    pub dialect: Option<Dialect>,
    /// Refuse members that are not declared.
    pub closed: bool,
    /// Formats.
    pub formats: Formats,
}

/// A fault of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// Pointer into the schema (or, for a `base`, into that resource).
    pub pointer: String,
    /// What is wrong. For the schema's author: may name what the schema says.
    pub message: String,
}

/// A compiled schema of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SchemaId(u32);

/// Why bytes are refused.
#[derive(Debug)]
pub enum Fault {
    /// No strict JSON.
    Json(json::Error),
    /// Not what the schema says: the first violation.
    Schema(Box<Violation>),
}
