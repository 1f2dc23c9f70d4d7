//! `[api]`, `[auth]` and `[answers]`.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::{Pattern, keys};
use crate::policy::fault::Faults;
use crate::policy::host;
use crate::policy::model::{Answers, Hosts};
use crate::policy::source::At;
use crate::schema::FormatRule;

/// What is served, and where.
#[derive(Debug, Default)]
pub(in crate::policy) struct Api<'s> {
    /// The document's path, as this file names it.
    pub(in crate::policy) openapi: Option<At<'s>>,
    /// Whether members of request bodies that are not declared are refused.
    pub(in crate::policy) closed: bool,
    /// `None`: those of the document's servers.
    pub(in crate::policy) hosts: Option<Hosts>,
    /// The policy's own formats, by name.
    pub(in crate::policy) formats: BTreeMap<String, FormatRule>,
    /// One of so many values is judged twice.
    pub(in crate::policy) verify: Option<NonZeroU64>,
}

impl<'s> Api<'s> {
    pub(super) fn read(table: Option<At<'s>>, faults: &mut Faults) -> Self {
        let Some(table) = table else { return Self::default() };
        keys(&table, &["openapi", "closed", "hosts", "formats", "verify"], faults);
        let closed = table.get("closed");
        if let Some(closed) = &closed
            && closed.str() != Some("requests")
        {
            let message = "expected \"requests\": undeclared members of request bodies are refused";
            faults.push(closed.fault(message));
        }
        Self {
            openapi: table.get("openapi").filter(|path| path.need_str(faults).is_some()),
            closed: closed.is_some(),
            hosts: table.get("hosts").map(|list| hosts(&list, faults)),
            formats: table.get("formats").map(|table| formats(&table, faults)).unwrap_or_default(),
            verify: table.get("verify").and_then(|at| verify(&at, faults)),
        }
    }
}

/// `1000` or `"1/1000"`: one of so many.
fn verify(at: &At<'_>, faults: &mut Faults) -> Option<NonZeroU64> {
    let text = at.str().and_then(|text| text.strip_prefix("1/"));
    let one_of = at.whole().or_else(|| text.and_then(|text| text.trim().parse().ok()));
    let one_of = one_of.and_then(NonZeroU64::new);
    if one_of.is_none() {
        let message = "expected one of how many values is judged twice: 1000, or \"1/1000\"";
        faults.push(at.fault(message));
    }
    one_of
}

fn hosts(list: &At<'_>, faults: &mut Faults) -> Hosts {
    let entries = list.need_strings(faults).unwrap_or_default();
    if list.is_array() && entries.is_empty() {
        faults.push(
            list.fault("no host at all refuses every request: name the hosts, or [\"*\"] for any"),
        );
    }
    if let [("*", _)] = entries.as_slice() {
        return Hosts::Any;
    }
    let mut names = Vec::new();
    for (entry, at) in entries {
        match host::parse(entry) {
            Ok(name) => names.push(name),
            Err(message) => faults.push(at.fault(message)),
        }
    }
    Hosts::Names(names)
}

fn formats(table: &At<'_>, faults: &mut Faults) -> BTreeMap<String, FormatRule> {
    let mut formats = BTreeMap::new();
    let _ = table.need_object(faults);
    for (name, value) in table.members() {
        let Some(text) = value.need_str(faults) else { continue };
        let rule =
            if text == "any" { FormatRule::Any } else { FormatRule::Pattern(text.to_owned()) };
        if let FormatRule::Pattern(pattern) = &rule
            && let Err(error) = regex::Regex::new(pattern)
        {
            let message = format!("neither \"any\" nor a pattern of linear time: {error}");
            faults.push(value.fault(message));
        }
        formats.insert(name.to_owned(), rule);
    }
    formats
}

/// Who checks the credentials that the document's `security` demands.
#[derive(Debug, Default)]
pub(in crate::policy) struct Auth<'s> {
    /// The application does, on the operations of `operations`.
    pub(in crate::policy) by_app: bool,
    /// `None`: on every one that demands it.
    pub(in crate::policy) operations: Option<Vec<Pattern<'s>>>,
}

impl<'s> Auth<'s> {
    pub(super) fn read(table: Option<At<'s>>, faults: &mut Faults) -> Self {
        let Some(table) = table else { return Self::default() };
        keys(&table, &["required", "operations"], faults);
        match table.get("required") {
            Some(required) if required.str() == Some("app") => {}
            Some(required) => faults.push(required.fault(
                "expected \"app\": the application checks credentials; the gate does not check them yet",
            )),
            None => faults.push(table.fault("`required` is missing: write `required = \"app\"`")),
        }
        let operations = table.get("operations").map(|list| Pattern::list(&list, faults));
        Self { by_app: true, operations }
    }
}

/// What answers show.
pub(super) fn answers(table: Option<&At<'_>>, faults: &mut Faults) -> Answers {
    let mut answers = Answers { server_timing: false, pointers: true };
    let Some(table) = table else { return answers };
    keys(table, &["server_timing", "detail"], faults);
    if let Some(at) = table.get("server_timing") {
        answers.server_timing = at.need_bool(faults).unwrap_or_default();
    }
    if let Some(at) = table.get("detail") {
        match at.str() {
            Some("pointer") => {}
            Some("code") => answers.pointers = false,
            _ => faults.push(at.fault("expected \"pointer\" or \"code\"")),
        }
    }
    answers
}
