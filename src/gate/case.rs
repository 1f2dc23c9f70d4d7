//! One request on its way: what is known of it so far.

#![forbid(unsafe_code)]

use std::net::IpAddr;
use std::sync::OnceLock;

use super::client::Client;
use super::engine::Engine;
use super::framing::Framing;
use crate::event::inbound;
use crate::policy::model::{Mode, Operation};
use crate::reason::Reason;

/// What is known of a request so far. The verdict keeps it.
#[derive(Debug)]
pub(super) struct Case {
    /// The gate's mode until the operation is known, then the operation's.
    pub(super) mode: Mode,
    /// Known, and the client may know of it.
    pub(super) operation: Option<usize>,
    pub(super) would_refuse: Option<Reason>,
    pub(super) client: Option<IpAddr>,
    /// An id that came with the request; ours is made when somebody asks for it.
    pub(super) id: OnceLock<String>,
    /// For the answer, whatever it is.
    pub(super) headers: Vec<(&'static str, String)>,
    /// `RateLimit-Policy`; empty when nothing was charged.
    pub(super) quota_policy: String,
    /// `RateLimit`; likewise.
    pub(super) quota_state: String,
    pub(super) spent_ns: u64,
}

impl Case {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            operation: None,
            would_refuse: None,
            client: None,
            id: OnceLock::new(),
            headers: Vec::new(),
            quota_policy: String::new(),
            quota_state: String::new(),
            spent_ns: 0,
        }
    }

    /// The client is known; an id that a trusted proxy gave the request is kept.
    pub(super) fn meet(&mut self, client: Client, framing: &Framing<'_>) {
        self.client = client.address;
        if client.through_proxy
            && let Some(id) = framing.request_id.and_then(inbound)
        {
            self.id = OnceLock::from(id);
        }
    }

    /// From here on the request is one for this operation.
    pub(super) fn enter(&mut self, index: usize, operation: &Operation) {
        self.operation = Some(index);
        self.mode = operation.mode;
    }

    /// Adds the time since `started`.
    pub(super) fn spend(&mut self, engine: &Engine, started: u64) {
        let now = engine.setting.clock.monotonic_ns();
        self.spent_ns = self.spent_ns.saturating_add(now.saturating_sub(started));
    }

    pub(super) fn answer(&mut self, name: &'static str, value: String) {
        self.headers.push((name, value));
    }
}
