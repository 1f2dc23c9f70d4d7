//! JSON Schema's equality: numbers by value, objects without order.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_json::Value as Serde;

use super::number::Decimal;
use super::stack;
use crate::json::{Kind, Value};
use crate::seed::{FastState, QualityState};

/// Whether a value equals one of a schema's; `work` is told how many nodes it took to say so.
pub(super) fn equals(value: Value<'_>, expected: &Serde, work: &mut u64) -> bool {
    *work = work.saturating_add(1);
    match expected {
        Serde::Null => value.kind() == Kind::Null,
        Serde::Bool(expected) => value.as_bool() == Some(*expected),
        Serde::String(expected) => value.as_str() == Some(expected),
        Serde::Number(expected) => value.as_number().is_some_and(|number| {
            number.text() == expected.as_str()
                || Decimal::parse(number.text()) == Decimal::parse(expected.as_str())
        }),
        Serde::Array(expected) => {
            value.kind() == Kind::Array
                && value.len() == expected.len()
                && value.items().zip(expected).all(|(item, expected)| equals(item, expected, work))
        }
        // Names are unique on both sides, so as many members that are all expected are the same.
        Serde::Object(expected) => {
            value.kind() == Kind::Object
                && value.len() == expected.len()
                && value.members().all(|(name, member)| {
                    expected.get(name).is_some_and(|expected| equals(member, expected, work))
                })
        }
    }
}

/// Whether no two items of an array are equal; `work` is told how many nodes it took to say so.
///
/// Items are spelled, each in one way, and spellings are compared by a hash seeded by the operating system, then by bytes.
/// Equal values take as many nodes of the tape, so only those are spelled that are not alone with their number: they are
/// at most half of what is around them, and no value is spelled at more than log n of the levels around it.
pub(super) fn all_distinct(array: Value<'_>, work: &mut u64) -> bool {
    if array.len() < 2 {
        return true;
    }
    let (mut spelled, mut nodes) = (Vec::new(), array.len());
    let mut sizes: HashMap<usize, usize, FastState> = HashMap::default();
    if array.size() == nodes.saturating_add(1) {
        // Nothing is in them.
        sizes.insert(1, nodes);
    } else {
        for item in array.items() {
            *sizes.entry(item.size()).or_default() += 1;
        }
    }
    let mut places: Vec<Range<usize>> = Vec::new();
    for item in array.items() {
        let size = item.size();
        if sizes.get(&size).is_some_and(|fellows| *fellows > 1) {
            let start = spelled.len();
            spell(item, &mut spelled);
            places.push(start..spelled.len());
            nodes = nodes.saturating_add(size);
        }
    }
    *work = work.saturating_add(nodes as u64);
    let mut seen = HashSet::with_capacity_and_hasher(places.len(), QualityState::default());
    places.into_iter().all(|place| seen.insert(spelled.get(place).unwrap_or_default()))
}

/// A value, written such that equal values, and no others, are written alike.
pub(super) fn spelled(value: Value<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    spell(value, &mut text);
    text
}

/// The same of a text.
pub(super) fn spelled_text(value: &str) -> Vec<u8> {
    let mut text = Vec::new();
    spell_text(value, &mut text);
    text
}

/// The same of one of a schema's values.
pub(super) fn spelled_expected(value: &Serde) -> Vec<u8> {
    let mut text = Vec::new();
    spell_expected(value, &mut text);
    text
}

/// The nodes that one of a schema's values would take on a tape.
pub(super) fn size(value: &Serde) -> usize {
    match value {
        Serde::Null | Serde::Bool(_) | Serde::Number(_) | Serde::String(_) => 1,
        Serde::Array(items) => stack::deeper(|| items.iter().map(size).sum::<usize>() + 1),
        Serde::Object(members) => {
            stack::deeper(|| members.values().map(|member| size(member) + 1).sum::<usize>() + 1)
        }
    }
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

/// The same of one of a schema's.
fn spell_expected(value: &Serde, into: &mut Vec<u8>) {
    match value {
        Serde::Null => into.push(b'n'),
        Serde::Bool(value) => into.push(if *value { b't' } else { b'f' }),
        Serde::Number(number) => spell_number(number.as_str(), into),
        Serde::String(string) => spell_text(string, into),
        Serde::Array(items) => {
            let start = open(b'[', into);
            stack::deeper(|| items.iter().for_each(|item| spell_expected(item, into)));
            close(start, into);
        }
        Serde::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let start = open(b'{', into);
            stack::deeper(|| {
                for (name, member) in members {
                    spell_text(name, into);
                    spell_expected(member, into);
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
