//! Documents that schemas refer to: what is registered, what is missing, and where in them something is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use referencing::{Registry, Retrieve, Uri};
use serde_json::Value as Serde;

use crate::json;

/// The resources, indexed under a draft.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) registry: Registry<'static>,
    pub(super) missing: Missing,
}

/// What references asked for and nobody has given: stands in for fetching. Each becomes the schema `false`, which no
/// value follows, and the survey refuses whatever refers to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Missing(Arc<Mutex<BTreeSet<String>>>);

impl Missing {
    pub(super) fn has(&self, uri: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uri.trim_end_matches('#'))
    }
}

impl Retrieve for Missing {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Serde, Box<dyn std::error::Error + Send + Sync>> {
        let mut uris = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uris.insert(uri.as_str().trim_end_matches('#').to_owned());
        Ok(Serde::Bool(false))
    }
}

/// The anchors by which `$dynamicRef` and `$recursiveRef` may lead elsewhere than `$ref` would, in all documents that
/// schemas can reach.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// `None`: nobody has looked.
    known: Option<HashMap<String, usize>>,
}

/// What stands for `$recursiveAnchor`: no name of an anchor is empty.
const RECURSIVE: &str = "";

impl Anchors {
    pub(super) fn of<'d>(documents: impl Iterator<Item = &'d Serde>) -> Self {
        let mut known = HashMap::new();
        let mut left: Vec<&Serde> = documents.collect();
        while let Some(value) = left.pop() {
            match value {
                Serde::Object(members) => {
                    for (name, member) in members {
                        match (name.as_str(), member) {
                            ("$dynamicAnchor", Serde::String(name)) => {
                                *known.entry(name.clone()).or_insert(0) += 1;
                            }
                            ("$recursiveAnchor", Serde::Bool(true)) => {
                                *known.entry(RECURSIVE.to_owned()).or_insert(0) += 1;
                            }
                            _ => left.push(member),
                        }
                    }
                }
                Serde::Array(items) => left.extend(items),
                Serde::Null | Serde::Bool(_) | Serde::Number(_) | Serde::String(_) => {}
            }
        }
        Self { known: Some(known) }
    }

    /// Whether a reference leads to one place, whatever led to it: by a pointer, or as there is no second anchor of its
    /// name. The drafts' own meta-schemas are not among the documents, and full of such anchors.
    pub(super) fn settle(&self, base: &str, reference: &str) -> bool {
        let Some(known) = &self.known else { return false };
        let (target, anchor) = reference.split_once('#').unwrap_or((reference, ""));
        if base.contains("://json-schema.org/") || target.contains("://json-schema.org/") {
            return false;
        }
        if anchor.is_empty() {
            return !known.contains_key(RECURSIVE);
        }
        anchor.starts_with('/') || known.get(anchor).is_none_or(|count| *count < 2)
    }
}

/// Where values are, by their addresses: which document, and the pointer in it.
pub(super) fn find<'d>(
    document: &Serde,
    uri: &'d str,
    wanted: &BTreeSet<*const Serde>,
    places: &mut HashMap<*const Serde, (&'d str, String)>,
) {
    let mut left = vec![(document, String::new())];
    while let Some((value, pointer)) = left.pop() {
        if wanted.contains(&std::ptr::from_ref(value)) {
            places.insert(value, (uri, pointer.clone()));
        }
        let below = |token: &str| {
            let mut below = pointer.clone();
            json::pointer::push(&mut below, token);
            below
        };
        match value {
            Serde::Object(members) => {
                left.extend(members.iter().map(|(name, member)| (member, below(name))));
            }
            Serde::Array(items) => {
                left.extend(
                    items.iter().enumerate().map(|(n, item)| (item, below(&n.to_string()))),
                );
            }
            Serde::Null | Serde::Bool(_) | Serde::Number(_) | Serde::String(_) => {}
        }
    }
}

/// A copy whose local references lead into a resource.
pub(super) fn rebased(schema: &Serde, uri: &str, names: bool) -> Serde {
    /// Members that hold data.
    const DATA: &[&str] = &["enum", "const", "default", "example", "examples"];
    /// Members whose members are named by the author.
    const NAMED: &[&str] = &[
        "properties",
        "patternProperties",
        "dependentSchemas",
        "dependencies",
        "$defs",
        "definitions",
    ];
    match schema {
        Serde::Object(members) => {
            let copied = members.iter().map(|(name, member)| {
                let local = member.as_str().filter(|reference| reference.starts_with('#'));
                let copy = match local {
                    Some(local) if !names && name == "$ref" => Serde::from(format!("{uri}{local}")),
                    Some(_) | None if !names && DATA.contains(&name.as_str()) => member.clone(),
                    Some(_) | None => {
                        rebased(member, uri, !names && NAMED.contains(&name.as_str()))
                    }
                };
                (name.clone(), copy)
            });
            Serde::Object(copied.collect())
        }
        Serde::Array(items) => items.iter().map(|item| rebased(item, uri, false)).collect(),
        Serde::Null | Serde::Bool(_) | Serde::Number(_) | Serde::String(_) => schema.clone(),
    }
}

/// A pointer as a URI's fragment.
pub(super) fn encoded(pointer: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    /// All that RFC 3986 does not allow in a fragment, and the percent sign.
    const ESCAPED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(pointer, ESCAPED).to_string()
}
