//! Where unforeseeable bits come from: seeds of hash tables, and secrets.
//!
//! Other bits in every process, so that nobody outside can aim at a place in a table. The one exception is a build
//! with `--cfg secval_fixed_seed`, in which all of them are constants: the instructions of a scenario are counted in
//! such a build (`benches/instructions`), where a lucky seed must not pass for a faster program. It cannot be made
//! for Python.

#![forbid(unsafe_code)]

#[cfg(all(secval_fixed_seed, feature = "python"))]
compile_error!(
    "--cfg secval_fixed_seed is for counting instructions: what serves requests has random seeds"
);

/// For tables that nothing is iterated or compared by: the quickest hash.
#[cfg(not(secval_fixed_seed))]
pub(crate) use foldhash::fast::RandomState as FastState;
/// The same for what is more than a place in a table: every bit of the hash depends on every bit of the value.
#[cfg(not(secval_fixed_seed))]
pub(crate) use foldhash::quality::RandomState as QualityState;

#[cfg(secval_fixed_seed)]
pub(crate) use foldhash::{fast::FixedState as FastState, quality::FixedState as QualityState};

/// Bits of the operating system's; an error only if it has none to give.
#[cfg(not(secval_fixed_seed))]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(bytes)
}

#[cfg(secval_fixed_seed)]
#[expect(clippy::unnecessary_wraps, reason = "the signature is the random one's")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(0x5A);
    Ok(())
}

/// The same, as a number.
pub(crate) fn number() -> Result<u64, getrandom::Error> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(all(test, not(secval_fixed_seed)))]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_differ() {
        let numbers: std::collections::BTreeSet<u64> =
            (0..8).map(|_| number().expect("randomness")).collect();
        assert_eq!(numbers.len(), 8);
    }

    #[test]
    fn two_tables_hash_differently() {
        use std::hash::BuildHasher;
        assert_ne!(FastState::default().hash_one("a"), FastState::default().hash_one("a"));
        assert_ne!(QualityState::default().hash_one("a"), QualityState::default().hash_one("a"));
    }
}
