//! Is this member name new in its object?
//!
//! Up to [`PAIRWISE`] names of an object are compared pairwise by 32 bits of their hashes, several at a time;
//! above, an open-addressing table is used. The hash is seeded per process by the operating system, and equal
//! hashes always compare bytes, so the answer never depends on it. Should the probes of one object run long all
//! the same, its names are sorted and compared when it ends: n log n, whatever an attacker knows.

#![forbid(unsafe_code)]

use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use smallvec::SmallVec;

use super::tape::{narrow, widen};
use crate::seed::QualityState;

/// Names compared pairwise. That is four comparisons an instruction: at half, objects that are still cheap to
/// compare pay for a table; at double, the pairs cost more than the table.
const PAIRWISE: usize = 32;

/// Probes for one name before the object's names are sorted instead. A table at most half full needs one or
/// two; at half of this a fair seed might get there once in a lifetime, at double an attack costs twice.
const PROBES: usize = 64;

/// The open objects' names, innermost last.
#[derive(Debug, Default)]
pub(super) struct Names {
    hashes: Vec<u32>,
    /// Of each name, its node: whatever the caller needs to find its bytes again.
    nodes: Vec<u32>,
    slots: Vec<u32>,
    open: SmallVec<[Scope; 4]>,
}

/// One open object's part of the lists; what follows belongs to it as long as it is the innermost.
#[derive(Debug, Clone, Copy, Default)]
struct Scope {
    names: usize,
    slots: usize,
    /// Long probes were met: decided when it ends.
    sorted: bool,
}

/// The hash of a name: other bits in every process.
fn hash(name: &str) -> u32 {
    static SEED: OnceLock<QualityState> = OnceLock::new();
    let mut hasher = SEED.get_or_init(QualityState::default).build_hasher();
    hasher.write(name.as_bytes());
    narrow(usize::try_from(hasher.finish() >> 32).unwrap_or(0))
}

impl Names {
    pub(super) fn clear(&mut self) {
        self.hashes.clear();
        self.nodes.clear();
        self.slots.clear();
        self.open.clear();
    }

    /// Words of its largest list, or scopes.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        let Self { hashes, nodes, slots, open } = self;
        hashes.capacity().max(nodes.capacity()).max(slots.capacity()).max(open.capacity())
    }

    /// `{`
    #[inline]
    pub(super) fn begin(&mut self) {
        let (names, slots) = (self.nodes.len(), self.slots.len());
        self.open.push(Scope { names, slots, sorted: false });
    }

    /// Adds a name to the innermost object. `false` when it is there already.
    #[inline]
    pub(super) fn add<'d>(
        &mut self,
        name: &'d str,
        node: u32,
        text: impl Fn(u32) -> &'d str,
    ) -> bool {
        let hash = hash(name);
        let scope = self.open.last().copied().unwrap_or_default();
        let own = self.hashes.get(scope.names..).unwrap_or_default();
        let new = if own.len() < PAIRWISE {
            let nodes = self.nodes.get(scope.names..).unwrap_or_default();
            !any_equal(own, hash)
                || !own.iter().zip(nodes).any(|(other, at)| *other == hash && text(*at) == name)
        } else {
            self.add_to_table(scope, hash, |other| text(other) == name)
        };
        self.hashes.push(hash);
        self.nodes.push(node);
        new
    }

    /// The same for an object of many names.
    fn add_to_table(&mut self, scope: Scope, hash: u32, same: impl Fn(u32) -> bool) -> bool {
        if scope.sorted {
            return true;
        }
        let own = self.hashes.get(scope.names..).unwrap_or_default();
        let nodes = self.nodes.get(scope.names..).unwrap_or_default();
        let slots = self.slots.len().saturating_sub(scope.slots);
        let mut sorted = false;
        if own.len().saturating_mul(2) >= slots {
            sorted = !grow(&mut self.slots, scope.slots, own);
        }
        let equal = |index: usize| {
            own.get(index) == Some(&hash) && nodes.get(index).is_some_and(|node| same(*node))
        };
        match probe(self.slots.get_mut(scope.slots..).unwrap_or_default(), hash, equal) {
            Probe::Taken => return false,
            // One above the index: 0 is a free slot.
            Probe::Free(slot) => *slot = narrow(own.len()).saturating_add(1),
            Probe::Long => sorted = true,
        }
        if sorted && let Some(scope) = self.open.last_mut() {
            scope.sorted = true;
        }
        true
    }

    /// `}`: the node of the first name that repeats an earlier one, if the object's names had to be sorted.
    #[inline]
    pub(super) fn end<'d>(&mut self, text: impl Fn(u32) -> &'d str) -> Option<u32> {
        let scope = self.open.pop()?;
        let repeated = if scope.sorted { self.first_repeated(scope, text) } else { None };
        self.hashes.truncate(scope.names);
        self.nodes.truncate(scope.names);
        self.slots.truncate(scope.slots);
        repeated
    }

    #[cold]
    fn first_repeated<'d>(&mut self, scope: Scope, text: impl Fn(u32) -> &'d str) -> Option<u32> {
        let own = self.nodes.get_mut(scope.names..).unwrap_or_default();
        // By name, then by place: of two equal neighbours the second is the repetition.
        own.sort_unstable_by(|x, y| text(*x).cmp(text(*y)).then(x.cmp(y)));
        let pairs = own.iter().zip(own.iter().skip(1));
        pairs.filter(|(x, y)| text(**x) == text(**y)).map(|(_, y)| *y).min()
    }
}

