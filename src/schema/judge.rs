//! Whether a value follows a node of the graph: every keyword that the graph knows, read off the document.
//!
//! The slow and obvious way, for what must know which of several schemas a value follows. It agrees with the arbiter on
//! whole schemas by test. Depth costs heap ([`stack`]); schemas that branch into themselves are judged once for each
//! value, not once for each way that leads there.

use std::collections::HashMap;

use super::arbiter::Arbiter;
use super::assertion::{Failed, Subject, failed};
use super::equality;
use super::graph::{Counts, Graph, NodeId, Schema};
use super::pattern::Pattern;
use super::questions::Questions;
use super::stack;
use crate::json::{Kind, Value};

/// References followed before answers are remembered: most schemas never get there, and remembering costs more than
/// judging a small value twice.
const REMEMBERED_AFTER: u32 = 64;

/// Questions that one judgement may take, those that follow from others included. At half, arrays of tens of thousands
/// of items that may each follow one of several schemas are refused; at double, a body that was written to that end takes
/// twice the tenth of a second.
const QUESTIONS: u64 = 1 << 22;

#[cfg(test)]
thread_local! {
    /// All questions that this thread has asked.
    pub(super) static ASKED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// One judgement; remembers within it. When its questions are spent, none of its answers counts any more: ask
/// [`Judge::is_spent`].
#[derive(Debug)]
pub(super) struct Judge<'g> {
    graph: &'g Graph,
    followed: u32,
    answers: HashMap<(NodeId, u32), bool>,
    unsure: bool,
    pub(super) questions: Questions,
}

