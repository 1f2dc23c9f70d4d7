//! One request, start to finish.
//!
//! Two calls: [`Gate::head`] judges all that can be judged without the body and either ends there or returns a
//! [`Pending`]; [`Pending::feed`] and [`Pending::finish`] judge the body. A body can be judged only through
//! the `Pending` of its own head, so the body of a request that is not admitted is never read.
//!
//! The gate does no I/O and calls nobody. It never fails open: a panic inside is a refusal (`gate.fault`).
//!
//! The stages, cheap refusals first; [`stages`](Gate::stages) below is the same list in code:
//!
//! 1. framing and target
//! 2. client address, deny and allow lists
//! 3. address quotas: every request counts, unknown routes too
//! 4. route
//! 5. the operation's addresses, sunset, scheme, host, websocket
//! 6. what the head says about the body: media type, coding, size
//! 7. operation quotas
//! 8. parameters
//! 9. the body: strict JSON, schema
//!
//! ```
//! use std::sync::Arc;
//!
//! use secval::clock::SystemClock;
//! use secval::gate::{Answer, Asked, Gate, Head, Version};
//! use secval::policy::{Policy, Source};
//!
//! let openapi = r#"{
//!     "openapi": "3.1.0",
//!     "info": {"title": "Greeter", "version": "1"},
//!     "servers": [{"url": "https://api.example.com"}],
//!     "paths": {"/hello/{name}": {"get": {
//!         "parameters": [{"name": "name", "in": "path", "required": true,
//!                         "schema": {"type": "string", "maxLength": 20}}],
//!         "responses": {"200": {"description": "a greeting"}}
//!     }}}
//! }"#;
//! let policy = Policy::compile(Source::json("openapi.json", openapi).unwrap(), None).unwrap();
//! let gate = Gate::new(policy, Arc::new(SystemClock)).unwrap();
//!
//! let head = Head {
//!     method: "GET",
//!     target: Asked::Raw(b"/hello/ada"),
//!     dispatch: Some("/hello/ada"),
//!     headers: &[(b"host", b"api.example.com")],
//!     peer: Some("192.0.2.1"),
//!     scheme: "https",
//!     version: Version::Http11,
//!     websocket: false,
//! };
//! let Answer::Final(verdict) = gate.head(&head) else { panic!("a GET has no body") };
//! assert!(verdict.is_allowed());
//! assert_eq!(verdict.operation().unwrap().name(), "GET /hello/{name}");
//! ```

#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod body;
mod case;
mod client;
mod dates;
mod demands;
mod engine;
mod fault;
mod framing;
mod head;
mod media;
mod params;
mod problem;
mod rates;
mod tapes;
pub mod target;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::policy::model::{Mode, Operation, Policy};
use crate::policy::router::Found;
use crate::reason::Reason;
use body::Awaited;
use case::Case;
use engine::Engine;
use fault::Fault;
use target::Target;

pub use body::Pending;
pub use engine::EngineFault;
pub use head::{Asked, Head, Version};
pub use verdict::Verdict;

/// A handle on a compiled policy. The policy is immutable and swapped whole on reload; each request keeps the
/// one it began with.
#[derive(Debug)]
pub struct Gate {
    engine: ArcSwap<Engine>,
}

/// What the head of a request leads to.
#[derive(Debug)]
pub enum Answer {
    /// There is nothing to wait for.
    Final(Box<Verdict>),
    /// The body has to be judged too.
    Pending(Box<Pending>),
}

