//! Parameters in path, query and header, of simple types.

use super::schemas::{Schemas, Wanted};
use super::{keywords, kinds, refs};
use crate::policy::fault::Faults;
use crate::policy::model::{Kinds, Location};
use crate::policy::router::Template;
use crate::policy::source::At;

/// A parameter whose schema has no id yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) location: Location,
    pub(super) required: bool,
    pub(super) kinds: Kinds,
    pub(super) schema: Wanted,
}

/// A parameter as the document has it.
#[derive(Debug, Clone)]
struct Declared<'s> {
    at: At<'s>,
    /// In lower case for a header.
    name: String,
    place: &'s str,
}

/// Headers that OpenAPI 3.1 (4.8.12) tells its readers to ignore as parameters, and what says it instead.
const NOT_PARAMETERS: &[(&str, &str)] = &[
    ("accept", "the media types of `responses` say it"),
    ("content-type", "the media types of `requestBody` say it"),
    ("authorization", "`security` says it"),
];

/// The parameters of an operation: its own, and those of its path item that it does not replace.
pub(super) fn read<'s>(
    item: &At<'s>,
    operation: &At<'s>,
    template: &str,
    schemas: &mut Schemas<'s>,
    faults: &mut Faults,
) -> Vec<Draft> {
    let mut declared = list(operation, faults);
    for shared in list(item, faults) {
        if !declared.iter().any(|own| own.name == shared.name && own.place == shared.place) {
            declared.push(shared);
        }
    }
    // What is wrong with the template itself is the router's to say.
    let names = Template::parse(template).map(|t| t.names().to_vec()).unwrap_or_default();
    for name in &names {
        if !declared.iter().any(|own| own.place == "path" && own.name == *name) {
            let message = format!(
                "the path's {{{name}}} is not declared: add it to `parameters`, with `in: path`"
            );
            faults.push(operation.fault(message));
        }
    }
    let drafts = declared.iter().filter_map(|own| draft(own, &names, schemas, faults));
    drafts.collect()
}

fn list<'s>(holder: &At<'s>, faults: &mut Faults) -> Vec<Declared<'s>> {
    let Some(list) = holder.get("parameters") else { return Vec::new() };
    let mut declared: Vec<Declared<'s>> = Vec::new();
    if list.need_array(faults).is_none() {
        return declared;
    }
    for item in list.items() {
        let Some(at) = refs::resolve(item.clone(), faults) else { continue };
        let Some(parameter) = declare(at, faults) else { continue };
        if declared.iter().any(|own| own.name == parameter.name && own.place == parameter.place) {
            faults.push(item.fault("another parameter of this list has the same name and place"));
        } else {
            declared.push(parameter);
        }
    }
    declared
}

fn declare<'s>(at: At<'s>, faults: &mut Faults) -> Option<Declared<'s>> {
    let member = |name: &str, faults: &mut Faults| {
        let value = at.get(name);
        if value.is_none() {
            faults.push(at.fault(format!("`{name}` is missing")));
        }
        value?.need_str(faults)
    };
    let (name, place) = (member("name", faults), member("in", faults));
    let (name, place) = (name?, place?);
    let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
    Some(Declared { at, name, place })
}

fn draft<'s>(
    declared: &Declared<'s>,
    names: &[String],
    schemas: &mut Schemas<'s>,
    faults: &mut Faults,
) -> Option<Draft> {
    let at = &declared.at;
    keywords::PARAMETER.check(at, &[], faults);
    let required = at.get("required").and_then(|at| at.need_bool(faults)).unwrap_or_default();
    let location = location(declared, names, required, faults);
    serialization(declared, faults);
    if at.get("content").is_some() {
        return None;
    }
    let Some(schema) = at.get("schema") else {
        faults.push(at.fault("`schema` is missing: without one any text would pass"));
        return None;
    };
    let wanted = schemas.want(&schema, false, faults);
    // What is no schema at all was said to be none.
    let kinds = if schema.is_object() || schema.bool().is_some() {
        kinds::read(&schema, faults)
    } else {
        None
    };
    Some(Draft {
        name: declared.name.clone(),
        location: location?,
        required,
        kinds: kinds?,
        schema: wanted,
    })
}

fn location(
    declared: &Declared<'_>,
    names: &[String],
    required: bool,
    faults: &mut Faults,
) -> Option<Location> {
    let Declared { at, name, place } = declared;
    let place_at = at.get("in").unwrap_or_else(|| at.clone());
    match *place {
        "path" => {
            if !required {
                faults
                    .push(at.fault("a path parameter is always required: write `required: true`"));
            }
            let index = names.iter().position(|own| own == name);
            if index.is_none() {
                faults.push(
                    at.fault("the path has no parameter of this name, so nothing would be judged"),
                );
            }
            index.map(Location::Path)
        }
        "query" => Some(Location::Query),
        "header" => header(declared, faults),
        "cookie" => {
            faults.push(place_at.fault(
                "cookies as parameters are not enforced yet: take the credential as `security`, or judge it in \
                 the application",
            ));
            None
        }
        _ => {
            faults.push(place_at.fault("expected path, query or header"));
            None
        }
    }
}

fn header(declared: &Declared<'_>, faults: &mut Faults) -> Option<Location> {
    let at = declared.at.get("name").unwrap_or_else(|| declared.at.clone());
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if declared.name.is_empty() || !declared.name.bytes().all(token) {
        faults.push(at.fault("no header can have this name"));
        return None;
    }
    if let Some((_, instead)) = NOT_PARAMETERS.iter().find(|(name, _)| *name == declared.name) {
        faults.push(
            at.fault(format!("OpenAPI ignores this header as a parameter: remove it; {instead}")),
        );
        return None;
    }
    Some(Location::Header)
}

/// Judges how the value is written. Of a simple type, every `explode` writes the same.
fn serialization(declared: &Declared<'_>, faults: &mut Faults) {
    let at = &declared.at;
    if let Some(style) = at.get("style") {
        let default = if declared.place == "query" { "form" } else { "simple" };
        if style.str() != Some(default) {
            faults.push(
                style.fault(format!("styles other than `{default}` are not enforced yet here")),
            );
        }
    }
    if let Some(explode) = at.get("explode") {
        let _ = explode.need_bool(faults);
    }
    for (name, message) in [
        ("allowReserved", "not enforced yet: reserved characters of a query are percent-encoded"),
        ("allowEmptyValue", "not enforced: an empty text is judged by the schema like any other"),
    ] {
        if let Some(value) = at.get(name)
            && value.need_bool(faults) == Some(true)
        {
            faults.push(value.fault(message));
        }
    }
}
