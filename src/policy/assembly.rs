//! The document and the configuration, put together.
//!
//! Patterns meet operations here: each must match at least one. Where several say the same key of one
//! operation, the most specific has the word.

#![forbid(unsafe_code)]

use std::hash::Hasher as _;
use std::path::Path;

use siphasher::sip::SipHasher13;

use super::config::{Auth, Config, Override, Pattern, RateRule, Setting, Shared};
use super::fault::Faults;
use super::model::{Counting, Mode, Operation, Policy, Rate, Subject, TableSize};
use super::openapi::{Document, Draft};
use super::router::{Route, RouteFaultKind, Router};
use super::source::Source;
use crate::limit::LAYOUT_VERSION;
use crate::schema::Formats;

/// Compiles a document under a configuration, which is in a file at `home` or in none; `None` only with a fault.
pub(super) fn assemble(
    document: Option<&Source>,
    config: Config<'_>,
    home: Option<&Path>,
    faults: &mut Faults,
) -> Option<Policy> {
    let document = Document::read(document?, config.api.hosts.as_ref(), config.api.closed, faults)?;
    auth(&document.drafts, &config.auth, faults);
    let router = route(&document.drafts, faults);
    let title = document.title.clone();
    let (hosts, schemes) = document.served();
    let settings = settings(&document.drafts, &config.overrides, faults);
    let (rates, charged) = rates(&document.drafts, config.rates, faults);
    let formats = Formats { asserted: true, custom: config.api.formats, openapi: true };
    let (schemas, mut operations) = document.compile(&formats, config.api.verify, faults)?;
    let defaults = (config.mode, config.request.max_body);
    for ((operation, settings), charged) in operations.iter_mut().zip(settings).zip(charged) {
        apply(operation, settings, charged, defaults);
    }
    let address_rates = global(&rates).collect();
    let counting = counting(config.shared, config.table, home, &title);
    let rates = rates.into_iter().map(|(rate, _)| rate).collect();
    Some(Policy {
        title,
        operations,
        router: router?,
        schemas,
        hosts,
        schemes,
        request: config.request,
        client: config.client,
        rates,
        counting,
        table: config.table,
        address_rates,
        mode: config.mode,
        answers: config.answers,
    })
}

/// Who counts together. `"auto"` is named after the file that says it, wherever it was called from; without one, after
/// the API. Another size, or a version of secval whose tables are laid out otherwise, makes its own: a rolling upgrade
/// finds no table that it cannot use.
fn counting(shared: Shared, size: TableSize, home: Option<&Path>, title: &str) -> Counting {
    match shared {
        Shared::Unsaid => Counting::Unsaid,
        Shared::Alone => Counting::Alone,
        Shared::Named(name) => Counting::Shared(name),
        Shared::Auto => {
            // No secret: processes that share nothing yet must find the same name. The table itself is keyed.
            let mut hasher = SipHasher13::new();
            if let Some(path) = home {
                hasher.write(b"path");
                hasher.write(path.as_os_str().as_encoded_bytes());
            } else {
                hasher.write(b"title");
                hasher.write(title.as_bytes());
            }
            hasher.write(format!("\0{}\0{}", size.capacity, size.overflow).as_bytes());
            Counting::Shared(format!("auto-{:016x}-{LAYOUT_VERSION}", hasher.finish()))
        }
    }
}

impl Draft<'_> {
    fn matches(&self, pattern: &Pattern<'_>) -> bool {
        pattern.matches(self.method(), self.template())
    }
}

/// Reports a pattern that matches no operation.
fn used(pattern: &Pattern<'_>, drafts: &[Draft<'_>], faults: &mut Faults) {
    if !drafts.is_empty() && !drafts.iter().any(|draft| draft.matches(pattern)) {
        faults.push(pattern.at.fault(
            "matches no operation of the document (templates are the document's own, without the servers' base \
             path)",
        ));
    }
}

