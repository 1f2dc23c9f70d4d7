//! `secval.toml`: what the OpenAPI document does not say.
//!
//! Read into types once; every key is known or a fault. What concerns operations (`patterns`, rates) is kept
//! with its place and applied in `assembly.rs`, when the document's operations are known.
//!
//! | file | table |
//! |---|---|
//! | `api.rs` | `[api]`, `[auth]`, `[answers]` |
//! | `client.rs` | `[client]`, and lists of addresses anywhere |
//! | `request.rs` | `[request]`, and sizes anywhere |
//! | `rates.rs` | `[rate]`, `[rate.NAME]` |
//! | `operations.rs` | `[operations."METHOD template"]`; `pattern.rs` is what such a key matches |
//! | `mode.rs`, `dates.rs` | `mode` with its `reason`, and dates, anywhere |

#![forbid(unsafe_code)]

mod api;
mod client;
mod dates;
mod mode;
mod operations;
mod pattern;
mod rates;
mod request;

pub(super) use api::{Api, Auth};
pub(super) use operations::{Override, Setting};
pub(super) use pattern::Pattern;
pub(super) use rates::{RateRule, Shared};

use super::fault::Faults;
use super::model::{Answers, ClientPolicy, Mode, RequestLimits, TableSize};
use super::source::{At, Source};

/// All of `secval.toml`, read.
#[derive(Debug)]
pub(super) struct Config<'s> {
    pub(super) api: Api<'s>,
    pub(super) auth: Auth<'s>,
    pub(super) client: ClientPolicy,
    pub(super) request: RequestLimits,
    pub(super) answers: Answers,
    pub(super) mode: Mode,
    pub(super) rates: Vec<RateRule<'s>>,
    pub(super) shared: Shared,
    pub(super) table: TableSize,
    pub(super) overrides: Vec<Override<'s>>,
}

const TABLES: &[&str] = &[
    "version",
    "mode",
    "reason",
    "api",
    "auth",
    "client",
    "request",
    "rate",
    "operations",
    "answers",
    "responses",
];

impl<'s> Config<'s> {
    /// Reads a configuration; without one, everything is the default.
    pub(super) fn read(source: Option<&'s Source>, faults: &mut Faults) -> Self {
        let root = source.map(Source::root).filter(|root| root.need_object(faults).is_some());
        if let Some(root) = &root {
            keys(root, TABLES, faults);
            version(root, faults);
            if let Some(responses) = root.get("responses") {
                faults.push(responses.fault(
                    "responses are not judged yet: remove [responses]; nothing is promised about answers",
                ));
            }
        }
        let table = |name: &str, faults: &mut Faults| {
            root.as_ref()?.get(name).filter(|table| table.need_object(faults).is_some())
        };
        let rate = table("rate", faults);
        Self {
            api: Api::read(table("api", faults), faults),
            auth: Auth::read(table("auth", faults), faults),
            client: client::read(table("client", faults).as_ref(), faults),
            request: request::read(table("request", faults).as_ref(), faults),
            answers: api::answers(table("answers", faults).as_ref(), faults),
            mode: root.as_ref().and_then(|root| mode::read(root, faults)).unwrap_or_default(),
            rates: rates::read(rate.as_ref(), faults),
            shared: rates::shared(rate.as_ref(), faults),
            table: rates::size(rate.as_ref(), faults),
            overrides: operations::read(table("operations", faults).as_ref(), faults),
        }
    }
}

fn version(root: &At<'_>, faults: &mut Faults) {
    let Some(version) = root.get("version") else {
        return faults.push(root.fault("`version` is missing: write `version = 1`"));
    };
    if version.whole() != Some(1) {
        faults.push(version.fault("this is read as `version = 1`, the only one so far"));
    }
}

/// A fault for every key that is not known.
fn keys(table: &At<'_>, known: &[&str], faults: &mut Faults) {
    for (name, value) in table.members() {
        if !known.contains(&name) {
            faults.push(value.fault(format!("unknown key; known here: {}", known.join(", "))));
        }
    }
}
