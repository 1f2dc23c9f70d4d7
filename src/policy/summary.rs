//! What each operation demands, for people and programs: `secval check`.

#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::model::{Location, Mode, Networks, Operation, Policy, Rate, Subject};

/// A list in the document's order, an object per operation.
///
/// Its members: `method`, `template`, `paths` (with each base), `origins` (`host`, null for any, and `schemes`), `parameters` (`name`, `in`, `required`, `types`),
/// `body` (null, or `required`, `media`, `max_bytes`), `quotas` (those that count every request too), `addresses`
/// (null, or prefixes), `hidden`, `auth` (null or `"app"`), `mode`, `declared_deprecated`,
/// `deprecated` and `sunset` (null, or seconds since 1970), `websocket`, `contested_by` (operations that match some of the same
/// paths, which are therefore refused).
pub fn operations(policy: &Policy) -> Value {
    let operations = policy.operations.iter().enumerate();
    operations.map(|(index, operation)| describe(index, operation, policy)).collect()
}

fn describe(index: usize, operation: &Operation, policy: &Policy) -> Value {
    let paths = operation.bases.iter().map(|base| format!("{base}{}", operation.template));
    let charged = policy.address_rates.iter().chain(&operation.rates);
    let quotas = charged.filter_map(|index| policy.rates.get(*index)).map(quota);
    json!({
        "method": operation.method,
        "template": operation.template,
        "paths": paths.collect::<Vec<_>>(),
        "origins": operation.origins.iter().map(|origin| json!({
            "host": origin.host,
            "schemes": origin.schemes.names(),
        })).collect::<Vec<_>>(),
        "parameters": operation.parameters.iter().map(|parameter| json!({
            "name": parameter.name,
            "in": parameter.location.name(),
            "required": parameter.required || matches!(parameter.location, Location::Path(_)),
            "types": types(parameter.kinds),
        })).collect::<Vec<_>>(),
        "body": operation.body.as_ref().map(|body| json!({
            "required": body.required,
            "media": body.media.iter().map(|media| media.essence.as_str()).collect::<Vec<_>>(),
            "max_bytes": operation.max_body,
        })),
        "quotas": quotas.collect::<Vec<_>>(),
        "addresses": operation.addresses.as_ref().map(|set| {
            set.iter().map(|prefix| prefix.to_string()).collect::<Vec<_>>()
        }),
        "hidden": operation.hidden,
        "auth": operation.app_auth.then_some("app"),
        "mode": mode(operation.mode),
        "declared_deprecated": operation.declared_deprecated,
        "deprecated": operation.deprecated,
        "sunset": operation.sunset,
        "websocket": operation.websocket,
        "contested_by": contested(index, policy),
    })
}

/// The names of the operations that contest some of its paths.
fn contested(index: usize, policy: &Policy) -> Vec<String> {
    let pairs = policy.router.contests().iter();
    let others = pairs.filter_map(|(first, second)| match index {
        index if index == *first => Some(second),
        index if index == *second => Some(first),
        _ => None,
    });
    let mut names: Vec<String> =
        others.filter_map(|other| policy.operations.get(*other)).map(Operation::name).collect();
    names.sort();
    names.dedup();
    names
}

fn types(kinds: super::model::Kinds) -> Vec<&'static str> {
    let all = [
        (kinds.boolean, "boolean"),
        (kinds.integer && !kinds.number, "integer"),
        (kinds.number, "number"),
        (kinds.string, "string"),
    ];
    all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
}

fn quota(rate: &Rate) -> Value {
    let subject = rate.subject.iter().map(|part| match part {
        Subject::Address if rate.networks == Networks::SUBSCRIBER => "address".to_owned(),
        Subject::Address => format!("address (v4/{}, v6/{})", rate.networks.v4, rate.networks.v6),
        Subject::Operation => "operation".to_owned(),
        Subject::Header(name) => format!("header:{name}"),
    });
    json!({
        "name": rate.name,
        "quotas": rate.quotas.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "subject": subject.collect::<Vec<_>>(),
        "cost": rate.cost,
        "mode": mode(rate.mode),
    })
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Monitor => "monitor",
        Mode::Off => "off",
    }
}
