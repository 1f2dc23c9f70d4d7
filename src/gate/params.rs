//! Path, query and header values: decoded, typed, judged against their schemas.
//!
//! Everything declared becomes one small document, `{"path": {…}, "query": {…}, "header": {…}}`, which the
//! handler gets. A query parameter that is not declared, or that occurs twice, is refused; a header that is not
//! declared passes.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::borrow::Cow;

use super::fault::Fault;
use super::framing::{looks_like, trim};
use super::target::hex;
use crate::json::{Document, Limits, Value, Writer};
use crate::policy::model::{Kinds, Location, Operation, Parameter, Policy};
use crate::reason::Reason;
use crate::schema::Set;

/// The raw texts that a request gives for parameters.
pub(super) struct Given<'r> {
    /// Decoded, in the order of the template.
    pub(super) captures: Vec<&'r str>,
    /// Still encoded.
    pub(super) query: &'r str,
    pub(super) headers: &'r [(&'r [u8], &'r [u8])],
}

/// Judges all parameters of an operation; `None` for one that declares none.
pub(super) fn judge(
    operation: &Operation,
    given: &Given<'_>,
    policy: &Policy,
) -> Result<Option<Document<'static>>, Fault> {
    let texts = collect(operation, given)?;
    if operation.parameters.is_empty() {
        return Ok(None);
    }
    let (schemas, limits) = (&policy.schemas, limits(&policy.request.json));
    let document = write(operation, &texts, schemas, &limits)?;
    for (parameter, text) in operation.parameters.iter().zip(&texts) {
        if text.is_none() {
            continue;
        }
        let value = find(document.root(), parameter).ok_or(Fault::of(Reason::GateFault))?;
        schemas
            .judge_value(parameter.schema, value)
            .map_err(|violation| Fault::value(parameter, violation))?;
    }
    Ok(Some(document))
}

/// The document of no parameters at all.
pub(super) fn none() -> Result<Document<'static>, crate::json::Error> {
    let mut writer = Writer::new(&Limits::default());
    writer.begin_object()?;
    for place in PLACES {
        writer.name(place)?;
        writer.begin_object()?;
        writer.end_object()?;
    }
    writer.end_object()?;
    writer.finish()
}

/// Where parameters stand, in the order of their document.
const PLACES: [&str; 3] = ["path", "query", "header"];

/// The policy's ceilings, as far as they mean a single value: its depth and its numbers of values are those of
/// bodies, and a document of parameters is as large as the policy declares.
fn limits(body: &Limits) -> Limits {
    Limits {
        max_number_chars: body.max_number_chars,
        max_string_bytes: body.max_string_bytes,
        ..Limits::default()
    }
}

fn find<'d>(root: Value<'d>, parameter: &Parameter) -> Option<Value<'d>> {
    root.get(parameter.location.name())?.get(&parameter.name)
}

/// The text of each declared parameter, in the order declared.
fn collect<'r>(
    operation: &Operation,
    given: &Given<'r>,
) -> Result<Vec<Option<Cow<'r, str>>>, Fault> {
    let parameters = &operation.parameters;
    let mut texts: Vec<Option<Cow<'r, str>>> = vec![None; parameters.len()];
    query(parameters, given.query, &mut texts)?;
    for (parameter, slot) in parameters.iter().zip(&mut texts) {
        match parameter.location {
            Location::Path(capture) => {
                *slot = given.captures.get(capture).map(|text| Cow::Borrowed(*text));
            }
            Location::Header => *slot = header(parameter, given.headers)?,
            Location::Query => {}
        }
        if slot.is_none() && parameter.required {
            return Err(Fault::parameter(Reason::ParamMissing, parameter));
        }
    }
    Ok(texts)
}

fn query<'r>(
    parameters: &[Parameter],
    query: &'r str,
    texts: &mut [Option<Cow<'r, str>>],
) -> Result<(), Fault> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = form_decode(name).ok_or(Fault::of(Reason::ParamEncoding))?;
        let declared = |p: &Parameter| p.location == Location::Query && p.name == name;
        let index =
            parameters.iter().position(declared).ok_or(Fault::of(Reason::ParamUndeclared))?;
        let (Some(slot), Some(parameter)) = (texts.get_mut(index), parameters.get(index)) else {
            return Err(Fault::of(Reason::GateFault));
        };
        if slot.is_some() {
            return Err(Fault::parameter(Reason::ParamRepeated, parameter));
        }
        let value = form_decode(value);
        *slot = Some(value.ok_or_else(|| Fault::parameter(Reason::ParamEncoding, parameter))?);
    }
    Ok(())
}

fn header<'r>(
    parameter: &Parameter,
    headers: &'r [(&'r [u8], &'r [u8])],
) -> Result<Option<Cow<'r, str>>, Fault> {
    let mut found = None;
    for (name, line) in headers.iter().filter(|(name, _)| looks_like(name, &parameter.name)) {
        if !name.eq_ignore_ascii_case(parameter.name.as_bytes()) {
            // `X_Tenant`: an application behind a CGI-style environment would read it, and nobody would judge it.
            return Err(Fault::of(Reason::FramingHeaderInvalid));
        }
        let text = std::str::from_utf8(trim(line));
        let text = text.map_err(|_| Fault::parameter(Reason::ParamEncoding, parameter))?;
        if found.replace(Cow::Borrowed(text)).is_some() {
            return Err(Fault::parameter(Reason::ParamRepeated, parameter));
        }
    }
    Ok(found)
}

