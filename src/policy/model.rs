//! What the compiler makes of an API's documents, and all that the gate reads of them.
//!
//! Everything here is decided: names are resolved, texts are parsed, lists are compiled. The gate compares
//! and looks up; it parses nothing of the policy while a request waits.

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::check::IpSet;
use crate::json::Limits;
use crate::limit::Quota;
use crate::policy::router::Router;
use crate::schema::{SchemaId, Set};

/// A compiled policy. It never changes; a reload makes a new one.
#[derive(Debug)]
pub struct Policy {
    /// The API's own title, from its OpenAPI document.
    pub title: String,
    /// Every operation, in the document's order; [`Router`] finds them by index.
    pub operations: Vec<Operation>,
    /// Method and path to operation.
    pub router: Router,
    /// Every schema of the API, compiled once.
    pub schemas: Set,
    /// The Hosts that this API answers to, all operations together; each has its own [`Operation::origins`].
    pub hosts: Hosts,
    /// The schemes that it is served under, all operations together.
    pub schemes: Schemes,
    /// Sizes of requests.
    pub request: RequestLimits,
    /// How the client's address is found, and which addresses may call at all.
    pub client: ClientPolicy,
    /// Every rate, in the order written; operations name them by index.
    pub rates: Vec<Rate>,
    /// Who counts the rates together.
    pub counting: Counting,
    /// How large the table is that they count in.
    pub table: TableSize,
    /// The rates that are charged before the route is known, by index: subject address, no operations named.
    pub address_rates: Vec<usize>,
    /// For the whole gate; an operation can only be laxer or stricter by its own mode.
    pub mode: Mode,
    /// What answers show.
    pub answers: Answers,
}

/// One method on one path template, with what it demands.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a demand of its own, and named")]
pub struct Operation {
    /// `GET`, `POST`, …
    pub method: String,
    /// The template as the document has it, without the base path; `METHOD template` names the operation.
    pub template: String,
    /// The base paths under which it is served, from `servers`; `""` when at the root.
    pub bases: Vec<String>,
    /// The Hosts that it answers to, each under its schemes. Where other base paths have other origins, there is
    /// another operation of the same name.
    pub origins: Arc<[Origin]>,
    /// Declared parameters of path, query and header.
    pub parameters: Vec<Parameter>,
    /// What it takes as a body; without one, the first body byte is refused.
    pub body: Option<Body>,
    /// The only addresses that may call it.
    pub addresses: Option<IpSet>,
    /// Whoever may not call it is told that there is no such path.
    pub hidden: bool,
    /// Whether the document marks it as deprecated: without a date there is nothing to answer (RFC 9745).
    pub declared_deprecated: bool,
    /// Since when it is deprecated, seconds since 1970 (RFC 9745).
    pub deprecated: Option<i64>,
    /// When it goes, seconds since 1970 (RFC 8594); from then on it answers 410.
    pub sunset: Option<i64>,
    /// Whether it is a websocket: its handshake is judged as a GET, and a plain GET on it is refused.
    pub websocket: bool,
    /// Whether the application checks credentials here (`[auth] required = "app"` and a `security` demand).
    pub app_auth: bool,
    /// The gate's mode, or its own.
    pub mode: Mode,
    /// Largest body in bytes.
    pub max_body: usize,
    /// The rates charged once the route is known, by index into [`Policy::rates`].
    pub rates: Vec<usize>,
}

impl Operation {
    /// `GET /bookings/{id}`: how it is named in verdicts, logs and messages.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// In the path: the index of the capture, from left to right.
    Path(usize),
    /// In the query.
    Query,
    /// In the headers; the name is in lower case.
    Header,
}

impl Location {
    /// `path`, `query` or `header`, as OpenAPI's `in` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path(_) => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A declared parameter of a simple type.
#[derive(Debug)]
pub struct Parameter {
    /// As declared; in lower case for a header.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// Whether a request without it is refused. Always true in a path.
    pub required: bool,
    /// What its value is judged against.
    pub schema: SchemaId,
    /// The types that its text may be read as.
    pub kinds: Kinds,
}

/// The JSON types that the text of a parameter may be read as; at least one.
///
/// A text is read as the first of boolean, integer, number, string that is allowed here and whose grammar it
/// has and that its schema accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of four types, each named")]
pub struct Kinds {
    /// `true` or `false`.
    pub boolean: bool,
    /// A JSON number without fraction and exponent.
    pub integer: bool,
    /// Any JSON number.
    pub number: bool,
    /// Any text.
    pub string: bool,
}

/// What an operation takes as a body.
#[derive(Debug)]
pub struct Body {
    /// Whether a request without one is refused.
    pub required: bool,
    /// Declared media types; all of them JSON for now.
    pub media: Vec<Media>,
}

/// One declared media type of a body.
#[derive(Debug)]
pub struct Media {
    /// `application/json`, in lower case, without parameters.
    pub essence: String,
    /// What the document is judged against.
    pub schema: SchemaId,
}

/// The Hosts that an API answers to.
#[derive(Debug)]
pub enum Hosts {
    /// `hosts = ["*"]`.
    Any,
    /// In lower case; with a port only where the policy names one: a name without a port allows every port.
    Names(Vec<String>),
}

impl Hosts {
    /// As a policy writes them: `*` for any.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Any => vec!["*".to_owned()],
            Self::Names(names) => names.clone(),
        }
    }
}

