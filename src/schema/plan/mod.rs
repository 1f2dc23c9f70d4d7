//! The fast path: all schemas of an application in one plan, which judges while the parser reads.
//!
//! The plan answers yes or no. It covers every keyword that the [`Graph`] knows; what needs a whole value (`not`, choices
//! between branches that a value's kind does not decide, `uniqueItems` and their like) is judged by the slow judge when
//! the text has been read, on the parts concerned alone. Of what it refuses it tells the first fault. The arbiter
//! lists all of them where somebody asks, and the two are held to one answer.
//!
//! | file | what |
//! |---|---|
//! | `node.rs`, `names.rs`, `kinds.rs` | the plan: what is allowed at a place |
//! | `compile.rs`, `tables.rs`, `shape.rs`, `same.rs` | from the graph to the plan: conjunctions laid out, equal schemas stored once |
//! | `explain.rs` | which parts of a schema run where |
//! | `follower.rs` | the observer of a parse |
//! | `walk.rs` | the same for a document that is there already |
//! | `handing.rs` | the same, for a text of which something is made on the way |
//! | `whole.rs`, `choice.rs` | what is asked of whole values once the text has been read, and branches that a constant tells apart |
//! | `cause.rs` | why a value was refused: which keyword, and where |

mod cause;
mod choice;
mod compile;
mod explain;
mod follower;
mod handing;
mod kinds;
mod names;
mod node;
mod same;
mod shape;
mod tables;
mod walk;
mod whole;

use node::{Ix, Members, Node, Numbers, Rest, Texts};

use super::graph::{Counts, Graph, NodeId};
use super::receiver::DeclaredName;
use compile::Root;
use kinds::Kinds;
use shape::Outlines;

use cause::Asked;
pub(super) use cause::{Cause, Refusal};
pub use explain::Explanation;
pub(super) use follower::{Buffers, Follower};
pub(super) use handing::Handing;

/// The schemas of an application, laid out for judging.
#[derive(Debug)]
pub(super) struct Plan {
    nodes: Vec<Node>,
    numbers: Vec<Numbers>,
    texts: Vec<Texts>,
    item_counts: Vec<Counts>,
    members: Vec<Members>,
    rests: Vec<Vec<(Kinds, Rest)>>,
    /// For each node the schemas that it was made of; for telling what refused a value.
    origins: Vec<Box<[NodeId]>>,
    outlines: Outlines,
}

/// Where a schema begins in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    ix: Ix,
    /// The plan refuses members that no schema declares.
    pub(super) closed: bool,
}

impl Plan {
    /// Lays out the schemas that begin at these nodes; all that they reach must be known to the graph. Those that would
    /// make the plan too large have no entry.
    pub(super) fn compile(
        graph: &Graph,
        roots: impl IntoIterator<Item = Option<Root>>,
    ) -> (Self, Vec<Option<Entry>>) {
        compile::compile(graph, roots.into_iter().collect())
    }

    /// How a declared name is spelled.
    pub(super) fn spelling(&self, name: DeclaredName) -> Option<&str> {
        self.members.get(follower::index(name.object))?.names.text(name.name)
    }
}