/// Decodes `application/x-www-form-urlencoded`, as every Python framework reads a query: `+` is a space.
fn form_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().and_then(hex)?, rest.next().and_then(hex)?);
                (high << 4) | low
            }
            plain => plain,
        });
    }
    // NUL ends a string in too many places behind us.
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).map(Cow::Owned)
}

/// Writes the parameters' document.
fn write(
    operation: &Operation,
    texts: &[Option<Cow<'_, str>>],
    schemas: &Set,
    limits: &Limits,
) -> Result<Document<'static>, Fault> {
    let mut writer = Writer::new(limits);
    let broken = |error: crate::json::Error| Fault::of(error.reason());
    writer.begin_object().map_err(broken)?;
    for place in PLACES {
        writer.name(place).map_err(broken)?;
        writer.begin_object().map_err(broken)?;
        for (parameter, text) in operation.parameters.iter().zip(texts) {
            let (true, Some(text)) = (parameter.location.name() == place, text) else { continue };
            writer.name(&parameter.name).map_err(broken)?;
            let kind = read_as(parameter, text, schemas, limits)?;
            put(&mut writer, kind, text)
                .map_err(|_| Fault::parameter(Reason::ParamType, parameter))?;
        }
        writer.end_object().map_err(broken)?;
    }
    writer.end_object().map_err(broken)?;
    writer.finish().map_err(broken)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Number,
    String,
}

/// The type that the text is read as: the first that its grammar and its schema allow.
fn read_as(
    parameter: &Parameter,
    text: &str,
    schemas: &Set,
    limits: &Limits,
) -> Result<Kind, Fault> {
    let candidates = candidates(parameter.kinds, text);
    let mut left = candidates.iter().flatten().copied();
    match (left.next(), left.next()) {
        (None, _) => Err(Fault::parameter(Reason::ParamType, parameter)),
        (Some(only), None) => Ok(only),
        (Some(first), Some(_)) => {
            let accepted = |kind: &Kind| {
                alone(*kind, text, limits).is_some_and(|document| {
                    schemas.judge_value(parameter.schema, document.root()).is_ok()
                })
            };
            // When none is accepted, the violation of the first is what the caller is told.
            Ok(candidates.iter().flatten().copied().find(accepted).unwrap_or(first))
        }
    }
}

fn alone(kind: Kind, text: &str, limits: &Limits) -> Option<Document<'static>> {
    let mut writer = Writer::new(limits);
    put(&mut writer, kind, text).ok()?;
    writer.finish().ok()
}

fn candidates(kinds: Kinds, text: &str) -> [Option<Kind>; 3] {
    let boolean = kinds.boolean && (text == "true" || text == "false");
    let integer = kinds.integer && is_integer(text);
    // The writer judges the rest of a number's grammar; what it refuses is `param.type`.
    let number =
        kinds.number && text.bytes().next().is_some_and(|b| b == b'-' || b.is_ascii_digit());
    let number = number && alone(Kind::Number, text, &Limits::default()).is_some();
    [
        boolean.then_some(Kind::Boolean),
        (integer || number).then_some(Kind::Number),
        kinds.string.then_some(Kind::String),
    ]
}

/// `-?(0|[1-9][0-9]*)`
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

fn put(writer: &mut Writer, kind: Kind, text: &str) -> Result<(), crate::json::Error> {
    match kind {
        Kind::Boolean => writer.bool(text == "true"),
        Kind::Number => writer.number(text),
        Kind::String => writer.string(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_once_and_strictly() {
        for (text, expected) in [
            ("a", Some("a")),
            ("a+b%20c", Some("a b c")),
            ("%C3%A9", Some("é")),
            ("%2525", Some("%25")),
            ("%", None),
            ("%4", None),
            ("%+4", None),
            ("%zz", None),
            ("%ff", None),
            ("%00", None),
        ] {
            assert_eq!(form_decode(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_is_read_as_what_its_kinds_and_grammar_allow() {
        let all = Kinds { boolean: true, integer: true, number: true, string: true };
        let only = |set: fn(&mut Kinds)| {
            let mut kinds = Kinds::default();
            set(&mut kinds);
            kinds
        };
        let integer = only(|k| k.integer = true);
        let number = only(|k| k.number = true);
        let boolean = only(|k| k.boolean = true);
        for (kinds, text, expected) in [
            (integer, "7", Some(Kind::Number)),
            (integer, "-0", Some(Kind::Number)),
            (integer, "007", None),
            (integer, "+7", None),
            (integer, "7.0", None),
            (integer, "", None),
            (integer, "-", None),
            (integer, "٣", None),
            (number, "7.50", Some(Kind::Number)),
            (number, "1e2", Some(Kind::Number)),
            (number, "1e400", None),
            (number, "NaN", None),
            (number, "1_0", None),
            (boolean, "true", Some(Kind::Boolean)),
            (boolean, "True", None),
            (boolean, "1", None),
            (all, "true", Some(Kind::Boolean)),
            (all, "x", Some(Kind::String)),
        ] {
            assert_eq!(candidates(kinds, text).into_iter().flatten().next(), expected, "{text}");
        }
    }
}
