//! What is wrong with a policy, and where.

#![forbid(unsafe_code)]

/// A fault of a policy, with its place. Faults sort by file, then line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; 0 where there is none: a value from memory, or a file that cannot be read.
    pub line: usize,
    /// RFC 6901 pointer into the file.
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// All the faults of a policy, collected while it is read.
///
/// A fault never stops the reading: the author gets all of them at once. Whoever meets one leaves a value out
/// and goes on; a policy exists only if there was none.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.0.extend(faults);
    }

    /// The value, or a fault more.
    pub(super) fn take<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }

    /// Whether one of them is at the same place.
    pub(super) fn speak_of(&self, other: &Fault) -> bool {
        self.0.iter().any(|own| own.file == other.file && own.pointer == other.pointer)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value, if nothing was wrong; else every fault, in the order of the files.
    pub(super) fn judge<T>(mut self, value: Option<T>) -> Result<T, Vec<Fault>> {
        self.0.sort();
        self.0.dedup();
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}
