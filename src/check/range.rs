//! Whether a value lies between two bounds, both of them inside.
//!
//! For every type with an order. What compares with neither bound (NaN) is never in a range, and cannot be one.
//!
//! ```
//! use secval::check::{Range, RangeFault, Side};
//!
//! let range = Range::new(Some(1), Some(999)).unwrap();
//! assert!(range.contains(&1) && range.contains(&999));
//! assert_eq!(range.check(&1000), Err(Side::Above));
//! assert_eq!(Range::new(Some(2), Some(1)), Err(RangeFault::Crossed));
//! assert_eq!(Range::new(Some(f64::NAN), None), Err(RangeFault::Unordered));
//! ```

#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::fmt;

/// Everything from `min` to `max`, both inside; a bound that is missing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range<T> {
    min: Option<T>,
    max: Option<T>,
}

/// Why bounds make no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RangeFault {
    /// Neither bound is given: such a range would refuse nothing.
    Boundless,
    /// The lower bound is above the upper one: such a range would refuse all.
    Crossed,
    /// A bound that compares with nothing, as NaN does.
    Unordered,
}

impl fmt::Display for RangeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boundless => "a range needs min or max",
            Self::Crossed => "min is greater than max",
            Self::Unordered => "min or max is NaN, or they do not compare",
        })
    }
}

impl std::error::Error for RangeFault {}

/// On which side of a range a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Less than the lower bound.
    Below,
    /// Greater than the upper bound.
    Above,
    /// It compares with a bound in no way.
    Nowhere,
}

impl<T: PartialOrd> Range<T> {
    /// From `min` to `max`, both inside; at least one of them.
    pub fn new(min: Option<T>, max: Option<T>) -> Result<Self, RangeFault> {
        if min.is_none() && max.is_none() {
            return Err(RangeFault::Boundless);
        }
        let unordered = |bound: &Option<T>| {
            bound.as_ref().is_some_and(|bound| bound.partial_cmp(bound).is_none())
        };
        if unordered(&min) || unordered(&max) {
            return Err(RangeFault::Unordered);
        }
        if let (Some(min), Some(max)) = (&min, &max) {
            match min.partial_cmp(max) {
                Some(Ordering::Less | Ordering::Equal) => {}
                Some(Ordering::Greater) => return Err(RangeFault::Crossed),
                None => return Err(RangeFault::Unordered),
            }
        }
        Ok(Self { min, max })
    }

    /// Whether the value is inside.
    #[inline]
    pub fn contains(&self, value: &T) -> bool {
        self.check(value).is_ok()
    }

    /// Nothing if the value is inside, or on which side it is out.
    #[inline]
    pub fn check(&self, value: &T) -> Result<(), Side> {
        if let Some(min) = &self.min {
            match value.partial_cmp(min) {
                Some(Ordering::Greater | Ordering::Equal) => {}
                Some(Ordering::Less) => return Err(Side::Below),
                None => return Err(Side::Nowhere),
            }
        }
        if let Some(max) = &self.max {
            match value.partial_cmp(max) {
                Some(Ordering::Less | Ordering::Equal) => {}
                Some(Ordering::Greater) => return Err(Side::Above),
                None => return Err(Side::Nowhere),
            }
        }
        Ok(())
    }
}
