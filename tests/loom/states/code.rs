//! The limiter's code as a graph: a node is what one call has been answered so far, and knows the access that comes next.
//!
//! A call is run once for each node, however many states it is part of. Where the code says that it has forgotten what it
//! read (`sync::forget`: a hit that starts again) the paths meet.

use std::collections::HashMap;

use secval::sync::checked::{Access, tell, told};

use crate::scene::{Act, Stage};

/// A place in the code.
pub(crate) type Node = u32;

/// What comes next at a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Access(Access),
    /// The call is over, with this result.
    Done(u64),
}

struct Place {
    act: Act,
    answers: Vec<u64>,
    then: Then,
    past: Past,
    next: Vec<(u64, Node)>,
}

/// What a call has done on its way to a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past {
    /// The clock as it read it last.
    pub(crate) ms: u64,
    /// And first.
    pub(crate) first_ms: Option<u64>,
    /// How often it has begun in vain.
    pub(crate) starts: usize,
    /// Whether it has written anything since.
    pub(crate) wrote: bool,
}

/// All places that were reached so far.
pub(crate) struct Code {
    stage: Stage,
    /// The number of the clock's word.
    clock: usize,
    places: Vec<Place>,
    begun: HashMap<Act, Node>,
    forgotten: HashMap<(Act, usize, u64), Node>,
}

impl Code {
    pub(crate) fn new(stage: Stage, clock: usize) -> Self {
        let (places, begun, forgotten) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { stage, clock, places, begun, forgotten }
    }

    fn at(&self, node: Node) -> &Place {
        &self.places[node as usize]
    }

    /// What comes next.
    pub(crate) fn then(&self, node: Node) -> Then {
        self.at(node).then
    }

    /// What was done on the way to a node.
    pub(crate) fn past(&self, node: Node) -> Past {
        self.at(node).past
    }

    /// What the call at a node does.
    pub(crate) fn act(&self, node: Node) -> Act {
        self.at(node).act
    }

    /// Where a call begins.
    pub(crate) fn begin(&mut self, act: Act) -> Node {
        if let Some(&node) = self.begun.get(&act) {
            return node;
        }
        let seen = Past { ms: 0, first_ms: None, starts: 0, wrote: false };
        let node = self.place(act, Vec::new(), seen, None);
        self.begun.insert(act, node);
        node
    }

    /// Where a call is after the access at a node was answered.
    pub(crate) fn after(&mut self, node: Node, answer: u64) -> Node {
        let place = self.at(node);
        if let Some(&(_, next)) = place.next.iter().find(|(known, _)| *known == answer) {
            return next;
        }
        let Then::Access(access) = place.then else { unreachable!("the call is over") };
        let mut past = place.past;
        match access {
            Access::Load { word } if word == self.clock => {
                past.ms = answer;
                past.first_ms.get_or_insert(answer);
            }
            Access::Swap { .. } => past.wrote |= answer == 1,
            Access::Load { .. } | Access::Tell(_) | Access::Again | Access::Forget { .. } => {}
        }
        let mut answers = place.answers.clone();
        answers.push(answer);
        let next = self.place(place.act, answers, past, Some(node));
        self.places[node as usize].next.push((answer, next));
        next
    }

    fn place(
        &mut self,
        act: Act,
        mut answers: Vec<u64>,
        mut past: Past,
        before: Option<Node>,
    ) -> Node {
        let mut forgets = None;
        let then = loop {
            match told(&answers, || self.stage.play(act, |what| tell(what as usize))) {
                Ok(result) => break Then::Done(result),
                Err(Access::Again) => return before.expect("an access before"),
                Err(Access::Forget { begun, kept }) => {
                    if let Some(&node) = self.forgotten.get(&(act, begun, kept)) {
                        return node;
                    }
                    forgets = Some((begun, kept));
                    answers.push(0);
                }
                Err(access) => break Then::Access(access),
            }
        };
        let node = u32::try_from(self.places.len()).expect("few enough places");
        if let Some((starts, _)) = forgets {
            past = Past { starts, wrote: false, ..past };
        }
        self.places.push(Place { act, answers, then, past, next: Vec::new() });
        if let Some((begun, kept)) = forgets {
            self.forgotten.insert((act, begun, kept), node);
        }
        node
    }
}
