//! TOML 1.1, with the line of each key.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use super::node::{Data, Node};
use super::{MAX_DEPTH, whole};
use crate::policy::fault::Fault;

pub(super) fn read(name: &str, text: &str) -> Result<Node, Vec<Fault>> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { name, lines, faults: Vec::new() };
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        reader.fault(offset, format!("is no TOML: {}", error.message()));
    }
    if !reader.faults.is_empty() {
        // What the parser made up to go on is not what the author wrote.
        return Err(reader.faults);
    }
    let data = reader.table(table.get_ref(), MAX_DEPTH);
    if reader.faults.is_empty() { Ok(Node::new(1, data)) } else { Err(reader.faults) }
}

struct Reader<'n> {
    name: &'n str,
    lines: Lines,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, offset: usize, message: impl Into<String>) {
        self.faults.push(whole(self.name, self.lines.line(offset), message));
    }

    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Data {
        let mut members: Vec<_> = table.iter().collect();
        // The parser keeps them by name; the author's order is that of the text.
        members.sort_by_key(|(key, _)| key.span().start);
        let member = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let mut node = self.value(value, depth);
            node.line = self.lines.line(key.span().start);
            (AsRef::<str>::as_ref(key.get_ref()).to_owned(), node)
        };
        Data::Object(members.into_iter().map(member).collect())
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let offset = value.span().start;
        let Some(inner) = depth.checked_sub(1) else {
            self.fault(offset, format!("nested deeper than {MAX_DEPTH} levels"));
            return Node::new(self.lines.line(offset), Data::Null);
        };
        let data = match value.get_ref() {
            DeValue::String(text) => Data::String(text.clone().into_owned()),
            DeValue::Integer(integer) => {
                let value = i64::from_str_radix(integer.as_str(), integer.radix());
                value.map_or_else(
                    |_| {
                        self.fault(offset, "an integer of TOML has 64 bits");
                        Data::Null
                    },
                    |value| Data::Number(value.into()),
                )
            }
            DeValue::Float(float) => {
                let value = float.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                value.map_or_else(
                    || {
                        self.fault(offset, "only finite numbers mean something here");
                        Data::Null
                    },
                    Data::Number,
                )
            }
            DeValue::Boolean(value) => Data::Bool(*value),
            // Whoever wants a date reads it as such: JSON has none either.
            DeValue::Datetime(value) => Data::String(value.to_string()),
            DeValue::Array(items) => {
                Data::Array(items.iter().map(|item| self.value(item, inner)).collect())
            }
            DeValue::Table(table) => self.table(table, inner),
        };
        Node::new(self.lines.line(offset), data)
    }
}
