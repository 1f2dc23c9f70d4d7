//! One request on its way: what is known of it so far.

#![forbid(unsafe_code)]

use std::net::IpAddr;
use std::sync::Arc;

use super::client::Client;
use super::engine::Engine;
use super::framing::Framing;
use crate::event::inbound;
use crate::policy::model::{Mode, Operation, Policy};
use crate::reason::Reason;

/// What is known of a request so far. It holds its snapshot of the policy to the end.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) engine: Arc<Engine>,
    /// The gate's mode until the operation is known, then the operation's.
    pub(super) mode: Mode,
    /// Known, and the client may know of it.
    pub(super) operation: Option<usize>,
    pub(super) would_refuse: Option<Reason>,
    pub(super) client: Option<IpAddr>,
    pub(super) request_id: String,
    /// For the answer.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) spent_ns: u64,
}

impl Case {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let (mode, request_id) = (engine.policy.mode, engine.ids.next());
        Self {
            engine,
            mode,
            operation: None,
            would_refuse: None,
            client: None,
            request_id,
            headers: Vec::new(),
            spent_ns: 0,
        }
    }

    /// The policy, on a handle of its own: a stage reads it while it changes the case.
    pub(super) fn policy(&self) -> PolicyHandle {
        PolicyHandle(Arc::clone(&self.engine))
    }

    /// The client is known; an id that a trusted proxy gave the request is kept.
    pub(super) fn meet(&mut self, client: Client, framing: &Framing<'_>) {
        self.client = client.address;
        if client.through_proxy
            && let Some(id) = framing.request_id.and_then(inbound)
        {
            self.request_id = id;
        }
    }

    /// From here on the request is one for this operation.
    pub(super) fn enter(&mut self, index: usize, operation: &Operation) {
        self.operation = Some(index);
        self.mode = operation.mode;
    }

    pub(super) fn answer(&mut self, name: &'static str, value: String) {
        self.headers.push((name, value));
    }
}

/// A policy, kept alive by its engine.
pub(super) struct PolicyHandle(Arc<Engine>);

impl std::ops::Deref for PolicyHandle {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.0.policy
    }
}
