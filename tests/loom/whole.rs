//! The scenes of a set as it ships: eight lines; a log holds limits of 1 to 7, a ring of seven words those above.
//!
//! Most are those of two lines (`scenes.rs`), with other lines that live meanwhile: of [`FILLERS`], by the second quota.

use secval::limit::{Quota, Slots};

use crate::scene::{Act, BARE, Hit, Scene, heavy, hit, hit_of, quota};
use Act::{Ban, Hold, Reset, Time, Unban};

/// Lives longer than any scene.
const LONG: Quota = quota(1, 90);

/// A hit of the quota that is [`LONG`].
const fn fills(key: u8) -> Act {
    hit_of(10 + key, 2)
}

/// A hit of some cost by several quotas, a bit each.
const fn heavy_of(cost: u8, quotas: u8) -> Act {
    Act::Hit(Hit { key: 1, cost, quotas })
}

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

/// Two new keys, and one line that is left.
pub(crate) const THE_LAST_LINE: Scene = Scene {
    quotas: &[quota(1, 5), LONG],
    before: &[Time(1), fills(1), fills(2), fills(3), fills(4), fills(5), fills(6), fills(7)],
    starts: 3,
    threads: &[&[hit(1)], &[hit(1)], &[hit(2)]],
    ..BARE
};

/// Two lines die one after the other; two hits of a new key see one dead, and both: each takes another line.
pub(crate) const TWO_CLAIMS_OF_A_KEY: Scene = Scene {
    quotas: &[quota(1, 1), LONG],
    before: &[
        hit(2),
        Time(1),
        hit(4),
        fills(1),
        fills(2),
        fills(4),
        fills(6),
        fills(7),
        fills(9),
        Time(2),
    ],
    threads: &[&[hit(1)], &[Time(3), hit(1)]],
    ..BARE
};

/// Two lines are dead. A key comes back to its line while another one takes it.
pub(crate) const A_HIT_WHILE_ITS_LINE_IS_EVICTED: Scene = Scene {
    quotas: &[quota(1, 1), LONG],
    moving: true,
    before: &[fills(1), fills(2), fills(3), fills(4), fills(5), fills(6), hit(1), hit(2), Time(2)],
    threads: &[&[hit(1)], &[hit(3)]],
    ..BARE
};

/// One hit of a key is counted in the overflow, while another of the same key finds a line that has died.
pub(crate) const A_SPILL_WHILE_A_LINE_IS_CLAIMED: Scene = Scene {
    quotas: &[quota(1, 3), LONG],
    cells: 16,
    before: &[fills(1), fills(2), fills(3), fills(4), fills(5), fills(6), hit(2), hit(3), Time(3)],
    starts: 3,
    threads: &[&[hit(1)], &[Time(4), hit(1)]],
    ..BARE
};

/// The line of a ban that was lifted goes to a key of which the overflow knows a hit, at the very time that the ban would
/// have ended.
pub(crate) const A_LIFTED_BAN_AND_A_CLAIM: Scene = Scene {
    quotas: &[quota(1, 30), LONG],
    cells: 16,
    before: &[
        Time(1),
        Ban(1, 9),
        fills(1),
        fills(2),
        fills(3),
        fills(4),
        fills(5),
        fills(6),
        fills(7),
        hit(2),
    ],
    threads: &[&[Unban(1)], &[Unban(1), Time(10), hit(2), hit(2)]],
    ..BARE
};

/// One stays in its sub-window, of two milliseconds, while another goes on: to where the oldest one is still in the window
/// by a millisecond, and to the next.
pub(crate) const A_HIT_WHILE_THE_SUB_WINDOW_TURNS: Scene = Scene {
    quotas: &[quota(9, 12)],
    before: &[heavy(1, 3), Time(2), heavy(1, 3)],
    threads: &[&[heavy(1, 3)], &[Time(12), heavy(1, 3), Time(14), heavy(1, 3)]],
    ..BARE
};

/// The word that one has counted in is used again, seven sub-windows later, before it looks back.
pub(crate) const A_HIT_WHOSE_WORD_IS_TAKEN_OVER: Scene = Scene {
    quotas: &[quota(8, 12)],
    before: &[hit(1)],
    threads: &[&[heavy(1, 4)], &[Time(14), heavy(1, 8)]],
    ..BARE
};

/// A window of seven milliseconds, whose sub-windows have one or two of them.
pub(crate) const HITS_OVER_SEVEN_SUB_WINDOWS: Scene = Scene {
    quotas: &[quota(9, 7)],
    before: &[heavy(1, 2), Time(2), heavy(1, 2), Time(5), heavy(1, 2)],
    starts: 3,
    threads: &[&[heavy(1, 3), heavy(1, 3)], &[heavy(1, 4)], &[Time(7), Time(8), Time(9)]],
    ..BARE
};

