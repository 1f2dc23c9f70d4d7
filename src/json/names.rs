//! Is this member name new in its object?
//!
//! Up to [`PAIRWISE`] names are compared pairwise by their hashes; above, an open-addressing table is used. The
//! hash is seeded per process by the operating system, and equal hashes always compare bytes, so the answer
//! never depends on it. Should the probes of one object run long all the same, its names are sorted and compared
//! when it ends: n log n, whatever an attacker knows.

use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use foldhash::quality::RandomState;

/// Names compared pairwise. Most objects of real APIs have fewer; at half, more of them pay for a table, at
/// double, the largest of them compare some 300 pairs.
const PAIRWISE: usize = 12;

/// Probes for one name before the object's names are sorted instead. A table at most half full needs one or
/// two; at half of this a fair seed might get there once in a lifetime, at double an attack costs twice.
const PROBES: usize = 64;

/// A name, and where it is: whatever the caller needs to find its bytes again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    hash: u64,
    pub(super) node: u32,
}

/// The open objects' names, innermost last.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Name>,
    slots: Vec<u32>,
    open: Vec<Scope>,
}

/// One open object's part of the two lists; what follows belongs to it as long as it is the innermost.
#[derive(Debug, Clone, Copy)]
struct Scope {
    names: usize,
    slots: usize,
    /// Long probes were met: decided when it ends.
    sorted: bool,
}

fn seed() -> &'static RandomState {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::default)
}

impl Names {
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.slots.clear();
        self.open.clear();
    }

    pub(super) fn shrink_to(&mut self, bytes: usize) {
        self.names.shrink_to(bytes / size_of::<Name>());
        self.slots.shrink_to(bytes / size_of::<u32>());
        self.open.shrink_to(bytes / size_of::<Scope>());
    }

    /// `{`
    pub(super) fn begin(&mut self) {
        self.open.push(Scope { names: self.names.len(), slots: self.slots.len(), sorted: false });
    }

    /// Adds a name to the innermost object. `false` when it is there already.
    pub(super) fn add<'d>(
        &mut self,
        name: &'d str,
        node: u32,
        text: impl Fn(u32) -> &'d str,
    ) -> bool {
        let mut hasher = seed().build_hasher();
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        let Some(scope) = self.open.last_mut() else { return true };
        let own = self.names.get(scope.names..).unwrap_or_default();
        let same = |other: &Name| other.hash == hash && text(other.node) == name;
        if scope.sorted {
            self.names.push(Name { hash, node });
            return true;
        }
        if own.len() < PAIRWISE {
            let new = !own.iter().any(same);
            self.names.push(Name { hash, node });
            return new;
        }
        let slots = self.slots.len().saturating_sub(scope.slots);
        if own.len().saturating_mul(2) >= slots {
            grow(&mut self.slots, scope, own);
        }
        let table = self.slots.get_mut(scope.slots..).unwrap_or_default();
        match probe(table, hash, |index| own.get(index).is_some_and(same)) {
            Probe::Taken => return false,
            Probe::Free(slot) => {
                // One above the index: 0 is a free slot.
                *slot = u32::try_from(own.len()).unwrap_or(u32::MAX).saturating_add(1);
            }
            Probe::Long => scope.sorted = true,
        }
        self.names.push(Name { hash, node });
        true
    }

    /// `}`: the node of the first name that repeats an earlier one, if the object's names had to be sorted.
    pub(super) fn end<'d>(&mut self, text: impl Fn(u32) -> &'d str) -> Option<u32> {
        let scope = self.open.pop()?;
        let mut repeated = None;
        if scope.sorted {
            let own = self.names.get_mut(scope.names..).unwrap_or_default();
            // By name, then by place: of two equal neighbours the second is the repetition.
            own.sort_unstable_by(|x, y| text(x.node).cmp(text(y.node)).then(x.node.cmp(&y.node)));
            let pairs = own.iter().zip(own.iter().skip(1));
            let again = pairs.filter(|(x, y)| text(x.node) == text(y.node)).map(|(_, y)| y.node);
            repeated = again.min();
        }
        self.names.truncate(scope.names);
        self.slots.truncate(scope.slots);
        repeated
    }
}

enum Probe<'t> {
    Taken,
    Free(&'t mut u32),
    Long,
}

/// Looks for an equal name, or a free slot, from the hash's own slot on.
fn probe(table: &mut [u32], hash: u64, same: impl Fn(usize) -> bool) -> Probe<'_> {
    let mask = table.len().wrapping_sub(1);
    // The upper bits: the pairwise part has compared all 64, a table needs few.
    let mut at = usize::try_from(hash >> 32).unwrap_or(0) & mask;
    for _ in 0..PROBES {
        match table.get(at).copied() {
            None => return Probe::Long,
            Some(0) => break,
            Some(index) if same(usize::try_from(index).unwrap_or(0).wrapping_sub(1)) => {
                return Probe::Taken;
            }
            Some(_) => at = at.wrapping_add(1) & mask,
        }
    }
    match table.get_mut(at) {
        Some(slot) if *slot == 0 => Probe::Free(slot),
        Some(_) | None => Probe::Long,
    }
}

/// Makes the innermost object's table four times as large as its names, and fills it.
fn grow(slots: &mut Vec<u32>, scope: &mut Scope, own: &[Name]) {
    let size = own.len().saturating_mul(4).next_power_of_two();
    slots.truncate(scope.slots);
    slots.resize(scope.slots.saturating_add(size), 0);
    let table = slots.get_mut(scope.slots..).unwrap_or_default();
    for (index, name) in (1..).zip(own) {
        match probe(table, name.hash, |_| false) {
            Probe::Free(slot) => *slot = index,
            Probe::Taken | Probe::Long => scope.sorted = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds all names to one object, with a table of texts; the index of the first repetition.
    fn first_repeated(texts: &[String], force_sorted: bool) -> Option<usize> {
        let mut names = Names::default();
        names.begin();
        for (node, text) in texts.iter().enumerate() {
            if force_sorted && let Some(scope) = names.open.last_mut() {
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
        for count in [0_usize, 1, 2, 11, 12, 13, 14, 24, 25, 100, 1000] {
            let distinct: Vec<String> = (0..count).map(|n| format!("name{n}")).collect();
            for force in [false, true] {
                assert_eq!(first_repeated(&distinct, force), None, "{count}");
                for again in [0, count / 2, count.saturating_sub(1)] {
                    let mut texts = distinct.clone();
                    let Some(repeated) = texts.get(again).cloned() else { continue };
                    texts.push(repeated);
                    assert_eq!(first_repeated(&texts, force), Some(count), "{count} {again}");
                }
            }
        }
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
