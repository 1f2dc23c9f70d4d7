//! JSON, read by the strict reader that requests are read by.

use std::borrow::Cow;

use super::lines::Lines;
use super::node::{Data, Node};
use super::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
use crate::json::{self, Kind, Limits, Tape, Value};
use crate::policy::fault::Fault;

pub(super) fn read(name: &str, text: &str) -> Result<Node, Vec<Fault>> {
    let limits = Limits {
        max_depth: MAX_DEPTH,
        max_nodes: Some(MAX_NODES),
        max_bytes: usize::try_from(MAX_BYTES).ok(),
        ..Limits::default()
    };
    match json::parse(Cow::Borrowed(text.as_bytes()), &limits, Tape::default()) {
        Ok(document) => Ok(node(document.root(), text, &Lines::of(text))),
        Err(error) => {
            let place = json::place(text.as_bytes(), error.offset());
            let (line, pointer) = (place.line, place.pointer);
            let message = format!("{}, at column {}", error.reason(), place.column);
            Err(vec![Fault { file: name.to_owned(), line, pointer, message }])
        }
    }
}

/// Recurses no deeper than [`MAX_DEPTH`].
fn node(value: Value<'_>, text: &str, lines: &Lines) -> Node {
    let line = lines.line(value.offset());
    let data = match value.kind() {
        Kind::Null => Data::Null,
        Kind::Bool => Data::Bool(value.as_bool() == Some(true)),
        // Whatever the strict reader calls a number is one to `serde_json` too.
        Kind::Number => value
            .as_number()
            .and_then(|number| number.text().parse().ok())
            .map_or(Data::Null, Data::Number),
        Kind::String => Data::String(value.as_str().unwrap_or_default().to_owned()),
        Kind::Array => Data::Array(value.items().map(|item| node(item, text, lines)).collect()),
        Kind::Object => {
            let member = |(name, value): (&str, Value<'_>)| {
                let mut member = node(value, text, lines);
                member.line = lines.line(name_end(text, value.offset()));
                (name.to_owned(), member)
            };
            Data::Object(value.members().map(member).collect())
        }
    };
    Node::new(line, data)
}

/// A byte of the name's line, given where its value begins: between the two are blanks and one colon.
fn name_end(text: &str, value: usize) -> usize {
    let between = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b':';
    text.as_bytes()
        .get(..value)
        .and_then(|before| before.iter().rposition(between))
        .unwrap_or(value)
}
