//! Strict JSON, held to cases as data, to public suites, and to a slow obvious oracle.

mod cases;
mod oracle;
mod places;
mod properties;
mod strain;
mod suite;
mod unproven;
mod writing;

use std::borrow::Cow;

use secval::json::{Document, Error, Limits, Tape, parse};

use oracle::tree;

/// Parses under these limits, with new buffers.
fn read<'t>(text: &'t [u8], limits: &Limits) -> Result<Document<'t>, Error> {
    parse(Cow::Borrowed(text), limits, Tape::default())
}
