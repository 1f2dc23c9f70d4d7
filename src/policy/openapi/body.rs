//! `requestBody`: JSON of a schema.

use super::schemas::{Schemas, Wanted};
use super::{keywords, refs};
use crate::policy::fault::Faults;
use crate::policy::source::At;

/// A body whose schemas have no ids yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) required: bool,
    /// Media types in lower case, without parameters, with their schemas.
    pub(super) media: Vec<(String, Wanted)>,
}

/// What an operation takes as a body; `None` when it declares none.
pub(super) fn read<'s>(
    operation: &At<'s>,
    closed: bool,
    schemas: &mut Schemas<'s>,
    faults: &mut Faults,
) -> Option<Draft> {
    let at = refs::resolve(operation.get("requestBody")?, faults)?;
    keywords::REQUEST_BODY.check(&at, &[], faults);
    let required = at.get("required").and_then(|at| at.need_bool(faults)).unwrap_or_default();
    let Some(content) = at.get("content") else {
        faults.push(at.fault("`content` is missing: name the media type and its schema"));
        return None;
    };
    content.need_object(faults)?;
    if content.members().next().is_none() {
        faults.push(content.fault("no media type at all: a body could never pass"));
    }
    let mut media: Vec<(String, Wanted)> = Vec::new();
    for (name, at) in content.members() {
        let essence = faults.take(essence(name).map_err(|message| at.fault(message)));
        let schema = schema(&at, faults);
        let (Some(essence), Some(schema)) = (essence, schema) else { continue };
        if media.iter().any(|(known, _)| *known == essence) {
            faults.push(
                at.fault("this media type is there twice: case and parameters tell nothing apart"),
            );
        }
        media.push((essence, schemas.want(&schema, closed, faults)));
    }
    Some(Draft { required, media })
}

fn schema<'s>(media: &At<'s>, faults: &mut Faults) -> Option<At<'s>> {
    media.need_object(faults)?;
    keywords::MEDIA_TYPE.check(media, &[], faults);
    let schema = media.get("schema");
    if schema.is_none() {
        faults.push(
            media.fault("`schema` is missing: if every document may pass, write `schema: true`"),
        );
    }
    schema
}

/// The media type in lower case without its parameters, if it is JSON.
fn essence(name: &str) -> Result<String, &'static str> {
    let mut parts = name.split(';').map(str::trim_ascii);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    let Some((main, sub)) = essence.split_once('/').filter(|(main, sub)| token(main) && token(sub))
    else {
        return Err("no media type");
    };
    if main == "*" || sub == "*" || sub.contains('*') {
        return Err("media type ranges are not enforced yet: name each media type");
    }
    if !(essence == "application/json" || sub.ends_with("+json")) {
        return Err(
            "only JSON is enforced yet (application/json, or a type that ends in +json): forms, multipart and \
             other bodies would pass unjudged",
        );
    }
    for parameter in parts {
        // JSON is UTF-8, and the gate refuses every other charset: this one says nothing new.
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let utf8 = value.trim_matches('"').eq_ignore_ascii_case("utf-8");
        if !(name.eq_ignore_ascii_case("charset") && utf8) {
            return Err("parameters of media types are not enforced yet: write the type alone");
        }
    }
    Ok(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_its_relatives_pass() {
        for (name, expected) in [
            ("application/json", Some("application/json")),
            ("Application/JSON; charset=utf-8", Some("application/json")),
            ("application/json; charset=\"UTF-8\"", Some("application/json")),
            ("application/merge-patch+json", Some("application/merge-patch+json")),
            ("application/json; charset=latin1", None),
            ("application/json;v=1", None),
            ("application/json;", None),
            ("application/*", None),
            ("application/*+json", None),
            ("*/*", None),
            ("application/xml", None),
            ("json", None),
            ("application/", None),
            ("text/json", None),
        ] {
            assert_eq!(essence(name).ok().as_deref(), expected, "{name}");
        }
    }
}
