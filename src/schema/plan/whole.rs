//! What is asked of whole values once the text has been read.
//!
//! A part that follows one schema among several, or an array whose items each have a schema of their own, is followed
//! through the plan once more, along the tape. All other questions are the slow judge's.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::super::equality;
use super::super::graph::{Counts, Graph};
use super::super::judge::Judge;
use super::follower::{Follower, index, within};
use super::kinds::Kinds;
use super::node::{Ix, Rest};
use super::{Asked, Refusal};
use crate::json::Value;

impl Follower<'_> {
    /// Whether all that has been read is valid; if not, what was asked where it is not. The document is the one that
    /// was followed.
    #[inline]
    pub(in crate::schema) fn verdict(
        self,
        document: Value<'_>,
        graph: &Graph,
    ) -> Result<(), Refusal> {
        if self.refused.is_none() && self.work.is_done() {
            return Ok(());
        }
        self.verdict_of_whole(document, graph)
    }

    /// The same where something is left to do.
    #[inline(never)]
    fn verdict_of_whole(mut self, document: Value<'_>, graph: &Graph) -> Result<(), Refusal> {
        let mut judge = Judge::new(graph);
        // What is followed once more may ask more.
        let (mut whole, mut implied) = (0_usize, 0_usize);
        loop {
            if let Some(first) = self.refused {
                return Err(first);
            }
            if let Some((node, ix)) = self.work.whole.get(whole).copied() {
                whole = whole.saturating_add(1);
                self.whole(&mut judge, document.at(node), ix)?;
            } else if let Some((node, table, which)) = self.work.implied.get(implied).copied() {
                implied = implied.saturating_add(1);
                let id = self.table(table).and_then(|members| members.demands.implies.get(which));
                let follows = id.is_some_and(|(_, id)| judge.follows(document.at(node), *id));
                told(&judge, node, follows, Asked::Implied(table, which))?;
            } else {
                break;
            }
        }
        if judge.is_unsure() {
            return Err(Refusal { node: 0, asked: Asked::Unknown });
        }
        for (table, last, next) in &self.work.lessons {
            if let Some(members) = self.table(*table) {
                members.names.learn(*last, *next);
            }
        }
        Ok(())
    }

    fn whole(&mut self, judge: &mut Judge<'_>, value: Value<'_>, ix: Ix) -> Result<(), Refusal> {
        let kind = Kinds::of(value);
        let rests = self.node(ix).and_then(|node| self.plan.rests.get(index(node.rests)));
        for (which, (kinds, rest)) in (0..).zip(rests.into_iter().flatten()) {
            if kinds.has(kind) {
                let holds = self.holds(judge, rest, value, ix);
                told(judge, value.node(), holds, Asked::Whole(ix, which))?;
            }
        }
        Ok(())
    }

    fn holds(&mut self, judge: &mut Judge<'_>, rest: &Rest, value: Value<'_>, own: Ix) -> bool {
        match rest {
            Rest::Chosen(choice) => match choice.place(value) {
                Some(place) => {
                    judge.spend(self.again(value, place, own));
                    true
                }
                None => false,
            },
            Rest::Tuple { prefix, beyond } => {
                for (n, item) in value.items().enumerate() {
                    let place = prefix.get(n).copied().unwrap_or(*beyond);
                    if place == Ix::ANY {
                        if n >= prefix.len() {
                            break;
                        }
                        continue;
                    }
                    judge.spend(self.again(item, place, own));
                }
                true
            }
            Rest::AnyOf(branches) => branches.iter().any(|id| judge.follows(value, *id)),
            // A second match decides.
            Rest::OneOf(branches) => {
                branches.iter().filter(|id| judge.follows(value, **id)).take(2).count() == 1
            }
            Rest::Not(id) => !judge.follows(value, *id),
            Rest::If(condition) => {
                let branch = if judge.follows(value, condition.test) {
                    condition.then
                } else {
                    condition.otherwise
                };
                branch.is_none_or(|id| judge.follows(value, id))
            }
            Rest::Values(_, values) => values.iter().any(|one| equality::equals(value, one)),
            Rest::Unique => equality::all_distinct(value),
            Rest::Contains(contains) => {
                let matching =
                    value.items().filter(|item| judge.follows(*item, contains.schema)).count();
                let counts = Counts { least: Some(contains.least), most: contains.most };
                within(counts, u32::try_from(matching).unwrap_or(u32::MAX))
            }
            Rest::Names(id) => value.members().all(|(name, _)| judge.follows_name(name, *id)),
            Rest::Follows(id) => judge.follows(value, *id),
        }
    }
}

/// What an answer means: none of the judge's counts when its questions are spent.
fn told(judge: &Judge<'_>, node: u32, holds: bool, asked: Asked) -> Result<(), Refusal> {
    if judge.is_spent() {
        return Err(Refusal { node, asked: Asked::TooMuch });
    }
    if holds { Ok(()) } else { Err(Refusal { node, asked }) }
}
