//! The scenes. A set has two lines; a log holds limits of 1 and 2, a ring (two words, one sub-window each) those above.
//!
//! Keys 1 to 3 would rather have line 1, key 4 line 0 (`Place::home` under the fixed seed).

use secval::limit::Slots;

use crate::scene::{Act, BARE, Hit, Scene, heavy, hit, hit_of, quota};
use Act::{Ban, Hold, Reset, Time, Unban};

/// A quota of one hit, used up long ago, and two who want the next.
pub(crate) const TWO_HITS_OF_A_LINE: Scene = Scene {
    quotas: &[quota(1, 5)],
    before: &[hit(1), Time(10)],
    threads: &[&[hit(1)], &[hit(1)]],
    ..BARE
};

/// Nobody has a line yet: both claim one.
pub(crate) const TWO_HITS_OF_A_NEW_KEY: Scene =
    Scene { quotas: &[quota(1, 5)], threads: &[&[hit(1)], &[hit(1)]], ..BARE };

pub(crate) const THREE_HITS_OF_A_LINE: Scene = Scene {
    quotas: &[quota(2, 5)],
    before: &[hit(1), Time(10)],
    threads: &[&[hit(1)], &[hit(1)], &[hit(1)]],
    ..BARE
};

/// One stays in its sub-window while another goes on into the next two.
pub(crate) const A_HIT_WHILE_THE_SUB_WINDOW_TURNS: Scene = Scene {
    quotas: &[quota(3, 2)],
    before: &[hit(1), hit(1)],
    threads: &[&[hit(1)], &[Time(2), hit(1), Time(4), hit(1)]],
    ..BARE
};

/// Costs of one and two, over three sub-windows.
pub(crate) const TWO_HITS_WHILE_SUB_WINDOWS_TURN: Scene = Scene {
    quotas: &[quota(3, 2)],
    before: &[hit(1)],
    threads: &[&[hit(1)], &[heavy(1, 2)], &[Time(2), Time(4)]],
    ..BARE
};

/// The word that one has counted in is used again for a later sub-window before it looks back.
pub(crate) const A_HIT_WHOSE_WORD_IS_TAKEN_OVER: Scene = Scene {
    quotas: &[quota(3, 2)],
    before: &[hit(1)],
    threads: &[&[hit(1)], &[Time(4), hit(1)]],
    ..BARE
};

/// Both lines are dead. A key comes back to its line while another one takes it.
pub(crate) const A_HIT_WHILE_ITS_LINE_IS_EVICTED: Scene = Scene {
    quotas: &[quota(1, 1)],
    moving: true,
    before: &[hit(1), hit(2), Time(2)],
    threads: &[&[hit(1)], &[hit(3)]],
    ..BARE
};

/// The lines die one after the other; two hits of a new key see one dead, and both: each takes another line.
pub(crate) const TWO_CLAIMS_OF_A_KEY: Scene = Scene {
    quotas: &[quota(1, 1)],
    before: &[hit(4), Time(1), hit(2), Time(2)],
    threads: &[&[hit(1)], &[Time(3), hit(1)]],
    ..BARE
};

/// A key that is used up loses its dead line to another, in a set that is full for those whose clock is old.
pub(crate) const A_HIT_WHOSE_LINE_IS_GONE: Scene = Scene {
    quotas: &[quota(1, 1)],
    cells: 6,
    before: &[hit(1), hit(3)],
    starts: 3,
    threads: &[&[hit(1)], &[Time(2), hit(2)]],
    ..BARE
};

/// One hit of a key is counted in the overflow, while another of the same key finds a line that has died.
pub(crate) const A_SPILL_WHILE_A_LINE_IS_CLAIMED: Scene = Scene {
    quotas: &[quota(1, 3)],
    cells: 6,
    before: &[hit(2), hit(3), Time(3)],
    starts: 3,
    threads: &[&[hit(1)], &[Time(4), hit(1)]],
    ..BARE
};

/// One charges two quotas, the other the second of them only, in this sub-window and in the next.
pub(crate) const TWO_HITS_OF_TWO_QUOTAS: Scene = Scene {
    quotas: &[quota(9, 8), quota(3, 2)],
    before: &[hit_of(1, 3)],
    threads: &[&[hit_of(1, 3)], &[hit_of(1, 2), Time(2), hit_of(1, 2)]],
    ..BARE
};

