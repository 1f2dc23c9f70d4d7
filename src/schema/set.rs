//! The compiled schemas of an application, and how values are judged by them.

use std::cell::Cell;
use std::num::NonZeroU64;

use jsonschema::ValidationError;

use super::arbiter::{Arbiter, Unanswered};
use super::declared::Cutter;
use super::graph::{Graph, NodeId};
use super::judge::Judge;
use super::plan::{Buffers, Cause, Entry, Explanation, Follower, Handing, Plan, Refusal};
use super::receiver::{DeclaredName, Nobody, Receiver, Unmade};
use super::{Fault, SchemaId, Violation, closed};
use crate::json::{self, Document, Limits, Silent, Stopped, Tape, Value};
use crate::sync::Count;

thread_local! {
    /// What following a text needs, kept from one to the next: small bodies would pay more for the memory than for
    /// the judgement.
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// Lends this thread's buffers. Who is called meanwhile (a receiver may run anything) has others.
#[inline]
fn with_buffers<T>(judge: impl FnOnce(&mut Buffers) -> T) -> T {
    let kept = BUFFERS.try_with(Cell::take).ok().flatten();
    let mut buffers = kept.unwrap_or_else(|| Box::new(Buffers::default()));
    let answer = judge(&mut buffers);
    buffers.clear();
    // Fails only while the thread ends, when nobody needs them any more.
    let _ = BUFFERS.try_with(|kept| kept.set(Some(buffers)));
    answer
}

/// The compiled schemas of an application. Never changes, but for hints that speed it up.
#[derive(Debug)]
pub struct Set {
    graph: Graph,
    plan: Plan,
    compiled: Vec<Compiled>,
    /// One of so many values is judged again.
    verify: Option<NonZeroU64>,
    /// Values, where some are judged again.
    judged: Count,
    differences: Count,
}

/// What the plan says, and where the schema begins in it.
type Answer = (Result<(), Refusal>, Entry);

/// One schema of a set.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) arbiter: Arbiter,
    pub(super) root: NodeId,
    pub(super) closed: bool,
    /// The graph knows all of its keywords.
    pub(super) covered: bool,
    /// Where it begins in the plan, if that has it.
    pub(super) entry: Option<Entry>,
}

impl Set {
    pub(super) fn new(
        graph: Graph,
        mut compiled: Vec<Compiled>,
        verify: Option<NonZeroU64>,
    ) -> Self {
        let roots = compiled.iter().map(|one| one.covered.then_some((one.root, one.closed)));
        let (plan, entries) = Plan::compile(&graph, roots);
        for (one, entry) in compiled.iter_mut().zip(entries) {
            one.entry = entry;
        }
        let (judged, differences) = (Count::default(), Count::default());
        Self { graph, plan, compiled, verify, judged, differences }
    }