/// Whether one of the hashes is this one. Without a branch on the way, so that it is done four at a time.
#[inline]
fn any_equal(hashes: &[u32], hash: u32) -> bool {
    hashes.iter().fold(0, |found, other| found | u32::from(*other == hash)) != 0
}

enum Probe<'t> {
    Taken,
    Free(&'t mut u32),
    Long,
}

/// Looks for an equal name, or a free slot, from the hash's own slot on.
fn probe(table: &mut [u32], hash: u32, same: impl Fn(usize) -> bool) -> Probe<'_> {
    let mask = table.len().wrapping_sub(1);
    let mut at = widen(hash) & mask;
    for _ in 0..PROBES {
        match table.get(at).copied() {
            None => return Probe::Long,
            Some(0) => break,
            Some(index) if same(widen(index).wrapping_sub(1)) => return Probe::Taken,
            Some(_) => at = at.wrapping_add(1) & mask,
        }
    }
    match table.get_mut(at) {
        Some(slot) if *slot == 0 => Probe::Free(slot),
        Some(_) | None => Probe::Long,
    }
}

/// Makes the innermost object's table four times as large as its names, and fills it. `false` when it cannot.
fn grow(slots: &mut Vec<u32>, from: usize, own: &[u32]) -> bool {
    let size = own.len().saturating_mul(4).next_power_of_two();
    slots.truncate(from);
    slots.resize(from.saturating_add(size), 0);
    let table = slots.get_mut(from..).unwrap_or_default();
    (1..).zip(own).all(|(index, hash)| match probe(table, *hash, |_| false) {
        Probe::Free(slot) => {
            *slot = index;
            true
        }
        Probe::Taken | Probe::Long => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds all names to one object, with a table of texts; the index of the first repetition.
    fn first_repeated(texts: &[String], force_sorted: bool) -> Option<usize> {
        let mut names = Names::default();
        names.begin();
        for (node, text) in texts.iter().enumerate() {
            if force_sorted
                && node > PAIRWISE
                && let Some(scope) = names.open.last_mut()
            {
                scope.sorted = true;
            }
            if !names.add(text, u32::try_from(node).unwrap(), |n| &texts[n as usize]) {
                return Some(node);
            }
        }
        names.end(|n| &texts[n as usize]).map(|n| n as usize)
    }

    #[test]
    fn every_way_to_compare_agrees_with_a_set() {
        for count in [0_usize, 1, 2, 7, 8, 9, 31, 32, 33, 34, 64, 65, 100, 1000] {
            let distinct: Vec<String> = (0..count).map(|n| format!("name{n}")).collect();
            for force in [false, true] {
                assert_eq!(first_repeated(&distinct, force), None, "{count}");
                for again in 0..count.min(40) {
                    let mut texts = distinct.clone();
                    texts.push(distinct[again * (count / 40).max(1)].clone());
                    assert_eq!(first_repeated(&texts, force), Some(count), "{count} {again}");
                }
            }
        }
    }

    #[test]
    fn of_several_repetitions_the_first_counts() {
        let mut texts: Vec<String> = (0..50).map(|n| format!("name{n}")).collect();
        texts.extend(["name40", "name3", "name40"].map(str::to_owned));
        assert_eq!(first_repeated(&texts, false), Some(50));
        assert_eq!(first_repeated(&texts, true), Some(50));
    }

    #[test]
    fn names_whose_hashes_are_equal_are_compared() {
        // Equal hashes cannot be made on purpose: tables of them can.
        let texts: Vec<String> = (0..200).map(|n| format!("n{n}")).collect();
        let text = |n: u32| texts[n as usize].as_str();
        let mut names = Names::default();
        names.begin();
        for node in 0..200 {
            assert!(names.add(text(node), node, text), "{node}");
            // As if all that came before had the hash of the next.
            let next = hash(&texts[(node as usize + 1) % 200]);
            names.hashes.fill(next);
        }
        assert!(names.open[0].sorted || names.slots.len() > 200);
        let repeated = names.add(text(7), 7, text);
        assert!(!repeated || names.end(text) == Some(7));
    }

    #[test]
    fn probes_that_run_long_end() {
        let mut table = vec![1; 1024];
        assert!(matches!(probe(&mut table, 5, |_| false), Probe::Long));
        let mut slots = Vec::new();
        assert!(!grow(&mut slots, 0, &[7; 100]));
        assert!(grow(&mut slots, 0, &[7; 60]));
    }

    #[test]
    fn objects_within_objects_do_not_mix() {
        let texts: Vec<String> = (0..40).map(|n| format!("n{n}")).collect();
        let text = |n: u32| texts[n as usize].as_str();
        let mut names = Names::default();
        names.begin();
        for n in 0..40 {
            assert!(names.add(&texts[n as usize], n, text));
            names.begin();
            for inner in 0..40 {
                assert!(names.add(&texts[inner as usize], inner, text));
            }
            assert!(!names.add("n7", 0, text));
            assert_eq!(names.end(text), None);
        }
        assert!(!names.add("n39", 0, text));
    }
}
