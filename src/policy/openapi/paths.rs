//! `paths`: path items and their operations.

use std::collections::BTreeMap;

use super::schemas::Schemas;
use super::servers::{self, Place};
use super::{body, keywords, parameters, refs, security};
use crate::policy::fault::Faults;
use crate::policy::model::{Hosts, Origin};
use crate::policy::source::At;

/// The fields of a path item that are operations, and their methods.
const METHODS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("trace", "TRACE"),
];

/// Says that an operation is a websocket.
const WEBSOCKET: &str = "x-secval-websocket";

/// An operation as the document has it.
///
/// Served in places of different origins, it is as many drafts as there are.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Draft<'s> {
    pub(super) at: At<'s>,
    /// The path item, under `paths`.
    pub(super) path: At<'s>,
    pub(super) method: &'static str,
    pub(super) template: &'s str,
    pub(super) bases: Vec<String>,
    pub(super) origins: Vec<Origin>,
    pub(super) parameters: Vec<parameters::Draft>,
    pub(super) body: Option<body::Draft>,
    /// Where its demand of credentials stands.
    pub(super) security: Option<At<'s>>,
    pub(super) deprecated: bool,
    pub(super) websocket: bool,
}

impl<'s> Draft<'s> {
    pub(in crate::policy) fn at(&self) -> &At<'s> {
        &self.at
    }

    pub(in crate::policy) fn path(&self) -> &At<'s> {
        &self.path
    }

    pub(in crate::policy) fn method(&self) -> &'static str {
        self.method
    }

    pub(in crate::policy) fn template(&self) -> &'s str {
        self.template
    }

    pub(in crate::policy) fn bases(&self) -> &[String] {
        &self.bases
    }

    pub(in crate::policy) fn security(&self) -> Option<&At<'s>> {
        self.security.as_ref()
    }

    pub(in crate::policy) fn has_body(&self) -> bool {
        self.body.is_some()
    }
}

/// What holds for all operations of a document.
pub(super) struct Context<'c, 's> {
    pub(super) document: &'c At<'s>,
    /// Where the document is served.
    pub(super) places: &'c [Place],
    /// Members of bodies that are not declared are refused.
    pub(super) closed: bool,
    /// The hosts that the configuration names.
    pub(super) hosts: Option<&'c Hosts>,
}

/// Reads every operation, in the document's order.
pub(super) fn read<'s>(
    context: &Context<'_, 's>,
    schemas: &mut Schemas<'s>,
    faults: &mut Faults,
) -> Vec<Draft<'s>> {
    let mut drafts = Vec::new();
    let Some(paths) = context.document.get("paths") else {
        faults.push(
            context.document.fault("`paths` is missing: a gate of it would refuse every request"),
        );
        return drafts;
    };
    if paths.need_object(faults).is_none() {
        return drafts;
    }
    equivalent(&paths, faults);
    let before = faults.len();
    for (template, path) in paths.members() {
        if keywords::is_extension(template) {
            continue;
        }
        drafts.extend(item(template, &path, context, schemas, faults));
    }
    if drafts.is_empty() && faults.len() == before {
        faults.push(paths.fault("no operation at all: a gate of it would refuse every request"));
    }
    drafts
}

/// Refuses templates that differ only in the names of their parameters, whatever their methods: OpenAPI 3.1
/// (4.8.8.2) calls them identical and invalid, and frameworks take the first.
fn equivalent(paths: &At<'_>, faults: &mut Faults) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for (template, path) in paths.members() {
        let shape =
            template.split('{').enumerate().map(|(index, part)| match part.split_once('}') {
                Some((_, literal)) if index > 0 => format!("{{}}{literal}"),
                _ => part.to_owned(),
            });
        if let Some(first) = known.insert(shape.collect(), template) {
            let message = format!(
                "differs from {first} only in the names of parameters: make one of the two"
            );
            faults.push(path.fault(message));
        }
    }
}

fn item<'s>(
    template: &'s str,
    path: &At<'s>,
    context: &Context<'_, 's>,
    schemas: &mut Schemas<'s>,
    faults: &mut Faults,
) -> Vec<Draft<'s>> {
    let Some(item) = refs::resolve(path.clone(), faults) else { return Vec::new() };
    keywords::PATH_ITEM.check(&item, &[], faults);
    let around = servers::read(&item, context.hosts, faults);
    let around = around.as_deref().unwrap_or(context.places);
    let mut drafts = Vec::new();
    for (field, method) in METHODS {
        let Some(at) = item.get(field) else { continue };
        if at.need_object(faults).is_none() {
            continue;
        }
        let flag = |name: &str, faults: &mut Faults| {
            at.get(name).and_then(|flag| flag.need_bool(faults)).unwrap_or_default()
        };
        let draft = Draft {
            path: path.clone(),
            method,
            template,
            bases: Vec::new(),
            origins: Vec::new(),
            parameters: parameters::read(&item, &at, template, schemas, faults),
            body: body::read(&at, context.closed, schemas, faults),
            security: security::demand(&at, context.document, faults),
            deprecated: flag("deprecated", faults),
            websocket: flag(WEBSOCKET, faults),
            at,
        };
        check(&draft, context.document, faults);
        let own = servers::read(&draft.at, context.hosts, faults);
        drafts.extend(own.as_deref().unwrap_or(around).iter().map(|place| Draft {
            bases: place.bases.clone(),
            origins: place.origins.clone(),
            ..draft.clone()
        }));
    }
    drafts
}

fn check(draft: &Draft<'_>, document: &At<'_>, faults: &mut Faults) {
    keywords::OPERATION.check(&draft.at, &[WEBSOCKET], faults);
    security::check(&draft.at, document, faults);
    let Some(at) = draft.at.get(WEBSOCKET).filter(|_| draft.websocket) else { return };
    if draft.method != "GET" {
        faults.push(at.fault("the handshake of a websocket is a GET: move it to `get`"));
    }
    if draft.body.is_some() {
        faults.push(at.fault("the handshake of a websocket has no body: remove `requestBody`"));
    }
}
