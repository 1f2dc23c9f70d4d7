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

use super::super::graph::{Counts, Graph};
use super::super::judge::Judge;
use super::follower::{Follower, index, within};
use super::kinds::Kinds;
use super::node::{Ix, Rest};
use super::walk::Followed;
use super::{Asked, Refusal};
use crate::json::Value;

/// How parts are followed once more.
struct Again<'w> {
    followed: &'w mut Followed,
    /// It is the first time that somebody asks this of the value.
    first: bool,
}

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
        let mut followed = Followed::default();
        let by_text = self.work.whole.len();
        loop {
            if let Some(first) = self.refused {
                return Err(first);
            }
            if let Some((node, ix)) = self.work.whole.get(whole).copied() {
                // The text asks about each value once.
                let again = Again { followed: &mut followed, first: whole < by_text };
                whole = whole.saturating_add(1);
                self.whole(&mut judge, document.at(node), ix, again)?;
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

    /// Follows a part of the document once more, by another place of the plan; `own` is the node of what it is in. Gives
    /// what it took.
    fn again(&mut self, value: Value<'_>, place: Ix, own: Ix, again: &mut Again<'_>) -> u64 {
        let Again { followed, first } = again;
        let before = followed.work;
        if *first || followed.is_new(value.node(), place) {
            self.follow_part(value, place, own, followed);
        }
        followed.work.saturating_sub(before)
    }

    fn whole(
        &mut self,
        judge: &mut Judge<'_>,
        value: Value<'_>,
        ix: Ix,
        mut again: Again<'_>,
    ) -> Result<(), Refusal> {
        let kind = Kinds::of(value);
        let rests = self.node(ix).and_then(|node| self.plan.rests.get(index(node.rests)));
        for (which, (kinds, rest)) in (0..).zip(rests.into_iter().flatten()) {
            if !kinds.has(kind) {
                continue;
            }
            let asked = Asked::Whole(ix, which);
            if let Rest::Alone(id) = rest {
                let failed = judge.failed_of(*id, value);
                // What may have been long in finding out is not asked again.
                let asked = failed.and_then(|f| f.keyword_alone()).map_or(asked, Asked::Keyword);
                told(judge, value.node(), failed.is_none(), asked)?;
            } else {
                let holds = self.holds(judge, rest, value, (ix, &mut again));
                told(judge, value.node(), holds, asked)?;
            }
        }
        Ok(())
    }

    fn holds(
        &mut self,
        judge: &mut Judge<'_>,
        rest: &Rest,
        value: Value<'_>,
        (own, again): (Ix, &mut Again<'_>),
    ) -> bool {
        match rest {
            Rest::Chosen(choice) => match choice.place(value, &mut judge.questions) {
                Some(place) => {
                    judge.questions.spend(self.again(value, place, own, again));
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
                    judge.questions.spend(self.again(item, place, own, again));
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
            Rest::Values(_, values) => judge.questions.spend_on(|work| values.has(value, work)),
            Rest::Unique => judge.all_distinct(value),
            Rest::Contains(contains) => {
                let matching =
                    value.items().filter(|item| judge.follows(*item, contains.schema)).count();
                let counts = Counts { least: Some(contains.least), most: contains.most };
                within(counts, u32::try_from(matching).unwrap_or(u32::MAX))
            }
            Rest::Names(id) => value.members().all(|(name, _)| judge.follows_name(name, *id)),
            Rest::Alone(id) => judge.failed_of(*id, value).is_none(),
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
