//! The gate's answer to one request.

#![forbid(unsafe_code)]

use std::net::IpAddr;
use std::sync::Arc;

use super::case::Case;
use super::engine::Engine;
use super::fault::{Detail, Fault};
use super::problem;
use super::tapes;
use crate::json::Document;
use crate::policy::model::{Mode, Operation};
use crate::reason::Reason;

/// Allowed, or refused for a reason; with what the caller needs next.
#[derive(Debug)]
pub struct Verdict {
    engine: Arc<Engine>,
    operation: Option<usize>,
    reason: Option<Reason>,
    would_refuse: Option<Reason>,
    judged: bool,
    detail: Detail,
    client: Option<IpAddr>,
    request_id: String,
    headers: Vec<(&'static str, String)>,
    parameters: Option<Document<'static>>,
    content: Content,
    elapsed_ns: u64,
}

/// The body that was judged.
#[derive(Debug, Default)]
pub(super) enum Content {
    /// There was none.
    #[default]
    Empty,
    /// Its bytes, not (or not successfully) parsed.
    Raw(Vec<u8>),
    /// The document, which holds its bytes.
    Json(Document<'static>),
}

impl Verdict {
    /// Everything that was judged passed.
    pub(super) fn allowed(case: Case, parameters: Document<'static>, content: Content) -> Self {
        let mut verdict = Self::new(case, None, content);
        verdict.judged = true;
        verdict.parameters = Some(parameters);
        verdict
    }

    /// Let through without having been judged: mode `off`.
    pub(super) fn unjudged(case: Case) -> Self {
        Self::new(case, None, Content::Empty)
    }

    /// Refused, or, where the mode is `monitor` and the fault may be waived, let through and remembered.
    pub(super) fn refused(mut case: Case, fault: Fault, content: Content) -> Self {
        if case.mode == Mode::Monitor && fault.is_waivable() {
            case.would_refuse.get_or_insert(fault.reason);
            return Self::new(case, None, content);
        }
        let mut verdict = Self::new(case, Some(fault.reason), content);
        verdict.detail = fault.detail;
        verdict
    }

    fn new(case: Case, reason: Option<Reason>, content: Content) -> Self {
        let Case { engine, operation, would_refuse, client, request_id, headers, spent_ns, .. } =
            case;
        let mut verdict = Self {
            engine,
            operation,
            reason,
            would_refuse,
            judged: false,
            detail: Detail::None,
            client,
            request_id,
            headers,
            parameters: None,
            content,
            elapsed_ns: spent_ns,
        };
        if verdict.engine.policy.answers.server_timing {
            verdict.headers.push(("Server-Timing", server_timing(spent_ns)));
        }
        verdict.engine.record(verdict.reason, verdict.would_refuse);
        verdict
    }

    /// Whether the request may pass.
    pub fn is_allowed(&self) -> bool {
        self.reason.is_none()
    }

    /// Why it may not.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Why it would have been refused if the mode were `enforce`.
    pub fn would_refuse(&self) -> Option<Reason> {
        self.would_refuse
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

    /// Headers for the answer, whoever gives it.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The `application/problem+json` document of a refusal; empty for a request that may pass.
    pub fn problem(&self) -> Vec<u8> {
        let pointers = self.engine.policy.answers.pointers;
        self.reason
            .map(|reason| problem::write(reason, &self.detail, pointers, &self.request_id))
            .unwrap_or_default()
    }

    /// The operation, once it is known and the client may know of it.
    pub fn operation(&self) -> Option<&Operation> {
        self.engine.policy.operations.get(self.operation?)
    }

    /// `{"path": {…}, "query": {…}, "header": {…}}`, once judged.
    pub fn parameters(&self) -> Option<&Document<'static>> {
        self.parameters.as_ref()
    }

    /// The body as a document, once judged.
    pub fn document(&self) -> Option<&Document<'static>> {
        match &self.content {
            Content::Json(document) if self.judged => Some(document),
            Content::Json(_) | Content::Raw(_) | Content::Empty => None,
        }
    }

    /// The bytes of the body that the gate has read.
    pub fn raw(&self) -> &[u8] {
        match &self.content {
            Content::Empty => &[],
            Content::Raw(bytes) => bytes,
            Content::Json(document) => document.text(),
        }
    }

    /// The client's address.
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Closes the record: the status that was answered, and the bytes sent. (being built)
    pub fn done(&self, _status: Option<u16>, _sent: Option<u64>) {}

    /// Nanoseconds spent in the gate, without the time that the body took to arrive.
    pub fn elapsed_ns(&self) -> u64 {
        self.elapsed_ns
    }
}

impl Drop for Verdict {
    /// The buffers of a parsed body serve the next request of this thread.
    fn drop(&mut self) {
        if let Content::Json(document) = std::mem::take(&mut self.content) {
            tapes::give(document.into_tape());
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
