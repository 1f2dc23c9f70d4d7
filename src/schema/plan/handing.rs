//! The follower of a text, and whoever is handed what it says: each is told in its turn.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::string_slice
)]
#![allow(clippy::inline_always, reason = "a part of the parser's loop")]

use super::super::receiver::Receiver;
use super::follower::Follower;
use crate::json::{Ahead, Content, Known, Number, Observer};

/// Judges while the parser reads, and hands on what is not refused yet.
#[derive(Debug)]
pub(in crate::schema) struct Handing<'p, 'r, R> {
    pub(in crate::schema) follower: Follower<'p>,
    pub(in crate::schema) receiver: &'r mut R,
}

impl<R: Receiver> Handing<'_, '_, R> {
    #[inline(always)]
    fn hand_on(
        &mut self,
        tell: impl FnOnce(&mut R) -> Result<(), R::Fault>,
    ) -> Result<(), R::Fault> {
        if self.follower.refused.is_some() { Ok(()) } else { tell(self.receiver) }
    }
}

impl<R: Receiver> Observer for Handing<'_, '_, R> {
    type Fault = R::Fault;

    #[inline]
    fn begin_object(&mut self, tape: u32) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.begin_object(tape);
        self.hand_on(R::begin_object)
    }

    #[inline(always)]
    fn predicted(&mut self, node: u32, ahead: Ahead<'_>) -> Result<Option<usize>, R::Fault> {
        let Ok(bytes) = self.follower.predicted(node, ahead);
        if bytes.is_some() {
            let name = self.follower.last_declared();
            self.hand_on(|receiver| receiver.declared(name))?;
        }
        Ok(bytes)
    }

    #[inline]
    fn name(&mut self, node: u32, name: &str) -> Result<Known, R::Fault> {
        let Ok(known) = self.follower.name(node, name);
        match known {
            Known::New => {
                let name = self.follower.last_declared();
                self.hand_on(|receiver| receiver.declared(name))?;
            }
            Known::Unknown => self.hand_on(|receiver| receiver.undeclared(name))?,
            Known::Repeated => {}
        }
        Ok(known)
    }

    #[inline]
    fn end_object(&mut self, tape: u32, count: u32) -> Result<(), R::Fault> {
        let object = self.follower.object();
        let Ok(()) = self.follower.end_object(tape, count);
        self.hand_on(|receiver| receiver.end_object(object))
    }

    #[inline]
    fn begin_array(&mut self, tape: u32) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.begin_array(tape);
        self.hand_on(R::begin_array)
    }

    #[inline]
    fn end_array(&mut self, tape: u32, count: u32) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.end_array(tape, count);
        self.hand_on(R::end_array)
    }

    #[inline(always)]
    fn null(&mut self, tape: u32) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.null(tape);
        self.hand_on(R::null)
    }

    #[inline(always)]
    fn bool(&mut self, tape: u32, value: bool) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.bool(tape, value);
        self.hand_on(|receiver| receiver.bool(value))
    }

    #[inline(always)]
    fn number(&mut self, tape: u32, value: Number<'_>) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.number(tape, value);
        self.hand_on(|receiver| receiver.number(value))
    }

    #[inline(always)]
    fn string(&mut self, tape: u32, value: Content<'_>) -> Result<(), R::Fault> {
        let Ok(()) = self.follower.string(tape, value);
        self.hand_on(|receiver| receiver.string(value))
    }
}