/// What follows an admitted head.
enum Next {
    /// Nothing more to judge.
    Pass(crate::json::Document<'static>),
    /// The body.
    Body(Awaited, crate::json::Document<'static>),
    /// The mode is `off`: the rest is not judged.
    Unjudged,
}

impl Gate {
    /// A gate that judges by a policy and a clock.
    pub fn new(policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, EngineFault> {
        Ok(Self { engine: ArcSwap::from_pointee(Engine::new(policy, clock)?) })
    }

    /// Judges by another policy from now on. Requests on their way keep the old one; quotas that did not change
    /// keep their counts. When the new policy cannot be set up, the old one stays.
    pub fn replace(&self, policy: Policy) -> Result<(), EngineFault> {
        let next = Arc::new(self.engine.load().succeed(policy)?);
        self.engine.store(next);
        Ok(())
    }

    /// Reads the policy in force.
    pub fn with_policy<T>(&self, read: impl FnOnce(&Policy) -> T) -> T {
        read(&self.engine.load().policy)
    }

    /// How often each decision was made, by code.
    pub fn counters(&self) -> Vec<(String, u64)> {
        self.engine.load().counters.snapshot()
    }

    /// Judges the head of a request.
    pub fn head(&self, head: &Head<'_>) -> Answer {
        let engine = self.engine.load_full();
        let started = engine.clock.monotonic_ns();
        let mut case = Case::new(Arc::clone(&engine));
        let next = guard(|| Self::stages(&mut case, head));
        case.spent_ns = engine.clock.monotonic_ns().saturating_sub(started);
        let verdict = match next {
            Ok(Next::Body(awaited, parameters)) => {
                return Answer::Pending(Box::new(Pending::new(case, awaited, parameters)));
            }
            Ok(Next::Pass(parameters)) => {
                Verdict::allowed(case, parameters, verdict::Content::Empty)
            }
            Ok(Next::Unjudged) => Verdict::unjudged(case),
            Err(fault) => Verdict::refused(case, fault, verdict::Content::Empty),
        };
        Answer::Final(Box::new(verdict))
    }

    /// Judges a request whose body is at hand.
    pub fn judge(&self, head: &Head<'_>, body: &[u8]) -> Verdict {
        let mut pending = match self.head(head) {
            Answer::Final(verdict) => return *verdict,
            Answer::Pending(pending) => pending,
        };
        match pending.feed(body).or_else(|| pending.finish()) {
            Some(verdict) => verdict,
            None => {
                let case = Case::new(self.engine.load_full());
                Verdict::refused(case, Reason::GateFault.into(), verdict::Content::Empty)
            }
        }
    }

    /// The stages, top to bottom, up to the body.
    fn stages(case: &mut Case, head: &Head<'_>) -> Result<Next, Fault> {
        let policy = case.policy();
        if case.mode == Mode::Off {
            return Ok(Next::Unjudged);
        }
        let framing = framing::judge(head, policy.request.max_headers)?;
        let target = demands::target(head, &framing, &policy)?;
        let client = client::resolve(head, &policy.client)?;
        case.meet(client, &framing);
        client::admit(client, &policy.client)?;
        rates::charge(case, &policy.address_rates, head)?;

        let (index, operation, captures) = Self::route(case, &policy, head, &target)?;
        demands::addresses(case, operation)?;
        case.enter(index, operation);
        if case.mode == Mode::Off {
            return Ok(Next::Unjudged);
        }
        demands::sunset(case, operation)?;
        demands::scheme(head, &policy)?;
        demands::host(&framing, &policy)?;
        demands::websocket(case, head, &framing, operation, &policy)?;
        let announced = framing.body(head.version);
        let awaited = body::await_body(operation, &framing, announced)
            .map_err(|reason| demands::explain(case, operation, reason))?;
        rates::charge(case, &operation.rates, head)?;
        let given = params::Given { captures, query: target.query, headers: head.headers };
        let parameters = params::judge(operation, &given, &policy.schemas, &policy.request.json)?;
        Ok(match awaited {
            Some(awaited) => Next::Body(awaited, parameters),
            None => Next::Pass(parameters),
        })
    }

    /// The operation that the path and the method lead to. A hidden one that this client may not call does not
    /// exist for it: not in a 403, not in an `Allow`.
    fn route<'p, 't>(
        case: &mut Case,
        policy: &'p Policy,
        head: &Head<'_>,
        target: &'t Target<'_>,
    ) -> Result<(usize, &'p Operation, Vec<&'t str>), Fault> {
        let visible = |index: usize| {
            policy.operations.get(index).filter(|o| !o.hidden || demands::may_call(case, o))
        };
        match policy.router.find(head.method, &target.path) {
            Found::Operation { operation: index, captures } => {
                let operation = visible(index).ok_or_else(Fault::hidden)?;
                Ok((index, operation, captures))
            }
            Found::MethodUnknown { methods } => {
                let mut allow: Vec<&str> = methods
                    .iter()
                    .filter(|(_, index)| visible(*index).is_some())
                    .map(|(method, _)| method.as_str())
                    .collect();
                if allow.is_empty() {
                    return Err(Reason::RouteUnknown.into());
                }
                if allow.contains(&"GET") && !allow.contains(&"HEAD") {
                    allow.push("HEAD");
                    allow.sort_unstable();
                }
                let allow = allow.join(", ");
                case.answer("Allow", allow);
                Err(Reason::RouteMethodUnknown.into())
            }
            Found::Unknown => Err(Reason::RouteUnknown.into()),
        }
    }
}

/// Runs a judgement; a panic in it is a refusal, and stays inside.
fn guard<T>(judge: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What a panic may leave half done is thrown away with the request: the policy is immutable, the counters
    // are atomic, and a thread's spare buffers are taken out before use.
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| Err(Reason::GateFault.into()))
}