/// A ban that is over is followed by another, while its line is taken.
pub(crate) const A_BAN_WHILE_ITS_LINE_IS_EVICTED: Scene = Scene {
    quotas: &[quota(2, 1)],
    before: &[Time(1), Ban(1, 2), Time(4), hit(1)],
    starts: 3,
    threads: &[&[Ban(1, 10), hit(1)], &[hit(2)]],
    ..BARE
};

/// Two lift a ban; the line of the second goes to a ban that lasts as long, before the first comes to it.
pub(crate) const A_BAN_THAT_IS_LIFTED_TWICE: Scene = Scene {
    quotas: &[quota(2, 20)],
    before: &[Time(1), Ban(1, 9), hit(4)],
    threads: &[&[Unban(1)], &[Unban(1), Time(2), Ban(2, 8)]],
    ..BARE
};

/// Two ban a key that has no line; one lifts it, and takes the line for a count, before the other comes to it.
pub(crate) const A_BAN_THAT_IS_LIFTED_AT_ONCE: Scene = Scene {
    quotas: &[quota(1, 1)],
    before: &[hit(2), Time(1), hit(4), Time(2)],
    starts: 3,
    threads: &[&[Ban(1, 5)], &[Ban(1, 7), Unban(1), hit(1), Time(4)]],
    ..BARE
};

/// The line of a ban that was lifted goes to a key of which the overflow knows a hit, at the very time that the ban would have ended.
pub(crate) const A_LIFTED_BAN_AND_A_CLAIM: Scene = Scene {
    quotas: &[quota(1, 30)],
    cells: 6,
    before: &[Time(1), Ban(1, 9), hit(4), hit(2)],
    threads: &[&[Unban(1)], &[Unban(1), Time(10), hit(2), hit(2)]],
    ..BARE
};

/// One slot, and two who take it and renew it once, while the lease of the first may end.
pub(crate) const TWO_LEASES_OF_A_SLOT: Scene = Scene {
    slots: Some(Slots { limit: 1, lease_ms: 1 }),
    before: &[Hold(1), Time(4)],
    threads: &[&[Hold(1)], &[Time(6), Hold(1)]],
    ..BARE
};

/// Between the look of one and its reading, its dead line goes to a key whose window is longer: what that one counts looks
/// dead by the shorter window.
pub(crate) const A_HIT_THAT_READS_ANOTHERS_WORDS: Scene = Scene {
    quotas: &[quota(1, 1), quota(3, 8)],
    moving: true,
    before: &[hit_of(1, 1), hit_of(3, 2), Time(2)],
    starts: 3,
    threads: &[
        &[hit_of(1, 1)],
        &[Act::Hit(Hit { key: 2, cost: 3, quotas: 2 }), Time(4), hit_of(2, 2)],
    ],
    ..BARE
};

/// For the checker of states only: more threads, more time.
pub(crate) mod large {
    use super::*;

    pub(crate) const FOUR_HITS_OF_A_NEW_KEY: Scene = Scene {
        quotas: &[quota(2, 5)],
        starts: 3,
        threads: &[&[hit(1)], &[hit(1)], &[hit(1)], &[hit(1)]],
        ..BARE
    };

    /// Costs of one and two, over three sub-windows.
    pub(crate) const HITS_WHILE_SUB_WINDOWS_TURN: Scene = Scene {
        quotas: &[quota(3, 2)],
        before: &[hit(1)],
        starts: 2,
        threads: &[&[hit(1)], &[hit(1)], &[heavy(1, 2)], &[Time(2), Time(4)]],
        ..BARE
    };

    pub(crate) const HITS_WHILE_A_LOG_TURNS: Scene = Scene {
        quotas: &[quota(2, 1)],
        before: &[hit(1)],
        threads: &[&[hit(1), hit(1)], &[hit(1), hit(1)], &[Time(1), Time(2), Time(3)]],
        ..BARE
    };

    /// A key comes back, is evicted, and comes back again.
    pub(crate) const A_KEY_THAT_COMES_BACK: Scene = Scene {
        quotas: &[quota(1, 1)],
        moving: true,
        before: &[hit(1), hit(2), Time(2)],
        starts: 3,
        threads: &[&[hit(1)], &[hit(3), hit(1)], &[Time(4)]],
        ..BARE
    };

