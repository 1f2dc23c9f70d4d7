//! JSON Schema's equality: numbers by value, objects without order.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value as Serde;

use super::number::Decimal;
use super::stack;
use crate::json::{Kind, Value};
use crate::seed::QualityState;

/// Whether a value equals one of a schema's.
pub(super) fn equals(value: Value<'_>, expected: &Serde) -> bool {
    match expected {
        Serde::Null => value.kind() == Kind::Null,
        Serde::Bool(expected) => value.as_bool() == Some(*expected),
        Serde::String(expected) => value.as_str() == Some(expected),
        Serde::Number(expected) => value.as_number().is_some_and(|number| {
            Decimal::parse(number.text()) == Decimal::parse(expected.as_str())
        }),
        Serde::Array(expected) => {
            value.kind() == Kind::Array
                && value.len() == expected.len()
                && value.items().zip(expected).all(|(item, expected)| equals(item, expected))
        }
        // Names are unique on both sides, so as many members that are all expected are the same.
        Serde::Object(expected) => {
            value.kind() == Kind::Object
                && value.len() == expected.len()
                && value.members().all(|(name, member)| {
                    expected.get(name).is_some_and(|expected| equals(member, expected))
                })
        }
    }
}

/// Whether no two items of an array are equal. In time n·log n of the array's bytes, whatever they are: every item
/// is spelled in one way, and spellings are compared by a hash seeded by the operating system, then by bytes.
pub(super) fn all_distinct(array: Value<'_>) -> bool {
    let mut spelled = Vec::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    for item in array.items() {
        let start = spelled.len();
        spell(item, &mut spelled);
        places.push(start..spelled.len());
    }
    let mut seen = HashSet::with_capacity_and_hasher(places.len(), QualityState::default());
    places.into_iter().all(|place| seen.insert(spelled.get(place).unwrap_or_default()))
}

/// A value, written such that equal values, and no others, are written alike.
pub(super) fn spelled(value: Value<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    spell(value, &mut text);
    text
}

/// The same of a schema's scalar; `None` for an array or an object.
pub(super) fn spelled_scalar(value: &Serde) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    match value {
        Serde::Null => text.push(b'n'),
        Serde::Bool(value) => text.push(if *value { b't' } else { b'f' }),
        Serde::Number(number) => spell_number(number.as_str(), &mut text),
        Serde::String(string) => spell_text(string, &mut text),
        Serde::Array(_) | Serde::Object(_) => return None,
    }
    Some(text)
}

/// Writes a value such that equal values, and no others, are written alike.
fn spell(value: Value<'_>, into: &mut Vec<u8>) {
    match value.kind() {
        Kind::Null => into.push(b'n'),
        Kind::Bool => into.push(if value.as_bool() == Some(true) { b't' } else { b'f' }),
        Kind::Number => spell_number(value.as_number().map_or("0", |number| number.text()), into),
        Kind::String => spell_text(value.as_str().unwrap_or_default(), into),
        Kind::Array => {
            let start = open(b'[', into);
            stack::deeper(|| value.items().for_each(|item| spell(item, into)));
            close(start, into);
        }
        Kind::Object => {
            let mut members: Vec<_> = value.members().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let start = open(b'{', into);
            stack::deeper(|| {
                for (name, member) in members {
                    spell_text(name, into);
                    spell(member, into);
                }
            });
            close(start, into);
        }
    }
}

fn spell_number(text: &str, into: &mut Vec<u8>) {
    let start = open(b'#', into);
    Decimal::parse(text).spell(into);
    close(start, into);
}

fn spell_text(text: &str, into: &mut Vec<u8>) {
    let start = open(b'"', into);
    into.extend_from_slice(text.as_bytes());
    close(start, into);
}

/// Begins something of any length: a mark, and room for the length.
fn open(mark: u8, into: &mut Vec<u8>) -> usize {
    into.push(mark);
    into.extend_from_slice(&[0; 8]);
    into.len()
}

/// Ends it: writes the length, so that no content can look like another's end.
fn close(start: usize, into: &mut [u8]) {
    let length = into.len().saturating_sub(start) as u64;
    if let Some(room) = into.get_mut(start.saturating_sub(8)..start) {
        room.copy_from_slice(&length.to_be_bytes());
    }
}

/// A copy for the crate, where its trait asks for one.
pub(super) fn to_serde(value: Value<'_>) -> Serde {
    match value.kind() {
        Kind::Null => Serde::Null,
        Kind::Bool => Serde::Bool(value.as_bool() == Some(true)),
        Kind::Number => {
            Serde::Number(to_number(value.as_number().map_or("0", |number| number.text())))
        }
        Kind::String => Serde::from(value.as_str().unwrap_or_default()),
        Kind::Array => stack::deeper(|| Serde::Array(value.items().map(to_serde).collect())),
        Kind::Object => stack::deeper(|| {
            let members = value.members().map(|(name, member)| (name.to_owned(), to_serde(member)));
            Serde::Object(members.collect())
        }),
    }
}

/// A number with all its digits.
pub(super) fn to_number(text: &str) -> serde_json::Number {
    text.parse().unwrap_or_else(|_| serde_json::Number::from(0))
}