    /// Parses strictly and judges in one go: the document, or the first fault.
    pub fn judge<'t>(
        &self,
        id: SchemaId,
        text: &'t [u8],
        limits: &Limits,
        reuse: Tape,
    ) -> Result<Document<'t>, Fault> {
        let mut tape = reuse;
        let text = self.judge_on(id, text, limits, &mut tape)?;
        Ok(tape.into_document(text))
    }

    /// The same on a tape that is filled: the text.
    pub fn judge_on<'t>(
        &self,
        id: SchemaId,
        text: &'t [u8],
        limits: &Limits,
        tape: &mut Tape,
    ) -> Result<&'t str, Fault> {
        if let Some(planned) = self.planned(id) {
            return planned.judge(text, limits, tape, &mut Nobody).map_err(|unmade| {
                let Unmade::Refused(fault) = unmade;
                fault
            });
        }
        let text = json::follow(text, limits, tape, &mut Silent).map_err(|stopped| {
            let Stopped::Json(error) = stopped;
            Fault::Json(error)
        })?;
        let judged = self.judge_value(id, tape.root(text));
        judged.map(|()| text).map_err(|violation| Fault::Schema(Box::new(violation)))
    }

    /// A schema that is judged while its text is read; nothing if only the arbiter knows it.
    #[inline]
    pub fn planned(&self, id: SchemaId) -> Option<Planned<'_>> {
        let compiled = self.compiled(id)?;
        Some(Planned { set: self, compiled, entry: compiled.entry? })
    }

    /// What follows from the plan's answer.
    #[inline]
    fn verdict(
        &self,
        compiled: &Compiled,
        value: Value<'_>,
        answer: Result<(), Refusal>,
        entry: Entry,
    ) -> Result<(), Violation> {
        let decides = self.verify.is_none() && (entry.closed || !compiled.closed);
        if answer.is_ok() && decides {
            return Ok(());
        }
        self.verdict_in_full(compiled, value, answer, entry)
    }

    /// The same where it takes more than a look.
    #[inline(never)]
    fn verdict_in_full(
        &self,
        compiled: &Compiled,
        value: Value<'_>,
        answer: Result<(), Refusal>,
        entry: Entry,
    ) -> Result<(), Violation> {
        // Whoever gave up said neither yes nor no.
        let gave_up = answer.is_err_and(Refusal::gave_up);
        if !gave_up
            && self.is_sampled()
            && self.is_disputed(compiled, value, answer.is_ok(), entry.closed)
        {
            // Refused, whichever of them is wrong.
            return Err(self.differ());
        }
        match answer {
            Ok(()) if entry.closed || !compiled.closed => Ok(()),
            Ok(()) => self.undeclared(compiled, value, 1).into_iter().next().map_or(Ok(()), Err),
            Err(refusal) => Err(self.violation(compiled, value, refusal)),
        }
    }

    /// Whether the arbiter, and for what it does not know the slow way, do not agree with the plan's answer; `closed` tells
    /// whether that is about undeclared members too.
    fn is_disputed(
        &self,
        compiled: &Compiled,
        value: Value<'_>,
        valid: bool,
        closed: bool,
    ) -> bool {
        compiled.arbiter.is_valid(value).is_ok_and(|as_written| {
            let open = !closed || self.undeclared(compiled, value, 1).is_empty();
            valid != (as_written && open)
        })
    }

    /// The same for what the plan refuses.
    fn list_refused(
        &self,
        compiled: &Compiled,
        value: Value<'_>,
        (refusal, closed): (Refusal, bool),
        limit: usize,
    ) -> Vec<Violation> {
        if refusal.gave_up() {
            return vec![self.violation(compiled, value, refusal)];
        }
        let mut cutter = self.cutter(compiled, value);
        let tell = |error: &ValidationError<'_>| tell(&mut cutter, error);
        let Ok(mut violations) = compiled.arbiter.violations(value, limit, tell) else {
            let known = self.violation(compiled, value, refusal);
            return [known, Violation::unlisted()].into_iter().take(limit).collect();
        };
        if closed {
            let left = limit.saturating_sub(violations.len());
            violations.extend(self.undeclared(compiled, value, left));
        }
        if violations.is_empty() && limit > 0 {
            // Never an empty list for what is refused.
            violations.push(self.differ());
        }
        violations
    }

    /// The plan's first fault. What it costs does not depend on how many there are.
    #[cold]
    fn violation(&self, compiled: &Compiled, value: Value<'_>, refusal: Refusal) -> Violation {
        let Cause { pointer, failed } = self.plan.cause(&self.graph, value, refusal);
        let declared = self.cutter(compiled, value).cut(&pointer);
        Violation::new(failed.keyword, pointer, declared, failed.message())
    }

    /// What follows where there is no plan.
    fn arbitrate(&self, compiled: &Compiled, value: Value<'_>) -> Result<(), Violation> {
        let valid = self.follows(compiled, value)?;
        if valid {
            return self.undeclared(compiled, value, 1).into_iter().next().map_or(Ok(()), Err);
        }
        let mut cutter = self.cutter(compiled, value);
        let tell = |error: &ValidationError<'_>| tell(&mut cutter, error);
        match compiled.arbiter.first(value, tell) {
            Ok(Some(violation)) => Err(violation),
            Ok(None) => Err(self.differ()),
            Err(why) => Err(unanswered(why)),
        }
    }

    /// Whether a value is one of those that are judged again.
    fn is_sampled(&self) -> bool {
        self.verify.is_some_and(|one_of| {
            self.judged.add();
            self.judged.get().is_multiple_of(one_of.get())
        })
    }

    /// Judges a value: the first violation.
    pub fn judge_value(&self, id: SchemaId, value: Value<'_>) -> Result<(), Violation> {
        let Some(compiled) = self.compiled(id) else { return Err(unknown()) };
        match self.ask(compiled, value) {
            Some((answer, entry)) => self.verdict(compiled, value, answer, entry),
            None => self.arbitrate(compiled, value),
        }
    }

    /// Parses strictly: the text, and the plan's answer where it has one.
    fn follow<'t>(
        &self,
        compiled: &Compiled,
        text: &'t [u8],
        limits: &Limits,
        tape: &mut Tape,
    ) -> Result<(&'t str, Option<Answer>), json::Error> {
        let json = |Stopped::Json(error)| error;
        let Some(entry) = compiled.entry else {
            return Ok((json::follow(text, limits, tape, &mut Silent).map_err(json)?, None));
        };
        with_buffers(|work| {
            let mut follower = Follower::new(&self.plan, entry, work);
            let text = json::follow(text, limits, tape, &mut follower).map_err(json)?;
            let answer = follower.verdict(tape.root(text), &self.graph);
            Ok((text, Some((answer, entry))))
        })
    }

    /// The plan's answer, where it has one.
    fn ask(&self, compiled: &Compiled, value: Value<'_>) -> Option<Answer> {
        let entry = compiled.entry?;
        let answer = with_buffers(|work| {
            let mut follower = Follower::new(&self.plan, entry, work);
            follower.follow(value);
            follower.verdict(value, &self.graph)
        });
        Some((answer, entry))
    }

    /// How often the plan and the arbiter did not agree on a value that both were asked about. Each time the value was
    /// refused; any number but 0 is a defect of this library.
    pub fn differences(&self) -> u64 {
        self.differences.get()
    }

    /// Which parts of a schema run where; `None` for an id of another set.
    pub fn explain(&self, id: SchemaId) -> Option<Explanation> {
        let compiled = self.compiled(id)?;
        Some(match compiled.entry {
            Some(entry) => Explanation::planned(&self.plan, &self.graph, entry, compiled.closed),
            None => Explanation::arbitrated(&self.graph, compiled.root, compiled.closed),
        })
    }

    fn differ(&self) -> Violation {
        self.differences.add();
        Violation::difference()
    }

    fn follows(&self, compiled: &Compiled, value: Value<'_>) -> Result<bool, Violation> {
        if compiled.covered {
            let mut judge = Judge::new(&self.graph);
            let follows = judge.follows(value, compiled.root);
            return if judge.is_spent() {
                Err(unanswered(Unanswered::TooLong))
            } else {
                Ok(follows)
            };
        }
        compiled.arbiter.is_valid(value).map_err(unanswered)
    }

    /// All violations, up to `limit`. Undeclared members of a closed schema come last, and where what is declared depends
    /// on the value, only of values that follow the schema as it is written.
    pub fn violations(&self, id: SchemaId, value: Value<'_>, limit: usize) -> Vec<Violation> {
        let Some(compiled) = self.compiled(id) else { return vec![unknown()] };
        let answer = self.ask(compiled, value);
        self.list(compiled, value, answer, limit)
    }

    /// The same of a text, judged while it is read.
    pub fn violations_of(
        &self,
        id: SchemaId,
        text: &[u8],
        limits: &Limits,
        limit: usize,
    ) -> Result<Vec<Violation>, json::Error> {
        let Some(compiled) = self.compiled(id) else { return Ok(vec![unknown()]) };
        let mut tape = Tape::default();
        let (text, answer) = self.follow(compiled, text, limits, &mut tape)?;
        Ok(self.list(compiled, tape.root(text), answer, limit))
    }

    /// Lists what follows from the plan's answer, or where there is none, up to a limit.
    fn list(
        &self,
        compiled: &Compiled,
        value: Value<'_>,
        answer: Option<Answer>,
        limit: usize,
    ) -> Vec<Violation> {
        let mut violations = self.list_all(compiled, value, answer, limit);
        violations.truncate(limit);
        violations
    }

    /// The same; where nothing can be listed, one that says so.
    fn list_all(
        &self,
        compiled: &Compiled,
        value: Value<'_>,
        answer: Option<Answer>,
        limit: usize,
    ) -> Vec<Violation> {
        match answer {
            Some((Err(refusal), entry)) => {
                return self.list_refused(compiled, value, (refusal, entry.closed), limit);
            }
            Some((answer, entry)) => {
                return match self.verdict(compiled, value, answer, entry) {
                    Ok(()) => Vec::new(),
                    Err(difference) if difference.is_difference() => vec![difference],
                    Err(_) => self.undeclared(compiled, value, limit),
                };
            }
            None => {}
        }
        let mut cutter = self.cutter(compiled, value);
        let tell = |error: &ValidationError<'_>| tell(&mut cutter, error);
        match compiled.arbiter.violations(value, limit, tell) {
            Ok(none) if none.is_empty() => self.undeclared(compiled, value, limit),
            Ok(violations) => violations,
            // It takes less to say that there are none.
            Err(_) => match self.follows(compiled, value) {
                Ok(true) => self.undeclared(compiled, value, limit),
                Ok(false) => vec![Violation::unlisted()],
                Err(unanswered) => vec![unanswered],
            },
        }
    }

    /// What cuts the pointers to what a schema does not declare.
    fn cutter<'c>(&'c self, compiled: &Compiled, value: Value<'c>) -> Cutter<'c> {
        Cutter::new(&self.graph, compiled.root, value)
    }

    fn undeclared(&self, compiled: &Compiled, value: Value<'_>, limit: usize) -> Vec<Violation> {
        if !compiled.closed {
            return Vec::new();
        }
        let Ok(pointers) = closed::undeclared(&self.graph, compiled.root, value, limit) else {
            return vec![unanswered(Unanswered::TooLong)];
        };
        let mut cutter = self.cutter(compiled, value);
        let tell = |pointer: String| {
            let declared = cutter.cut(&pointer);
            Violation::new("unevaluatedProperties", pointer, declared, None)
        };
        pointers.into_iter().map(tell).collect()
    }

    fn compiled(&self, id: SchemaId) -> Option<&Compiled> {
        self.compiled.get(usize::try_from(id.0).unwrap_or(usize::MAX))
    }
}

