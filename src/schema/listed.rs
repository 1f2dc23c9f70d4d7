//! Values that `enum` lists, found by how they are spelled: however many there are, one look tells.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;

use serde_json::Value as Serde;

use super::equality;
use crate::json::Value;
use crate::seed::FastState;

/// The spellings of some values.
type Spellings = HashSet<Box<[u8]>, FastState>;

/// What it takes to spell a node and to look it up.
const SPELLING: u64 = 3;

/// Values that a schema lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    values: Vec<Serde>,
    /// By the nodes that a value takes on the tape: of a value that is larger than all that are listed nothing is
    /// spelled, so that it costs no more than it is long, at whatever depth it is asked about.
    by_size: HashMap<usize, Spellings, FastState>,
}

impl Listed {
    pub(super) fn new(values: Vec<Serde>) -> Self {
        let mut by_size: HashMap<usize, Spellings, FastState> = HashMap::default();
        for value in &values {
            let spelled = equality::spelled_expected(value).into();
            by_size.entry(equality::size(value)).or_default().insert(spelled);
        }
        Self { values, by_size }
    }

    /// Whether a value is one of them; `work` is told what it took to say so.
    pub(super) fn has(&self, value: Value<'_>, work: &mut u64) -> bool {
        let size = value.size();
        self.by_size.get(&size).is_some_and(|spellings| {
            *work = work.saturating_add(SPELLING.saturating_mul(size as u64));
            spellings.contains(equality::spelled(value).as_slice())
        })
    }

    /// Whether a name, taken as a value, is one of them.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.by_size
            .get(&1)
            .is_some_and(|spellings| spellings.contains(equality::spelled_text(name).as_slice()))
    }
}

impl Deref for Listed {
    type Target = [Serde];

    fn deref(&self) -> &[Serde] {
        &self.values
    }
}
