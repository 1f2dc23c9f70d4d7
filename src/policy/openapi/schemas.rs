//! The schemas of requests: found, held to a closed list of keywords, and compiled into one set.
//!
//! The document is one resource of the set, and each schema is named by its place in it, so that references
//! between schemas mean what the document says. What a keyword means is the schema compiler's affair; here is
//! decided that it is one which the compiler enforces.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;

use super::dialect::{Keyword, Shape, keyword};
use super::{dialect, refs};
use crate::policy::fault::{Fault, Faults};
use crate::policy::source::At;
use crate::schema::{CompileError, Dialect, Formats, Options, SchemaId, Set, SetBuilder};

/// The URI under which the document is known to its own references.
const DOCUMENT: &str = "openapi:/document";

/// The schemas of an API's requests.
#[derive(Debug)]
pub(super) struct Schemas<'s> {
    document: At<'s>,
    dialect: Dialect,
    /// Schemas that have been held to the list, by pointer.
    seen: HashSet<String>,
    /// Those that requests are judged by, and whether they are closed.
    wanted: Vec<(At<'s>, bool)>,
    index: HashMap<(String, bool), Wanted>,
}

/// One that requests are judged by: its index among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted(usize);

impl<'s> Schemas<'s> {
    pub(super) fn new(document: At<'s>, dialect: Dialect) -> Self {
        let (seen, wanted, index) = (HashSet::new(), Vec::new(), HashMap::new());
        Self { document, dialect, seen, wanted, index }
    }

    /// Asks for a schema: everything that it refers to is held to the list.
    pub(super) fn want(&mut self, at: &At<'s>, closed: bool, faults: &mut Faults) -> Wanted {
        let key = (at.pointer().to_owned(), closed);
        if let Some(known) = self.index.get(&key) {
            return *known;
        }
        let wanted = Wanted(self.wanted.len());
        self.wanted.push((at.clone(), closed));
        self.index.insert(key, wanted);
        let mut left = vec![at.clone()];
        while let Some(at) = left.pop() {
            if self.seen.insert(at.pointer().to_owned()) {
                self.hold(&at, &mut left, faults);
            }
        }
        wanted
    }

    /// Holds one schema to the list; `left` gets the schemas below it and those it refers to.
    fn hold(&self, at: &At<'s>, left: &mut Vec<At<'s>>, faults: &mut Faults) {
        if at.bool().is_some() {
            return;
        }
        if !at.is_object() {
            faults.push(at.fault("a schema is an object, or true or false"));
            return;
        }
        for (name, value) in at.members() {
            if name == "$schema" && value.str().and_then(dialect::named) == Some(self.dialect) {
                continue;
            }
            match keyword(name, self.dialect) {
                Some(Keyword::Annotation) => {}
                Some(Keyword::Refused(why)) => faults.push(value.fault(why)),
                Some(Keyword::RefusedUnlessFalse(why)) => {
                    if value.bool() != Some(false) {
                        faults.push(value.fault(why));
                    }
                }
                Some(Keyword::Enforced(shape)) => below(shape, &value, left, faults),
                None => faults.push(value.fault(
                    "no schema keyword that is enforced, in this dialect: correct or remove it (an extension of \
                     your own begins with `x-`)",
                )),
            }
        }
        lonely(at, self.dialect, faults);
        useless(at, faults);
    }

    /// Compiles all that was asked for; the ids are in the order of asking.
    pub(super) fn build(
        self,
        formats: &Formats,
        verify: Option<NonZeroU64>,
        faults: &mut Faults,
    ) -> Option<(Set, Vec<SchemaId>)> {
        let mut builder = SetBuilder::new();
        if let Some(one_of) = verify {
            builder.verify(one_of);
        }
        builder.resource(DOCUMENT, self.document.to_serde());
        let options =
            Options { dialect: Some(self.dialect), formats: formats.clone(), closed: false };
        let closed = Options { closed: true, ..options.clone() };
        let mut ids = Vec::new();
        for (at, is_closed) in &self.wanted {
            let options = if *is_closed { &closed } else { &options };
            let base = format!("{DOCUMENT}#{}", fragment(at.pointer()));
            match builder.add(&at.to_serde(), Some(&base), options) {
                Ok(id) => ids.push(id),
                Err(errors) => self.report(&errors, faults),
            }
        }
        for at in self.seen.iter().filter_map(|pointer| self.document.find(pointer)) {
            format(&at, formats, faults);
        }
        match builder.build() {
            Ok(set) => (ids.len() == self.wanted.len()).then_some((set, ids)),
            Err(errors) => {
                self.report(&errors, faults);
                None
            }
        }
    }

    /// Adds the compiler's faults, but for those of values about which something was said already.
    fn report(&self, errors: &[CompileError], faults: &mut Faults) {
        for fault in errors.iter().map(|error| self.place(error)) {
            if !faults.speak_of(&fault) {
                faults.push(fault);
            }
        }
    }

