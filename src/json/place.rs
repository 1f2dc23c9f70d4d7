//! Where an offset lies, for people.

/// A place in a text. Lines and columns count from 1, columns in characters, as `json.JSONDecodeError` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// RFC 6901 pointer to the innermost value that the offset lies in. It names members that the sender wrote.
    pub pointer: String,
}

/// Works out where a byte of a text lies; the text may be malformed from there on.
pub fn place(_text: &[u8], _offset: usize) -> Place {
    todo!()
}