    /// Two hits of a new key take the same line, while its key comes back.
    pub(crate) const TWO_EVICTIONS: Scene = Scene {
        quotas: &[quota(1, 1)],
        moving: true,
        before: &[hit(1), hit(4), Time(2)],
        starts: 2,
        threads: &[&[hit(1)], &[hit(2)], &[hit(2)]],
        ..BARE
    };

    pub(crate) const CLAIMS_WHILE_TIME_PASSES: Scene = Scene {
        quotas: &[quota(1, 1)],
        before: &[hit(4), Time(1), hit(2)],
        starts: 3,
        threads: &[&[hit(1)], &[hit(1)], &[Time(2), Time(3), Time(4)]],
        ..BARE
    };

    pub(crate) const SPILLS_AND_A_CLAIM: Scene = Scene {
        quotas: &[quota(1, 3)],
        cells: 6,
        before: &[hit(2), hit(3), Time(3)],
        starts: 2,
        threads: &[&[hit(1)], &[hit(1)], &[Time(4)]],
        ..BARE
    };

    pub(crate) const HITS_OF_TWO_QUOTAS: Scene = Scene {
        quotas: &[quota(1, 1), quota(2, 3)],
        before: &[hit_of(1, 3)],
        starts: 3,
        threads: &[&[hit_of(1, 3)], &[hit_of(1, 3)], &[hit_of(1, 2)], &[Time(2), Time(4)]],
        ..BARE
    };

    pub(crate) const THREE_LEASES_OF_TWO_SLOTS: Scene = Scene {
        slots: Some(Slots { limit: 2, lease_ms: 1 }),
        before: &[Hold(1), Time(4)],
        starts: 2,
        threads: &[&[Hold(1)], &[Hold(1)], &[Hold(1)]],
        ..BARE
    };

    /// As in [`TWO_CLAIMS_OF_A_KEY`], the key has two lines then.
    pub(crate) const LEASES_IN_TWO_LINES: Scene = Scene {
        quotas: &[quota(1, 1)],
        slots: Some(Slots { limit: 1, lease_ms: 1 }),
        before: &[hit(4), Time(1), hit(2), Time(2)],
        starts: 2,
        threads: &[&[Hold(1)], &[Hold(1)], &[Time(3), Time(4)]],
        ..BARE
    };

    /// As in [`TWO_CLAIMS_OF_A_KEY`], a key may be banned in two lines, and then it is not any more.
    pub(crate) const A_BAN_IN_TWO_LINES: Scene = Scene {
        quotas: &[quota(1, 1)],
        before: &[hit(4), Time(1), hit(2), Time(2)],
        starts: 3,
        threads: &[&[Ban(1, 5)], &[Ban(1, 7), Unban(1)], &[Time(3), Time(4)]],
        ..BARE
    };

    /// A ban is lifted, and another begins, while its line is taken.
    pub(crate) const A_BAN_THAT_COMES_AND_GOES: Scene = Scene {
        quotas: &[quota(2, 1)],
        before: &[Time(1), Ban(1, 2), Time(3), hit(1)],
        starts: 2,
        threads: &[&[Unban(1)], &[Ban(1, 3)], &[hit(2)], &[Time(4)]],
        ..BARE
    };

    /// What a key has used is forgotten twice; its line goes to another key in the same millisecond.
    pub(crate) const TWO_RESETS_AND_A_CLAIM: Scene = Scene {
        quotas: &[quota(1, 1)],
        before: &[hit(1), Time(4), hit(1), hit(4)],
        starts: 3,
        threads: &[&[Reset(1)], &[Reset(1)], &[hit(2), hit(2), Time(5)]],
        ..BARE
    };

    /// What was used is forgotten while two hits are under way, in one sub-window or in two.
    pub(crate) const HITS_AND_A_RESET: Scene = Scene {
        quotas: &[quota(3, 2)],
        moving: true,
        before: &[Time(4), hit(1), hit(1)],
        starts: 2,
        threads: &[&[hit(1)], &[hit(1)], &[Reset(1), heavy(1, 3)], &[Time(5), Time(6)]],
        ..BARE
    };
}