/// A demand of credentials needs somebody who checks them.
fn auth(drafts: &[Draft<'_>], auth: &Auth<'_>, faults: &mut Faults) {
    for pattern in auth.operations.iter().flatten() {
        used(pattern, drafts, faults);
    }
    for draft in drafts {
        let Some(demand) = draft.security() else { continue };
        let listed = match &auth.operations {
            Some(patterns) => patterns.iter().any(|pattern| draft.matches(pattern)),
            None => true,
        };
        if auth.by_app && listed {
            continue;
        }
        let name = format!("{} {}", draft.method(), draft.template());
        let message = if auth.by_app {
            format!("{name} demands credentials and is not in `[auth] operations`: add it there")
        } else {
            "credentials are demanded, and the gate does not check them yet. If the application does, say so in \
             secval.toml: `[auth]`, `required = \"app\"`"
                .to_owned()
        };
        faults.push(demand.fault(message));
    }
}

fn route(drafts: &[Draft<'_>], faults: &mut Faults) -> Option<Router> {
    let mut owners = Vec::new();
    let mut routes = Vec::new();
    for (operation, draft) in drafts.iter().enumerate() {
        for base in draft.bases() {
            owners.push(draft);
            let (method, template) =
                (draft.method().to_owned(), format!("{base}{}", draft.template()));
            routes.push(Route { method, template, operation });
        }
    }
    match Router::new(routes) {
        Ok(router) => Some(router),
        Err(found) => {
            for fault in found {
                let Some(owner) = owners.get(fault.route) else { continue };
                let duplicate = fault.kind == RouteFaultKind::Duplicate;
                let at = if duplicate { owner.at() } else { owner.path() };
                faults.push(at.fault(fault.kind.to_string()));
            }
            None
        }
    }
}

/// What the configuration says of one operation.
#[derive(Default)]
struct Settings {
    addresses: Option<crate::check::IpSet>,
    hidden: bool,
    deprecated: Option<i64>,
    sunset: Option<i64>,
    max_body: Option<usize>,
    mode: Option<Mode>,
}

fn settings(
    drafts: &[Draft<'_>],
    overrides: &[Override<'_>],
    faults: &mut Faults,
) -> Vec<Settings> {
    for own in overrides {
        used(&own.pattern, drafts, faults);
        let bodies = drafts.iter().any(|draft| draft.matches(&own.pattern) && draft.has_body());
        if let (Some((_, at)), false) = (&own.max_body, bodies || drafts.is_empty()) {
            faults.push(at.fault("no operation that this matches takes a body"));
        }
    }
    drafts.iter().map(|draft| one(draft, overrides, faults)).collect()
}

fn one(draft: &Draft<'_>, overrides: &[Override<'_>], faults: &mut Faults) -> Settings {
    let mut matching: Vec<&Override<'_>> =
        overrides.iter().filter(|own| draft.matches(&own.pattern)).collect();
    matching.sort_by(|a, b| a.pattern.specificity(&b.pattern));
    let addresses = first(&matching, |own| &own.addresses);
    let hidden = first(&matching, |own| &own.hidden);
    let (deprecated, sunset) =
        (first(&matching, |o| &o.deprecated), first(&matching, |o| &o.sunset));
    let name = || format!("{} {}", draft.method(), draft.template());
    if let (Some((true, at)), None) = (hidden, addresses) {
        faults.push(at.fault(format!(
            "hides {} from those who may not call it, and everybody may: write `addresses` as well",
            name()
        )));
    }
    if let (Some((deprecated, _)), Some((sunset, at))) = (deprecated, sunset)
        && sunset < deprecated
    {
        faults.push(at.fault(format!("{} would be gone before it is deprecated", name())));
    }
    Settings {
        addresses: addresses.map(|(set, _)| set.clone()),
        hidden: hidden.is_some_and(|(hidden, _)| *hidden),
        deprecated: deprecated.map(|(date, _)| *date),
        sunset: sunset.map(|(date, _)| *date),
        max_body: first(&matching, |own| &own.max_body).map(|(size, _)| *size),
        mode: first(&matching, |own| &own.mode).map(|(mode, _)| *mode),
    }
}

/// The most specific setting of a key.
fn first<'o, 's, T>(
    matching: &[&'o Override<'s>],
    key: impl Fn(&'o Override<'s>) -> &'o Setting<'s, T>,
) -> Option<&'o (T, super::source::At<'s>)> {
    matching.iter().find_map(|own| key(own).as_ref())
}

/// The rates, whether each names operations, and the rates of each operation by index.
fn rates(
    drafts: &[Draft<'_>],
    rules: Vec<RateRule<'_>>,
    faults: &mut Faults,
) -> (Vec<(Rate, bool)>, Vec<Vec<usize>>) {
    for rule in &rules {
        for pattern in rule.operations.iter().flatten() {
            used(pattern, drafts, faults);
        }
    }
    let counts = |rule: &RateRule<'_>, draft: &Draft<'_>| match &rule.operations {
        Some(patterns) => patterns.iter().any(|pattern| draft.matches(pattern)),
        None => true,
    };
    for rule in rules.iter().filter(|rule| is_free(&rule.rate) && rule.rate.mode == Mode::Enforce) {
        let alone = drafts.iter().find(|draft| {
            counts(rule, draft)
                && !rules.iter().any(|other| bounds(&other.rate) && counts(other, draft))
        });
        if let Some(draft) = alone {
            rule_alone(rule, draft, faults);
        }
    }
    let mut charged = Vec::new();
    for draft in drafts {
        let rules = rules.iter().enumerate();
        let own = rules.filter(|(_, rule)| {
            !is_global(&rule.rate, rule.operations.is_some()) && counts(rule, draft)
        });
        charged.push(own.map(|(index, _)| index).collect());
    }
    let rates = rules.into_iter().map(|rule| (rule.rate, rule.operations.is_some())).collect();
    (rates, charged)
}

fn rule_alone(rule: &RateRule<'_>, draft: &Draft<'_>, faults: &mut Faults) {
    let by_header = has_header(&rule.rate);
    let at = rule.at.get(if by_header { "subject" } else { "v6" });
    let how = if by_header { "send another header" } else { "take another address of its /64" };
    faults.push(at.unwrap_or_else(|| rule.at.clone()).fault(format!(
        "a client may {how} each time and never meet this quota: give {} {} a quota by address too \
         (`[rate.NAME]` with `subject = \"address\"`, and `v6` at most 64)",
        draft.method(),
        draft.template()
    )));
}

/// Whether the client chooses what it is counted by.
fn is_free(rate: &Rate) -> bool {
    has_header(rate) || rate.networks.split_a_subscriber()
}

fn has_header(rate: &Rate) -> bool {
    rate.subject.iter().any(|part| matches!(part, Subject::Header(_)))
}

/// Whether it bounds what one address may do, whatever it sends.
fn bounds(rate: &Rate) -> bool {
    rate.mode == Mode::Enforce && rate.subject.contains(&Subject::Address) && !is_free(rate)
}

/// Whether it is charged before the route is known.
fn is_global(rate: &Rate, names_operations: bool) -> bool {
    !names_operations && rate.subject == [Subject::Address]
}

fn global(rates: &[(Rate, bool)]) -> impl Iterator<Item = usize> {
    let rates = rates.iter().enumerate();
    rates.filter(|(_, (rate, named))| is_global(rate, *named)).map(|(index, _)| index)
}

fn apply(
    operation: &mut Operation,
    settings: Settings,
    charged: Vec<usize>,
    (mode, max_body): (Mode, usize),
) {
    operation.addresses = settings.addresses;
    operation.hidden = settings.hidden;
    operation.deprecated = settings.deprecated;
    operation.sunset = settings.sunset;
    operation.max_body = settings.max_body.unwrap_or(max_body);
    operation.mode = settings.mode.unwrap_or(mode);
    operation.rates = charged;
}
