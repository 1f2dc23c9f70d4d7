//! The quotas of a policy at work (being built).

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::case::Case;
use super::engine::EngineFault;
use super::fault::Fault;
use super::head::Head;
use crate::clock::Clock;
use crate::policy::model::Rate;

/// The limiter and the rules of each rate.
pub(super) struct Limits {}

impl Limits {
    pub(super) fn new(_rates: &[Rate], _clock: &Arc<dyn Clock>) -> Result<Self, EngineFault> {
        todo!()
    }
    pub(super) fn succeed(
        &self,
        _rates: &[Rate],
        _clock: &Arc<dyn Clock>,
    ) -> Result<Self, EngineFault> {
        todo!()
    }
}

/// Charges rates, all or nothing.
pub(super) fn charge(_case: &mut Case, _rates: &[usize], _head: &Head<'_>) -> Result<(), Fault> {
    todo!()
}
