//! Following a parse while it runs.

use std::convert::Infallible;

use super::document::Number;

/// Is told of every value while the text is read, and may stop the parse.
///
/// The methods follow the text; names and values come with the index that they will have in the document's
/// tape. Strings are unescaped, numbers checked, names known to be unique so far (an object whose names are too
/// alike is checked when it ends). A document is made only if the whole text is sound: what an observer has
/// seen before an error may be garbage in the rest. An observer that does nothing costs nothing.
pub trait Observer {
    /// Why it stops the parse.
    type Fault;

    /// `{`
    #[inline]
    fn begin_object(&mut self, _node: u32) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// A member's name; its value comes next.
    #[inline]
    fn name(&mut self, _node: u32, _name: &str) -> Result<(), Self::Fault> {
        Ok(())
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
    fn string(&mut self, _node: u32, _value: &str) -> Result<(), Self::Fault> {
        Ok(())
    }
}

/// The observer of a parse that nobody follows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    type Fault = Infallible;
}
