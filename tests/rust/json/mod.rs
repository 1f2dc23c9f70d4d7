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

use secval::json::{Document, Error, Kind, Limits, Tape, Value, parse};

use oracle::{Node, Tree};

/// Parses under these limits, with new buffers.
fn read<'t>(text: &'t [u8], limits: &Limits) -> Result<Document<'t>, Error> {
    parse(Cow::Borrowed(text), limits, Tape::default())
}

/// A document as the oracle's tree, spans left out.
fn tree(value: Value<'_>) -> Node {
    match value.kind() {
        Kind::Null => Node::Null,
        Kind::Bool => Node::Bool(value.as_bool().expect("a bool")),
        Kind::String => Node::String(value.as_str().expect("a string").to_owned()),
        Kind::Number => {
            let number = value.as_number().expect("a number");
            Node::Number(number.text().to_owned(), number.is_integer_literal())
        }
        Kind::Array => {
            assert_eq!(value.items().count(), value.len());
            Node::Array(value.items().map(Tree::of).collect())
        }
        Kind::Object => {
            assert_eq!(value.members().count(), value.len());
            Node::Object(value.members().map(|(n, v)| (n.to_owned(), Tree::of(v))).collect())
        }
    }
}

impl Tree {
    fn of(value: Value<'_>) -> Self {
        Self::new(tree(value), value.offset())
    }
}
