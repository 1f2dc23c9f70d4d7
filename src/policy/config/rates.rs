//! `[rate.NAME]`: quotas, what they are counted against, and where. And of `[rate]` itself: `shared`, which processes count
//! together, and how large their table is.

use super::{Pattern, keys, mode, request};
use crate::limit::{Quota, Sharing};
use crate::policy::fault::Faults;
use crate::policy::model::{Networks, Rate, Subject, TableSize};
use crate::policy::source::At;

/// A rate, and the operations that it counts.
#[derive(Debug)]
pub(in crate::policy) struct RateRule<'s> {
    pub(in crate::policy) rate: Rate,
    /// `None`: every one.
    pub(in crate::policy) operations: Option<Vec<Pattern<'s>>>,
    pub(in crate::policy) at: At<'s>,
}

/// `[rate] shared`, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::policy) enum Shared {
    /// Not at all.
    #[default]
    Unsaid,
    /// `false`.
    Alone,
    /// `"auto"`: in a table that is named after the policy.
    Auto,
    /// In the table of that name.
    Named(String),
}

/// The keys of `[rate]` that are no rates.
const SHARED: &str = "shared";
const CAPACITY: &str = "capacity";
const OVERFLOW: &str = "overflow";

pub(super) fn read<'s>(table: Option<&At<'s>>, faults: &mut Faults) -> Vec<RateRule<'s>> {
    let members = table.into_iter().flat_map(At::members);
    let rates = members.filter(|(name, _)| ![SHARED, CAPACITY, OVERFLOW].contains(name));
    rates.filter_map(|(name, at)| rule(name, at, faults)).collect()
}

pub(super) fn shared(table: Option<&At<'_>>, faults: &mut Faults) -> Shared {
    let Some(at) = table.and_then(|table| table.get(SHARED)) else { return Shared::Unsaid };
    match (at.str(), at.bool()) {
        (None, Some(false)) => Shared::Alone,
        (Some("auto"), _) => Shared::Auto,
        (Some(name), _) if Sharing::is_name(name) => Shared::Named(name.to_owned()),
        _ => {
            faults.push(at.fault(
                "expected \"auto\", false, or a name: 1 to 64 of A-Z a-z 0-9 . _ - without a dot first",
            ));
            Shared::Unsaid
        }
    }
}

/// `capacity` and `overflow`: keys that are live at once, and cells for those that find no room.
pub(super) fn size(table: Option<&At<'_>>, faults: &mut Faults) -> TableSize {
    let mut whole = |name, least| {
        table?.get(name).and_then(|at| request::whole(&at, least..=TableSize::MOST, faults))
    };
    let capacity = whole(CAPACITY, 1).unwrap_or(TableSize::CAPACITY);
    TableSize { capacity, overflow: whole(OVERFLOW, 0).unwrap_or(capacity) }
}

fn rule<'s>(name: &str, at: At<'s>, faults: &mut Faults) -> Option<RateRule<'s>> {
    at.need_object(faults)?;
    keys(
        &at,
        &["quota", "subject", "v4", "v6", "operations", "cost", "mode", "reason", "replace"],
        faults,
    );
    if let Some(replace) = at.get("replace") {
        faults.push(replace.fault("not offered yet: rates add up"));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) || name.is_empty() {
        // It stands in RateLimit-Policy, as the name of an item.
        faults.push(at.fault("a rate's name is made of letters, digits, `-` and `_`"));
    }
    let cost = at.get("cost").and_then(|cost| request::count(&cost, faults)).unwrap_or(1);
    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    let quotas = quotas(&at, cost, faults);
    let subject =
        at.get("subject").map_or_else(|| vec![Subject::Address], |at| subjects(&at, faults));
    let networks = networks(&at, &subject, faults);
    let operations = at.get("operations").map(|list| Pattern::list(&list, faults));
    let mode = mode::read(&at, faults).unwrap_or_default();
    let rate = Rate { name: name.to_owned(), quotas, subject, networks, cost, mode };
    Some(RateRule { rate, operations, at })
}

fn quotas(at: &At<'_>, cost: u32, faults: &mut Faults) -> Vec<Quota> {
    let Some(quota) = at.get("quota") else {
        faults.push(at.fault("`quota` is missing: how much in how long, such as \"100/minute\""));
        return Vec::new();
    };
    let Some(text) = quota.need_str(faults) else { return Vec::new() };
    let list = Quota::parse_list(text).map_err(|error| quota.fault(format!("no quota: {error}")));
    let list = faults.take(list).unwrap_or_default();
    if list.iter().any(|quota| cost > quota.limit) {
        faults.push(
            at.fault("one request costs more than a whole quota: none would ever be admitted"),
        );
    }
    list
}

/// `v4` and `v6`: how many bits of an address count.
fn networks(at: &At<'_>, subject: &[Subject], faults: &mut Faults) -> Networks {
    let mut networks = Networks::SUBSCRIBER;
    for (name, most, bits) in [("v4", 32, &mut networks.v4), ("v6", 128, &mut networks.v6)] {
        let Some(at) = at.get(name) else { continue };
        if !subject.contains(&Subject::Address) {
            faults.push(at.fault("the subject has no address of which some bits could count"));
        }
        match at.whole().and_then(|whole| u8::try_from(whole).ok()) {
            Some(whole) if (1..=most).contains(&whole) => *bits = whole,
            // None at all would count everybody as one.
            _ => faults.push(at.fault(format!("expected a whole number of bits from 1 to {most}"))),
        }
    }
    networks
}

/// `"address"`, `"operation"`, `"header:NAME"`, or a list of them.
fn subjects(at: &At<'_>, faults: &mut Faults) -> Vec<Subject> {
    let parts: Vec<At<'_>> = if at.is_array() { at.items().collect() } else { vec![at.clone()] };
    let mut subjects = Vec::new();
    for part in parts {
        let Some(text) = part.need_str(faults) else { continue };
        match subject(text) {
            Ok(subject) if subjects.contains(&subject) => {
                faults.push(part.fault("this part of the subject is there twice"));
            }
            Ok(subject) => subjects.push(subject),
            Err(message) => faults.push(part.fault(message)),
        }
    }
    if at.is_array() && at.items().next().is_none() {
        faults.push(at.fault("a quota of no subject: write \"address\" or \"operation\""));
    }
    subjects
}

fn subject(text: &str) -> Result<Subject, &'static str> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    match text.split_once(':') {
        None if text == "address" => Ok(Subject::Address),
        None if text == "operation" => Ok(Subject::Operation),
        Some(("header", name)) if !name.is_empty() && name.bytes().all(token) => {
            Ok(Subject::Header(name.to_ascii_lowercase()))
        }
        _ => Err("expected \"address\", \"operation\" or \"header:NAME\", or a list of them"),
    }
}
