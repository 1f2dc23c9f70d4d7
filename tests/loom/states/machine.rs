//! A scene on the code's graph: its first state, and what one step of a thread makes of a state.

use std::sync::Arc;

use secval::clock::Clock;
use secval::sync::checked::{Access, named, told};

use super::code::{Code, Node, Past, Then};
use super::state::{State, THREADS, Thread, WORDS};
use crate::scene::{Act, Admitted, Hit, Scene, Stage, Told};

/// The clock is made first.
pub(crate) const CLOCK: usize = 0;

/// How often a hit begins under the checkers, and then is refused: `decide::STARTS`.
const GIVES_UP: usize = 4;

/// Why a search does not go on.
pub(crate) enum Stop {
    /// The promise is broken.
    Broken(String),
    /// The machine has learnt that an act writes a word, and must begin again.
    Learnt,
}

pub(crate) struct Machine<'s> {
    scene: &'s Scene,
    code: Code,
    /// All words when the threads begin.
    base: Vec<u64>,
    /// Where a word that changes is in [`State::words`]; none for the others.
    slots: Vec<Option<usize>>,
    changing: Vec<usize>,
    /// Which of these words each act may write, a bit each.
    writes: Vec<(Act, u64)>,
    begun: Vec<Admitted>,
}

impl<'s> Machine<'s> {
    pub(crate) fn new(scene: &'s Scene) -> Self {
        let (mut stage, count) = named(|| Stage::new(scene, |time| time as Arc<dyn Clock>));
        let mut base = vec![0; count];
        let mut answers = Vec::new();
        let rules = loop {
            match told(&answers, || stage.rules(scene)) {
                Ok(rules) => break rules,
                Err(access) => answers.push(answer(&mut base, access)),
            }
        };
        stage.open(rules);
        let mut code = Code::new(stage, CLOCK);
        let mut begun = Vec::new();
        for &act in scene.before {
            let mut node = code.begin(act);
            while let Then::Access(access) = code.then(node) {
                node = code.after(node, answer(&mut base, access));
            }
            assert!(matches!(code.then(node), Then::Done(1)), "{act:?} is to succeed");
            if let Act::Hit(Hit { key, cost, quotas }) = act {
                begun.push(Admitted { ms: code.past(node).ms, key, cost, quotas });
            }
        }
        let (changing, slots, writes) = (Vec::new(), vec![None; count], Vec::new());
        Self { scene, code, base, slots, changing, writes, begun }
    }

