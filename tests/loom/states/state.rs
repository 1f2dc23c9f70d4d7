//! One state of a scene: small, and copied as it is.

use super::code::Node;
use crate::scene::Admitted;

/// Words that change, threads, and hits that are admitted, at most.
pub(crate) const WORDS: usize = if cfg!(feature = "whole") { 64 } else { 20 };
pub(crate) const THREADS: usize = 6;
pub(crate) const HITS: usize = if cfg!(feature = "whole") { 24 } else { 12 };

/// A thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Thread {
    /// Acts that are over.
    pub(crate) over: u8,
    /// Where it is in the next one; none when all are over, or it has stopped.
    pub(crate) node: Option<Node>,
    /// Whether it has stopped for ever, since its act began too often.
    pub(crate) stopped: bool,
    /// Until when its key was banned for sure when it began its act.
    pub(crate) banned_until: u32,
    /// Whether its act began before a reset was over; of a ban and its lifting: whether they met.
    pub(crate) forgotten: bool,
    /// Until when it holds a slot; 0 if it holds none.
    pub(crate) holds_until: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub(crate) words: [u64; WORDS],
    pub(crate) threads: [Thread; THREADS],
    hits: [u64; HITS],
    /// Until when which key is banned; scenes have one such key at most.
    pub(crate) ban: Option<(u8, u32)>,
    /// Whose ban was lifted, and nobody has banned it since.
    pub(crate) lifted: Option<u8>,
}

impl State {
    pub(crate) fn new() -> Self {
        let (words, threads) = ([0; WORDS], [Thread::default(); THREADS]);
        Self { words, threads, hits: [u64::MAX; HITS], ban: None, lifted: None }
    }

    /// The hits that were admitted, by time.
    pub(crate) fn log(&self) -> impl Iterator<Item = Admitted> + Clone {
        let hits = self.hits.into_iter().take_while(|hit| *hit != u64::MAX);
        hits.map(|hit| {
            let [quotas, cost, key, ms @ ..] = hit.to_le_bytes();
            let ms = ms.into_iter().rev().fold(0, |all, byte| all << 8 | u64::from(byte));
            Admitted { ms, key, cost, quotas }
        })
    }

    pub(crate) fn admit(&mut self, hit: Admitted) {
        let Admitted { ms, key, cost, quotas } = hit;
        let hit = ms << 24 | u64::from(key) << 16 | u64::from(cost) << 8 | u64::from(quotas);
        assert_eq!(self.hits[HITS - 1], u64::MAX, "too many hits for a state");
        self.hits[HITS - 1] = hit;
        self.hits.sort_unstable();
    }

    /// Forgets what was admitted of a key.
    pub(crate) fn forget(&mut self, key: u8) {
        let kept: Vec<Admitted> = self.log().filter(|hit| hit.key != key).collect();
        self.hits = [u64::MAX; HITS];
        for hit in kept {
            self.admit(hit);
        }
    }

    /// All of it in 64 bits.
    pub(crate) fn hash(&self) -> u64 {
        let mut hash = 0_u64;
        let mut mix = |value: u64| hash = mixed(hash.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ value);
        self.words.iter().for_each(|word| mix(*word));
        for thread in &self.threads {
            let node = thread.node.map_or(0, |node| u64::from(node) + 1);
            let over = u64::from(thread.over) << 1 | u64::from(thread.stopped);
            mix(node << 32 | u64::from(thread.banned_until) << 8 | over);
            if thread.holds_until > 0 || thread.forgotten {
                mix(u64::from(thread.holds_until) << 2 | u64::from(thread.forgotten) << 1 | 1);
            }
        }
        self.hits.iter().take_while(|hit| **hit != u64::MAX).for_each(|hit| mix(*hit));
        mix(self.ban.map_or(0, |(key, ms)| u64::from(ms) << 9 | u64::from(key) << 1 | 1));
        mix(self.lifted.map_or(0, |key| u64::from(key) + 1));
        hash
    }
}

/// The finalizer of SplitMix64.
fn mixed(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
