//! The document as a whole.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use super::paths::{self, Context, Draft};
use super::schemas::Schemas;
use super::{dialect, keywords, security, servers};
use crate::policy::fault::Faults;
use crate::policy::model::{Body, Hosts, Media, Operation, Parameter, Schemes};
use crate::policy::source::{At, Source};
use crate::schema::{Formats, SchemaId, Set};

/// What a document demands of requests.
#[derive(Debug)]
pub(in crate::policy) struct Document<'s> {
    pub(in crate::policy) title: String,
    schemas: Schemas<'s>,
    pub(in crate::policy) drafts: Vec<Draft<'s>>,
}

impl<'s> Document<'s> {
    /// Reads a document; `None` when it is none that is read here.
    ///
    /// `hosts`: those that the configuration names. `closed`: undeclared members of bodies are refused.
    pub(in crate::policy) fn read(
        source: &'s Source,
        hosts: Option<&Hosts>,
        closed: bool,
        faults: &mut Faults,
    ) -> Option<Self> {
        let root = source.root();
        root.need_object(faults)?;
        version(&root, faults)?;
        keywords::DOCUMENT.check(&root, &[], faults);
        let title = title(&root, faults);
        if let Some(components) = root.get("components")
            && components.need_object(faults).is_some()
        {
            keywords::COMPONENTS.check(&components, &[], faults);
            security::schemes(&components, faults);
        }
        security::check(&root, &root, faults);
        let places = match root.get("servers") {
            Some(_) => servers::read(&root, hosts, faults).unwrap_or_default(),
            None => servers::default(&root, hosts, faults),
        };
        let mut schemas = Schemas::new(root.clone(), dialect::of(&root, faults));
        let context = Context { document: &root, places: &places, closed, hosts };
        let drafts = paths::read(&context, &mut schemas, faults);
        Some(Self { title, schemas, drafts })
    }

    /// The hosts and the schemes of all its operations.
    pub(in crate::policy) fn served(&self) -> (Hosts, Schemes) {
        let mut hosts = BTreeSet::new();
        let mut any = false;
        let mut schemes = Schemes { http: false, https: false };
        for origin in self.drafts.iter().flat_map(|draft| &draft.origins) {
            schemes.http |= origin.schemes.http;
            schemes.https |= origin.schemes.https;
            match &origin.host {
                Some(host) => _ = hosts.insert(host.clone()),
                None => any = true,
            }
        }
        (if any { Hosts::Any } else { Hosts::Names(hosts.into_iter().collect()) }, schemes)
    }

    /// Compiles its schemas, and makes operations of its drafts, in their order.
    pub(in crate::policy) fn compile(
        self,
        formats: &Formats,
        verify: Option<NonZeroU64>,
        faults: &mut Faults,
    ) -> Option<(Set, Vec<Operation>)> {
        let (set, ids) = self.schemas.build(formats, verify, faults)?;
        let operations = self.drafts.into_iter().map(|draft| operation(draft, &ids));
        Some((set, operations.collect::<Option<_>>()?))
    }
}

/// Whether it is OpenAPI 3.1, or a fault.
fn version(root: &At<'_>, faults: &mut Faults) -> Option<()> {
    let Some(at) = root.get("openapi") else {
        let at = root.get("swagger").unwrap_or_else(|| root.clone());
        faults.push(at.fault(
            "no OpenAPI document that is read here: expected `openapi: 3.1.0` or a later 3.1",
        ));
        return None;
    };
    let text = at.need_str(faults)?;
    let patch = text.strip_prefix("3.1.").is_some_and(|patch| {
        !patch.is_empty()
            && patch.split(['-', '+']).next().is_some_and(|n| n.parse::<u32>().is_ok())
    });
    if !patch {
        let message = match text.get(..4) {
            Some("3.0.") => "OpenAPI 3.0 is not read yet; this reads 3.1",
            Some("3.2.") => "OpenAPI 3.2 is not read yet; this reads 3.1",
            _ => "no version that is read here: expected 3.1.0 or a later 3.1",
        };
        faults.push(at.fault(message));
    }
    patch.then_some(())
}

fn title(root: &At<'_>, faults: &mut Faults) -> String {
    let Some(info) = root.get("info") else {
        faults.push(root.fault("`info` is missing: it has the API's `title` and `version`"));
        return String::new();
    };
    let _ = info.need_object(faults);
    keywords::INFO.check(&info, &[], faults);
    let Some(title) = info.get("title") else {
        faults.push(info.fault("`title` is missing"));
        return String::new();
    };
    title.need_str(faults).unwrap_or_default().to_owned()
}

/// An operation as the gate reads it, before the configuration has its say.
fn operation(draft: Draft<'_>, ids: &[SchemaId]) -> Option<Operation> {
    let parameters = draft.parameters.into_iter().map(|draft| {
        let schema = draft.schema.of(ids)?;
        let (name, location, required, kinds) =
            (draft.name, draft.location, draft.required, draft.kinds);
        Some(Parameter { name, location, required, schema, kinds })
    });
    let body = match draft.body {
        Some(body) => {
            let media = body
                .media
                .into_iter()
                .map(|(essence, wanted)| wanted.of(ids).map(|schema| Media { essence, schema }));
            Some(Body { required: body.required, media: media.collect::<Option<_>>()? })
        }
        None => None,
    };
    Some(Operation {
        method: draft.method.to_owned(),
        template: draft.template.to_owned(),
        bases: draft.bases,
        origins: draft.origins.into(),
        parameters: parameters.collect::<Option<_>>()?,
        body,
        addresses: None,
        hidden: false,
        declared_deprecated: draft.deprecated,
        deprecated: None,
        sunset: None,
        websocket: draft.websocket,
        app_auth: draft.security.is_some(),
        mode: crate::policy::model::Mode::default(),
        max_body: 0,
        rates: Vec::new(),
    })
}
