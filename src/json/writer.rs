//! Documents from values instead of text: what Python objects and parameters become, under the same rules.

use super::document::Document;
use super::error::Error;
use super::limits::Limits;

/// Writes one document, value by value. The faults of a text are faults here too, with the offset of the text written.
#[derive(Debug)]
pub struct Writer {
    limits: Limits,
}

#[expect(clippy::unused_self, unused_variables, reason = "being built")]
impl Writer {
    /// A writer under these ceilings.
    pub fn new(limits: &Limits) -> Self {
        Self { limits: *limits }
    }
    /// `null`
    pub fn null(&mut self) -> Result<(), Error> { todo!() }
    /// `true` or `false`
    pub fn bool(&mut self, value: bool) -> Result<(), Error> { todo!() }
    /// A number, in JSON's own spelling; anything else is `json.number`.
    pub fn number(&mut self, text: &str) -> Result<(), Error> { todo!() }
    /// A string.
    pub fn string(&mut self, text: &str) -> Result<(), Error> { todo!() }
    /// `[`
    pub fn begin_array(&mut self) -> Result<(), Error> { todo!() }
    /// `]`
    pub fn end_array(&mut self) -> Result<(), Error> { todo!() }
    /// `{`
    pub fn begin_object(&mut self) -> Result<(), Error> { todo!() }
    /// `}`
    pub fn end_object(&mut self) -> Result<(), Error> { todo!() }
    /// A member's name; a repeated one is `json.duplicate_key`.
    pub fn name(&mut self, name: &str) -> Result<(), Error> { todo!() }
    /// The document, if it is complete.
    pub fn finish(self) -> Result<Document<'static>, Error> { todo!() }
}