/// One charges two rings, the other the second of them only, before and after it has turned.
pub(crate) const HITS_OF_TWO_RINGS: Scene = Scene {
    quotas: &[quota(24, 24), quota(8, 12)],
    before: &[heavy_of(2, 3)],
    threads: &[&[heavy_of(3, 3)], &[heavy_of(1, 2), Time(2), heavy_of(4, 2)]],
    ..BARE
};

/// A ring and a log.
pub(crate) const HITS_OF_A_RING_AND_A_LOG: Scene = Scene {
    quotas: &[quota(8, 12), quota(5, 6)],
    before: &[heavy_of(2, 3)],
    starts: 3,
    threads: &[&[heavy_of(3, 3)], &[heavy_of(2, 2), heavy_of(3, 1)], &[Time(6), Time(7), Time(14)]],
    ..BARE
};

/// The largest log.
pub(crate) const HITS_WHILE_A_LOG_TURNS: Scene = Scene {
    quotas: &[quota(7, 6)],
    before: &[heavy(1, 2), Time(1), heavy(1, 2)],
    threads: &[&[heavy(1, 2), heavy(1, 2)], &[heavy(1, 3)], &[Time(6), Time(7), Time(8)]],
    ..BARE
};

/// What a ring has counted is forgotten while two hits are under way, in one sub-window or in two.
pub(crate) const HITS_AND_A_RESET: Scene = Scene {
    quotas: &[quota(8, 12)],
    moving: true,
    before: &[Time(4), heavy(1, 6)],
    starts: 2,
    threads: &[&[heavy(1, 2)], &[heavy(1, 3)], &[Reset(1), heavy(1, 8)], &[Time(5), Time(6)]],
    ..BARE
};

/// Eight slots are two lines of a key: seven in the first.
pub(crate) const LEASES_OF_THE_EIGHTH_SLOT: Scene = Scene {
    slots: Some(Slots { limit: 8, lease_ms: 2 }),
    before: &[Time(1)],
    starts: 2,
    threads: &[&[Hold(1)], &[Hold(1)], &[Time(3), Time(4)]],
    ..BARE
};

/// For walks: the set is full, all lines but two die one by one, and all keys want one.
pub(crate) const A_CROWD: Scene = Scene {
    quotas: &[quota(2, 3), LONG],
    moving: true,
    before: &[
        hit(1),
        hit(2),
        Time(1),
        hit(3),
        hit(4),
        Time(2),
        hit(5),
        hit(6),
        fills(1),
        fills(2),
        Time(3),
    ],
    threads: &[
        &[hit(1), hit(7), hit(1)],
        &[hit(7), hit(8), hit(7)],
        &[hit(8), heavy(1, 2), hit(9)],
        &[hit(9), hit(7), hit(2)],
        &[Time(4), hit(1), Time(5), hit(7), Time(6), hit(8)],
    ],
    ..BARE
};

/// The same with an overflow.
pub(crate) const A_CROWD_THAT_SPILLS: Scene = Scene { cells: 16, ..A_CROWD };

/// For walks: two quotas of one key, over four windows of the one and two of the other.
pub(crate) const RINGS_THAT_TURN: Scene = Scene {
    quotas: &[quota(9, 6), quota(14, 12)],
    before: &[heavy_of(2, 3), Time(3), heavy_of(2, 3)],
    threads: &[
        &[heavy_of(3, 3), heavy_of(4, 1), heavy_of(3, 3)],
        &[heavy_of(4, 3), heavy_of(3, 2), heavy_of(4, 3)],
        &[heavy_of(2, 1), heavy_of(5, 3), heavy_of(2, 2)],
        &[Time(6), Time(7), heavy_of(3, 3), Time(12), Time(14), heavy_of(4, 3), Time(20), Time(25)],
    ],
    ..BARE
};

/// For walks: bans of two keys come and go in the two lines that are to be had.
pub(crate) const BANS_IN_A_CROWD: Scene = Scene {
    quotas: &[quota(1, 2), LONG],
    moving: true,
    before: &[
        Time(1),
        Ban(1, 9),
        hit(3),
        fills(1),
        fills(2),
        fills(3),
        fills(4),
        fills(5),
        fills(6),
        Time(4),
    ],
    threads: &[
        &[Unban(1), hit(5), Unban(2)],
        &[Unban(1), Time(5), Ban(2, 5), hit(2)],
        &[Unban(1), Ban(2, 6), Unban(1)],
        &[hit(5), Unban(2), hit(3)],
        &[Time(6), Time(7), hit(5), Time(10), hit(2)],
    ],
    ..BARE
};
