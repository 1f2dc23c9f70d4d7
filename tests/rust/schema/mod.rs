//! The schema room: the public suites, and our own cases as data.

mod attack;
mod cases;
pub(crate) mod first;
mod suite;

use std::borrow::Cow;

use secval::json::{Document, Limits, Tape, parse};
use secval::schema::Tree;

/// Room for whatever a test holds.
fn generous() -> Limits {
    Limits { max_depth: 1 << 20, max_number_chars: 1 << 20, ..Limits::default() }
}

/// A value as one of our documents, with room for whatever a test holds.
fn document(value: &serde_json::Value) -> Document<'static> {
    parse(Cow::Owned(value.to_string().into_bytes()), &generous(), Tape::default())
        .expect("strict JSON")
}

#[test]
fn our_documents_are_what_the_arbiter_expects() {
    use jsonschema::json::conformance::{assert_conformance, document as sample};
    let document = document(&sample());
    assert_conformance::<Tree>(&secval::schema::Instance::Value(document.root()));
}
