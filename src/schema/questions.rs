//! How much one judgement may ask, and what it has looked up so far.
//!
//! Whatever a question costs beyond itself is taken off too: a long text that is matched, a list that is compared. So the
//! time of a judgement is bounded by what is left of its questions, whatever the schema and the value are.

use std::collections::HashMap;
use std::hash::BuildHasher;

use crate::json::Value;
use crate::seed::{FastState, QualityState};

/// Members beyond which an object is indexed at the first question after a name: a scan for each name would cost the
/// product of both counts. Below it, the index costs more than it saves.
const SCANNED: usize = 32;

/// Members that are scanned in the time of a question.
const SCANNED_AT_ONCE: usize = 8;

/// Bytes of a text that are looked through in about the time that a question takes.
const BYTES: usize = 16;

/// The questions of one judgement of one document.
#[derive(Debug)]
pub(super) struct Questions {
    left: u64,
    /// Made at the first question after a name.
    members: Option<Box<MemberIndex>>,
}

impl Questions {
    pub(super) fn new(left: u64) -> Self {
        Self { left, members: None }
    }

    /// For what was paid for otherwise, or is asked of a schema and not of a value.
    pub(super) fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Takes off some.
    #[inline]
    pub(super) fn spend(&mut self, questions: u64) {
        self.left = self.left.saturating_sub(questions);
    }

    /// Takes off what some work says that it took.
    pub(super) fn spend_on<T>(&mut self, work: impl FnOnce(&mut u64) -> T) -> T {
        let mut taken = 0;
        let done = work(&mut taken);
        self.spend(taken);
        done
    }

    /// Takes off a look through a text.
    pub(super) fn spend_on_bytes(&mut self, bytes: usize) {
        self.spend(Self::of_bytes(bytes));
    }

    /// How many questions a look through a text takes.
    pub(super) fn of_bytes(bytes: usize) -> u64 {
        (bytes / BYTES) as u64
    }

    /// Takes off some for what is only done if there are as many; if not, ends the judgement.
    pub(super) fn afford(&mut self, questions: u64) -> bool {
        let enough = questions < self.left;
        self.left = if enough { self.left - questions } else { 0 };
        enough
    }

    /// Whether there were more than may be answered.
    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// How many are left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Ends the judgement: something had no answer.
    pub(super) fn give_up(&mut self) {
        self.left = 0;
    }

    /// The member of this name of an object of the document.
    pub(super) fn member<'d>(&mut self, object: Value<'d>, name: &str) -> Option<Value<'d>> {
        let len = object.len();
        if len <= SCANNED {
            self.spend(1 + (len / SCANNED_AT_ONCE) as u64);
            return object.get(name);
        }
        self.spend(2);
        self.members.get_or_insert_default().get(object, name)
    }

    /// Whether there is one.
    pub(super) fn has(&mut self, object: Value<'_>, name: &str) -> bool {
        self.member(object, name).is_some()
    }
}

/// The members of a document's large objects by their names; each object is indexed once.
#[derive(Debug, Default)]
pub(super) struct MemberIndex {
    names: QualityState,
    objects: HashMap<u32, HashMap<u64, Place, FastState>, FastState>,
}

/// Where a member is whose name has some hash.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Its node on the tape.
    One(u32),
    /// Several names have it: they are looked for one by one.
    Several,
}

impl MemberIndex {
    /// An object's member of this name.
    pub(super) fn get<'d>(&mut self, object: Value<'d>, name: &str) -> Option<Value<'d>> {
        if object.len() <= SCANNED {
            return object.get(name);
        }
        let Self { names, objects } = self;
        let index = objects.entry(object.node()).or_insert_with(|| index(object, names));
        match index.get(&names.hash_one(name))? {
            Place::One(node) => Some(object.at(*node)).filter(|member| member.name() == Some(name)),
            Place::Several => object.get(name),
        }
    }
}

fn index(object: Value<'_>, names: &QualityState) -> HashMap<u64, Place, FastState> {
    let mut index = HashMap::with_capacity_and_hasher(object.len(), FastState::default());
    for (name, member) in object.members() {
        index
            .entry(names.hash_one(name))
            .and_modify(|place| *place = Place::Several)
            .or_insert(Place::One(member.node()));
    }
    index
}
