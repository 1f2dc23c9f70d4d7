//! The second call: the body of a request whose head was admitted, and of no other.

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::case::Case;
use super::engine::Engine;
use super::fault::Fault;
use super::framing::{Announced, Framing};
use super::media;
use super::verdict::{Content, Verdict};
use crate::json::{Document, Tape};
use crate::policy::model::{Mode, Operation};
use crate::reason::Reason;
use crate::schema::{self, SchemaId};

/// A request whose head has passed and whose body is awaited.
///
/// There is no other way to have a body judged than to have one of these, and no way to have one but from
/// [`Gate::head`](super::Gate::head): the body of a request that is not admitted cannot be expressed.
///
/// It gives one verdict, and is spent then:
///
/// | call | gives | then |
/// |---|---|---|
/// | [`feed`](Self::feed) | nothing yet | read on |
/// | `feed` | a refusal | stop reading, answer |
/// | `feed` | an allowed verdict that is not [judged](Verdict::is_judged) (mode `monitor`: the body is larger than what is judged, or should not be there) | hand on [`Verdict::raw`], and whatever is still to come, untouched |
/// | [`finish`](Self::finish) | the verdict on all of it | hand on [`Verdict::raw`], and nothing after it |
/// | [`abandon`](Self::abandon) | a refusal | nobody is there to answer |
pub struct Pending {
    engine: Arc<Engine>,
    /// Taken by the verdict.
    open: Option<Open>,
}

/// The verdict on this request was given before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent;

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the verdict on this request was given before")
    }
}

impl std::error::Error for Spent {}

/// An admitted head, what is known of its body, and what has come of it.
pub(super) struct Open {
    case: Case,
    awaited: Awaited,
    parameters: Option<Document<'static>>,
    buffer: Vec<u8>,
}

/// What is known of the body before it comes.
#[derive(Debug)]
pub(super) struct Awaited {
    /// What the operation takes: nothing, or a document of this schema.
    takes: Takes,
    /// From Content-Length.
    length: Option<u64>,
    /// In bytes.
    limit: usize,
}

/// What an operation takes as a body.
#[derive(Debug, Clone, Copy)]
enum Takes {
    /// No body at all.
    Nothing,
    /// JSON of this schema. `None`: the request names no media type, which it may as long as it has no body.
    Json { schema: Option<SchemaId>, required: bool },
}

impl Pending {
    pub(super) fn new(engine: Arc<Engine>, open: Open) -> Self {
        Self { engine, open: Some(open) }
    }

    /// The most bytes that may come.
    pub fn limit(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.awaited.limit)
    }

    /// Bytes of the body so far.
    pub fn buffered(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.buffer.len())
    }

    /// Takes the next piece of the body. A verdict as soon as there is nothing to wait for: the body is too
    /// large, or should not be there.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Option<Verdict>, Spent> {
        let open = self.open.take().ok_or(Spent)?;
        match self.guard(|engine| open.feed(engine, chunk), Fed::Enough) {
            Fed::More(open) => {
                self.open = Some(open);
                Ok(None)
            }
            Fed::Enough(verdict) => Ok(Some(verdict)),
        }
    }

    /// The body is complete.
    pub fn finish(&mut self) -> Result<Verdict, Spent> {
        let mut open = self.open.take().ok_or(Spent)?;
        let body = std::mem::take(&mut open.buffer);
        Ok(self.guard(|engine| open.conclude(engine, Cow::Owned(body)), |failed| failed))
    }

    /// The client left, or the server gave up, before the body was complete.
    pub fn abandon(&mut self) -> Result<Verdict, Spent> {
        let open = self.open.take().ok_or(Spent)?;
        let fault = Fault::of(Reason::BodyIncomplete);
        let refused = |engine| Verdict::refused(engine, open.case, fault, Cow::Owned(open.buffer));
        Ok(self.guard(refused, |failed| failed))
    }

    /// A panic in the work is a refusal, and stays inside; what it had in its hands is gone.
    fn guard<T>(
        &self,
        work: impl FnOnce(Arc<Engine>) -> T,
        failed: impl FnOnce(Verdict) -> T,
    ) -> T {
        let engine = Arc::clone(&self.engine);
        catch_unwind(AssertUnwindSafe(|| work(engine)))
            .unwrap_or_else(|_| failed(Verdict::failed(Arc::clone(&self.engine))))
    }
}

