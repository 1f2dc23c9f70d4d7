//! JSON Pointer (RFC 6901).

#![forbid(unsafe_code)]

use std::fmt::Write;

/// Appends `/token`, escaped, to a pointer.
///
/// ```
/// let mut pointer = String::from("/paths");
/// secval::json::pointer::push(&mut pointer, "/a~b");
/// assert_eq!(pointer, "/paths/~1a~0b");
/// ```
pub fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Appends `/index` to a pointer.
pub fn push_index(pointer: &mut String, index: usize) {
    // Writing to a String cannot fail.
    let _ = write!(pointer, "/{index}");
}
