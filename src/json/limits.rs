//! Ceilings of the reader.

#![forbid(unsafe_code)]

/// Ceilings of the reader; `None` is no ceiling. A text at the ceiling is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting: `[]` is one.
    pub max_depth: usize,
    /// Bytes of the whole text. Never more than `u32::MAX`, whatever is set: offsets are 32 bits wide.
    pub max_bytes: Option<usize>,
    /// Values of all kinds; member names are not values.
    pub max_nodes: Option<usize>,
    /// Members of one object, or items of one array.
    pub max_members: Option<usize>,
    /// UTF-8 bytes of one string or member name, unescaped.
    pub max_string_bytes: Option<usize>,
    /// Characters of one number.
    pub max_number_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Twice as deep as real APIs nest; at half some generated documents would be refused, at double
            // every consumer behind us that recurses has twice the stack to fear for.
            max_depth: 64,
            max_bytes: None,
            max_nodes: None,
            max_members: None,
            max_string_bytes: None,
            // Twice the digits of an RSA-1536 modulus. Arithmetic on integers is quadratic in this; at double
            // a body of 1 MiB costs four times as much to whoever multiplies.
            max_number_chars: 1024,
        }
    }
}

impl Limits {
    /// The most that callers from outside may set `max_number_chars` to. Whoever makes an integer of n digits, or computes
    /// with it, takes more than n steps: of so many, some tens of milliseconds; of twice as many, three times that.
    pub const MOST_NUMBER_CHARS: usize = 1 << 18;

    /// Bytes that a text may have, whether a ceiling is set or not.
    pub(super) fn byte_ceiling(&self) -> usize {
        let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        self.max_bytes.map_or(most, |ceiling| ceiling.min(most))
    }
}
