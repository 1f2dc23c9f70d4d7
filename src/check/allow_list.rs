//! The values that are allowed, and no others.
//!
//! An empty list allows nothing. Because that is more often a mistake than a wish, it has a constructor of its
//! own. Only its own values are ever stored, so what is asked cannot make it slower.
//!
//! ```
//! use secval::check::{AllowList, EmptyAllowList};
//!
//! let currencies = AllowList::new(["EUR", "USD"]).unwrap();
//! assert!(currencies.contains("EUR") && !currencies.contains("eur"));
//! assert_eq!(AllowList::<u8>::new([]), Err(EmptyAllowList));
//! assert!(!AllowList::<u8>::empty().contains(&0));
//! ```

#![forbid(unsafe_code)]

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use crate::seed::FastState;

/// The values that are allowed.
#[derive(Clone)]
pub struct AllowList<T>(HashSet<T, FastState>);

/// An allow list without a value, which was not asked for with [`AllowList::empty`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EmptyAllowList;

impl fmt::Display for EmptyAllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an allow list needs a value: an empty one refuses everything")
    }
}

impl std::error::Error for EmptyAllowList {}

impl<T: Eq + Hash> AllowList<T> {
    /// Of at least one value.
    pub fn new(values: impl IntoIterator<Item = T>) -> Result<Self, EmptyAllowList> {
        let set: HashSet<T, FastState> = values.into_iter().collect();
        if set.is_empty() { Err(EmptyAllowList) } else { Ok(Self(set)) }
    }

    /// The list that allows nothing.
    pub fn empty() -> Self {
        Self(HashSet::default())
    }

    /// Whether the value is allowed.
    #[inline]
    pub fn contains<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.contains(value)
    }

    /// The values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// How many different values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Eq + Hash> PartialEq for AllowList<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq + Hash> Eq for AllowList<T> {}

/// Shows how many values there are, not which.
impl<T> fmt::Debug for AllowList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowList").field("len", &self.0.len()).finish_non_exhaustive()
    }
}