    /// A compiler's fault, at its place in the document.
    fn place(&self, error: &CompileError) -> Fault {
        let mut pointer = error.pointer.as_str();
        loop {
            if let Some(at) = self.document.find(pointer) {
                return Fault { pointer: error.pointer.clone(), ..at.fault(error.message.clone()) };
            }
            pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
}

impl Wanted {
    /// Its id.
    pub(super) fn of(self, ids: &[SchemaId]) -> Option<SchemaId> {
        ids.get(self.0).copied()
    }
}

/// Collects the schemas of a keyword's value, and judges the value itself as far as nobody else does.
fn below<'s>(shape: Shape, value: &At<'s>, left: &mut Vec<At<'s>>, faults: &mut Faults) {
    match shape {
        Shape::Value => certain(value, faults),
        Shape::SchemaOrList if value.is_array() => left.extend(value.items()),
        Shape::Schema | Shape::SchemaOrList => left.push(value.clone()),
        Shape::List => {
            if value.need_array(faults).is_some() {
                left.extend(value.items());
            }
        }
        Shape::Map => {
            if value.need_object(faults).is_some() {
                left.extend(value.members().map(|(_, schema)| schema));
            }
        }
        Shape::MapOrNames => {
            if value.need_object(faults).is_some() {
                // Names of members in a list, or a schema.
                left.extend(
                    value.members().map(|(_, schema)| schema).filter(|schema| !schema.is_array()),
                );
            }
        }
        Shape::Reference => {
            if let Some(text) = value.need_str(faults)
                && let Some(target) = faults.take(refs::target(value, text))
            {
                left.push(target);
            }
        }
    }
}

/// Refuses a plain YAML scalar on which the document's other readers may disagree.
fn certain(value: &At<'_>, faults: &mut Faults) {
    let mut left = vec![value.clone()];
    while let Some(at) = left.pop() {
        if at.is_doubtful() {
            faults.push(at.fault(
                "readers of YAML 1.1 take this plain scalar for another value: put it in quotes if it is text, \
                 write true or false, or a plain decimal number",
            ));
        }
        left.extend(at.items());
        left.extend(at.members().map(|(_, value)| value));
    }
}

/// Refuses keywords that only mean something beside another one that is not there.
fn lonely(at: &At<'_>, dialect: Dialect, faults: &mut Faults) {
    for (name, partner) in
        [("then", "if"), ("else", "if"), ("minContains", "contains"), ("maxContains", "contains")]
    {
        if let Some(value) = at.get(name)
            && at.get(partner).is_none()
        {
            faults.push(value.fault(format!("demands nothing without `{partner}` beside it")));
        }
    }
    if let Some(value) = at.get("if")
        && at.get("then").is_none()
        && at.get("else").is_none()
    {
        faults.push(value.fault("demands nothing without `then` or `else` beside it"));
    }
    if let Some(value) = at.get("additionalItems")
        && !at.get("items").is_some_and(|items| items.is_array())
    {
        faults.push(value.fault("demands nothing without a list of `items` beside it"));
    }
    let hides = matches!(dialect, Dialect::Draft4 | Dialect::Draft6 | Dialect::Draft7);
    if hides && at.get("$ref").is_some() {
        for (name, value) in at.members() {
            if name != "$ref" && !matches!(keyword(name, dialect), Some(Keyword::Annotation)) {
                faults.push(value.fault(
                    "up to draft 7 a `$ref` hides what stands beside it: put both into an `allOf`",
                ));
            }
        }
    }
}

/// Refuses keywords that judge a type which the schema beside them does not allow.
fn useless(at: &At<'_>, faults: &mut Faults) {
    const JUDGES: &[(&[&str], &[&str])] = &[
        (
            &["number", "integer"],
            &["multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"],
        ),
        (&["string"], &["maxLength", "minLength", "pattern"]),
        (
            &["array"],
            &[
                "maxItems",
                "minItems",
                "uniqueItems",
                "items",
                "prefixItems",
                "contains",
                "unevaluatedItems",
            ],
        ),
        (
            &["object"],
            &[
                "maxProperties",
                "minProperties",
                "required",
                "properties",
                "patternProperties",
                "additionalProperties",
                "propertyNames",
                "dependentRequired",
                "dependentSchemas",
                "unevaluatedProperties",
            ],
        ),
    ];
    let allowed = types(at);
    if allowed.is_empty() {
        return;
    }
    for (types, keywords) in JUDGES {
        if types.iter().any(|name| allowed.contains(name)) {
            continue;
        }
        for value in keywords.iter().filter_map(|keyword| at.get(keyword)) {
            faults.push(value.fault(format!(
                "judges values of type {}, which `type` beside it does not allow: it would never be enforced",
                types.join(" or ")
            )));
        }
    }
}

/// Refuses a format that judges a type which the schema beside it does not allow.
fn format(at: &At<'_>, formats: &Formats, faults: &mut Faults) {
    let Some(value) = at.get("format") else { return };
    let (allowed, judged) = (types(at), value.str().and_then(|name| formats.judges(name)));
    let met = |kind: &&str| judged == Some(if *kind == "integer" { "number" } else { kind });
    let (Some(judged), false) = (judged, allowed.is_empty() || allowed.iter().any(met)) else {
        return;
    };
    let fault = value.fault(format!(
        "judges values of type {judged}, which `type` beside it does not allow: it would never be enforced"
    ));
    if !faults.speak_of(&fault) {
        faults.push(fault);
    }
}

/// The types that a schema names; none when it names none.
fn types<'s>(at: &At<'s>) -> Vec<&'s str> {
    let Some(kind) = at.get("type") else { return Vec::new() };
    match kind.str() {
        Some(one) => vec![one],
        None => kind.items().filter_map(|item| item.str()).collect(),
    }
}

/// A pointer as the fragment of a URI (RFC 6901, 6).
fn fragment(pointer: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

    // All that RFC 3986 keeps out of a fragment, and `%` itself.
    const OUT: &AsciiSet = &CONTROLS
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
    utf8_percent_encode(pointer, OUT).to_string()
}
