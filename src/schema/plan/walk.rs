//! The follower's walk over a document that is there already, or over a part of one.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::collections::HashSet;

use super::follower::Follower;
use super::kinds::Kinds;
use super::node::Ix;
use crate::json::{Content, Items, Kind, Members, Observer, Value};
use crate::seed::FastState;

/// The parts of a document that were followed more than once, each by which places.
///
/// A value and one that it is in may both choose branches that lead to the same place below them. Without this, each level
/// would follow all that is below it as often again.
#[derive(Debug, Default)]
pub(super) struct Followed {
    places: HashSet<(u32, Ix), FastState>,
    /// Values that were looked at, with what it takes to remember some, and with what long texts take.
    pub(super) work: u64,
}

impl Followed {
    /// Values that are looked at before any is remembered: most documents have no more that are followed twice.
    const REMEMBERED_AFTER: u64 = 1 << 10;

    /// What remembering takes, in looks at values.
    const REMEMBERING: u64 = 3;

    /// Whether a container was not followed yet by a place; it will be now.
    pub(super) fn is_new(&mut self, node: u32, place: Ix) -> bool {
        if self.work < Self::REMEMBERED_AFTER {
            return true;
        }
        self.work = self.work.saturating_add(Self::REMEMBERING);
        self.places.insert((node, place))
    }
}

/// Bytes of a text that are looked at in the time of a look at a value, by some assertions.
const BYTES: usize = 4;

/// A container that the walk is in: what is left of it, its node on the tape, and how many items or members it has.
enum Open<'d> {
    Array(Items<'d>, u32, u32),
    Object(Members<'d>, u32, u32),
}

impl Follower<'_> {
    /// Follows a part of the document by a place of the plan; `own` is the node of what it is in.
    pub(super) fn follow_part(
        &mut self,
        part: Value<'_>,
        place: Ix,
        own: Ix,
        followed: &mut Followed,
    ) {
        self.open();
        self.at.own = own;
        self.go(place);
        self.walk(part, Some(followed));
        self.close();
    }

    /// Follows a document that is there already, as the parser would have told of it.
    pub(in crate::schema) fn follow(&mut self, document: Value<'_>) {
        self.walk(document, None);
    }

    /// Judges a value that has no others in it: what its bytes take.
    fn scalar(&mut self, value: Value<'_>) -> usize {
        let node = value.node();
        let (Ok(()), bytes) = match value.kind() {
            Kind::Bool => (self.bool(node, value.as_bool() == Some(true)), 0),
            Kind::Number => match value.as_number() {
                Some(number) => (self.number(node, number), number.text().len()),
                None => (Ok(()), 0),
            },
            Kind::String => {
                let text = value.as_str().unwrap_or_default();
                let asked = if self.is_free(Kinds::STRING) { 0 } else { text.len() };
                (self.string(node, Content::of(text)), asked)
            }
            Kind::Null | Kind::Array | Kind::Object => (self.null(node), 0),
        };
        bytes / BYTES
    }

    /// The same for a part, but does not go into what may be anything, nor into what was followed by the same place before.
    fn walk(&mut self, value: Value<'_>, mut followed: Option<&mut Followed>) {
        let mut open: Vec<Open<'_>> = Vec::new();
        let mut next = Some(value);
        loop {
            if let Some(value) = next.take() {
                let node = value.node();
                take(&mut followed, 1);
                let mut is_known = || {
                    let followed = followed.as_deref_mut().filter(|_| !open.is_empty());
                    followed.is_some_and(|followed| !followed.is_new(node, self.next))
                };
                let Ok(()) = match value.kind() {
                    Kind::Null | Kind::Bool | Kind::Number | Kind::String => {
                        take(&mut followed, self.scalar(value));
                        Ok(())
                    }
                    // Nothing is asked of what is in it.
                    Kind::Array if self.is_free(Kinds::ARRAY) => Ok(()),
                    Kind::Object if self.is_free(Kinds::OBJECT) => Ok(()),
                    Kind::Array | Kind::Object if is_known() => Ok(()),
                    Kind::Array => {
                        open.push(Open::Array(value.items(), node, count(value)));
                        self.begin_array(node)
                    }
                    Kind::Object => {
                        open.push(Open::Object(value.members(), node, count(value)));
                        let Ok(()) = self.begin_object(node);
                        if let Some(table) = self.object().and_then(|table| self.table(table)) {
                            take(&mut followed, table.demands.needs.len());
                        }
                        Ok(())
                    }
                };
            }
            let Ok(()) = match open.last_mut() {
                None => return,
                Some(Open::Array(items, node, count)) => {
                    next = items.next();
                    if next.is_some() { Ok(()) } else { self.end_array(*node, *count) }
                }
                Some(Open::Object(members, node, count)) => match members.next() {
                    Some((name, member)) => {
                        take(&mut followed, name.len() / BYTES);
                        next = Some(member);
                        let Ok(_) = self.name(0, name);
                        Ok(())
                    }
                    None => self.end_object(*node, *count),
                },
            };
            if next.is_none() {
                open.pop();
            }
        }
    }
}

/// Notes what a look takes, where that counts.
#[inline]
fn take(followed: &mut Option<&mut Followed>, looks: usize) {
    if let Some(followed) = followed {
        followed.work = followed.work.saturating_add(u64::try_from(looks).unwrap_or(u64::MAX));
    }
}

fn count(value: Value<'_>) -> u32 {
    u32::try_from(value.len()).unwrap_or(u32::MAX)
}