/// A schema of a set that is judged while its text is read.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'s> {
    set: &'s Set,
    compiled: &'s Compiled,
    entry: Entry,
}

impl<'s> Planned<'s> {
    /// Parses strictly and judges in one go, and hands what the text says to a receiver on the way. The tape is filled.
    #[inline]
    pub fn judge<'t, R: Receiver>(
        &self,
        text: &'t [u8],
        limits: &Limits,
        tape: &mut Tape,
        receiver: &mut R,
    ) -> Result<&'t str, Unmade<R::Fault>> {
        let Self { set, compiled, entry } = *self;
        with_buffers(|work| {
            let follower = Follower::new(&set.plan, entry, work);
            let mut handing = Handing { follower, receiver };
            let text =
                json::follow(text, limits, tape, &mut handing).map_err(
                    |stopped| match stopped {
                        Stopped::Json(error) => Unmade::Refused(Fault::Json(error)),
                        Stopped::Fault(fault) => Unmade::Receiver(fault),
                    },
                )?;
            let root = tape.root(text);
            let answer = handing.follower.verdict(root, &set.graph);
            set.verdict(compiled, root, answer, entry).map_err(Unmade::refused)?;
            Ok(text)
        })
    }

    /// How a name is spelled that a receiver was handed.
    pub fn spelled(&self, name: DeclaredName) -> Option<&'s str> {
        self.set.plan.spelling(name)
    }
}

