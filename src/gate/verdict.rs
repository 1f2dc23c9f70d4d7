//! The gate's answer to one request.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use super::case::Case;
use super::engine::Engine;
use super::fault::{Detail, Fault};
use super::problem;
use crate::json::Document;
use crate::limit::process_id;
use crate::policy::model::{Mode, Operation};
use crate::reason::Reason;

/// Allowed, or refused for a reason; with what the caller needs next.
pub struct Verdict {
    engine: Arc<Engine>,
    case: Case,
    reason: Option<Reason>,
    detail: Detail,
    judged: bool,
    /// `None` for an operation that declares none.
    parameters: Option<Document<'static>>,
    content: Content,
    closed: OnceLock<()>,
}

/// The body, as far as the gate has read it and the application is to get it.
#[derive(Default)]
pub(super) enum Content {
    /// There was none, or it is not handed on.
    #[default]
    Empty,
    /// Let through without being judged.
    Raw(Vec<u8>),
    /// The document, which holds its bytes.
    Json(Document<'static>),
}

impl Verdict {
    /// Everything that was judged passed.
    pub(super) fn allowed(
        engine: Arc<Engine>,
        case: Case,
        parameters: Option<Document<'static>>,
        content: Content,
    ) -> Self {
        let mut verdict = Self::new(engine, case, content);
        (verdict.judged, verdict.parameters) = (true, parameters);
        verdict.close_case(None)
    }

    /// Let through without having been judged: mode `off`.
    pub(super) fn unjudged(engine: Arc<Engine>, case: Case) -> Self {
        Self::new(engine, case, Content::Empty).close_case(None)
    }

    /// Refused, or, where the mode is `monitor` and the fault may be waived, let through with its body and
    /// remembered.
    pub(super) fn refused(
        engine: Arc<Engine>,
        case: Case,
        fault: Fault,
        body: Cow<'_, [u8]>,
    ) -> Self {
        let mut verdict = Self::new(engine, case, Content::Empty);
        if verdict.case.mode == Mode::Monitor && fault.is_waivable() {
            verdict.case.would_refuse.get_or_insert(fault.reason);
            return verdict.carrying(body).close_case(None);
        }
        verdict.reason = Some(fault.reason);
        verdict.detail = fault.detail;
        verdict.close_case(fault.header)
    }

    /// Refused, because the gate itself failed. Needs nothing that could fail again.
    pub(super) fn failed(engine: Arc<Engine>) -> Self {
        let case = Case::new(Mode::Enforce);
        Self::refused(engine, case, Reason::GateFault.into(), Cow::Borrowed(&[]))
    }

    fn new(engine: Arc<Engine>, case: Case, content: Content) -> Self {
        let (reason, detail, closed) = (None, Detail::None, OnceLock::new());
        Self { engine, case, reason, detail, judged: false, parameters: None, content, closed }
    }

    /// With a body that was let through.
    pub(super) fn carrying(mut self, body: Cow<'_, [u8]>) -> Self {
        if self.is_allowed() && !self.judged && !body.is_empty() {
            self.content = Content::Raw(body.into_owned());
        }
        self
    }

    /// Puts the headers of the answer together, and counts the decision.
    fn close_case(mut self, refusal: Option<(&'static str, String)>) -> Self {
        let quotas = [
            ("RateLimit-Policy", std::mem::take(&mut self.case.quota_policy)),
            ("RateLimit", std::mem::take(&mut self.case.quota_state)),
        ];
        self.case.headers.extend(quotas.into_iter().filter(|(_, value)| !value.is_empty()));
        if self.reason.is_some() {
            let id = self.request_id().to_owned();
            self.case.answer("Content-Type", "application/problem+json".to_owned());
            self.case.answer("Cache-Control", "no-store".to_owned());
            self.case.answer("X-Request-ID", id);
            self.case.headers.extend(refusal);
        }
        if self.engine.policy.answers.server_timing {
            self.case.answer("Server-Timing", server_timing(self.case.spent_ns));
        }
        self.engine.record(self.reason, self.case.would_refuse);
        self
    }

    /// Whether the request may pass.
    pub fn is_allowed(&self) -> bool {
        self.reason.is_none()
    }

    /// Why it may not.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Why it, or one of its rates, would have been refused if the mode were `enforce`.
    pub fn would_refuse(&self) -> Option<Reason> {
        self.case.would_refuse
    }

    /// Whether parameters and body were judged and passed. False where the mode let the request through
    /// all the same: then its body has to be handed on as it comes.
    pub fn is_judged(&self) -> bool {
        self.judged
    }

    /// The status to answer with; 200 for a request that may pass.
    pub fn status(&self) -> u16 {
        self.reason.map_or(200, Reason::status)
    }

    /// Headers for the answer, whoever gives it. Those of a refusal name the type of [`problem`](Self::problem).
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.case.headers
    }

