//! Following a parse while it runs.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use super::document::{Content, Number};

/// What stands at a place of the text.
#[derive(Debug, Clone, Copy)]
pub struct Ahead<'t> {
    /// The first bytes; NULs behind the end of the text.
    pub block: &'t [u8; 32],
    /// All of them.
    pub rest: &'t [u8],
}

/// What an observer's account says of a member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is there for the first time in its object.
    New,
    /// It was there before: the text is refused.
    Repeated,
    /// No account is kept of it: the parser looks.
    Unknown,
}

/// Is told of every value while the text is read, and may stop the parse.
///
/// The methods follow the text; names and values come with the index that they will have in the document's
/// tape. Strings are unescaped, numbers checked. A document is made only if the whole text is sound: what an
/// observer has seen before an error may be garbage in the rest. An observer that does nothing costs nothing.
///
/// An observer that knows which names an object may have can keep the account of them: a bit for each is cheaper
/// than a comparison with all that came before. The laws, which make a repeated name impossible all the same:
///
/// - whether the observer keeps account of a name in an object depends on the name's characters and the object
///   alone, never on what came before it or on how the name was spelled;
/// - for a name that it keeps account of, it answers `New` once an object, and `Repeated` ever after, counting
///   what it has predicted; for all others it answers `Unknown`, and the parser compares them with one another.
pub trait Observer {
    /// Why it stops the parse.
    type Fault;

    /// `{`
    #[inline]
    fn begin_object(&mut self, _node: u32) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// At the quote of a member's name: the bytes up to and with its colon, if they are what the observer expects.
    ///
    /// The answer stands for `name` having been called, and answered by `New`. What is promised of the bytes: a
    /// quote, a name without escapes, a quote and a colon.
    #[inline]
    fn predicted(&mut self, _node: u32, _ahead: Ahead<'_>) -> Result<Option<usize>, Self::Fault> {
        Ok(None)
    }

    /// A member's name; its value comes next.
    #[inline]
    fn name(&mut self, _node: u32, _name: &str) -> Result<Known, Self::Fault> {
        Ok(Known::Unknown)
    }

    /// `}` of the object that began at `node`.
    #[inline]
    fn end_object(&mut self, _node: u32, _members: u32) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// `[`
    #[inline]
    fn begin_array(&mut self, _node: u32) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// `]` of the array that began at `node`.
    #[inline]
    fn end_array(&mut self, _node: u32, _items: u32) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// `null`
    #[inline]
    fn null(&mut self, _node: u32) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// `true` or `false`
    #[inline]
    fn bool(&mut self, _node: u32, _value: bool) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// A number.
    #[inline]
    fn number(&mut self, _node: u32, _value: Number<'_>) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// A string.
    #[inline]
    fn string(&mut self, _node: u32, _value: Content<'_>) -> Result<(), Self::Fault> {
        Ok(())
    }
}

/// The observer of a parse whose member names somebody else compares.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uncompared;

impl Observer for Uncompared {
    type Fault = Infallible;

    #[inline]
    fn name(&mut self, _node: u32, _name: &str) -> Result<Known, Infallible> {
        Ok(Known::New)
    }
}

/// The observer of a parse that nobody follows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    type Fault = Infallible;
}
