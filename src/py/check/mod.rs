//! `secval.AllowList`, `Range`, `Length` and `IPSet`: four classes with one face.
//!
//! `value in it` answers yes or no; `check(value)` lists what is wrong (nothing, or one violation), as
//! `Schema.check` does; `validate(value)` raises `ValidationError` with that list. A value of a type that the
//! check does not know is never inside: only `IPSet` raises there, because a set of addresses is also used to
//! deny, and an address that was not understood must not count as one that is not listed.

mod allow_list;
mod comparable;
mod ip_set;
mod length;
mod range;

use pyo3::prelude::*;

pub(super) use allow_list::AllowList;
pub(super) use ip_set::{IpSet, network_key};
pub(super) use length::Length;
pub(super) use range::Range;

use super::errors;
use super::schema::Violation;

/// What is wrong with a value: a stable code, and words that repeat neither the value nor the list.
type Outcome = Result<(), (&'static str, &'static str)>;

/// The outcome as `check` returns it.
fn listed(keyword: &str, outcome: Outcome) -> Vec<Violation> {
    let violation = |(code, message)| Violation::plain(keyword, code, message);
    outcome.err().map(violation).into_iter().collect()
}

/// The outcome as `validate` raises it.
fn raised(py: Python<'_>, keyword: &str, outcome: Outcome) -> PyResult<()> {
    outcome.map_err(|_| errors::validation(py, listed(keyword, outcome)))
}