    /// The `application/problem+json` document of a refusal; empty for a request that may pass.
    pub fn problem(&self) -> Vec<u8> {
        let pointers = self.engine.policy.answers.pointers;
        self.reason
            .map(|reason| problem::write(reason, &self.detail, pointers, self.request_id()))
            .unwrap_or_default()
    }

    /// The operation, once it is known and the client may know of it.
    pub fn operation(&self) -> Option<&Operation> {
        self.engine.policy.operations.get(self.case.operation?)
    }

    /// `{"path": {…}, "query": {…}, "header": {…}}`, once judged.
    pub fn parameters(&self) -> Option<&Document<'static>> {
        let none = &self.engine.no_parameters;
        self.judged.then(|| self.parameters.as_ref().unwrap_or(none))
    }

    /// The body as a document, once judged; `None` also when there was no body.
    pub fn document(&self) -> Option<&Document<'static>> {
        match &self.content {
            Content::Json(document) if self.judged => Some(document),
            Content::Json(_) | Content::Raw(_) | Content::Empty => None,
        }
    }

    /// The bytes of the body to hand on: all that the gate has read of a request that may pass, nothing of a
    /// refused one.
    pub fn raw(&self) -> &[u8] {
        match &self.content {
            Content::Empty => &[],
            Content::Raw(bytes) => bytes,
            Content::Json(document) => document.text(),
        }
    }

    /// The client's address.
    pub fn client(&self) -> Option<IpAddr> {
        self.case.client
    }

    /// The request's id: ours, or the one that a trusted proxy gave it.
    pub fn request_id(&self) -> &str {
        self.case.id.get_or_init(|| self.engine.ids.next(process_id()))
    }

    /// Closes the record: the status that was answered, `None` if nobody did, and the bytes of its body.
    /// Counted once, however often it is called.
    pub fn done(&self, status: Option<u16>, sent: Option<u64>) {
        if self.closed.set(()).is_ok() {
            self.engine.counters.answered(status, sent.unwrap_or(0));
        }
    }

    /// Nanoseconds spent in the gate, without the time that the body took to arrive.
    pub fn elapsed_ns(&self) -> u64 {
        self.case.spent_ns
    }
}

impl fmt::Debug for Verdict {
    /// Codes and names, never what was submitted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("reason", &self.reason.map(Reason::code))
            .field("would_refuse", &self.case.would_refuse.map(Reason::code))
            .field("judged", &self.judged)
            .field("operation", &self.operation().map(Operation::name))
            .finish_non_exhaustive()
    }
}

impl Drop for Verdict {
    /// The buffers of a parsed body serve the next request of this thread.
    fn drop(&mut self) {
        if let Content::Json(document) = std::mem::take(&mut self.content) {
            document.into_tape().keep();
        }
    }
}

/// `gate;dur=0.012`: milliseconds, as the Server Timing specification has them.
fn server_timing(ns: u64) -> String {
    format!("gate;dur={}.{:03}", ns / 1_000_000, ns / 1_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_milliseconds_with_microseconds() {
        assert_eq!(server_timing(12_345), "gate;dur=0.012");
        assert_eq!(server_timing(1_002_003_000), "gate;dur=1002.003");
    }
}
