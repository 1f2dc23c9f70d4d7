//! A document as a `serde_json` value, without recursion.

#![forbid(unsafe_code)]

use serde_json::{Map, Value as Serde};

use super::document::{Items, Kind, Members, Value};
use super::error::Error;
use crate::reason::Reason;

/// Levels that are converted. `serde_json`'s values are dropped, compared and printed by recursion, some 250
/// bytes of stack a level: 512 fit the smallest thread in use (256 KiB) twice over, double would not; at half,
/// generated schemas of real applications would be refused.
const LEVELS: usize = 512;

/// A container that is being converted; of an object, with the name of the member that is next.
enum Open<'d> {
    Array(Vec<Serde>, Items<'d>),
    Object(Map<String, Serde>, Members<'d>, &'d str),
}

impl<'d> Open<'d> {
    fn next(&mut self) -> Option<Value<'d>> {
        match self {
            Self::Array(_, items) => items.next(),
            Self::Object(_, members, last) => {
                let (name, value) = members.next()?;
                *last = name;
                Some(value)
            }
        }
    }

    fn put(&mut self, value: Serde) {
        match self {
            Self::Array(array, _) => array.push(value),
            Self::Object(object, _, name) => {
                object.insert((*name).to_owned(), value);
            }
        }
    }

    fn done(self) -> Serde {
        match self {
            Self::Array(array, _) => Serde::Array(array),
            Self::Object(object, ..) => Serde::Object(object),
        }
    }
}

pub(super) fn convert(root: Value<'_>) -> Result<Serde, Error> {
    let mut open = Vec::new();
    let mut value = root;
    loop {
        let mut made = match value.kind() {
            Kind::Array | Kind::Object if open.len() >= LEVELS => {
                return Err(Error::new(Reason::JsonDepth, value.offset()));
            }
            Kind::Array => {
                open.push(Open::Array(Vec::with_capacity(value.len()), value.items()));
                None
            }
            Kind::Object => {
                open.push(Open::Object(Map::new(), value.members(), ""));
                None
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => Some(scalar(value)?),
        };
        // Puts what is complete into what is around it, until something there is still to be converted.
        value = loop {
            let Some(mut top) = open.pop() else { return Ok(made.unwrap_or_default()) };
            if let Some(made) = made.take() {
                top.put(made);
            }
            match top.next() {
                Some(next) => {
                    open.push(top);
                    break next;
                }
                None => made = Some(top.done()),
            }
        };
    }
}

fn scalar(value: Value<'_>) -> Result<Serde, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.into());
    }
    if let Some(number) = value.as_number() {
        let number = number.text().parse().map(Serde::Number);
        return number.map_err(|_| Error::new(Reason::JsonNumber, value.offset()));
    }
    Ok(value.as_bool().map_or(Serde::Null, Serde::Bool))
}