fn tell(cutter: &mut Cutter<'_>, error: &ValidationError<'_>) -> Violation {
    Violation::of(error, cutter.cut(error.instance_path().as_str()))
}

/// For an id of another set: refused.
fn unknown() -> Violation {
    Violation::new("schema", String::new(), String::new(), None)
}

fn unanswered(why: Unanswered) -> Violation {
    let keyword = match why {
        Unanswered::TooDeep => "depth",
        Unanswered::TooLong => "steps",
        Unanswered::Broken => "$ref",
    };
    Violation::new(keyword, String::new(), String::new(), None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::judge::ASKED;
    use crate::schema::{Options, SetBuilder};

    /// A set whose arbiter is another schema's: what one of them allows, the other refuses.
    fn divided(verify: Option<u64>) -> Set {
        let mut builder = SetBuilder::new();
        if let Some(one_of) = verify.and_then(NonZeroU64::new) {
            builder.verify(one_of);
        }
        for schema in [json!({"type": "string"}), json!({"type": "integer"})] {
            builder.add(&schema, None, &Options::default()).unwrap();
        }
        let mut set = builder.build().unwrap();
        let [first, second] = set.compiled.as_mut_slice() else { unreachable!() };
        std::mem::swap(&mut first.arbiter, &mut second.arbiter);
        set
    }

    fn first(set: &Set, text: &'static str) -> Option<Violation> {
        match set.judge(SchemaId(0), text.as_bytes(), &Limits::default(), Tape::default()) {
            Ok(_) => None,
            Err(Fault::Schema(violation)) => Some(*violation),
            Err(Fault::Json(error)) => unreachable!("{error}"),
        }
    }

    #[test]
    fn without_a_sample_the_plan_decides_alone() {
        let set = divided(None);
        assert_eq!(first(&set, "\"a\""), None);
        assert_eq!(first(&set, "1").unwrap().keyword, "type");
        assert_eq!(set.differences(), 0);
    }

    #[test]
    fn a_difference_is_refused_and_counted_whoever_is_right() {
        let set = divided(Some(1));
        for (count, text) in (1..).zip(["\"a\"", "1"]) {
            assert!(first(&set, text).unwrap().is_difference(), "{text}");
            assert_eq!(set.differences(), count);
        }
        assert_eq!(first(&set, "null").unwrap().keyword, "type", "both refuse it");
        assert_eq!(set.differences(), 2);
    }

    #[test]
    fn one_of_so_many_is_judged_again() {
        let set = divided(Some(3));
        let found: Vec<bool> = (0..9).map(|_| first(&set, "\"a\"").is_some()).collect();
        assert_eq!(found, [false, false, true].repeat(3));
    }

    #[test]
    fn what_is_refused_never_lists_as_nothing() {
        let set = divided(None);
        let document =
            json::parse(std::borrow::Cow::Borrowed(b"1"), &Limits::default(), Tape::default());
        let listed = set.violations(SchemaId(0), document.unwrap().root(), 10);
        assert!(listed.len() == 1 && listed[0].is_difference(), "{listed:?}");
        assert_eq!(set.differences(), 1);
    }

    /// Questions that the judgement of a text asks beyond those of the follower, which looks at every value once.
    fn asked(set: &Set, text: &str) -> (bool, u64) {
        let before = ASKED.get();
        let text = text.as_bytes();
        let judged = set.judge(SchemaId(0), text, &Limits::default(), Tape::default());
        (judged.is_ok(), ASKED.get() - before)
    }

    #[test]
    fn a_text_that_is_refused_costs_no_more_than_one_that_passes() {
        let item = json!({"type": "object", "properties": {"a": {"items": {"maximum": 9}}}});
        let cases = [
            json!({"items": {"not": {"required": ["bad"]}, "if": {"required": ["a"]}, "then": item}}),
            json!({"items": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "dependentSchemas": {"a": item}}}),
            json!({"items": {"oneOf": [item, {"required": ["bad"]}]}}),
            json!({"contains": {"required": ["a"]}, "minContains": 500, "items": {"propertyNames": {"maxLength": 2}}}),
            json!({"prefixItems": [item], "items": item}),
        ];
        // Of each kind of fault some: early, late, deep, many.
        let items = |one: &str, count: usize| vec![one.to_owned(); count].join(",");
        let good = items("{\"a\":[1,2,3]}", 500);
        let bad = "{\"a\":[1,10,3],\"bad\":true}";
        let (mut refused, mut total) = (0, 0);
        for schema in cases {
            let mut builder = SetBuilder::new();
            builder.add(&schema, None, &Options::default()).unwrap();
            let set = builder.build().unwrap();
            let (valid, most) = asked(&set, &format!("[{good}]"));
            assert!(valid, "{schema}");
            for text in [
                format!("[{bad},{good}]"),
                format!("[{good},{bad}]"),
                format!("[{}]", items(bad, 500)),
                format!("[{}]", items(&format!("{{\"a\":[{}]}}", items("10", 99)), 50)),
            ] {
                let (valid, asked) = asked(&set, &text);
                assert!(asked <= most + 2_100, "{asked} are more than {most}: {schema}");
                (refused, total) = (refused + usize::from(!valid), total + 1);
            }
        }
        assert!(refused > 12, "{refused} of {total}");
    }
}
