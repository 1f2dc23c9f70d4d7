//! Whoever makes something of a text while it is judged, and so need not go through it again.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use super::{Fault, Violation};
use crate::json::{Content, Number};

/// Is handed what a text says, in its order, while it is judged.
///
/// Once the text is known to be refused, nothing more comes: what was made until then is of no use. A text may be refused
/// at its very end, so nothing counts before the judgement is there.
pub trait Receiver {
    /// Why nothing can be made of it.
    type Fault;

    /// `null`
    fn null(&mut self) -> Result<(), Self::Fault>;
    /// `true` or `false`
    fn bool(&mut self, value: bool) -> Result<(), Self::Fault>;
    /// A number.
    fn number(&mut self, value: Number<'_>) -> Result<(), Self::Fault>;
    /// A string, unescaped.
    fn string(&mut self, value: Content<'_>) -> Result<(), Self::Fault>;
    /// `[`
    fn begin_array(&mut self) -> Result<(), Self::Fault>;
    /// `]`
    fn end_array(&mut self) -> Result<(), Self::Fault>;
    /// `{`
    fn begin_object(&mut self) -> Result<(), Self::Fault>;
    /// A member's name that a schema declares; its value comes next. It is there for the first time in its object.
    fn declared(&mut self, name: DeclaredName) -> Result<(), Self::Fault>;
    /// Any other name. That it is there for the first time is not known yet; a text that repeats it is refused.
    fn undeclared(&mut self, name: &str) -> Result<(), Self::Fault>;
    /// `}`, and for which kind of object its names are declared, if for any.
    fn end_object(&mut self, object: Option<u32>) -> Result<(), Self::Fault>;
}

/// The number of a name that the schemas of a set declare; [`Planned::spelled`](super::Planned::spelled) spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeclaredName {
    /// The kind of object that it is declared for.
    pub object: u32,
    /// Which of that object's names it is.
    pub name: u32,
}

/// Why there is no judged document.
#[derive(Debug)]
pub enum Unmade<F> {
    /// The text is refused.
    Refused(Fault),
    /// The receiver could not go on.
    Receiver(F),
}

impl<F> Unmade<F> {
    #[cold]
    pub(super) fn refused(violation: Violation) -> Self {
        Self::Refused(Fault::Schema(Box::new(violation)))
    }
}

/// The receiver of a text that is judged, and no more.
#[derive(Debug)]
pub(super) struct Nobody;

impl Receiver for Nobody {
    type Fault = Infallible;

    #[inline]
    fn null(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn bool(&mut self, _value: bool) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn number(&mut self, _value: Number<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn string(&mut self, _value: Content<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn begin_array(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn end_array(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn begin_object(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn declared(&mut self, _name: DeclaredName) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn undeclared(&mut self, _name: &str) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn end_object(&mut self, _object: Option<u32>) -> Result<(), Infallible> {
        Ok(())
    }
}
