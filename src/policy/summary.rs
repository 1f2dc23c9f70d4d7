//! What each operation demands, for people (being built).

use super::model::Policy;

/// A list, an object per operation.
pub fn operations(_policy: &Policy) -> serde_json::Value {
    todo!()
}