impl<'g> Judge<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        let questions = Questions::new(QUESTIONS);
        Self { graph, followed: 0, answers: HashMap::new(), unsure: false, questions }
    }

    /// One that answers so many questions, and remembers from the first.
    pub(super) fn limited(graph: &'g Graph, left: u64) -> Self {
        let questions = Questions::new(left);
        Self { questions, followed: REMEMBERED_AFTER, ..Self::new(graph) }
    }

    /// Whether there were more questions than may be answered.
    pub(super) fn is_spent(&self) -> bool {
        self.questions.is_spent()
    }

    /// The first assertion of a schema that a value violates by itself.
    pub(super) fn failed(&mut self, schema: &'g Schema, value: Value<'_>) -> Option<Failed<'g>> {
        self.questions.spend(1);
        failed(schema, Subject::Value(value), &mut self.questions)
    }

    /// The same of one by its node.
    pub(super) fn failed_of(&mut self, id: NodeId, value: Value<'_>) -> Option<Failed<'g>> {
        self.failed(self.graph.get(id), value)
    }

    /// Whether no two items of an array are equal.
    pub(super) fn all_distinct(&mut self, array: Value<'_>) -> bool {
        self.questions.spend_on(|work| equality::all_distinct(array, work))
    }

    /// Whether the value follows the schema.
    pub(super) fn follows(&mut self, value: Value<'_>, id: NodeId) -> bool {
        self.subject(Subject::Value(value), id)
    }

    /// Whether a member's name, taken as a value, follows the schema.
    pub(super) fn follows_name(&mut self, name: &str, id: NodeId) -> bool {
        self.subject(Subject::Name(name), id)
    }

    /// Whether some answer depended on a keyword that the graph does not know. None of the answers counts then.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure
    }

    fn subject(&mut self, subject: Subject<'_>, id: NodeId) -> bool {
        #[cfg(test)]
        ASKED.set(ASKED.get() + 1);
        self.questions.spend(1);
        if self.is_spent() {
            return false;
        }
        let schema = self.graph.get(id);
        if let Some(always) = schema.always {
            return always;
        }
        if let Some(rest) = &schema.arbiter {
            return self.arbitrated(rest, subject);
        }
        self.unsure |= !schema.rest.is_empty();
        failed(schema, subject, &mut self.questions).is_none()
            && self.content(schema, subject)
            && (schema.in_place().next().is_none()
                || stack::deeper(|| self.choices(schema, subject)))
    }

    /// Whether the value follows a schema that only the arbiter knows. If that has no answer, nor has this judgement: a `not`
    /// around it would make a yes of no answer.
    fn arbitrated(&mut self, arbiter: &Arbiter, subject: Subject<'_>) -> bool {
        let most = self.questions.left();
        let answer = match subject {
            Subject::Value(value) => arbiter.is_valid_within(value, most),
            Subject::Name(name) => arbiter.is_valid_name_within(name, most),
        };
        let Ok((valid, looks)) = answer else {
            self.questions.give_up();
            return false;
        };
        self.questions.spend(looks);
        valid
    }

    fn content(&mut self, schema: &Schema, subject: Subject<'_>) -> bool {
        match subject {
            Subject::Name(_) => true,
            Subject::Value(value) => match value.kind() {
                Kind::Null | Kind::Bool | Kind::Number | Kind::String => true,
                Kind::Array => stack::deeper(|| self.items(schema, value)),
                Kind::Object => stack::deeper(|| self.members(schema, value)),
            },
        }
    }

    fn items(&mut self, schema: &Schema, array: Value<'_>) -> bool {
        let all = schema.items.is_some() || schema.unevaluated_items.is_some();
        let told = if all { array.len() } else { schema.prefix.len() };
        for (index, item) in array.items().enumerate().take(told) {
            self.questions.spend(schema.beside.len() as u64);
            let id = schema.prefix.get(index).copied().or(schema.items);
            let id = id.or_else(|| self.graph.unevaluated_item(schema, index));
            if id.is_some_and(|id| !self.follows(item, id)) {
                return false;
            }
        }
        if let Some(contains) = schema.contains {
            let matching =
                array.items().filter(|item| self.follows(*item, contains.schema)).count();
            if !within(Counts { least: Some(contains.least), most: contains.most }, matching) {
                return false;
            }
        }
        !schema.unique || self.all_distinct(array)
    }

    fn members(&mut self, schema: &Schema, object: Value<'_>) -> bool {
        let declared_alone = schema.names.is_none()
            && schema.patterns.is_empty()
            && schema.additional.is_none()
            && schema.unevaluated_members.is_none();
        if declared_alone && schema.properties.len() < object.len() {
            return schema.properties.iter().all(|(name, id)| {
                let member = self.questions.member(object, name);
                member.is_none_or(|member| self.follows(member, *id))
            });
        }
        for (name, member) in object.members() {
            self.questions.spend(1 + (schema.patterns.len() + schema.beside.len()) as u64);
            if self.is_spent() {
                return false;
            }
            if schema.names.is_some_and(|id| !self.subject(Subject::Name(name), id)) {
                return false;
            }
            let mut evaluated = false;
            if let Some(id) = schema.property(name) {
                evaluated = true;
                if !self.follows(member, id) {
                    return false;
                }
            }
            for (pattern, id) in &schema.patterns {
                if pattern.is_match_within(name, &mut self.questions) {
                    evaluated = true;
                    if !self.follows(member, *id) {
                        return false;
                    }
                }
            }
            if !evaluated && schema.additional.is_some_and(|id| !self.follows(member, id)) {
                return false;
            }
            let Self { graph, questions, .. } = self;
            let mut matching = |pattern: &Pattern| pattern.is_match_within(name, questions);
            let left = graph.unevaluated_member(schema, Some(name), &mut matching);
            if left.is_some_and(|id| !self.follows(member, id)) {
                return false;
            }
        }
        true
    }

    fn choices(&mut self, schema: &Schema, subject: Subject<'_>) -> bool {
        if schema.reference.is_some_and(|id| !self.reference(subject, id))
            || schema.all_of.iter().any(|id| !self.subject(subject, *id))
            || (!schema.any_of.is_empty()
                && !schema.any_of.iter().any(|id| self.subject(subject, *id)))
            || schema.not.is_some_and(|id| self.subject(subject, id))
        {
            return false;
        }
        // A second match decides: the others need no look.
        let matching = |judge: &mut Self| {
            schema.one_of.iter().filter(|id| judge.subject(subject, **id)).take(2).count()
        };
        if !schema.one_of.is_empty() && matching(self) != 1 {
            return false;
        }
        if let Some(condition) = schema.condition {
            let branch = if self.subject(subject, condition.test) {
                condition.then
            } else {
                condition.otherwise
            };
            if branch.is_some_and(|id| !self.subject(subject, id)) {
                return false;
            }
        }
        let Subject::Value(value) = subject else { return true };
        (schema.implies.iter())
            .all(|(name, id)| !self.questions.has(value, name) || self.follows(value, *id))
    }

    fn reference(&mut self, subject: Subject<'_>, id: NodeId) -> bool {
        self.followed = self.followed.saturating_add(1);
        let key = match subject {
            Subject::Value(value) if matches!(value.kind(), Kind::Array | Kind::Object) => {
                (id, value.node())
            }
            Subject::Value(_) | Subject::Name(_) => return self.subject(subject, id),
        };
        if self.followed < REMEMBERED_AFTER {
            return self.subject(subject, id);
        }
        if let Some(answer) = self.answers.get(&key) {
            return *answer;
        }
        let answer = self.subject(subject, id);
        self.answers.insert(key, answer);
        answer
    }
}

fn within(counts: Counts, count: usize) -> bool {
    let count = count as u64;
    counts.least.is_none_or(|least| least <= count) && counts.most.is_none_or(|most| count <= most)
}
