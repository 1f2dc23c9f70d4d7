//! JSON Pointer (RFC 6901).

/// Appends `/token`, escaped, to a pointer.
pub fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}
