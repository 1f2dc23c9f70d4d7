//! The limiter's word under the checkers (`--cfg loom`): the same two operations, on memory that a checker keeps.
//!
//! loom keeps it for the words that are made inside a model of its own. For the others the checker of states does:
//! it makes a table in [`named`], where each word gets a number instead of a value; then it runs one call of the limiter
//! in [`told`], with the answers to its first so many accesses. The access after those ends the run, and is what the
//! checker learns: the call's next step. So the code that ships is its own model, and a thread of it is nothing but the
//! answers that it has got.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use loom::sync::atomic::{AtomicU64, Ordering, fence};

/// 64 bits that threads and processes share. Every access is sequentially consistent.
#[derive(Debug)]
pub struct Word(Kept);

#[derive(Debug)]
enum Kept {
    ByLoom(AtomicU64, Option<[AtomicU64; THREADS]>),
    ByStates(usize),
}

/// Threads of a model on loom's memory, at most.
const THREADS: usize = 3;

loom::thread_local! {
    static THREAD: Cell<usize> = Cell::new(0);
}

/// Says which thread of a model this is: 0 the first.
pub fn is_thread(number: usize) {
    THREAD.with(|thread| thread.set(number));
}

/// Whether loom shall remember all who have read a word, in models that are made from here on.
///
/// It tries two accesses in both orders if the later one changes what the earlier one has read, but it remembers only the
/// last access to each word: a thread that reads a word and then changes it hides all who have read it before. So words
/// get companions, one for each thread, touched by its readings and by all changes. There are many more orders then.
pub fn remember_readers(yes: bool) {
    REMEMBER.set(yes);
}

fn touch(companion: &AtomicU64) {
    companion.fetch_add(0, Ordering::Relaxed);
}

/// An access to a word: one step of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Reads a word; the answer is what it holds.
    Load {
        /// Its number.
        word: usize,
    },
    /// Exchanges what a word holds; the answer is 1 if it was `old`, and 0 if not.
    Swap {
        /// Its number.
        word: usize,
        /// What it must hold.
        old: u64,
        /// What it holds then.
        new: u64,
    },
    /// No access: the call has come to something that the checker wants to know. Any answer will do.
    Tell(usize),
    /// No access: the call is where it was before its last one. Any answer will do.
    Again,
    /// No access: from here on the call remembers nothing of what it has read but this. Any answer will do.
    Forget {
        /// How often it has begun.
        begun: usize,
        /// A number that was worked out before.
        kept: u64,
    },
}

#[derive(Debug)]
enum Mode {
    Naming { next: usize },
    Telling { answers: Vec<u64>, next: usize },
}

thread_local! {
    static REMEMBER: Cell<bool> = const { Cell::new(false) };
    static MODE: RefCell<Option<Mode>> = const { RefCell::new(None) };
}

/// What `make` makes, on words that are numbers from 0 on; and how many.
pub fn named<T>(make: impl FnOnce() -> T) -> (T, usize) {
    MODE.set(Some(Mode::Naming { next: 0 }));
    let made = make();
    let Some(Mode::Naming { next }) = MODE.take() else { unreachable!("nobody else sets it") };
    (made, next)
}

/// What `call` returns when its accesses are answered so, or the access that comes next.
pub fn told<T>(answers: &[u64], call: impl FnOnce() -> T) -> Result<T, Access> {
    MODE.set(Some(Mode::Telling { answers: answers.to_vec(), next: 0 }));
    let result = catch_unwind(AssertUnwindSafe(call));
    MODE.set(None);
    result.map_err(|payload| match payload.downcast::<Access>() {
        Ok(access) => *access,
        Err(panic) => resume_unwind(panic),
    })
}

/// Tells the checker of states that nothing is remembered of what was read so far but how often a call has begun: states
/// that differ in nothing else are the same.
pub fn forget(begun: usize) {
    forget_but(begun, 0);
}

/// The same of a call that also remembers a number.
pub fn forget_but(begun: usize, kept: u64) {
    if MODE.with_borrow(Option::is_some) {
        answer_to(Access::Forget { begun, kept });
    }
}

/// Tells the checker of states that the call waits for the answer to its last access to change.
pub fn again() {
    if MODE.with_borrow(Option::is_some) {
        answer_to(Access::Again);
    }
}

/// Tells the checker of states what a call has come to, in numbers of its own.
pub fn tell(what: usize) {
    if MODE.with_borrow(Option::is_some) {
        answer_to(Access::Tell(what));
    }
}

fn answer_to(access: Access) -> u64 {
    let answer = MODE.with_borrow_mut(|mode| {
        let Some(Mode::Telling { answers, next }) = mode else { unreachable!("only in `told`") };
        *next += 1;
        answers.get(*next - 1).copied()
    });
    // Not a panic: nothing is printed, and no hook runs.
    answer.unwrap_or_else(|| resume_unwind(Box::new(access)))
}

impl Default for Word {
    fn default() -> Self {
        let number = MODE.with_borrow_mut(|mode| match mode {
            Some(Mode::Naming { next }) => {
                *next += 1;
                Some(*next - 1)
            }
            Some(Mode::Telling { .. }) | None => None,
        });
        Self(number.map_or_else(
            || Kept::ByLoom(AtomicU64::new(0), REMEMBER.get().then(Default::default)),
            Kept::ByStates,
        ))
    }
}

impl Word {
    /// What the word holds.
    pub fn load(&self) -> u64 {
        match &self.0 {
            Kept::ByLoom(word, companions) => {
                if let Some(companions) = companions {
                    THREAD.with(|thread| touch(&companions[thread.get()]));
                }
                between_fences(|| word.load(Ordering::SeqCst))
            }
            Kept::ByStates(word) => answer_to(Access::Load { word: *word }),
        }
    }

    /// Puts `new` in the place of `old`; false, and nothing done, if the word holds anything else.
    pub fn swap_if(&self, old: u64, new: u64) -> bool {
        match &self.0 {
            Kept::ByLoom(word, companions) => {
                companions.iter().flatten().for_each(touch);
                between_fences(|| {
                    word.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
                })
            }
            Kept::ByStates(word) => answer_to(Access::Swap { word: *word, old, new }) == 1,
        }
    }

    /// The checkers do not look at counters.
    pub fn count_one(&self) {}
}

/// loom treats `SeqCst` accesses as `AcqRel`, but knows the fences.
fn between_fences<T>(access: impl FnOnce() -> T) -> T {
    fence(Ordering::SeqCst);
    let result = access();
    fence(Ordering::SeqCst);
    result
}