    pub(crate) fn scene(&self) -> &'s Scene {
        self.scene
    }

    pub(crate) fn first(&mut self) -> Result<State, Stop> {
        let mut state = State::new();
        for (slot, &word) in self.changing.iter().enumerate() {
            state.words[slot] = self.base[word];
        }
        self.begun.iter().for_each(|hit| state.admit(*hit));
        for thread in 0..self.scene.threads.len() {
            self.begin(&mut state, thread);
        }
        self.settle(&mut state)?;
        Ok(state)
    }

    /// One step of one thread; `None` if it has nothing more to do.
    pub(crate) fn stepped(&mut self, state: &State, thread: usize) -> Result<Option<State>, Stop> {
        let Some(node) = state.threads[thread].node else { return Ok(None) };
        let mut state = *state;
        self.step(&mut state, thread, node)?;
        self.settle(&mut state)?;
        Ok(Some(state))
    }

    /// What comes next at a thread.
    pub(crate) fn next(&self, state: &State, thread: usize) -> Option<(Act, Access)> {
        let node = state.threads[thread].node?;
        match self.code.then(node) {
            Then::Access(access) => Some((self.code.act(node), access)),
            Then::Done(_) => None,
        }
    }

    /// What a word holds, or whether it is exchanged.
    pub(crate) fn answer(&self, state: &mut State, access: Access) -> u64 {
        match access {
            Access::Load { word } => match self.slots[word] {
                Some(slot) => state.words[slot],
                None => self.base[word],
            },
            Access::Swap { word, old, new } => {
                let Some(slot) = self.slots[word] else { unreachable!("learnt before") };
                let fits = state.words[slot] == old;
                if fits {
                    state.words[slot] = new;
                }
                u64::from(fits)
            }
            Access::Tell(_) => 0,
            Access::Again | Access::Forget { .. } => unreachable!("no step"),
        }
    }

    /// What an act comes to if all threads have stopped for ever.
    pub(crate) fn alone(&mut self, state: &mut State, act: Act) -> Result<u64, Stop> {
        // Twice what any act needs that does not start again for ever.
        const STEPS: usize = 1_000;
        let mut node = self.code.begin(act);
        for _ in 0..STEPS {
            match self.code.then(node) {
                Then::Done(result) => return Ok(result),
                Then::Access(access) => {
                    self.learn(act, access)?;
                    let answer = self.answer(state, access);
                    node = self.code.after(node, answer);
                }
            }
        }
        Err(Stop::Broken(format!("{act:?} waits for somebody who has stopped")))
    }

    /// What hits cost that have begun, and may have counted: of any key, since a line may have been given to another
    /// one between a hit's look and its count.
    pub(crate) fn in_midst(&self, state: &State) -> u64 {
        let programs = self.scene.threads.iter().zip(&state.threads);
        let acts = programs.filter_map(|(acts, at)| acts.get(usize::from(at.over)));
        let costs = acts.map(|act| match act {
            Act::Hit(hit) => u64::from(hit.cost),
            _ => 0,
        });
        costs.sum()
    }

    /// Whether somebody is in the midst of a reset of a key.
    fn resets(&mut self, state: &State, key: u8) -> bool {
        let mut nodes = state.threads.iter().filter_map(|thread| thread.node);
        let begin = self.code.begin(Act::Reset(key));
        nodes.any(|node| self.code.act(node) == Act::Reset(key) && node != begin)
    }

    /// A ban of a key begins, or its lifting. Where they meet, either may be the last: then nothing is sure.
    fn begin_ban(&mut self, state: &mut State, thread: usize, key: u8) {
        let lifts = |act: Act| matches!(act, Act::Unban(_));
        let Some(act) = self.act(state, thread) else { unreachable!("it begins") };
        if lifts(act) {
            state.ban.take_if(|(banned, _)| *banned == key);
        }
        state.lifted.take_if(|lifted| *lifted == key);
        for other in 0..self.scene.threads.len() {
            let Some(under_way) = self.act(state, other).filter(|_| other != thread) else {
                continue;
            };
            match under_way {
                Act::Hit(hit) if lifts(act) && hit.key == key => {
                    state.threads[other].banned_until = 0;
                }
                Act::Ban(its, _) | Act::Unban(its)
                    if its == key
                        && lifts(act) != lifts(under_way)
                        && state.threads[other].node != Some(self.code.begin(under_way)) =>
                {
                    state.threads[other].forgotten = true;
                    state.threads[thread].forgotten = true;
                }
                _ => {}
            }
        }
    }

    /// What a thread is at, or would begin with.
    fn act(&self, state: &State, thread: usize) -> Option<Act> {
        state.threads[thread].node.map(|node| self.code.act(node))
    }

    /// Begins a thread's next act, if there is one.
    fn begin(&mut self, state: &mut State, thread: usize) {
        let over = usize::from(state.threads[thread].over);
        let act = self.scene.threads[thread].get(over);
        let node = act.map(|&act| self.code.begin(act));
        state.threads[thread].node = node;
        state.threads[thread].banned_until = 0;
        state.threads[thread].forgotten = false;
    }

    fn step(&mut self, state: &mut State, thread: usize, node: Node) -> Result<(), Stop> {
        let Then::Access(access) = self.code.then(node) else { unreachable!("it is over") };
        let act = self.code.act(node);
        if let Act::Hit(hit) = act
            && node == self.code.begin(act)
        {
            let ban = state.ban.filter(|(key, _)| *key == hit.key);
            state.threads[thread].banned_until = ban.map_or(0, |(_, until)| until);
        }
        if let Act::Reset(key) = act
            && node == self.code.begin(act)
        {
            state.forget(key);
        }
        if let Act::Ban(key, _) | Act::Unban(key) = act
            && node == self.code.begin(act)
        {
            self.begin_ban(state, thread, key);
        }
        self.learn(act, access)?;
        let answer = self.answer(state, access);
        let mut node = self.code.after(node, answer);
        if access == Access::Tell(Told::Release as usize) {
            state.threads[thread].holds_until = 0;
        }
        // A slot is held, or lost, as soon as its holder knows.
        while let Then::Access(Access::Tell(what)) = self.code.then(node)
            && what != Told::Release as usize
        {
            self.held(state, thread, (what == Told::Held as usize).then_some(node))?;
            node = self.code.after(node, 0);
        }
        state.threads[thread].node = Some(node);
        match self.code.then(node) {
            Then::Access(_) if self.code.past(node).starts == self.scene.starts => {
                state.threads[thread].node = None;
                state.threads[thread].stopped = true;
                Ok(())
            }
            Then::Access(_) => Ok(()),
            Then::Done(result) => self.end(state, thread, act, result),
        }
    }

    /// Whoever takes a slot, or renews it, has it until its lease is over; never are more held than there are.
    fn held(&self, state: &mut State, thread: usize, node: Option<Node>) -> Result<(), Stop> {
        let Some(slots) = self.scene.slots else { unreachable!("a scene with slots") };
        let now = self.answer(&mut state.clone(), Access::Load { word: CLOCK });
        // In two lines of a key another taker may have counted, and stopped: then a renewal gives up.
        let one_line = self.scene.quotas.is_empty();
        let held = state.threads[thread].holds_until;
        if node.is_none() && one_line && u64::from(held) >= now {
            return Err(Stop::Broken(format!("a slot is lost at {now} before its lease is over")));
        }
        let until = node.map_or(0, |node| self.code.past(node).ms + slots.lease_ms);
        state.threads[thread].holds_until = u32::try_from(until).expect("a small time");
        let holds =
            |thread: &&Thread| thread.holds_until > 0 && u64::from(thread.holds_until) >= now;
        let held = state.threads.iter().filter(holds).count();
        if held > slots.limit as usize {
            return Err(Stop::Broken(format!("{held} hold {slots} at {now}")));
        }
        Ok(())
    }

    fn end(&mut self, state: &mut State, thread: usize, act: Act, done: u64) -> Result<(), Stop> {
        let Some(node) = state.threads[thread].node else { unreachable!("it has just stepped") };
        let Past { ms, first_ms, starts, wrote } = self.code.past(node);
        match act {
            // Rule 2. A hit that gives up has counted, and taken it back.
            Act::Hit(_) if done == 0 && wrote && starts + 1 < GIVES_UP && self.scene.cells == 0 => {
                return Err(Stop::Broken(format!("{act:?} is refused, and has written")));
            }
            // Hits that began before a reset was over may be forgotten, and so may those that end within it.
            Act::Hit(hit)
                if done == 1
                    && (state.threads[thread].forgotten || self.resets(state, hit.key)) => {}
            Act::Hit(Hit { key, cost, quotas }) if done == 1 => {
                if u64::from(state.threads[thread].banned_until) > ms {
                    return Err(Stop::Broken(format!("key {key} is banned and admitted at {ms}")));
                }
                state.admit(Admitted { ms, key, cost, quotas });
                if let Some(broken) = self.scene.broken(state.log()) {
                    return Err(Stop::Broken(broken));
                }
            }
            Act::Reset(key) => {
                state.forget(key);
                for other in (0..self.scene.threads.len()).filter(|other| *other != thread) {
                    let hit =
                        matches!(self.act(state, other), Some(Act::Hit(hit)) if hit.key == key);
                    state.threads[other].forgotten |= hit;
                }
            }
            Act::Ban(key, length) if done == 1 && !state.threads[thread].forgotten => {
                let until = first_ms.expect("a ban reads the clock") + length;
                let until = u32::try_from(until).expect("a small time");
                state.ban = Some((key, until));
            }
            Act::Unban(key) if !state.threads[thread].forgotten => state.lifted = Some(key),
            Act::Hit(_)
            | Act::Ban(..)
            | Act::Unban(_)
            | Act::Banned(_)
            | Act::Time(_)
            | Act::Left(_)
            | Act::Hold(_)
            | Act::Taken(_) => {}
        }
        state.threads[thread].over += 1;
        self.begin(state, thread);
        Ok(())
    }

    /// Takes all steps that nobody else can notice or change, and brings threads that do the same into one order.
    ///
    /// Such a step is the reading of a word that no other thread will write any more: before or after all that the others
    /// do, it reads the same.
    fn settle(&mut self, state: &mut State) -> Result<(), Stop> {
        let count = self.scene.threads.len();
        let mut thread = 0;
        while thread < count {
            let Some(node) = state.threads[thread].node else {
                thread += 1;
                continue;
            };
            let Then::Access(Access::Load { word }) = self.code.then(node) else {
                thread += 1;
                continue;
            };
            if self.slots[word].is_some_and(|slot| self.may_write(state, thread, slot)) {
                thread += 1;
                continue;
            }
            let over = state.threads[thread].over;
            self.step(state, thread, node)?;
            if state.threads[thread].node == Some(node) {
                // It waits for a word to change, for ever.
                thread += 1;
            } else if state.threads[thread].over != over {
                // The others may have less to fear now.
                thread = 0;
            }
        }
        let programs = self.scene.threads;
        let mut start = 0;
        while start < count {
            let same = programs[start..].iter().take_while(|acts| **acts == programs[start]);
            let end = start + same.count();
            state.threads[start..end].sort_unstable();
            start = end;
        }
        Ok(())
    }

    /// Whether anybody but `thread` may still write a word.
    fn may_write(&self, state: &State, thread: usize, slot: usize) -> bool {
        let programs = self.scene.threads.iter().zip(&state.threads).enumerate();
        let others = programs.filter(|(other, (_, at))| *other != thread && !at.stopped);
        let mut acts = others.flat_map(|(_, (acts, at))| &acts[usize::from(at.over)..]);
        acts.any(|act| {
            self.writes.iter().any(|(other, mask)| other == act && mask >> slot & 1 == 1)
        })
    }

    /// Notes which words an act may write.
    fn learn(&mut self, act: Act, access: Access) -> Result<(), Stop> {
        let Access::Swap { word, .. } = access else { return Ok(()) };
        let slot = self.slots[word];
        let known = self.writes.iter_mut().find(|(other, _)| *other == act);
        match (slot, known) {
            (Some(slot), Some((_, mask))) if *mask >> slot & 1 == 1 => return Ok(()),
            (Some(slot), Some((_, mask))) => *mask |= 1 << slot,
            (Some(slot), None) => self.writes.push((act, 1 << slot)),
            (None, _) => {
                assert!(self.changing.len() < WORDS, "too many words for a state");
                self.slots[word] = Some(self.changing.len());
                self.changing.push(word);
            }
        }
        Err(Stop::Learnt)
    }
}

const _: () = assert!(WORDS <= 64 && THREADS <= 8);

fn answer(words: &mut [u64], access: Access) -> u64 {
    match access {
        Access::Load { word } => words[word],
        Access::Swap { word, old, new } => {
            let fits = words[word] == old;
            if fits {
                words[word] = new;
            }
            u64::from(fits)
        }
        Access::Tell(_) | Access::Again | Access::Forget { .. } => 0,
    }
}
