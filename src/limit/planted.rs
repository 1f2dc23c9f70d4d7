//! Faults that a checker plants in the protocol, to see that its models find them; none in a build that ships.
//!
//! Each is one line at the place that it spoils.

#![forbid(unsafe_code)]

/// A fault, by the rule of [`crate::limit`] that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "only the models name it, under loom"))]
pub enum Fault {
    /// Rule 1: the clock is read before the tags.
    ClockFirst,
    /// Rule 1: a word that is newer than the clock is passed over.
    NewerIgnored,
    /// Rule 1: of a key's lines only the first is counted.
    FirstLineOnly,
    /// Rule 1: the oldest part of a window, of which only some is still in it, is not counted.
    OldestForgotten,
    /// Rule 3: whose words were read is not asked.
    WordsOfAnother,
    /// Rule 3: the word is written whatever it holds.
    BlindReserve,
    /// Rule 4: nothing is read again.
    Unverified,
    /// Rule 4: the words are read again, the tags are not.
    TagsUnverified,
    /// Rule 4: of a set's tags only the first two are read again.
    FirstTagsVerified,
    /// Rule 5: what is taken back is not asked for its stamp.
    UndoUnstamped,
    /// Rule 5: what is taken back is not asked for its line.
    UndoUntagged,
    /// Rule 5: of several quotas only the first is verified.
    FirstVerified,
    /// Rule 5: what was counted before another quota refused is kept.
    CountedKept,
    /// Rule 6: a newborn line is opened without what the overflow knows.
    NothingCarried,
    /// Rule 6: the time until which the overflow counts is not told.
    SpillUntold,
    /// Rule 6: hits count in lines that are not live.
    CountedUnsettled,
    /// Rule 7: the words of a dying line are emptied without a second look.
    OnePhase,
    /// Rule 7: a tag that changes keeps its version.
    SameVersion,
    /// Rule 7: a ban does not look whether its line was taken meanwhile.
    BanUnchecked,
    /// Rule 7: bans all look the same.
    BanUnmarked,
    /// Rule 7: a ban that is lifted leaves a line that can be taken at once.
    LiftedBare,
    /// Rule 7: a ban is lifted in the first of a key's lines only.
    LiftedInOneLine,
    /// Rule 7: what is emptied for an operator is not asked whose it is.
    ClearedBlind,
    /// Rule 7: a reset leaves a line that can be taken at once.
    ResetBare,
    /// Rule 8: who meets a line that is not live waits for whoever left it so.
    Waits,
    /// Rule 9: a renewal stands without a look back.
    RenewUnverified,
    /// Rule 9: a slot is given back whoever has it by then.
    ReleaseBlind,
}

/// Whether a fault is planted: never.
#[cfg(not(loom))]
#[inline]
pub(super) const fn is(_fault: Fault) -> bool {
    false
}

#[cfg(loom)]
pub(super) use planter::is;
#[cfg(loom)]
pub use planter::with;

#[cfg(loom)]
mod planter {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        // A checker runs all threads of a model on one of the system's.
        static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Whether a fault is planted.
    pub(in crate::limit) fn is(fault: Fault) -> bool {
        PLANTED.get() == Some(fault)
    }

    /// Runs a model with a fault; also if it panics, the fault is gone after it.
    pub fn with<T>(fault: Option<Fault>, model: impl FnOnce() -> T) -> T {
        struct Pull;
        impl Drop for Pull {
            fn drop(&mut self) {
                PLANTED.set(None);
            }
        }
        let _pull = Pull;
        PLANTED.set(fault);
        model()
    }
}
