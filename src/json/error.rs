//! A fault of a text: a kind and a place.

#![forbid(unsafe_code)]

use std::fmt;

use crate::reason::Reason;

/// Why a text is refused, and at which byte. Owns no text; [`place`](super::place) tells line and pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    reason: Reason,
    offset: u32,
}

impl Error {
    /// A fault at a byte of the text; offsets beyond `u32::MAX` do not occur in a text that is read.
    pub fn new(reason: Reason, offset: usize) -> Self {
        Self { reason, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    /// The kind.
    pub fn reason(self) -> Reason {
        self.reason
    }

    /// The byte at which it stopped, from 0: the first that is wrong, or the start of what is too much.
    pub fn offset(self) -> usize {
        usize::try_from(self.offset).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.reason, self.offset)
    }
}

impl std::error::Error for Error {}

/// Why a parse that somebody follows stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped<F> {
    /// The text is refused.
    Json(Error),
    /// The observer refuses what the text says.
    Fault(F),
}

impl<F> From<Error> for Stopped<F> {
    fn from(error: Error) -> Self {
        Self::Json(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small() {
        assert_eq!(size_of::<Error>(), 8);
        assert_eq!(size_of::<Result<(), Error>>(), 8);
    }
}
