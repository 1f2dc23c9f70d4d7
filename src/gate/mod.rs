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
//! 5. the operation's addresses, sunset, host and scheme, websocket
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
pub mod target;
mod verdict;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::json::Document;
use crate::limit::Stats;
use crate::policy::model::{Mode, Policy};
use crate::policy::router::Found;
use crate::reason::Reason;
use body::{Awaited, Open};
use case::Case;
use engine::Engine;
use fault::Fault;
use rates::Setting;
use target::Target;
use verdict::Content;

pub use body::{Pending, Spent};
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

impl Gate {
    /// A gate that judges by a policy and a clock.
    pub fn new(policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, EngineFault> {
        Self::set(policy, Setting { clock, alone: false })
    }

    /// The same, but it counts in this process alone, whatever the policy says: for trying a policy, and for clocks
    /// that are not the machine's.
    pub fn alone(policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, EngineFault> {
        Self::set(policy, Setting { clock, alone: true })
    }

    fn set(policy: Policy, setting: Setting) -> Result<Self, EngineFault> {
        Ok(Self { engine: ArcSwap::from_pointee(Engine::new(policy, setting)?) })
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

    /// Sizes and counters of the table that the rates count in. Looks at all of it.
    pub fn rate_stats(&self) -> Stats {
        self.engine.load().limits.stats()
    }

    /// Judges the head of a request.
    pub fn head(&self, head: &Head<'_>) -> Answer {
        let answer = |engine: Arc<Engine>| match enter(&engine, head, None) {
            Entered::Awaiting(open) => Answer::Pending(Box::new(Pending::new(engine, open))),
            Entered::Decided(case, decision) => {
                Answer::Final(Box::new(decide(engine, case, decision)))
            }
        };
        self.guard(answer, |failed| Answer::Final(Box::new(failed)))
    }

    /// Judges a request whose body is at hand: its length counts where no header states one.
    pub fn judge(&self, head: &Head<'_>, body: &[u8]) -> Verdict {
        let verdict = |engine: Arc<Engine>| match enter(&engine, head, Some(body.len())) {
            Entered::Awaiting(open) => open.conclude(engine, Cow::Borrowed(body)),
            Entered::Decided(case, decision) => {
                decide(engine, case, decision).carrying(Cow::Borrowed(body))
            }
        };
        self.guard(verdict, |failed| failed)
    }

    /// A panic in the work is a refusal, and stays inside. What it may leave half done is thrown away with the
    /// request: the policy is immutable, counts are atomic, spare buffers are taken out before use.
    fn guard<T>(
        &self,
        work: impl FnOnce(Arc<Engine>) -> T,
        failed: impl FnOnce(Verdict) -> T,
    ) -> T {
        let engine = self.engine.load_full();
        catch_unwind(AssertUnwindSafe(|| work(engine)))
            .unwrap_or_else(|_| failed(Verdict::failed(self.engine.load_full())))
    }
}

/// Where a head leads.
enum Entered {
    /// The body has to be judged.
    Awaiting(Open),
    /// Nowhere further.
    Decided(Case, Result<Passed, Fault>),
}

/// What follows a head without fault.
enum Next {
    /// The body.
    Body(Awaited, Option<Document<'static>>),
    /// Nothing more to judge.
    Done(Passed),
}

/// What has passed without a body.
enum Passed {
    /// Everything, with the parameters.
    Judged(Option<Document<'static>>),
    /// The mode is `off`: the rest was not judged.
    Unjudged,
}

/// Judges a head, and keeps the time. `at_hand` is the size of a body that the caller has already.
fn enter(engine: &Engine, head: &Head<'_>, at_hand: Option<usize>) -> Entered {
    let started = engine.setting.clock.monotonic_ns();
    let mut case = Case::new(engine.policy.mode);
    let next = stages(engine, &mut case, head, at_hand);
    case.spend(engine, started);
    match next {
        Ok(Next::Body(awaited, parameters)) => {
            Entered::Awaiting(Open::new(case, awaited, parameters))
        }
        Ok(Next::Done(passed)) => Entered::Decided(case, Ok(passed)),
        Err(fault) => Entered::Decided(case, Err(fault)),
    }
}

fn decide(engine: Arc<Engine>, case: Case, decision: Result<Passed, Fault>) -> Verdict {
    match decision {
        Ok(Passed::Judged(parameters)) => {
            Verdict::allowed(engine, case, parameters, Content::Empty)
        }
        Ok(Passed::Unjudged) => Verdict::unjudged(engine, case),
        Err(fault) => Verdict::refused(engine, case, fault, Cow::Borrowed(&[])),
    }
}

/// The stages, top to bottom, up to the body.
fn stages(
    engine: &Engine,
    case: &mut Case,
    head: &Head<'_>,
    at_hand: Option<usize>,
) -> Result<Next, Fault> {
    let policy = &engine.policy;
    if case.mode == Mode::Off {
        return Ok(Next::Done(Passed::Unjudged));
    }
    let framing = framing::judge(head, policy.request.max_headers)?;
    let target = demands::target(head, &framing, policy)?;
    let client = client::resolve(head, &policy.client)?;
    case.meet(client, &framing);
    client::admit(client, &policy.client)?;
    rates::charge(engine, case, &policy.address_rates, head)?;

    let (index, captures) = route(case, policy, head, &target)?;
    let operation = policy.operations.get(index).ok_or(Reason::GateFault)?;
    demands::addresses(case, operation)?;
    case.enter(index, operation);
    if case.mode == Mode::Off {
        return Ok(Next::Done(Passed::Unjudged));
    }
    demands::sunset(case, operation, engine)?;
    demands::origin(head, &framing, operation)?;
    demands::websocket(head, &framing, operation)?;
    let announced = framing.body(head.version, at_hand);
    let awaited = Awaited::of(operation, &framing, announced)
        .map_err(|reason| demands::explain(operation, reason))?;
    rates::charge(engine, case, &operation.rates, head)?;
    let given = params::Given { captures, query: target.query, headers: head.headers };
    let parameters = params::judge(operation, &given, policy)?;
    Ok(match awaited {
        Some(awaited) => Next::Body(awaited, parameters),
        None => Next::Done(Passed::Judged(parameters)),
    })
}

/// The operation that the path and the method lead to, and what the path's parameters capture. A hidden
/// operation that this client may not call does not exist for it: not in a 403, not in an `Allow`.
fn route<'t>(
    case: &Case,
    policy: &Policy,
    head: &Head<'_>,
    target: &'t Target<'_>,
) -> Result<(usize, Vec<&'t str>), Fault> {
    let visible = |index: &usize| {
        policy.operations.get(*index).is_some_and(|o| !o.hidden || demands::may_call(case, o))
    };
    match policy.router.find(head.method, &target.path) {
        Found::Operation { operation, captures } if visible(&operation) => {
            Ok((operation, captures))
        }
        Found::Operation { .. } => Err(Fault::hidden()),
        Found::MethodUnknown { methods } => {
            let mut allow: Vec<&str> = methods
                .iter()
                .filter(|(_, index)| visible(index))
                .map(|(method, _)| method.as_str())
                .collect();
            if allow.is_empty() {
                return Err(Fault::hidden());
            }
            if allow.contains(&"GET") && !allow.contains(&"HEAD") {
                allow.push("HEAD");
                allow.sort_unstable();
            }
            Err(Fault::of(Reason::RouteMethodUnknown).with("Allow", allow.join(", ")))
        }
        Found::Unknown => Err(Reason::RouteUnknown.into()),
    }
}
