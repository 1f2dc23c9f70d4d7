//! Whether something is of an allowed length. What is counted (code points, bytes, items) is its user's to say.
//!
//! ```
//! use secval::check::{Length, Misfit};
//!
//! let length = Length::new(1, Some(64)).unwrap();
//! assert_eq!(length.check(0), Err(Misfit::Short));
//! assert_eq!(length.check("naïve".chars().count()), Ok(()));
//! ```

#![forbid(unsafe_code)]

use std::fmt;

/// From `min` to `max`, both inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Length {
    min: usize,
    max: Option<usize>,
}

/// Why bounds make no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LengthFault {
    /// From nothing to no end: it would refuse nothing.
    Boundless,
    /// The lower bound is above the upper one: it would refuse all.
    Crossed,
}

impl fmt::Display for LengthFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boundless => "a length needs max, or a min above 0",
            Self::Crossed => "min is greater than max",
        })
    }
}

impl std::error::Error for LengthFault {}

/// How a length is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Misfit {
    /// Less than the lower bound.
    Short,
    /// More than the upper bound.
    Long,
}

impl Length {
    /// From `min` to `max`, both inside.
    pub fn new(min: usize, max: Option<usize>) -> Result<Self, LengthFault> {
        match max {
            None if min == 0 => Err(LengthFault::Boundless),
            Some(max) if min > max => Err(LengthFault::Crossed),
            _ => Ok(Self { min, max }),
        }
    }

    /// The least allowed.
    pub fn min(&self) -> usize {
        self.min
    }

    /// The most allowed, if there is an end.
    pub fn max(&self) -> Option<usize> {
        self.max
    }

    /// Nothing if the length is allowed, or how it is not.
    #[inline]
    pub fn check(&self, length: usize) -> Result<(), Misfit> {
        if length < self.min {
            Err(Misfit::Short)
        } else if self.max.is_some_and(|max| length > max) {
            Err(Misfit::Long)
        } else {
            Ok(())
        }
    }
}
