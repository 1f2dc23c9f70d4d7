//! What an API accepts: OpenAPI and `secval.toml`, compiled to operations and routes.

pub mod model;
pub mod router;
mod source;
pub mod summary;

use std::path::Path;

pub use model::{Operation, Policy};
pub use source::Source;

/// A fault of a policy, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// Pointer into it.
    pub pointer: String,
    /// Line, from 1; 0 where there is none.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Policy {
    /// Compiles a document and a configuration; or all faults of both.
    pub fn compile(_document: Source, _config: Option<Source>) -> Result<Self, Vec<Fault>> {
        todo!()
    }
    /// Compiles a `secval.toml`, with the document that it names; or an OpenAPI document alone.
    pub fn load(_path: &Path) -> Result<Self, Vec<Fault>> {
        todo!()
    }
}