impl fmt::Debug for Pending {
    /// Numbers, never what was submitted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("limit", &self.limit())
            .field("buffered", &self.buffered())
            .finish_non_exhaustive()
    }
}

/// What a piece of the body leads to.
enum Fed {
    More(Open),
    Enough(Verdict),
}

impl Open {
    pub(super) fn new(case: Case, awaited: Awaited, parameters: Option<Document<'static>>) -> Self {
        Self { case, awaited, parameters, buffer: Vec::new() }
    }

    fn feed(mut self, engine: Arc<Engine>, chunk: &[u8]) -> Fed {
        let started = engine.setting.clock.monotonic_ns();
        let fault = self.awaited.overflow(self.buffer.len().saturating_add(chunk.len()));
        // What is refused is not kept; what is let through has to be handed on.
        if fault.is_none() || self.case.mode == Mode::Monitor {
            self.buffer.extend_from_slice(chunk);
        }
        self.case.spend(&engine, started);
        let Some(reason) = fault else { return Fed::More(self) };
        let body = Cow::Owned(self.buffer);
        Fed::Enough(Verdict::refused(engine, self.case, reason.into(), body))
    }

    /// Judges the whole body.
    pub(super) fn conclude(mut self, engine: Arc<Engine>, body: Cow<'_, [u8]>) -> Verdict {
        let started = engine.setting.clock.monotonic_ns();
        let judged = self.awaited.judge(&engine, &body);
        self.case.spend(&engine, started);
        match judged {
            Ok(content) => Verdict::allowed(engine, self.case, self.parameters, content),
            Err(fault) => Verdict::refused(engine, self.case, fault, body),
        }
    }
}

impl Awaited {
    /// What the head says about the body that may follow it; `None` when there is none to wait for.
    pub(super) fn of(
        operation: &Operation,
        framing: &Framing<'_>,
        announced: Announced,
    ) -> Result<Option<Self>, Reason> {
        let length = framing.content_length;
        let Some(body) = &operation.body else {
            return match announced {
                Announced::No => Ok(None),
                Announced::Length(_) => Err(Reason::BodyUndeclared),
                Announced::Unknown => Ok(Some(Self { takes: Takes::Nothing, length, limit: 0 })),
            };
        };
        let (limit, required) = (operation.max_body, body.required);
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
        match announced {
            Announced::Length(length) if length > most => Err(Reason::BodyTooLarge),
            Announced::No | Announced::Length(_) | Announced::Unknown => {
                Ok(Some(Self { takes: Takes::Json { schema, required }, length, limit }))
            }
        }
    }

    /// Whether so many bytes are already too many.
    fn overflow(&self, size: usize) -> Option<Reason> {
        let declared = self.length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        match self.takes {
            _ if size == 0 => None,
            Takes::Nothing => Some(Reason::BodyUndeclared),
            Takes::Json { .. } if size > self.limit => Some(Reason::BodyTooLarge),
            Takes::Json { schema: None, .. } => Some(Reason::MediaMissing),
            Takes::Json { .. } if declared.is_some_and(|declared| size > declared) => {
                Some(Reason::BodyIncomplete)
            }
            Takes::Json { .. } => None,
        }
    }

    /// Judges a complete body.
    fn judge(&self, engine: &Engine, body: &[u8]) -> Result<Content, Fault> {
        if let Some(reason) = self.overflow(body.len()) {
            return Err(reason.into());
        }
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if self.length.is_some_and(|length| length != size) {
            return Err(Reason::BodyIncomplete.into());
        }
        match self.takes {
            Takes::Json { required: true, .. } if body.is_empty() => {
                Err(Reason::BodyMissing.into())
            }
            Takes::Json { schema: Some(schema), .. } if !body.is_empty() => {
                document(engine, schema, body)
            }
            // Not empty means refused above.
            Takes::Nothing | Takes::Json { .. } => Ok(Content::Empty),
        }
    }
}

fn document(engine: &Engine, schema: SchemaId, body: &[u8]) -> Result<Content, Fault> {
    let policy = &engine.policy;
    let judged = policy.schemas.judge(schema, body, &policy.request.json, Tape::spare());
    match judged {
        Ok(document) => Ok(Content::Json(document.into_owned())),
        Err(schema::Fault::Json(error)) => Err(Fault::text(error, body)),
        Err(schema::Fault::Schema(violation)) => Err(Fault::schema(violation)),
    }
}
