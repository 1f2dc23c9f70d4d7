//! `[operations."METHOD template"]`: what the document does not say of its operations.

use super::{Pattern, client, dates, keys, mode, request};
use crate::check::IpSet;
use crate::policy::fault::Faults;
use crate::policy::model::Mode;
use crate::policy::source::At;

/// What one key says of the operations that it matches; `None` is what it leaves to others.
#[derive(Debug)]
pub(in crate::policy) struct Override<'s> {
    pub(in crate::policy) pattern: Pattern<'s>,
    pub(in crate::policy) addresses: Setting<'s, IpSet>,
    pub(in crate::policy) hidden: Setting<'s, bool>,
    pub(in crate::policy) deprecated: Setting<'s, i64>,
    pub(in crate::policy) sunset: Setting<'s, i64>,
    pub(in crate::policy) max_body: Setting<'s, usize>,
    pub(in crate::policy) mode: Setting<'s, Mode>,
}

/// A value, and where it was written.
pub(in crate::policy) type Setting<'s, T> = Option<(T, At<'s>)>;

pub(super) fn read<'s>(table: Option<&At<'s>>, faults: &mut Faults) -> Vec<Override<'s>> {
    let entries = table.into_iter().flat_map(At::members);
    entries.filter_map(|(text, at)| entry(text, &at, faults)).collect()
}

fn entry<'s>(text: &str, at: &At<'s>, faults: &mut Faults) -> Option<Override<'s>> {
    const KNOWN: &[&str] =
        &["addresses", "hidden", "deprecated", "sunset", "max_body", "mode", "reason"];
    let pattern = Pattern::parse(text, at.clone(), faults);
    at.need_object(faults)?;
    keys(at, KNOWN, faults);
    if at.members().next().is_none() {
        faults.push(at.fault("says nothing of these operations: remove it"));
    }
    let entry = Override {
        pattern: pattern?,
        addresses: setting(at, "addresses", faults, client::addresses),
        hidden: setting(at, "hidden", faults, At::need_bool),
        deprecated: setting(at, "deprecated", faults, dates::read),
        sunset: setting(at, "sunset", faults, dates::read),
        max_body: setting(at, "max_body", faults, request::size),
        mode: mode::read(at, faults).zip(at.get("mode")),
    };
    Some(entry)
}

fn setting<'s, T>(
    at: &At<'s>,
    name: &str,
    faults: &mut Faults,
    read: impl FnOnce(&At<'s>, &mut Faults) -> Option<T>,
) -> Setting<'s, T> {
    let at = at.get(name)?;
    read(&at, faults).map(|value| (value, at))
}
