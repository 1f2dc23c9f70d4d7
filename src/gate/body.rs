//! The second call: the body of a request whose head was admitted, and of no other.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::borrow::Cow;

use super::case::Case;
use super::fault::Fault;
use super::tapes;
use super::verdict::{Content, Verdict};
use super::{guard, media};
use crate::json::Document;
use crate::reason::Reason;
use crate::schema::{self, SchemaId};

/// A request whose head has passed and whose body is awaited.
///
/// There is no other way to have a body judged than to have one of these, and no way to have one but from
/// [`Gate::head`](super::Gate::head): the body of a request that is not admitted cannot be expressed.
#[derive(Debug)]
pub struct Pending {
    /// Taken by the verdict; after it, this is spent.
    case: Option<Case>,
    awaited: Awaited,
    parameters: Option<Document<'static>>,
    buffer: Vec<u8>,
}

/// What is known of the body before it comes.
#[derive(Debug)]
pub(super) struct Awaited {
    /// What the operation takes: nothing, or a document of this schema.
    pub(super) takes: Takes,
    /// From Content-Length.
    pub(super) length: Option<u64>,
    /// In bytes.
    pub(super) limit: usize,
}

/// What an operation takes as a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    /// No body at all.
    Nothing,
    /// JSON of this schema. `None`: the request names no media type, which it may as long as it has no body.
    Json { schema: Option<SchemaId>, required: bool },
}

impl Pending {
    pub(super) fn new(case: Case, awaited: Awaited, parameters: Document<'static>) -> Self {
        Self { case: Some(case), awaited, parameters: Some(parameters), buffer: Vec::new() }
    }

    /// The most bytes that may come.
    pub fn limit(&self) -> usize {
        self.awaited.limit
    }

    /// Bytes of the body so far.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Takes the next piece of the body. A verdict as soon as there is nothing to wait for: the body is too
    /// large, or should not be there.
    ///
    /// After a verdict was given there is nothing left to feed: the answer is then `gate.fault`.
    pub fn feed(&mut self, chunk: &[u8]) -> Option<Verdict> {
        let started = self.now();
        let fault = self.overflow(chunk.len());
        self.buffer.extend_from_slice(chunk);
        self.spend(started);
        let fault = fault?;
        let content = Content::Raw(std::mem::take(&mut self.buffer));
        self.take().map(|case| Verdict::refused(case, fault.into(), content))
    }

    /// The body is complete.
    ///
    /// `None` only when a verdict was given before.
    pub fn finish(&mut self) -> Option<Verdict> {
        let started = self.now();
        let buffer = std::mem::take(&mut self.buffer);
        let mut text = Vec::new();
        let engine = self.case.as_ref().map(|case| case.engine.clone())?;
        let judged = guard(|| judge(&engine, &self.awaited, buffer, &mut text));
        self.spend(started);
        let (case, parameters) = (self.take()?, self.parameters.take());
        Some(match (judged, parameters) {
            (Ok(content), Some(parameters)) => Verdict::allowed(case, parameters, content),
            (Ok(_), None) => Verdict::refused(case, Reason::GateFault.into(), Content::Empty),
            (Err(fault), _) => Verdict::refused(case, fault, Content::Raw(text)),
        })
    }

    /// The client left, or the server gave up, before the body was complete.
    pub fn abandon(&mut self) -> Option<Verdict> {
        let content = Content::Raw(std::mem::take(&mut self.buffer));
        self.take().map(|case| Verdict::refused(case, Reason::BodyIncomplete.into(), content))
    }

    fn overflow(&self, more: usize) -> Option<Reason> {
        let size = self.buffer.len().saturating_add(more);
        let declared =
            self.awaited.length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        match self.awaited.takes {
            Takes::Nothing if size > 0 => Some(Reason::BodyUndeclared),
            _ if size > self.awaited.limit => Some(Reason::BodyTooLarge),
            Takes::Json { schema: None, .. } if size > 0 => Some(Reason::MediaMissing),
            _ if declared.is_some_and(|declared| size > declared) => Some(Reason::BodyIncomplete),
            Takes::Nothing | Takes::Json { .. } => None,
        }
    }

    fn take(&mut self) -> Option<Case> {
        self.case.take()
    }

    fn now(&self) -> u64 {
        self.case.as_ref().map_or(0, |case| case.engine.clock.monotonic_ns())
    }

    fn spend(&mut self, started: u64) {
        let spent = self.now().saturating_sub(started);
        if let Some(case) = &mut self.case {
            case.spent_ns = case.spent_ns.saturating_add(spent);
        }
    }
}

/// Judges a complete body; `text` gets its bytes back when it is refused.
fn judge(
    engine: &super::engine::Engine,
    awaited: &Awaited,
    body: Vec<u8>,
    text: &mut Vec<u8>,
) -> Result<Content, Fault> {
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let judged = if awaited.length.is_some_and(|length| length != size) {
        Err(Reason::BodyIncomplete.into())
    } else {
        match awaited.takes {
            Takes::Json { required: true, .. } if body.is_empty() => {
                Err(Reason::BodyMissing.into())
            }
            Takes::Nothing | Takes::Json { .. } if body.is_empty() => Ok(Content::Empty),
            Takes::Nothing => Err(Reason::BodyUndeclared.into()),
            Takes::Json { schema: None, .. } => Err(Reason::MediaMissing.into()),
            Takes::Json { schema: Some(schema), .. } => document(engine, schema, &body),
        }
    };
    if judged.is_err() {
        *text = body;
    }
    judged
}

fn document(
    engine: &super::engine::Engine,
    schema: SchemaId,
    body: &[u8],
) -> Result<Content, Fault> {
    let policy = &engine.policy;
    let judged =
        policy.schemas.judge(schema, Cow::Borrowed(body), &policy.request.json, tapes::take());
    match judged {
        Ok(document) => Ok(Content::Json(document.into_owned())),
        Err(schema::Fault::Json(error)) => Err(Fault::text(error, body)),
        Err(schema::Fault::Schema(violation)) => Err(Fault::schema(violation)),
    }
}

/// What the head says about the body that may follow it.
pub(super) fn await_body(
    operation: &crate::policy::model::Operation,
    framing: &super::framing::Framing<'_>,
    announced: super::framing::Announced,
) -> Result<Option<Awaited>, Reason> {
    use super::framing::Announced;

    let length = framing.content_length;
    let Some(body) = &operation.body else {
        return match announced {
            Announced::No => Ok(None),
            Announced::Length(_) => Err(Reason::BodyUndeclared),
            Announced::Unknown => Ok(Some(Awaited { takes: Takes::Nothing, length, limit: 0 })),
        };
    };
    let limit = operation.max_body;
    let required = body.required;
    let schema = match announced {
        Announced::No if required => return Err(Reason::BodyMissing),
        Announced::No => return Ok(None),
        Announced::Unknown if framing.content_type.is_none() => None,
        Announced::Length(_) | Announced::Unknown => {
            Some(media::select(body, framing.content_type)?.schema)
        }
    };
    media::coding(framing.content_encoding)?;
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if length.is_some_and(|length| length > most) {
        return Err(Reason::BodyTooLarge);
    }
    Ok(Some(Awaited { takes: Takes::Json { schema, required }, length, limit }))
}
