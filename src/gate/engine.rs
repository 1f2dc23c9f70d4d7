//! A policy at work: with its limiter, its counters, its clock.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;

use super::params;
use super::rates::{Limits, Setting};
use crate::event::{Counters, RequestIds};
use crate::json::Document;
use crate::limit::LimiterError;
use crate::policy::model::Policy;
use crate::reason::Reason;

/// A policy at work. Immutable but for what counts.
pub(super) struct Engine {
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    pub(super) counters: Arc<Counters>,
    pub(super) ids: Arc<RequestIds>,
    pub(super) setting: Setting,
    /// The parameters of a request that has none.
    pub(super) no_parameters: Document<'static>,
}

/// Why a gate cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineFault {
    /// The operating system gives no randomness for keys.
    NoRandomness,
    /// The rates do not fit one table.
    TooManyRates,
    /// The limiter cannot be made, or shared, as the policy asks.
    Limiter(LimiterError),
    /// A document of nothing could not be written: a fault of secval's own.
    Internal,
}

impl fmt::Display for EngineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRandomness => "the operating system gives no randomness",
            Self::TooManyRates => {
                "more than 255 quotas, which is what one table holds (those of policies that were in force \
                 before a reload count too, until the process starts anew)"
            }
            Self::Limiter(error) => return error.fmt(f),
            Self::Internal => "the gate cannot be set up: a fault of secval's own",
        })
    }
}

impl std::error::Error for EngineFault {}

impl Engine {
    pub(super) fn new(policy: Policy, setting: Setting) -> Result<Self, EngineFault> {
        let limits = Limits::new(&policy, &setting)?;
        let ids = RequestIds::new().map_err(|_| EngineFault::NoRandomness)?;
        let no_parameters = params::none().map_err(|_| EngineFault::Internal)?;
        let (counters, ids) = (Arc::new(Counters::default()), Arc::new(ids));
        Ok(Self { policy, limits, counters, ids, setting, no_parameters })
    }

    /// The next policy's engine, which goes on counting.
    pub(super) fn succeed(&self, policy: Policy) -> Result<Self, EngineFault> {
        let setting = self.setting.clone();
        let limits = self.limits.succeed(&policy, &setting)?;
        let no_parameters = params::none().map_err(|_| EngineFault::Internal)?;
        let (counters, ids) = (Arc::clone(&self.counters), Arc::clone(&self.ids));
        Ok(Self { policy, limits, counters, ids, setting, no_parameters })
    }

    /// Counts a decision.
    pub(super) fn record(&self, reason: Option<Reason>, would_refuse: Option<Reason>) {
        match reason {
            Some(reason) => self.counters.refused(reason),
            None => self.counters.allowed(),
        }
        if let Some(reason) = would_refuse {
            self.counters.would_refuse(reason);
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("title", &self.policy.title).finish_non_exhaustive()
    }
}