/// A Host, and the schemes that something is served under there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// As in [`Hosts::Names`]; `None` is any.
    pub host: Option<String>,
    /// At least one.
    pub schemes: Schemes,
}

/// The schemes that an API is served under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schemes {
    /// http, ws.
    pub http: bool,
    /// https, wss.
    pub https: bool,
}

impl Schemes {
    /// `http`, `https`: those that it is.
    pub fn names(self) -> Vec<&'static str> {
        let all = [("http", self.http), ("https", self.https)];
        all.into_iter().filter_map(|(name, served)| served.then_some(name)).collect()
    }
}

/// Sizes of requests.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// Body, in bytes, where the operation says nothing else.
    pub max_body: usize,
    /// Raw target, in bytes.
    pub max_target: usize,
    /// Names and values of all headers together, in bytes.
    pub max_headers: usize,
    /// Ceilings of the JSON reader.
    pub json: Limits,
    /// Whether a server that gives only the decoded path is accepted.
    pub decoded_target: bool,
}

/// How the client's address is found, and which addresses may call at all.
#[derive(Debug, Default)]
pub struct ClientPolicy {
    /// Peers whose forwarding header is believed.
    pub trusted_proxies: Option<IpSet>,
    /// The one header that they set.
    pub header: Option<ForwardingHeader>,
    /// The only addresses that may call; an empty set denies all.
    pub allow: Option<IpSet>,
    /// Addresses that may not call; where both lists match, the longer prefix decides.
    pub deny: Option<IpSet>,
    /// Whether a connection without a peer address (a unix socket) is accepted, as a trusted proxy.
    pub peerless: bool,
}

/// The header that a trusted proxy sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// A rate: quotas, and what they are counted against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// As named in `[rate.NAME]`.
    pub name: String,
    /// All of them must allow a request.
    pub quotas: Vec<Quota>,
    /// What makes two requests count together; all parts must be equal.
    pub subject: Vec<Subject>,
    /// Who has one address, if that is part of the subject.
    pub networks: Networks,
    /// How much one request counts.
    pub cost: u32,
    /// Enforce, or decide, record and let through.
    pub mode: Mode,
}

/// Who counts a policy's rates together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counting {
    /// The policy does not say, so each process counts alone: with N of them, N times as much is admitted.
    Unsaid,
    /// Each process alone, and that is meant.
    Alone,
    /// All processes of this user on this host, in the table of this name.
    Shared(String),
}

/// How large the table is that a policy's rates count in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSize {
    /// Keys that are live at once, of all quotas together.
    pub capacity: usize,
    /// Cells for those that find no room.
    pub overflow: usize,
}

impl TableSize {
    /// The capacity unless the policy says otherwise. At half, a service with some ten thousand clients a window and three
    /// quotas turns newcomers away; at double, a gate takes twice the memory whether it has clients or not.
    pub const CAPACITY: usize = 65_536;

    /// The largest of both.
    pub const MOST: u32 = crate::limit::MAX_CAPACITY;
}

/// How many first bits of an address stand for whoever has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Networks {
    /// Of IPv4, 1 to 32.
    pub v4: u8,
    /// Of IPv6, 1 to 128.
    pub v6: u8,
}

impl Networks {
    /// All of IPv4; of IPv6 what one subscriber has at least.
    pub const SUBSCRIBER: Self = Self { v4: 32, v6: 64 };

    /// Whether a subscriber has several, and may take one after the other.
    pub fn split_a_subscriber(self) -> bool {
        self.v6 > Self::SUBSCRIBER.v6
    }
}

/// A part of what a quota is counted against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The client's address, by its network.
    Address,
    /// The operation.
    Operation,
    /// A request header, in lower case; a request without it counts as one subject.
    Header(String),
}

/// What happens to a request that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Mode {
    /// It is refused.
    #[default]
    Enforce,
    /// It is judged, counted and recorded, and let through.
    Monitor,
    /// It is not judged.
    Off,
}

/// What answers show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// `Server-Timing: gate;dur=0.012` on every answer.
    pub server_timing: bool,
    /// Whether a schema violation is answered with its pointers, or with its code alone.
    pub pointers: bool,
}
