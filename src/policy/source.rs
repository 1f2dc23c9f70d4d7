//! Where a policy's text comes from, and the line of each of its values (being built).

use std::path::Path;

use super::Fault;

/// A parsed document with its name and the lines of its values.
#[derive(Debug)]
pub struct Source {}

impl Source {
    /// Reads JSON, YAML or TOML, by the file's ending.
    pub fn file(_path: &Path) -> Result<Self, Vec<Fault>> {
        todo!()
    }
    /// Reads JSON text.
    pub fn json(_name: &str, _text: &str) -> Result<Self, Vec<Fault>> {
        todo!()
    }
    /// A value that is in memory already; it has no lines.
    pub fn memory(_name: &str, _value: serde_json::Value) -> Self {
        todo!()
    }
}
