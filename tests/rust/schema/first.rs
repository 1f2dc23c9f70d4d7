//! The first fault, which the plan tells by itself, held to the list of the arbiter's.

use secval::json::Value;
use secval::schema::{SchemaId, Set, Violation};

/// Whether a first fault is one that the arbiter lists, in the same words. What may differ: within the only branch of an
/// `anyOf` or `oneOf` that the value's kind or a constant leaves open, and within a schema for what is unevaluated, the
/// plan tells of the fault itself, and the arbiter that no branch is followed, or that something was not evaluated.
pub(crate) fn is_listed(
    set: &Set,
    id: SchemaId,
    document: Value<'_>,
    first: &Violation,
) -> Result<(), String> {
    let listed = set.violations(id, document, usize::MAX);
    let same = |v: &&Violation| v.pointer == first.pointer && v.keyword == first.keyword;
    if listed.iter().any(|violation| violation == first) {
        return Ok(());
    }
    // Several schemas may say the same of one value.
    if let Some(other) = listed.iter().find(same) {
        let silent = |v: &Violation| v.keyword == "format";
        return if other.declared == first.declared && (silent(first) || other.code == first.code) {
            Ok(())
        } else {
            Err(format!("{first:?} is not {other:?}"))
        };
    }
    let around = |v: &Violation| {
        ["anyOf", "oneOf", "unevaluatedItems", "unevaluatedProperties"].contains(&v.keyword)
            && first
                .pointer
                .strip_prefix(&v.pointer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if listed.iter().any(around) {
        return Ok(());
    }
    Err(format!("{first:?} is not among {listed:?}"))
}
